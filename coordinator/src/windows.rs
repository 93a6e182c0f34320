//! Rules that must hold in every window: a ring of the last seconds per rule.

use std::collections::VecDeque;

use doorbuster_model::Tally;
use doorbuster_model::pace::Section;
use doorbuster_model::threshold::{Judgement, Metric, Observed, Rule};

/// A rule with `over DURATION`, fed second by second.
#[derive(Debug)]
pub(crate) struct Window {
    rule: Rule,
    seconds: usize,
    /// Whole seconds that lie in the rule's sections, as (from, to); sections that touch are one.
    stretches: Vec<(u32, u32)>,
    ring: VecDeque<Tally>,
    worst: Option<Observed>,
}

impl Window {
    /// The window of a rule that has one, in a run of these sections.
    pub(crate) fn new(rule: &Rule, sections: &[Section]) -> Option<Self> {
        let seconds = usize::try_from(rule.threshold.over?.as_secs()).ok()?;
        let stretches = whole_seconds(rule, sections);
        Some(Self { rule: rule.clone(), seconds, stretches, ring: VecDeque::new(), worst: None })
    }

    /// Takes the next second of every region. Returns how the window that ends with it is judged, once it is full.
    /// A window lies wholly within what the rule is about: not in the warm-up, nor in another phase. Where that is
    /// the end of the load, windows go on while journeys end, because what froze there fails only then; only the
    /// rate of requests has nothing to say there.
    pub(crate) fn second(&mut self, second: u32, regions: &[Tally]) -> Option<Judgement> {
        let stretch = self.stretches.iter().find(|(from, to)| (*from..*to).contains(&second))?;
        if second == stretch.0 {
            self.ring.clear();
        }
        let mut merged = Tally::default();
        for (position, tally) in regions.iter().enumerate() {
            if self.rule.region.is_none_or(|region| region == position) {
                merged.merge(tally);
            }
        }
        self.ring.push_back(merged);
        if self.ring.len() > self.seconds {
            self.ring.pop_front();
        }
        if self.ring.len() < self.seconds {
            return None;
        }
        let mut sum = Tally::default();
        self.ring.iter().for_each(|tally| sum.merge(tally));
        let observed = self.rule.observe(&sum, self.seconds as u64);
        self.worst = self.rule.worse(self.worst, observed);
        observed.map(|observed| self.rule.judge(Some(observed)))
    }

    /// How the worst window is judged.
    pub(crate) fn judge(&self) -> Judgement {
        self.rule.judge(self.worst)
    }
}

/// Where the sections of a rule lie, as (from, to) in nanoseconds; sections that touch are one.
pub(crate) fn stretches(rule: &Rule, sections: &[Section]) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for section in rule.sections.iter().filter_map(|position| sections.get(usize::from(*position))) {
        match joined.last_mut() {
            Some(last) if last.1 == section.from_ns => last.1 = section.to_ns,
            _ => joined.push((section.from_ns, section.to_ns)),
        }
    }
    joined
}

/// The whole seconds of a rule's stretches.
fn whole_seconds(rule: &Rule, sections: &[Section]) -> Vec<(u32, u32)> {
    let second = |ns: u64| u32::try_from(ns).unwrap_or(u32::MAX);
    let end_ns = sections.last().map_or(0, |section| section.to_ns);
    let drains = rule.threshold.metric != Metric::Requests;
    let to = |to_ns: u64| if drains && to_ns == end_ns { u32::MAX } else { second(to_ns / 1_000_000_000) };
    let stretches = stretches(rule, sections);
    stretches.iter().map(|(from_ns, to_ns)| (second(from_ns.div_ceil(1_000_000_000)), to(*to_ns))).collect()
}

#[cfg(test)]
mod tests {
    use super::Window;
    use doorbuster_model::cdn::{ClassId, Counts, Policy};
    use doorbuster_model::sample::Times;
    use doorbuster_model::tally::Place;
    use doorbuster_model::threshold::{Names, Threshold};
    use doorbuster_model::{ErrorClass, Key, Pace, Part, Phase, Sample, Shape, Tally};

