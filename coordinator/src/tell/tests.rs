//! What is told of a run that was made by hand: two journeys that share a step's name, a lost agent, failures of two
//! kinds, hits and misses, broken promises of the edge, and a sample too small for a 99th percentile.

mod files;
mod json;
mod schema;
mod shown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use doorbuster_model::cdn::{ClassId, Evidence, Head, Layer, Pop, Rule};
use doorbuster_model::sample::{ConnectTimes, Times};
use doorbuster_model::slo::{Backtest, Backtested, Event};
use doorbuster_model::tally::{Journeys, Part};
use doorbuster_model::threshold::{Judgement, Names};
use doorbuster_model::{ErrorClass, Key, Plan, Sample, Tally};

use crate::outcome::{
    Finding, Job, Outcome, Reason, RegionOutcome, Run, ThresholdOutcome, TimelineRow, Verdict,
};
use crate::promises;

const PLAN: &str = "
name: friday
target: https://shop.example.com
regions: [REGIONS]
journeys: [{ journey: browse, weight: 3 }, { journey: checkout, weight: 1 }]
load: { arrivals: [{ ramp: [0/s, 100/s], over: 4s }, { hold: 100/s, for: 6s, name: doors-open }] }
warmup: 2s
";
/// Samples of each step's main request: enough for a 95th percentile, too few for a 99th.
const SAMPLES: u64 = 300;
const MILLISECOND_NS: u64 = 1_000_000;

pub(super) fn three_regions() -> Outcome {
    outcome(&["tokyo", "london", "new-york"])
}

