//! Latencies are what arithmetic says, and load is what the plan says.

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use base64::Engine as _;
use doorbuster_shop::Fault;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::Value;

use crate::util::{Folder, number, patiently, regions, shop, start, turn};

/// 10 s at `rate` arrivals/s against a shop that is frozen for 2.0 s in the middle.
fn frozen(rate: u32, more: &[&str]) -> Value {
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    let rate_option = format!("{rate}/s");
    let mut arguments = vec!["hit", &url, "--rate", &rate_option, "--for", "10s", "--quiet"];
    arguments.extend(more);
    let running = start(&arguments);
    thread::sleep(Duration::from_secs(4));
    shop.set_fault("freeze=2s".parse::<Fault>().unwrap());
    let finished = running.finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(number(&finished.report, "global.requests"), f64::from(rate) * 10.0);
    finished.report
}

/// A fifth of the arrivals meet the freeze and wait from 2 s down to nothing: a tenth of all wait over 1.0 s, a
/// hundredth over 1.9 s, the longest 2.0 s.
fn is_what_arithmetic_says(report: &Value, times: &str) {
    for (figure, seconds) in [("p90", 1.0), ("p99", 1.9), ("max", 2.0)] {
        let observed = number(report, &format!("global.{times}.{figure}")) / 1_000.0;
        eprintln!("{times} {figure}: {observed:.3} s, arithmetic says {seconds} s");
        assert!(
            (observed / seconds - 1.0_f64).abs() < 0.05,
            "{times} {figure}: {observed} s, not {seconds} s"
        );
    }
}

/// Through a pool without a bound, service time says the same: everything was sent at once.
fn freeze(rate: u32) {
    let report = frozen(rate, &[]);
    is_what_arithmetic_says(&report, "latency_ms");
    is_what_arithmetic_says(&report, "service_ms");
}

/// Through a pool of 64 connections at most 64 requests were under way when the freeze began; all others waited.
fn freeze_through_a_bounded_pool(rate: u32) {
    let folder = Folder::new();
    let logs = folder.path("logs").display().to_string();
    let report = frozen(rate, &["--max-connections", "64", "--hlog", &logs]);
    is_what_arithmetic_says(&report, "latency_ms");
    let service = service_times(&folder.path("logs/here.hlog"));
    assert_eq!(service.len(), u64::from(rate) * 10);
    let slow = service.count_between(100_000, u64::MAX);
    eprintln!("{slow} service samples over 100 ms");
    assert!((1..=64).contains(&slow), "{slow} service samples over 100 ms");
}

// The short form has 400 arrivals/s: when the freeze ends, target and generator answer and count the backlog on the
// same two cores, and at 1,000/s that takes a good part of the 50 ms that the bound leaves.
#[test]
fn a_freeze_is_seen_in_full() {
    let _turn = turn();
    patiently(|| freeze(400));
}

#[test]
fn a_freeze_is_seen_in_full_through_a_bounded_pool() {
    let _turn = turn();
    patiently(|| freeze_through_a_bounded_pool(400));
}

#[test]
#[ignore = "wants a quiet machine: cargo xtask long"]
fn long_a_freeze_at_a_thousand_arrivals_a_second() {
    let _turn = turn();
    patiently(|| freeze(1_000));
    patiently(|| freeze_through_a_bounded_pool(1_000));
}

/// The service times of a run, from its HdrHistogram log: the standard format, read by the standard library.
fn service_times(hlog: &Path) -> Histogram<u64> {
    let text = fs::read(hlog).unwrap();
    let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(&text).map(Result::unwrap).collect();
    let tagged = entries.iter().find_map(|entry| match entry {
        LogEntry::Interval(interval) if interval.tag().is_some_and(|tag| tag.as_str() == "service") => {
            Some(interval)
        }
        _ => None,
    });
    let encoded =
        base64::engine::general_purpose::STANDARD.decode(tagged.unwrap().encoded_histogram()).unwrap();
    Deserializer::new().deserialize(&mut encoded.as_slice()).unwrap()
}

/// A shop that freezes and never recovers: its last answers are timeouts, not merely cut.
#[test]
fn a_freeze_for_good_is_not_overlooked() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let plan = format!(
        "name: frozen\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 60/s, for: 4s }}] }}\ngraceful: 2s\nthresholds: [\"errors < 1%\"]\n",
        regions(&shop)
    );
    let plan = folder.write("plan.yaml", plan);
    let running = start(&["rehearse", &plan, "--quiet"]);
    thread::sleep(Duration::from_secs(2));
    shop.set_fault("freeze=60s".parse::<Fault>().unwrap());
    let finished = running.finish();
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    // Everything that arrived in the frozen two seconds waited at least as long as the grace.
    assert!(number(&finished.report, "global.errors_by_class.timeout") > 80.0);
    assert!(number(&finished.report, "global.latency_ms.max") > 2_000.0);
}

/// A slow target with many shoppers of a closed model is a slow target, not an invalid run.
#[test]
fn a_slow_target_does_not_make_a_closed_run_invalid() {
    let _turn = turn();
    let shop = shop();
    shop.set_fault("slow=1s".parse::<Fault>().unwrap());
    let url = format!("http://{}/", shop.edges()[0].address);
    patiently(|| {
        let finished = start(&["hit", &url, "--connections", "600", "--for", "3s", "--quiet"]).finish();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert!(number(&finished.report, "global.latency_ms.p50") >= 1_000.0);
    });
}

/// The plan's arrivals, at their rate and on time.
fn steady(seconds: u32) {
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    let length = format!("{seconds}s");
    let finished = start(&["hit", &url, "--rate", "1000/s", "--for", &length, "--quiet"]).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let report = &finished.report;
    assert_eq!(number(report, "global.requests"), f64::from(seconds) * 1_000.0);
    let lag = number(report, "validity.schedule_lag_ms.p99");
    eprintln!("schedule lag p99 {lag} ms");
    assert!(lag < 5.0, "schedule lag p99 {lag} ms");
    // Second by second too: arrivals of a second that started in it, within what a late timer moves over its edge.
    let rows = report["timeline"].as_array().unwrap();
    for row in &rows[..seconds as usize] {
        let started = number(row, "arrivals_started");
        assert!((995.0..=1_005.0).contains(&started), "{row}");
    }
    let total: f64 = rows.iter().map(|row| number(row, "arrivals_started")).sum();
    assert_eq!(total, f64::from(seconds) * 1_000.0);
}

#[test]
fn a_thousand_arrivals_a_second() {
    let _turn = turn();
    patiently(|| steady(10));
}

#[test]
#[ignore = "a minute: cargo xtask long"]
fn long_a_thousand_arrivals_a_second() {
    let _turn = turn();
    patiently(|| steady(60));
}
