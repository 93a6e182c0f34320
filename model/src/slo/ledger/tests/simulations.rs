//! Days and months of events on a time that costs nothing.

use super::*;
use crate::slo::oracle::Draws;

/// Traffic of 100 requests/s whose failures are independent.
struct Traffic {
    ledger: Ledger,
    now_s: i64,
    draws: Draws,
}

const TRAFFIC: &str = "traffic availability 99.99% over 30d";

impl Traffic {
    fn new(seed: u64) -> Self {
        let mut ledger = Ledger::new(&Slo::new(objectives(&[TRAFFIC]), 20), &[], 20);
        ledger.evaluate(BEGIN_S);
        Self { ledger, now_s: BEGIN_S, draws: Draws::new(seed) }
    }

    /// Lets time go by, with failures at so many times the budget's rate.
    fn pass(&mut self, seconds: i64, burn: f64) -> Vec<Notice> {
        let mut notices = Vec::new();
        for _ in 0..seconds / BUCKET_S {
            self.now_s += BUCKET_S;
            let failed = self.draws.failures(1_000, 10_000.0 / burn);
            self.ledger.counted(TRAFFIC, &Scope::Global, self.now_s, 1_000 - failed, 1_000);
            notices.extend(self.ledger.evaluate(self.now_s));
        }
        notices
    }
}

#[test]
fn thirty_days_at_a_tenth_of_the_budget_s_rate_page_nobody() {
    let mut traffic = Traffic::new(1);
    let told = traffic.pass(30 * DAY_S, 0.1);
    assert!(told.is_empty(), "{told:?}");
    let standing = &traffic.ledger.standing(traffic.now_s).objectives[0];
    let spent = standing.budget_spent.unwrap();
    assert!((0.09..0.11).contains(&spent) && standing.count.total == 259_200_000, "{standing:?}");
    assert!(
        standing.exhausted_in_s.is_none_or(|left_s| left_s > 30 * 86_400) && standing.gaps_s == 0,
        "{standing:?}"
    );
}

#[test]
fn three_times_the_budget_s_rate_is_a_ticket_within_a_day() {
    let mut traffic = Traffic::new(2);
    assert!(traffic.pass(3 * DAY_S, 0.1).is_empty());
    let began_s = traffic.now_s;
    let told = traffic.pass(DAY_S, 3.0);
    assert_eq!(shown(&told), ["ticket global firing"]);
    println!("3 times: a ticket after {} s", told[0].at_s - began_s);
}

#[test]
fn twenty_times_the_budget_s_rate_is_one_page_within_two_hours() {
    let mut traffic = Traffic::new(3);
    assert!(traffic.pass(3 * DAY_S, 0.1).is_empty());
    let began_s = traffic.now_s;
    let told = traffic.pass(DAY_S, 20.0);
    assert_eq!(shown(&told), ["page global firing"], "one incident");
    let detection_s = told[0].at_s - began_s;
    println!("20 times: a page after {detection_s} s");
    assert!(detection_s <= 2 * HOUR_S);
    let told = traffic.pass(DAY_S, 0.1);
    assert_eq!(shown(&told), ["page global resolved"], "what is left of it in longer windows is no news");
}

#[test]
fn a_full_outage_of_steady_traffic_pages_within_ten_seconds_of_the_arithmetic() {
    let mut traffic = Traffic::new(4);
    traffic.pass(3 * DAY_S, 0.1);
    for second in 0..BUCKET_S {
        let mut outage =
            Traffic { ledger: traffic.ledger.clone(), now_s: traffic.now_s, draws: Draws::new(4) };
        let began_s = outage.now_s + second;
        let mut paged_s = None;
        while paged_s.is_none() {
            outage.now_s += 1;
            let good = if outage.now_s > began_s { 0 } else { 100 };
            outage.ledger.counted(TRAFFIC, &Scope::Global, outage.now_s, good, 100);
            let told = outage.ledger.evaluate(outage.now_s);
            paged_s = told.iter().find(|notice| notice.severity == Severity::Page).map(|notice| notice.at_s);
        }
        let detection_s = paged_s.unwrap() - began_s;
        assert!((5..=15).contains(&detection_s), "after {detection_s} s, arithmetic says 5.18");
    }
}

