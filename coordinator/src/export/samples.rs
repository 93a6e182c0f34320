//! A probe that was made by hand, for the tests of everything that tells of one: two objectives, two regions, two rules,
//! three steps; one region is silent, and an alert fires.

use std::sync::Arc;

use doorbuster_model::sample::Times;
use doorbuster_model::slo::{
    AlertStatus, AlertView, BurnReading, Count, ObjectiveStanding, RegionStanding, Rule, Scope, Severity,
    Slo, Standing,
};
use doorbuster_model::tally::{Journeys, Part};
use doorbuster_model::threshold::Names;
use doorbuster_model::{ErrorClass, Health, Key, Plan, Sample, Tally, Tick};

use super::cloudwatch::Sent;
use super::cloudwatch::catalogue::Series;
use super::counters::{Counter, Counters};
use super::gathered::Gathered;
use super::process::Process;
use super::{Reading, Snapshot, Vitals};

/// When everything happens.
pub(super) const NOW_S: i64 = 1_800_000_000;

/// The plan. Its load is not used; a plan of this age has one.
pub(crate) const PLAN: &str = "
name: shop
target: http://127.0.0.1:1
regions: [tokyo, london]
journeys: [browse, checkout]
load: { arrivals: [{ hold: 1/s, for: 10s }] }
slo:
  objectives:
    - checkout availability 99.99% over 30d
    - home p(latency < 200ms) 99.9% over 30d
  rules:
    - { name: page-14.4, severity: page, factor: 14.4, long: 1h, short: 5m }
    - { name: ticket-3, severity: ticket, factor: 3, long: 1d, short: 2h }
export: { cloudwatch: { namespace: Shop, region: eu-west-1 } }
";

/// The plan's objectives and rules.
pub(super) fn slo() -> Slo {
    Plan::read("plan.yaml", PLAN).unwrap().slo.unwrap()
}

/// What positions are called.
pub(super) fn names() -> Names {
    Names {
        regions: ["tokyo", "london"].map(str::to_owned).to_vec(),
        journeys: vec![
            ("browse".to_owned(), vec!["home".to_owned()]),
            ("checkout".to_owned(), vec!["cart".to_owned(), "pay".to_owned()]),
        ],
        ..Names::default()
    }
}

/// Each objective in each scope.
pub(super) fn series() -> Vec<Series> {
    let scopes = [Scope::Global, Scope::Region("tokyo".to_owned()), Scope::Region("london".to_owned())];
    let objectives = slo().objectives;
    let pairs = objectives.iter().flat_map(|objective| scopes.iter().map(move |scope| (objective, scope)));
    pairs.map(|(objective, scope)| (objective.text.clone(), scope.clone())).collect()
}

/// What the events of each came to since the start.
pub(super) fn counted() -> Vec<Counter> {
    let counts = [(1_000, 2, 3), (500, 2, 2), (500, 0, 1), (2_000, 0, 0), (1_000, 0, 0), (1_000, 0, 0)];
    let counter = |((objective, scope), (total, failed, suspected))| Counter {
        objective,
        scope,
        count: Count { total, failed, suspected },
    };
    series().into_iter().zip(counts).map(counter).collect()
}

/// The same as counters.
pub(super) fn counters() -> Counters {
    let mut counters = Counters::default();
    counters.raise(&counted());
    counters
}

/// The readings of a rule's two windows.
fn burns(rule: &Rule, count: Count, burn: f64) -> [BurnReading; 2] {
    [(rule.long_s, true), (rule.short_s, false)].map(|(window_s, is_long)| BurnReading {
        rule: rule.name.clone(),
        severity: rule.severity,
        factor: rule.factor,
        window_s,
        is_long,
        burn: Some(burn),
        is_burning: burn >= rule.factor.as_f64(),
        count,
    })
}