pub(super) fn ten_regions_with_long_names() -> Outcome {
    let names: Vec<String> =
        (0..10).map(|n| format!("asia-pacific-southeast-{n}-behind-the-second-transit-gateway")).collect();
    outcome(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The second region fails requests, the third lost an agent.
pub(super) fn outcome(regions: &[&str]) -> Outcome {
    let plan = Plan::read("plan.yaml", &PLAN.replace("REGIONS", &regions.join(", "))).unwrap();
    let steps = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let names = Names {
        regions: regions.iter().map(|name| (*name).to_owned()).collect(),
        journeys: vec![
            ("browse".to_owned(), steps(["home", "product"])),
            ("checkout".to_owned(), steps(["home", "pay"])),
        ],
        classes: plan.cdn.classes().to_vec(),
        sections: plan.load.pace.sections(2_000 * MILLISECOND_NS),
    };
    let findings = findings(regions);
    let lost = regions.get(2).map(|name| (*name).to_owned());
    Outcome {
        run: Run {
            id: "7f3a".to_owned(),
            job: Job::Rehearse,
            started_at: "2026-11-27T00:00:00Z".parse().unwrap(),
            finished_at: "2026-11-27T00:00:12.5Z".parse().unwrap(),
        },
        plan,
        names,
        verdict: Verdict::Invalid,
        reasons: vec![
            Reason {
                kind: "agent_lost",
                message: "1 of 1 agents was lost after 7 s; see its log, and run again".to_owned(),
                region: lost,
                invalidates: true,
            },
            Reason {
                kind: "threshold",
                message: "home <b>p95</b> | was \u{1b}[31m212.4 ms\u{1b}[0m; look at the slowest step"
                    .to_owned(),
                region: None,
                invalidates: false,
            },
        ]
        .into_iter()
        .chain(promises::reasons(&findings))
        .collect(),
        regions: regions.iter().enumerate().map(|(position, name)| region(position, name)).collect(),
        timeline: timeline(regions.len()),
        thresholds: thresholds(regions),
        findings,
        findings_not_kept: 2,
        kept_in: None,
    }
}

fn thresholds(regions: &[&str]) -> Vec<ThresholdOutcome> {
    let outcome = |rule: &str, region: Option<&str>, observed, unit, ok| ThresholdOutcome {
        rule: rule.to_owned(),
        region: region.map(str::to_owned),
        judgement: Judgement { observed, unit, ok },
    };
    let first = regions[0];
    vec![
        outcome("errors < 1%", None, Some(0.222), "%", true),
        outcome("browse/home p95 < 200ms", None, Some(200.3), "ms", false),
        outcome(&format!("{first} pay p99 < 800ms"), Some(first), None, "ms", false),
    ]
}

/// A private answer that was cached in the second region (or the only one), another lifetime than is usual and too few
/// hits in the first.
fn findings(regions: &[&str]) -> Vec<Finding> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let answered = |url: &str, headers: &[(&str, &str)]| Evidence {
        method: "GET".to_owned(),
        url: url.to_owned(),
        status: 200,
        asked: vec![own("Accept-Encoding", "br, gzip")],
        answered: headers.iter().map(|(name, value)| own(name, value)).collect(),
        note: String::new(),
    };
    let finding = |rule: Rule, region: &str, pop: &[u8], class: &str, count, seen_ns, evidence| Finding {
        rule,
        severity: rule.severity(false),
        region: region.to_owned(),
        class: class.to_owned(),
        pop: Pop::parse(pop),
        count,
        seen_ns,
        evidence,
    };
    let cart = [("Server", "nginx"), ("X-Cache", "Hit from cloudfront"), ("Age", "5")];
    let page = [("Cache-Control", "max-age=60"), ("Set-Cookie", "a|b=(hidden); Path=/")];
    let note = "hits: 300 of 400 look-ups (75.00 %), promised > 95%".to_owned();
    let rate = Evidence { note, ..Evidence::default() };
    let (first, second) = (regions[0], regions.get(1).copied().unwrap_or(regions[0]));
    let at_ns = Some((3_200 * MILLISECOND_NS, 7_900 * MILLISECOND_NS));
    let cart = answered("https://shop.example.com/cart", &cart);
    let page = answered("https://shop.example.com/p/1", &page);
    vec![
        finding(Rule::PrivateHit, second, b"LHR50", "private", 37, at_ns, cart.clone()),
        finding(Rule::PrivateHit, second, b"LHR50", "api <b>", 3, at_ns, cart),
        finding(Rule::LifetimeDiffers, first, b"NRT57", "html", 1_200, at_ns, page),
        finding(Rule::HitRatio, first, b"", "static", 100, None, rate),
    ]
}

fn timeline(regions: usize) -> Vec<TimelineRow> {
    let row = |second, region| TimelineRow {
        second,
        region,
        requests: 100,
        errors: 1,
        quantiles_us: [Some(12_345), Some(45_000), None],
        arrivals_planned: 25,
        arrivals_started: 24,
        hits: 60,
        misses: 20,
        cacheable: (60, 75),
        // Static ones; too few pages to say.
        classes: BTreeMap::from([(ClassId(1), (60 - 5 * u64::from(second), 75)), (ClassId(2), (0, 3))]),
    };
    (0..4).flat_map(|second| (0..regions).map(move |region| row(second, region))).collect()
}

fn region(position: usize, name: &str) -> RegionOutcome {
    let mut tally = Tally::default();
    for (journey, step) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        main_requests(&mut tally, position as u64, journey, step);
    }
    assets(&mut tally, ["NRT57", "LHR50"].get(position).copied().unwrap_or("JFK52"));
    if position == 1 {
        failures(&mut tally);
    }
    for (journey, completed) in [(0, 290), (1, 280)] {
        tally.journeys.insert(
            journey,
            Journeys { started: 300, completed, failed: 300 - completed - 1, abandoned: 0, cut: 1 },
        );
    }
    (0..1_000).for_each(|n| tally.record_lag(n * 1_000, n < 600));
    tally.count("connections_limited", 3);
    RegionOutcome {
        name: name.to_owned(),
        tally,
        arrivals_planned: 600,
        agents_planned: 1,
        agents_lost: u32::from(position == 2),
        ticks_missing: 3 * u64::from(position == 2),
        clock_offset_ms: -1.2345,
        cpu_percent_max: 41.0,
    }
}

/// 10 ms and more, 30 ms more per region, 40 ms more per step; in the first section and the last.
fn main_requests(tally: &mut Tally, region: u64, journey: u16, step: u16) {
    let base_us = 10_000 + 30_000 * region + 40_000 * u64::from(step);
    for n in 0..SAMPLES {
        let section = if n % 3 == 0 { 0 } else { 2 };
        let key = Key { journey, step, part: Part::Main, section };
        let mut sample = sample(key, base_us + n * 101);
        sample.class = if journey == 0 { ClassId(2) } else { ClassId(0) };
        sample.opened = (n % 100 == 0).then_some(ConnectTimes {
            dns_ns: None,
            connect_ns: 2 * MILLISECOND_NS,
            tls_ns: Some(5 * MILLISECOND_NS),
        });
        tally.record(&sample);
        if step == 0 {
            tally.record_page_us(key, base_us + n * 301);
        }
    }
}

