//! For tests: histories that are made up, and what rules do on them, found out by looking at every event at every
//! evaluation. It shares no sums, buckets or comparisons with what is tested.

use doorbuster_notation::{Share, parse_share};

use super::backtest::{Event, Transition};
use super::factor::Factor;
use super::rule::{Rule, Severity};
use crate::chance::{Chance, Purpose};

/// An event, and when somebody hears of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) event: Event,
    pub(super) told_s: i64,
}

/// A history, and what it is to be tried with.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) told: Vec<Told>,
    pub(super) objective: Share,
    pub(super) rules: Vec<Rule>,
    pub(super) factors_tenths: Vec<u128>,
    pub(super) min_failures: u64,
}

/// Numbers that follow from a seed.
pub(super) struct Draws(Chance);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(Chance::new(seed, Purpose::Walk, 0))
    }

    /// From 0 to below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// The same, as seconds.
    pub(super) fn seconds(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }

    /// How many trials fail until one does not: of `n` independent ones, each with a chance of one in `one_in`, those
    /// that fail.
    pub(super) fn failures(&mut self, n: u64, one_in: f64) -> u64 {
        // From failure to failure: gaps are geometric, so few draws do for many trials.
        let (mut place, mut failures) = (0.0, 0);
        loop {
            let uniform = (self.below(1 << 53) + 1) as f64 / (1_u64 << 53) as f64;
            place += 1.0 + (uniform.ln() / (-1.0 / one_in).ln_1p()).floor();
            if place > n as f64 {
                return failures;
            }
            failures += 1;
        }
    }
}

/// Outages, gaps, bursts and steps of the clock; events that come late. Windows are multiples of `window_step_s`.
pub(super) fn made(seed: u64, window_step_s: u32) -> Made {
    let mut draws = Draws::new(seed);
    let mut clock_s = 1_764_201_600 + draws.seconds(10);
    let mut told_s = clock_s;
    let mut told = Vec::new();
    for _ in 0..3 + draws.below(3) {
        let kind = draws.below(7);
        match kind {
            5 => clock_s += 10 * draws.seconds(30),
            6 => clock_s -= draws.seconds(120),
            _ => {}
        }
        for _ in 0..3 + draws.below(6) {
            clock_s += draws.seconds(16);
            let total = if kind == 3 { 1_000 + draws.below(9_000) } else { draws.below(20) };
            let failed = match kind {
                0 => 0,
                1 => total,
                2 => draws.below(total + 1),
                _ => draws.below(total / 8 + 1),
            };
            let late_s = if draws.below(5) == 0 { draws.seconds(60) } else { 0 };
            let event = Event { at_s: clock_s - late_s, good: total - failed, total };
            told_s = told_s.max(clock_s);
            told.push(Told { event, told_s });
        }
    }
    let objective = ["99.99%", "99.9%", "99%", "90%", "50%"][usize::try_from(draws.below(5)).unwrap()];
    let mut made = Made {
        told,
        objective: parse_share(objective).unwrap(),
        rules: Vec::new(),
        factors_tenths: Vec::new(),
        min_failures: draws.below(5),
    };
    for nth in 0..1 + draws.below(3) {
        let short = 1 + u32::try_from(draws.below(u64::from(100 / window_step_s))).unwrap();
        let long = short + u32::try_from(draws.below(u64::from(200 / window_step_s))).unwrap();
        let tenths = [144, 60, 30, 10, 5, 12, 100][usize::try_from(draws.below(7)).unwrap()];
        made.factors_tenths.push(u128::from(tenths));
        made.rules.push(Rule {
            // Names that sort otherwise than they were made.
            name: format!("rule-{}", 9 - nth),
            severity: if nth == 0 { Severity::Page } else { Severity::Ticket },
            factor: Factor::of_tenths(tenths),
            long_s: long * window_step_s,
            short_s: short * window_step_s,
        });
    }
    made
}

impl Made {
    /// What the rules do at every multiple of 10 s. At an evaluation everything is known that was told until
    /// `known_until_s` of it.
    pub(super) fn transitions(
        &self,
        from_s: i64,
        until_s: i64,
        known_until_s: impl Fn(i64) -> i64,
    ) -> Vec<Transition> {
        let mut transitions = Vec::new();
        let mut is_firing = vec![false; self.rules.len()];
        let mut at_s = from_s;
        while at_s <= until_s {
            let mut changes = Vec::new();
            for (nth, rule) in self.rules.iter().enumerate() {
                let known_s = known_until_s(at_s);
                let (long_failed, long_burns) = self.window(nth, at_s, rule.long_s, known_s);
                let (_, short_burns) = self.window(nth, at_s, rule.short_s, known_s);
                if is_firing[nth] && !short_burns {
                    is_firing[nth] = false;
                    changes.push((rule.name.clone(), false));
                } else if !is_firing[nth] && long_burns && short_burns && long_failed >= self.min_failures {
                    is_firing[nth] = true;
                    changes.push((rule.name.clone(), true));
                }
            }
            changes.sort();
            transitions.extend(changes.into_iter().map(|(rule, is_firing)| Transition {
                rule,
                is_firing,
                at_s,
            }));
            at_s += 10;
        }
        transitions
    }

    /// The failures of a window, and whether it burns.
    fn window(&self, nth: usize, at_s: i64, window_s: u32, known_s: i64) -> (u64, bool) {
        let (mut failed, mut total) = (0, 0);
        for Told { event, told_s } in &self.told {
            if *told_s <= known_s && event.at_s <= at_s && event.at_s + i64::from(window_s) > at_s {
                failed += event.total - event.good;
                total += event.total;
            }
        }
        // failed ÷ total ≥ tenths ÷ 10 × allowed ÷ 10⁹
        let allowed = 1_000_000_000 - u128::from(self.objective.parts_per_billion);
        let burns =
            u128::from(failed) * 10_000_000_000 >= self.factors_tenths[nth] * allowed * u128::from(total);
        (failed, total > 0 && burns)
    }
}

#[test]
fn draws_fail_as_often_as_they_should() {
    let mut draws = Draws::new(1);
    let failures: u64 = (0..1_000).map(|_| draws.failures(1_000, 500.0)).sum();
    // Four standard deviations of a binomial with an expectation of 2,000.
    assert!(failures.abs_diff(2_000) < 180, "{failures}");
}