/// How long an outage goes unnoticed by all regions together and by tokyo, from each of twenty moments of a minute on: the
/// least, the middle and the most.
fn detections(fails: impl Fn(usize) -> bool) -> [[i64; 3]; 2] {
    let slo = Slo::new(objectives(&[CHECKOUT]), 60);
    let mut found = [Vec::new(), Vec::new()];
    for moment in 0..20 {
        let mut world = World::new(&slo, &REGIONS, 60);
        world.good(HOUR_S + 3 * moment);
        let began_s = world.now_s;
        let told = world.pass(10 * MINUTE_S, |region, _| Some(!fails(region)));
        for (found, scope) in found.iter_mut().zip(["global", "tokyo"]) {
            let page = told.iter().find(|notice| notice.scope.name() == scope).unwrap();
            found.push(page.at_s - began_s);
        }
    }
    found.map(|mut seconds| {
        seconds.sort_unstable();
        [seconds[0], seconds[10], seconds[19]]
    })
}

#[test]
fn three_probes_a_minute_are_as_slow_as_they_must_be() {
    let [all_global, all_tokyo] = detections(|_| true);
    let [one_global, one_tokyo] = detections(|region| region == 0);
    println!("3 regions, a probe a minute each; from the outage to the page, least, median and most:");
    println!("everywhere: global {all_global:?} s, tokyo {all_tokyo:?} s");
    println!("tokyo alone: global {one_global:?} s, tokyo {one_tokyo:?} s");
    // Three failures, 20 s apart, where all confirm one another; the evaluation comes after that.
    assert!(all_global[2] <= 60 + 10, "{all_global:?}");
    // Three failures of one region are three minutes; two more confirm the third where no other region does.
    assert!(all_tokyo[2] <= 3 * 60 + 10, "{all_tokyo:?}");
    assert!(one_tokyo[2] <= 5 * 60 + 10 && one_global[2] <= 5 * 60 + 10, "{one_tokyo:?} {one_global:?}");
}

#[test]
fn a_million_probes_take_no_more_memory_than_the_window_does() {
    // A window of four days is full after four days, and everything else before.
    let slo = Slo::new(objectives(&["here checkout availability 99.99% over 4d"]), 1);
    let mut ledger = Ledger::new(&slo, &own(&["here"]), 1);
    ledger.evaluate(BEGIN_S);
    let (mut warm_bytes, mut most_bytes) = (0, 0);
    let mut probe = probed("here", BEGIN_S, true);
    for nth in 0..1_000_000_i64 {
        let at_s = BEGIN_S + nth;
        (probe.at_s, probe.is_good) = (at_s, nth % 977 != 0);
        ledger.probed(&probe);
        if at_s % BUCKET_S == 0 {
            ledger.evaluate(at_s);
        }
        if at_s % HOUR_S == 0 {
            // What was saved need not be remembered as changed.
            ledger.unsaved();
            if nth < 5 * DAY_S {
                warm_bytes = warm_bytes.max(ledger.memory_bytes());
            } else {
                most_bytes = most_bytes.max(ledger.memory_bytes());
            }
        }
    }
    println!("after 5 days at most {warm_bytes} bytes, after {} days {most_bytes}", 1_000_000 / DAY_S);
    assert!(most_bytes > 0 && most_bytes <= warm_bytes + warm_bytes / 50, "{warm_bytes} {most_bytes}");
    assert!(most_bytes < 10_000_000);
    let count = ledger.standing(BEGIN_S + 1_000_000).objectives[0].count;
    assert!(
        count.failed == 0 && count.suspected > 300,
        "failures that stand alone are confirmed by none: {count:?}"
    );
}
