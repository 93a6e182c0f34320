//! What came of a round, as metrics have it and as people do.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_model::ErrorClass;
use doorbuster_model::report::{Probed, ProbedStep};
use serde_json::json;

use crate::aws::emf::{self, Figures};
use crate::aws::say;

/// What journeys and steps are called, by their positions.
pub(super) type Names = Vec<(String, Vec<String>)>;

/// What came of a round.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The region's name.
    pub(super) region: String,
    /// What was to be walked.
    pub(super) names: Names,
    /// The walks that ended.
    pub(super) walks: Vec<Probed>,
    /// The journeys, by their positions, whose walks had begun and not ended when the round was over.
    pub(super) unended: Vec<u16>,
}

impl Walked {
    /// The lines that metrics are made of.
    pub(crate) fn lines(&self, at_unix_ms: u64) -> Vec<String> {
        self.figures().iter().flat_map(|figures| emf::lines(figures, at_unix_ms)).collect()
    }

    /// The function's answer, for people who invoke it by hand.
    pub(crate) fn summary(&self) -> String {
        let good = self.walks.iter().filter(|walk| walk.is_good).count();
        let walks = self.walks.len() + self.unended.len();
        json!({ "region": &self.region, "walks": walks, "good": good }).to_string()
    }

    /// Says what did not come about.
    pub(super) fn complain(&self) {
        for (journey, (name, _)) in self.names.iter().enumerate() {
            let is_this = |known: u16| usize::from(known) == journey;
            if self.unended.iter().copied().any(is_this) {
                say(&format!(
                    "{name}: its walk had not ended when the round was over, and counts as failed; if it may last so long, give the function a longer timeout"
                ));
            } else if !self.walks.iter().any(|walk| is_this(walk.journey)) {
                say(&format!("{name}: no walk through it came to anything in time"));
            }
        }
    }

    /// By journey, and by step. A walk that never ended is one that failed: a target that hangs is no good one.
    fn figures(&self) -> Vec<Figures> {
        let mut figures: BTreeMap<(u16, Option<u16>), Figures> = BTreeMap::new();
        let mut count = |journey: u16, step: Option<u16>, is_good: bool, latency_ns: Option<u64>| {
            let Some((name, steps)) = self.names.get(usize::from(journey)) else { return };
            let entry = figures.entry((journey, step)).or_insert_with(|| Figures {
                region: self.region.clone(),
                journey: name.clone(),
                step: step.map(|step| steps.get(usize::from(step)).cloned().unwrap_or_default()),
                ..Figures::default()
            });
            entry.total += 1;
            entry.good += u64::from(is_good);
            entry.latencies_ms.extend(latency_ns.map(milliseconds));
        };
        for walk in &self.walks {
            count(walk.journey, None, walk.is_good, None);
            for step in &walk.steps {
                count(walk.journey, Some(step.step), step.failure.is_none(), latency_ns(step));
            }
        }
        for journey in &self.unended {
            count(*journey, None, false, None);
        }
        figures.into_values().collect()
    }
}

/// How long a step took: only where there was a good answer, or one was waited for in vain. Other failures are often quick.
fn latency_ns(step: &ProbedStep) -> Option<u64> {
    let counts = step.failure.as_ref().is_none_or(|failure| failure.class == ErrorClass::Timeout);
    step.latency_ns.filter(|_| counts)
}

/// For showing: nothing is counted with it.
fn milliseconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use doorbuster_model::report::ProbeFailure;

    use super::*;

    #[test]
    fn figures_are_by_journey_and_by_step() {
        let step = |step, class: Option<ErrorClass>, latency_ns| ProbedStep {
            step,
            failure: class.map(|class| ProbeFailure::new(class, "it failed")),
            latency_ns: Some(latency_ns),
            page_ns: None,
        };
        let walk = |journey, is_good, steps| Probed { journey, began_ns: 0, is_good, steps };
        let walked = Walked {
            region: "tokyo".to_owned(),
            names: vec![
                ("home".to_owned(), vec!["front".to_owned()]),
                ("checkout".to_owned(), vec!["cart".to_owned(), "pay".to_owned()]),
                ("look".to_owned(), Vec::new()),
                ("never".to_owned(), Vec::new()),
            ],
            unended: vec![2],
            walks: vec![
                walk(0, true, vec![step(0, None, 12_500_000)]),
                walk(1, false, vec![step(0, None, 2_000_000), step(1, Some(ErrorClass::Status), 1_000_000)]),
                walk(1, false, vec![step(0, Some(ErrorClass::Timeout), 30_000_000_000)]),
            ],
        };
        let told: Vec<_> = walked
            .figures()
            .into_iter()
            .map(|figures| {
                let name = figures
                    .step
                    .map_or(figures.journey.clone(), |step| format!("{}/{step}", figures.journey));
                (name, figures.good, figures.total, figures.latencies_ms)
            })
            .collect();
        let expected = [
            ("home".to_owned(), 1, 1, vec![]),
            ("home/front".to_owned(), 1, 1, vec![12.5]),
            ("checkout".to_owned(), 0, 2, vec![]),
            ("checkout/cart".to_owned(), 1, 2, vec![2.0, 30_000.0]),
            ("checkout/pay".to_owned(), 0, 1, vec![]),
            ("look".to_owned(), 0, 1, vec![]),
        ];
        assert_eq!(told, expected);
        assert_eq!(walked.lines(1).len(), 6);
        assert_eq!(walked.summary(), "{\"good\":1,\"region\":\"tokyo\",\"walks\":4}");
    }
}
