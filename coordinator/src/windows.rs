//! Rules that must hold in every window: a ring of the last seconds per rule.

use std::collections::VecDeque;

use doorbuster_model::Tally;
use doorbuster_model::threshold::{Judgement, Observed, Rule};

/// A rule with `over DURATION`, fed second by second.
#[derive(Debug)]
pub(crate) struct Window {
    rule: Rule,
    seconds: usize,
    ring: VecDeque<Tally>,
    worst: Option<Observed>,
}

impl Window {
    /// The window of a rule that has one.
    pub(crate) fn new(rule: &Rule) -> Option<Self> {
        let seconds = usize::try_from(rule.threshold.over?.as_secs()).ok()?;
        Some(Self { rule: rule.clone(), seconds, ring: VecDeque::new(), worst: None })
    }

    /// Takes the next second of every region. Returns how the window that ends with it is judged, once it is full.
    pub(crate) fn second(&mut self, regions: &[Tally]) -> Option<Judgement> {
        let mut second = Tally::default();
        for (position, tally) in regions.iter().enumerate() {
            if self.rule.region.is_none_or(|region| region == position) {
                second.merge(tally);
            }
        }
        self.ring.push_back(second);
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

#[cfg(test)]
mod tests {
    use super::Window;
    use doorbuster_model::cdn::Observation;
    use doorbuster_model::sample::Times;
    use doorbuster_model::threshold::{Names, Threshold};
    use doorbuster_model::{ErrorClass, Key, Pace, Part, Phase, Sample, Shape, Tally};

    fn tally(good: u64, bad: u64) -> Tally {
        let mut tally = Tally::default();
        for n in 0..good + bad {
            tally.record(&Sample {
                key: Key { journey: 0, step: 0, part: Part::Main, section: 0 },
                times: Times::default(),
                opened: None,
                status: None,
                error: (n < bad).then_some(ErrorClass::Reset),
                cut: false,
                bytes_wire: 0,
                bytes_decoded: None,
                observation: Observation::default(),
            });
        }
        tally
    }

    fn window(text: &str) -> Window {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(1_000),
            length_ns: 1_000_000_000,
        };
        let names = Names {
            regions: vec!["a".into(), "b".into()],
            journeys: Vec::new(),
            sections: Pace::try_new(vec![phase]).unwrap().sections(0),
        };
        Window::new(&Threshold::parse(text).unwrap().resolve(&names).unwrap()).unwrap()
    }

    #[test]
    fn a_rule_is_judged_by_its_worst_full_window() {
        let mut rule = window("errors < 20% over 2s");
        assert_eq!(rule.second(&[tally(0, 10), tally(0, 0)]), None, "the window is not full yet");
        assert_eq!(rule.second(&[tally(90, 0), tally(0, 0)]).map(|judged| judged.ok), Some(true));
        assert_eq!(rule.second(&[tally(0, 0), tally(0, 30)]).map(|judged| judged.ok), Some(false));
        assert_eq!(rule.second(&[tally(100, 0), tally(900, 0)]).map(|judged| judged.ok), Some(true));
        assert_eq!((rule.judge().observed, rule.judge().ok), (Some(25.0), false));
    }

    #[test]
    fn a_region_s_rule_sees_its_region_alone() {
        let mut rule = window("b errors < 20% over 1s");
        assert_eq!(rule.second(&[tally(0, 10), tally(10, 0)]).map(|judged| judged.ok), Some(true));
    }
}