    fn tally(good: u64, bad: u64) -> Tally {
        let mut tally = Tally::default();
        for n in 0..good + bad {
            let key = Key { journey: 0, step: 0, part: Part::Main, section: 1 };
            let error = (n < bad).then_some(ErrorClass::Reset);
            tally.record(&Sample { error, ..Sample::new(key, Times::default()) });
        }
        tally
    }

    /// Four seconds of a hold, of which the first is warm-up, and four of a spike.
    fn window(text: &str) -> Window {
        let phase = |kind: doorbuster_model::pace::Kind| Phase {
            name: kind.word().into(),
            kind,
            shape: Shape::Flat(1_000),
            length_ns: 4_000_000_000,
        };
        let phases =
            vec![phase(doorbuster_model::pace::Kind::Hold), phase(doorbuster_model::pace::Kind::Spike)];
        let names = Names {
            regions: vec!["a".into(), "b".into()],
            journeys: Vec::new(),
            classes: Policy::default().classes().to_vec(),
            sections: Pace::try_new(phases).unwrap().sections(1_000_000_000),
        };
        Window::new(&Threshold::parse(text).unwrap().resolve(&names).unwrap(), &names.sections).unwrap()
    }

    #[test]
    fn a_rule_is_judged_by_its_worst_full_window() {
        let mut rule = window("errors < 20% over 2s");
        assert_eq!(rule.second(0, &[tally(0, 90), tally(0, 0)]), None, "the warm-up is not judged");
        assert_eq!(rule.second(1, &[tally(0, 10), tally(0, 0)]), None, "the window is not full yet");
        assert_eq!(rule.second(2, &[tally(90, 0), tally(0, 0)]).map(|judged| judged.ok), Some(true));
        assert_eq!(rule.second(3, &[tally(0, 0), tally(0, 30)]).map(|judged| judged.ok), Some(false));
        assert_eq!(rule.second(4, &[tally(100, 0), tally(900, 0)]).map(|judged| judged.ok), Some(true));
        assert_eq!((rule.judge().observed, rule.judge().ok), (Some(25.0), false));
        let drained = rule.second(8, &[tally(0, 1_000), tally(0, 0)]);
        assert_eq!(
            drained.map(|judged| judged.ok),
            Some(false),
            "what froze at the end fails while journeys end"
        );
    }

    #[test]
    fn a_region_s_rule_sees_its_region_alone() {
        let mut rule = window("b errors < 20% over 1s");
        assert_eq!(rule.second(1, &[tally(0, 10), tally(10, 0)]).map(|judged| judged.ok), Some(true));
    }

    #[test]
    fn a_class_of_content_is_judged_second_by_second() {
        let caching = |hits, misses| {
            let place = Place { class: ClassId(1), section: 1, pop: None };
            let mut tally = Tally::default();
            tally.caching.insert(place, Counts { hits, misses, ..Counts::default() });
            tally
        };
        let mut rule = window("static hit_ratio > 95% over 1s");
        let judged = |judgement: Option<super::Judgement>| judgement.map(|judged| judged.ok);
        assert_eq!(judged(rule.second(1, &[caching(99, 1), Tally::default()])), Some(true));
        assert_eq!(
            judged(rule.second(2, &[Tally::default(), caching(9, 1)])),
            Some(false),
            "the cache was cold"
        );
        assert_eq!(judged(rule.second(3, &[Tally::default(), Tally::default()])), None, "nobody looked");
        assert_eq!((rule.judge().observed, rule.judge().ok), (Some(90.0), false));
    }

    #[test]
    fn a_phase_s_rule_sees_its_phase_alone() {
        let mut rule = window("requests > 5/s during spike over 2s");
        assert_eq!(rule.second(3, &[tally(0, 0), tally(0, 0)]), None);
        assert_eq!(rule.second(4, &[tally(10, 0), tally(0, 0)]), None);
        assert_eq!(rule.stretches, [(4, 8)]);
    }
}
