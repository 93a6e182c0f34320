//! What a ledger's rules do, beside what is found out by looking at every event.

use super::*;
use crate::slo::backtest::Transition;
use crate::slo::oracle::{Draws, made};

#[test]
fn ten_thousand_histories_told_as_they_come_are_what_the_oracle_says() {
    let (mut transitions, mut notices) = (0, 0);
    for seed in 0..10_000 {
        let made = made(seed, 10);
        let mut objective = Objective::parse("traffic availability 99% over 30d").unwrap();
        objective.share = made.objective;
        let text = objective.text.clone();
        let slo = Slo {
            rules: made.rules.clone(),
            min_failures: made.min_failures,
            ..Slo::new(vec![objective], 20)
        };
        let mut ledger = Ledger::new(&slo, &[], 20);

        // Mostly somebody evaluates every 10 s; now and then only after some minutes.
        let mut draws = Draws::new(seed + 1_000_000);
        let ceiling = |at_s: i64| at_s + (-at_s).rem_euclid(BUCKET_S);
        let (from_s, until_s) =
            (ceiling(made.told[0].told_s), ceiling(made.told[made.told.len() - 1].told_s));
        let mut calls = vec![from_s];
        while calls[calls.len() - 1] < until_s {
            let pause = if draws.below(6) == 0 { 1 + draws.seconds(20) } else { 1 };
            calls.push(calls[calls.len() - 1] + BUCKET_S * pause);
        }

        let mut seen = Vec::new();
        let mut note = |_: &SeriesKey, rule: &Rule, is_firing: bool, at_s: i64| {
            seen.push(Transition { rule: rule.name.clone(), is_firing, at_s });
        };
        let mut ahead = made.told.iter().peekable();
        for call_s in &calls {
            while let Some(told) = ahead.next_if(|told| told.told_s <= *call_s) {
                let event = told.event;
                ledger.counted(&text, &Scope::Global, event.at_s, event.good, event.total);
            }
            let told = ledger.evaluate_noting(*call_s, &mut note);
            notices += told.iter().filter(|notice| notice.kind != NoticeKind::NoData).count();
        }
        let last_s = calls[calls.len() - 1];
        let known_until_s = |at_s: i64| calls[calls.partition_point(|call_s| *call_s < at_s)];
        let expected = made.transitions(from_s, last_s, known_until_s);
        assert_eq!(seen, expected, "seed {seed}: called at {calls:?}, {made:?}");
        assert_eq!(ledger.oddities(), Oddities::default(), "seed {seed}");
        transitions += seen.len();
    }
    assert!(transitions > 10_000, "{transitions}: the histories are too dull to prove anything");
    assert!(notices > 1_000 && notices < transitions, "{notices} notices of {transitions} transitions");
}
