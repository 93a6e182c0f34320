use doorbuster_notation::parse_share;
use proptest::prelude::*;

use super::*;
use crate::slo::Factor;
use crate::slo::oracle::{Draws, Made, Told, made};

fn backtest(made: &Made) -> Option<Backtested> {
    let mut backtest = Backtest::new(made.objective, made.rules.clone(), made.min_failures);
    for told in &made.told {
        backtest.add(told.event).unwrap();
    }
    backtest.run()
}

fn expected(made: &Made, backtested: &Backtested) -> Vec<Transition> {
    let times = || made.told.iter().map(|told| told.event.at_s);
    let (from_s, until_s) = (evaluation_of(times().min().unwrap()), evaluation_of(times().max().unwrap()));
    assert_eq!((backtested.from_s, backtested.until_s), (from_s, until_s));
    made.transitions(from_s, until_s, |_| i64::MAX)
}

#[test]
fn ten_thousand_histories_are_what_the_oracle_says() {
    let mut transitions = 0;
    for seed in 0..10_000 {
        let made = made(seed, if seed.is_multiple_of(3) { 10 } else { 1 });
        let backtested = backtest(&made).unwrap();
        assert_eq!(backtested.transitions, expected(&made, &backtested), "seed {seed}: {made:?}");
        transitions += backtested.transitions.len();
    }
    assert!(transitions > 10_000, "{transitions}: the histories are too dull to prove anything");
}

#[test]
fn the_usual_rules_over_days_are_what_the_oracle_says() {
    for seed in 0..3 {
        let mut draws = Draws::new(seed);
        let mut made = Made {
            told: Vec::new(),
            objective: parse_share("99.99%").unwrap(),
            rules: Rule::defaults(),
            factors_tenths: vec![144, 60, 30, 10],
            min_failures: 3,
        };
        let mut at_s = 1_764_201_600;
        for nth in 0..60 {
            at_s += draws.seconds(7_200);
            let failed = if nth % 20 == 7 { 100 } else { draws.below(2) };
            made.told
                .push(Told { event: Event { at_s, good: 30_000 - failed, total: 30_000 }, told_s: at_s });
        }
        let backtested = backtest(&made).unwrap();
        assert_eq!(backtested.transitions, expected(&made, &backtested), "seed {seed}");
        assert!(backtested.transitions.len() >= 4, "{:?}", backtested.transitions);
    }
}

/// The facts: the share of a budget of 30 days that is spent when each rule fires.
#[test]
fn each_rule_fires_when_its_share_of_the_budget_is_spent() {
    let failed_of_a_million = [1_440, 600, 300, 100];
    let shares = [0.02, 0.05, 0.1, 0.1];
    for ((rule, failed), share) in Rule::defaults().into_iter().zip(failed_of_a_million).zip(shares) {
        let long_s = i64::from(rule.long_s);
        let mut backtest = Backtest::new(parse_share("99.99%").unwrap(), vec![rule], 3);
        for bucket in 1..=2 * long_s / 10 {
            let failed = if bucket * 10 > long_s { failed } else { 0 };
            backtest.add(Event { at_s: bucket * 10, good: 1_000_000 - failed, total: 1_000_000 }).unwrap();
        }
        let backtested = backtest.run().unwrap();
        let [fired] = &backtested.firings[..] else { panic!("{:?}", backtested.transitions) };
        assert_eq!((fired.fired_s, fired.first_failure_s), (2 * long_s, long_s + 10), "{}", fired.rule);
        let spent = fired.budget_spent.unwrap();
        assert!((spent - share).abs() < 1e-9, "{}: {spent}", fired.rule);
    }
}

#[test]
fn a_full_outage_pages_within_ten_seconds_of_the_arithmetic() {
    for offset_s in [0, 1, 4, 5, 9] {
        let mut backtest = Backtest::new(parse_share("99.99%").unwrap(), Rule::defaults(), 3);
        let outage_s = 1_764_205_200 + offset_s;
        for hours in 2..=72 {
            let hour = Event { at_s: outage_s - 3_600 * hours, good: 360_000, total: 360_000 };
            backtest.add(hour).unwrap();
        }
        for at_s in outage_s - 7_199..outage_s + 60 {
            let good = if at_s >= outage_s { 0 } else { 100 };
            backtest.add(Event { at_s, good, total: 100 }).unwrap();
        }
        let backtested = backtest.run().unwrap();
        let page = backtested.firings.iter().find(|fired| fired.rule == "page-14.4").unwrap();
        assert_eq!(page.first_failure_s, outage_s);
        // The second that an event bears is over when it is counted.
        let detection_s = page.fired_s - (outage_s - 1);
        assert!((6..=15).contains(&detection_s), "offset {offset_s}: {detection_s}");
        assert_eq!(backtested.incidents.len(), 1, "one incident: the ticket is what the page says");
    }
}

