//! What of a probe's walks is news: that a journey fails where it went well, that it fails otherwise than before, that it
//! goes well again. An outage is three lines, not one for each walk.

use std::collections::BTreeMap;

use doorbuster_model::ErrorClass;
use doorbuster_model::report::Probed;
use doorbuster_model::threshold::Names;

/// What is known of the journeys of all regions. Bounded by the plan.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Journeys that fail, by region and journey.
    failing: BTreeMap<(usize, u16), Failing>,
    /// How many walks each region has skipped in a row of beats, if it skips any.
    skipping: BTreeMap<usize, u64>,
}

/// A journey that fails.
#[derive(Debug)]
struct Failing {
    step: Option<u16>,
    class: Option<ErrorClass>,
    walks: u64,
}

impl Changes {
    /// What a walk of a region changes, as a line.
    pub(crate) fn walked(&mut self, names: &Names, region: usize, walk: &Probed) -> Option<String> {
        let key = (region, walk.journey);
        let place = format!("{} {}", region_name(names, region), journey_name(names, walk.journey));
        if walk.is_good {
            let failing = self.failing.remove(&key)?;
            let walks = failing.walks;
            let times =
                if walks == 1 { "1 failed probe".to_owned() } else { format!("{walks} failed probes") };
            return Some(format!("{place}: good again after {times}"));
        }
        let failed = walk.steps.iter().rev().find(|step| step.failure.is_some());
        let failure = failed.and_then(|step| step.failure.as_ref());
        let (step, class) = (failed.map(|step| step.step), failure.map(|failure| failure.class));
        let known = self.failing.entry(key).or_insert(Failing { step: None, class: None, walks: 0 });
        known.walks += 1;
        if known.walks > 1 && (known.step, known.class) == (step, class) {
            return None;
        }
        (known.step, known.class) = (step, class);
        Some(match (step, failure) {
            (Some(step), Some(failure)) => format!(
                "{place}: failed at \"{}\" ({}): {}",
                step_name(names, walk.journey, step),
                failure.class.word(),
                failure.problem
            ),
            _ => format!("{place}: failed"),
        })
    }

    /// What it changes that a region skipped so many walks since the last beat, as a line.
    pub(crate) fn skipped(&mut self, names: &Names, region: usize, walks: u64) -> Option<String> {
        let name = region_name(names, region);
        if walks == 0 {
            let all = self.skipping.remove(&region)?;
            return Some(format!("{name}: no probe is skipped any more; {all} were"));
        }
        let is_new = !self.skipping.contains_key(&region);
        *self.skipping.entry(region).or_default() += walks;
        is_new.then(|| {
            format!(
                "{name}: {walks} probes were skipped, because too many are under way or this machine is too slow"
            )
        })
    }

    /// An agent of a region begins anew: what its predecessor was in the middle of is no news.
    pub(crate) fn begun(&mut self, region: usize) {
        self.skipping.remove(&region);
    }
}

/// What a region is called.
pub(crate) fn region_name(names: &Names, region: usize) -> &str {
    names.regions.get(region).map_or("?", String::as_str)
}

/// What a journey is called.
pub(crate) fn journey_name(names: &Names, journey: u16) -> &str {
    names.journeys.get(usize::from(journey)).map_or("?", |(name, _)| name)
}

/// What a step of a journey is called.
pub(crate) fn step_name(names: &Names, journey: u16, step: u16) -> &str {
    let steps = names.journeys.get(usize::from(journey)).map(|(_, steps)| steps);
    steps.and_then(|steps| steps.get(usize::from(step))).map_or("?", String::as_str)
}

#[cfg(test)]
mod tests {
    use doorbuster_model::report::{ProbeFailure, ProbedStep};

    use super::*;

    fn names() -> Names {
        Names {
            regions: vec!["tokyo".to_owned(), "london".to_owned()],
            journeys: vec![("buy".to_owned(), vec!["home".to_owned(), "pay".to_owned()])],
            classes: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// A walk through `buy`, failed at a step, or good.
    fn walk(failed: Option<(u16, ErrorClass)>) -> Probed {
        let failure = failed.map(|(_, class)| ProbeFailure::new(class, "GET http://shop.test/: why"));
        let step = failed.map_or(1, |(step, _)| step);
        let steps = vec![ProbedStep { step, failure, latency_ns: Some(1), page_ns: None }];
        Probed { journey: 0, began_ns: 0, is_good: failed.is_none(), steps }
    }

    #[test]
    fn an_outage_is_told_when_it_begins_changes_and_ends() {
        let (names, mut changes) = (names(), Changes::default());
        let mut told = |region, failed| changes.walked(&names, region, &walk(failed));
        assert_eq!(told(0, None), None);
        let first = "tokyo buy: failed at \"pay\" (status): GET http://shop.test/: why";
        assert_eq!(told(0, Some((1, ErrorClass::Status))).as_deref(), Some(first));
        assert_eq!(told(0, Some((1, ErrorClass::Status))), None);
        assert!(told(1, Some((1, ErrorClass::Status))).unwrap().starts_with("london buy"));
        let other = told(0, Some((0, ErrorClass::Timeout))).unwrap();
        assert!(other.starts_with("tokyo buy: failed at \"home\" (timeout)"), "{other}");
        assert_eq!(told(0, None).as_deref(), Some("tokyo buy: good again after 3 failed probes"));
        assert_eq!(told(0, None), None);
        assert_eq!(told(1, None).as_deref(), Some("london buy: good again after 1 failed probe"));
    }

    #[test]
    fn a_journey_that_failed_nowhere_is_told_too() {
        let (names, mut changes) = (names(), Changes::default());
        let walk = Probed { journey: 0, began_ns: 0, is_good: false, steps: Vec::new() };
        assert_eq!(changes.walked(&names, 1, &walk).as_deref(), Some("london buy: failed"));
        assert_eq!(changes.walked(&names, 1, &walk), None);
    }

    #[test]
    fn skipped_walks_are_told_when_they_begin_and_end() {
        let (names, mut changes) = (names(), Changes::default());
        assert_eq!(changes.skipped(&names, 0, 0), None);
        assert!(changes.skipped(&names, 0, 4).unwrap().starts_with("tokyo: 4 probes were skipped"));
        assert_eq!(changes.skipped(&names, 0, 3), None);
        let over = "tokyo: no probe is skipped any more; 7 were";
        assert_eq!(changes.skipped(&names, 0, 0).as_deref(), Some(over));
    }
}