/// What objectives stand at: the first one has failed twice of a thousand times, which its budget allows a tenth of once.
pub(super) fn standing() -> Standing {
    let slo = slo();
    let objective = |(position, Counter { objective, scope, count })| {
        let position: usize = position;
        let spent = [20.0, 40.0, 0.0, 0.0, 0.0, 0.0][position];
        let promised = slo.objectives.iter().find(|promised| promised.text == objective).unwrap();
        ObjectiveStanding {
            share: promised.share,
            window_s: promised.window_s,
            burns: slo.rules.iter().flat_map(|rule| burns(rule, count, spent)).collect(),
            objective,
            scope,
            count,
            budget_spent: Some(spent),
            gaps_s: if position == 0 { 90 } else { 0 },
            exhausted_in_s: (position == 3).then_some(86_400),
        }
    };
    let region = |name: &str, last_heard_s, is_silent| RegionStanding {
        region: name.to_owned(),
        last_heard_s,
        is_silent,
    };
    Standing {
        at_s: NOW_S,
        objectives: counted().into_iter().enumerate().map(objective).collect(),
        regions: vec![region("tokyo", Some(NOW_S - 4), false), region("london", None, true)],
        alerts: alerts(),
    }
}

fn alerts() -> Vec<AlertView> {
    let (objective, scope) = series().swap_remove(0);
    let fired = AlertView {
        incident: "a".to_owned(),
        status: AlertStatus::Firing,
        severity: Severity::Page,
        rule: "page-14.4".to_owned(),
        objective: Some(objective),
        scope,
        since_s: NOW_S - 60,
        is_silenced: true,
        is_inhibited: false,
        is_told: true,
    };
    // The same alert fired a day ago, and was resolved.
    let earlier = AlertView { status: AlertStatus::Resolved, since_s: NOW_S - 86_400, ..fired.clone() };
    let silent = AlertView {
        incident: "b".to_owned(),
        status: AlertStatus::Pending,
        rule: "no-data".to_owned(),
        objective: None,
        scope: Scope::Region("london".to_owned()),
        is_silenced: false,
        ..fired.clone()
    };
    vec![earlier, fired, silent]
}

/// What a region's agent counted: five exchanges, of which one failed.
pub(super) fn tally() -> Tally {
    let mut tally = Tally::default();
    for (journey, step, part, latency_ms, error) in [
        (0, 0, Part::Main, 150, None),
        (0, 0, Part::Asset, 20, None),
        (1, 0, Part::Main, 40, None),
        (1, 1, Part::Main, 700, None),
        (1, 1, Part::Main, 3, Some(ErrorClass::Status)),
    ] {
        let times = Times { sent_ns: Some(0), ended_ns: latency_ms * 1_000_000, ..Times::default() };
        let sample = Sample::new(Key { journey, step, part, section: 0 }, times);
        tally.record(&Sample { error, ..sample });
    }
    for journey in [0, 1] {
        let failed = u64::from(journey);
        tally
            .journeys
            .insert(journey, Journeys { started: 1, completed: 1 - failed, failed, ..Journeys::default() });
    }
    tally.record_lag(300_000, true);
    tally.record_lag(12_000_000, true);
    tally
}

/// A second of an agent.
pub(super) fn tick() -> Tick {
    let health = Health {
        cpu_milli: 250,
        cpu_limit_milli: 2_000,
        descriptors: 40,
        descriptors_max: 20_000,
        shoppers: 1,
        connections: 3,
    };
    Tick { second: 0, tally: tally(), health }
}

/// Everything at one moment.
pub(super) fn snapshot() -> Snapshot {
    let mut gathered = Gathered::new([200_000_000]);
    gathered.tick(0, 0, &tick());
    Snapshot {
        plan: "shop".to_owned(),
        names: Arc::new(names()),
        standing: Arc::new(standing()),
        counters: counters(),
        gathered,
        vitals: Vitals {
            started_at_s: NOW_S - 1_000,
            restarts: vec![0, 2],
            store_failing_since_s: Some(NOW_S - 30),
            store_failing_s: 30,
            store_waiting_bytes: 4_096,
            store_lost: 5,
            outbox_waiting: 3,
            outbox_oldest_s: Some(NOW_S - 20),
            outbox_refused: 1,
            traffic: Some(Reading { failures: 5, is_failing: true }),
            losses: vec![("too_old", 3), ("steps_not_kept", 0)],
        },
        cloudwatch: Some(Sent {
            sent: 900,
            dropped: 8,
            refused: 1,
            failures: 2,
            waiting: 40,
            last_sent_s: Some(NOW_S - 70),
        }),
        process: Some(Process { cpu_s: 1.75, resident_bytes: 1_024_000, descriptors: 12 }),
    }
}