#[test]
fn rules_that_flap_are_one_incident() {
    let mut backtest = Backtest::new(parse_share("99.99%").unwrap(), Rule::defaults(), 3);
    // After a good day, five bad minutes of every ten: the short window swings, the long one burns 20 times too fast.
    for bucket in 1..=2 * 8_640 {
        let failed = if bucket <= 8_640 { 0 } else { 40 * u64::from(bucket % 60 < 30) };
        let at_s = 1_764_201_600 + bucket * 10;
        backtest.add(Event { at_s, good: 10_000 - failed, total: 10_000 }).unwrap();
    }
    let backtested = backtest.run().unwrap();
    let raw = backtested.firings.iter().filter(|fired| fired.rule == "page-14.4").count();
    assert!(raw > 20, "{raw}");
    let pages = backtested.incidents.iter().filter(|incident| incident.severity == Severity::Page);
    assert_eq!(pages.count(), 1, "{:?}", backtested.incidents);
    assert_eq!(backtested.incidents.last().unwrap().resolved_s, None, "it is not over");
}

#[test]
fn long_gaps_take_no_time_and_the_memory_is_that_of_what_is_there() {
    let mut backtest = Backtest::new(parse_share("99.99%").unwrap(), Rule::defaults(), 0);
    for at_s in [-TIME_MAX_S, 0, 1_764_201_600, TIME_MAX_S] {
        backtest.add(Event { at_s, good: 0, total: 5 }).unwrap();
    }
    let backtested = backtest.run().unwrap();
    let page: Vec<i64> =
        backtested.transitions.iter().filter(|it| it.rule == "page-14.4").map(|it| it.at_s).collect();
    let first = evaluation_of(-TIME_MAX_S);
    let last = evaluation_of(TIME_MAX_S);
    assert_eq!(page, [first, first + 300, 0, 300, 1_764_201_600, 1_764_201_900, last]);
    assert!(backtest.memory_bytes() < 10_000);
    let mut dense = Backtest::new(parse_share("99.99%").unwrap(), Rule::defaults(), 0);
    for at_s in 0..200_000 {
        dense.add(Event { at_s, good: 99, total: 100 }).unwrap();
    }
    assert!(dense.memory_bytes() < 100_000, "{}: events of 10 s are one bucket", dense.memory_bytes());
}

#[test]
fn what_cannot_be_is_refused() {
    let mut backtest = Backtest::new(parse_share("99.99%").unwrap(), Rule::defaults(), 3);
    assert_eq!(backtest.run(), None);
    for (event, part) in [
        (Event { at_s: 0, good: 2, total: 1 }, "good is 2, and total 1"),
        (Event { at_s: 1_764_201_600_000, good: 1, total: 1 }, "unix seconds, not milliseconds"),
        (Event { at_s: i64::MIN, good: 1, total: 1 }, "beyond the year 9999"),
    ] {
        let why = backtest.add(event).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
    backtest.add(Event { at_s: 1, good: 0, total: u64::MAX }).unwrap();
    assert!(backtest.add(Event { at_s: 2, good: 0, total: 1 }).unwrap_err().contains("64 bits"));
    backtest.add(Event { at_s: 11, good: 0, total: u64::MAX }).unwrap();
    assert_eq!(backtest.run().unwrap().failed, u128::from(u64::MAX) * 2, "sums are wider");
}

#[test]
fn windows_without_events_burn_nothing_and_empty_events_count_for_the_span() {
    let rule = |long_s, short_s| Rule {
        name: "r".to_owned(),
        severity: Severity::Page,
        factor: Factor::parse("1").unwrap(),
        long_s,
        short_s,
    };
    let mut backtest = Backtest::new(parse_share("99%").unwrap(), vec![rule(60, 7)], 1);
    for (at_s, good, total) in [(5, 0, 1), (47, 0, 1), (100, 0, 0)] {
        backtest.add(Event { at_s, good, total }).unwrap();
    }
    let backtested = backtest.run().unwrap();
    let seen: Vec<(i64, bool)> = backtested.transitions.iter().map(|it| (it.at_s, it.is_firing)).collect();
    // (3, 10] holds the first event, (13, 20] none; (43, 50] the second, (53, 60] none.
    assert_eq!(seen, [(10, true), (20, false), (50, true), (60, false)]);
    assert_eq!((backtested.from_s, backtested.until_s, backtested.entries), (10, 100, 3));
}

proptest! {
    /// In whatever order events come, they come to the same.
    #[test]
    fn the_order_of_events_does_not_matter(seed in 0_u64..1_000, turns in 0_usize..40) {
        let made = made(seed, 1);
        let mut turned = made.clone();
        let turns = turns % turned.told.len();
        turned.told.rotate_left(turns);
        turned.told.reverse();
        prop_assert_eq!(backtest(&made), backtest(&turned));
    }
}