/// Three quarters hits of an edge location, compressed to a quarter; and two redirect hops.
fn assets(tally: &mut Tally, pop: &str) {
    let head = |cache: &str| {
        let layer = if cache.starts_with("Hit") { "cdn-hit-layer;desc=\"EDGE\"" } else { "cdn-cache-miss" };
        let headers = [("X-Cache", cache), ("X-Amz-Cf-Pop", pop), ("Server-Timing", layer)];
        Head::of(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    };
    for n in 0..400 {
        let mut asset = sample(Key { journey: 0, step: 0, part: Part::Asset, section: 2 }, 5_000 + n);
        asset.class = ClassId(1);
        asset.head = head(if n % 4 == 0 { "Miss from cloudfront" } else { "Hit from cloudfront" });
        asset.is_first_miss = n % 40 == 0;
        (asset.bytes_wire, asset.bytes_decoded) = (2_000, Some(8_000));
        (asset.is_text, asset.is_sampled) = (true, n % 2 == 0);
        tally.record(&asset);
    }
    for _ in 0..2 {
        let mut hop = sample(Key { journey: 1, step: 1, part: Part::Hop, section: 2 }, 4_000);
        hop.status = Some(302);
        tally.record(&hop);
        tally.note_unclassified("/pay");
    }
}

/// Five answers 503, two business failures, a timeout, and one exchange that the end cut.
fn failures(tally: &mut Tally) {
    let key = Key { journey: 1, step: 1, part: Part::Main, section: 2 };
    let classes = [ErrorClass::Status; 5].into_iter().chain([ErrorClass::Expectation; 2]);
    for class in classes.chain([ErrorClass::Timeout]) {
        let mut failed = sample(key, 1_000_000);
        failed.error = Some(class);
        failed.status = match class {
            ErrorClass::Status => Some(503),
            ErrorClass::Expectation => Some(200),
            _ => None,
        };
        failed.layer = match class {
            ErrorClass::Status => Some(Layer::Balancer),
            ErrorClass::Expectation => Some(Layer::Origin),
            _ => None,
        };
        tally.record(&failed);
        tally.fail(1, 1, class, || {
            format!("POST https://shop.example.com/pay?cart=42&step=<last>: {}", class.word())
        });
    }
    let mut cut = sample(key, 0);
    (cut.cut, cut.status) = (true, None);
    tally.record(&cut);
}

/// A good exchange that took `latency_us`, the first millisecond of it waiting for a connection.
fn sample(key: Key, latency_us: u64) -> Sample {
    let ended_ns = latency_us * 1_000;
    let times = Times {
        intended_ns: 0,
        handled_ns: 0,
        sent_ns: Some(MILLISECOND_NS.min(ended_ns)),
        first_byte_ns: Some((2 * MILLISECOND_NS).min(ended_ns)),
        ended_ns,
    };
    Sample { status: Some(200), bytes_wire: 1_000, ..Sample::new(key, times) }
}

/// Compares with the file of this name under `golden/`; `RENEW=1` writes it instead.
pub(crate) fn golden(name: &str, actual: &str) {
    let path = in_crate("golden").join(name);
    if std::env::var_os("RENEW").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "golden/{name} differs; RENEW=1 writes it anew");
}

pub(super) fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Nothing was counted, and no time passed.
pub(super) fn nothing_answered() -> Outcome {
    let mut outcome = outcome(&["tokyo"]);
    outcome.regions[0].tally = Tally::default();
    outcome.run.finished_at = outcome.run.started_at;
    outcome.timeline.clear();
    outcome.thresholds.clear();
    outcome.findings.clear();
    outcome.findings_not_kept = 0;
    outcome.reasons.retain(|reason| reason.kind != promises::KIND);
    outcome
}

/// Three quiet days; then ten minutes in which a checkout fails every other minute; then a day of quiet and one of a slow
/// leak.
pub(super) fn backtest_of_an_outage() -> Backtested {
    let share = doorbuster_notation::parse_share("99.99%").unwrap();
    let mut backtest = Backtest::new(share, doorbuster_model::slo::Rule::defaults(), 3);
    let (begin_s, day) = (1_795_737_600, 8_640);
    for bucket in 1..=5 * day {
        let failed = match bucket - 3 * day {
            1..=60 if bucket % 12 < 6 => 100,
            8_641.. if bucket % 2 == 0 => 1,
            _ => 0,
        };
        backtest.add(Event { at_s: begin_s + 10 * bucket, good: 1_000 - failed, total: 1_000 }).unwrap();
    }
    backtest.run().unwrap()
}
