//! What users rely on: the report's keys, exit codes, files, help texts.

use std::fs;

use serde_json::Value;

use crate::util::{Finished, Folder, number, patiently, regions, run, shop, start, turn, value};

fn gate(thresholds: &str) -> (Finished, Folder) {
    let shop = shop();
    let folder = Folder::new();
    let plan = format!(
        "name: promises\n{}journeys: [browse, checkout]\nload: {{ arrivals: [{{ ramp: [5/s, 20/s], over: 2s }}, {{ spike: 40/s, for: 2s, name: doors-open }}] }}\n\
         warmup: 1s\nthresholds: {thresholds}\n",
        regions(&shop)
    );
    let plan = folder.write("plan.yaml", plan);
    let of = |name: &str| folder.path(name).display().to_string();
    let (junit, markdown, hlog) = (of("junit.xml"), of("summary.md"), of("logs"));
    let finished =
        start(&["gate", &plan, "--junit", &junit, "--markdown", &markdown, "--hlog", &hlog, "--seed", "7"])
            .finish();
    (finished, folder)
}

/// CONTRACT's keys, each by its path; `*` stands for every member.
const KEYS: &str = "schema run.id run.name run.job run.started_at run.finished_at run.seed run.doorbuster verdict reasons \
    validity.arrivals_planned validity.arrivals_started validity.arrivals_late validity.journeys_cut \
    validity.schedule_lag_ms.p50 validity.schedule_lag_ms.p99 validity.schedule_lag_ms.max validity.agents_planned \
    validity.agents_lost validity.ticks_missing validity.clock_offset_ms phases.*.name phases.*.from_s phases.*.to_s \
    timeline.*.second timeline.*.region timeline.*.requests timeline.*.errors timeline.*.p50 timeline.*.p95 timeline.*.p99 \
    timeline.*.arrivals_planned timeline.*.arrivals_started timeline.*.hits timeline.*.misses cdn.findings cdn.declared \
    cdn.pops.*.pop cdn.unclassified cdn.findings_not_kept \
    thresholds.*.rule thresholds.*.observed thresholds.*.ok slo.objective slo.good slo.total slo.budget_spent";
const CLASS_KEYS: &str = "hits misses refresh_hits hit_ratio bytes_wire bytes_decoded savings";
const SCOPE_KEYS: &str = "requests requests_sent errors errors_by_class statuses business_failures bytes_wire bytes_decoded \
    decoded_sampled steps journeys counters";
const TIMES: &str = "latency_ms service_ms queue_ms";
const QUANTILES: &str = "p50 p90 p95 p99 p99_9 p99_99 max mean";

fn has(value: &Value, path: &str, whole: &str) {
    let Some((key, rest)) = path.split_once('.').or(Some((path, ""))).filter(|(key, _)| !key.is_empty())
    else {
        return;
    };
    if key == "*" {
        let members = value.as_array().unwrap_or_else(|| panic!("{whole} is no list"));
        assert!(!members.is_empty(), "{whole} is empty");
        members.iter().for_each(|member| has(member, rest, whole));
    } else {
        has(value.get(key).unwrap_or_else(|| panic!("{whole} is missing at \"{key}\"")), rest, whole);
    }
}

fn has_all(report: &Value, prefix: &str, keys: &str) {
    for key in keys.split_whitespace() {
        let path = format!("{prefix}{key}");
        has(report, &path, &path);
    }
}

#[test]
fn the_report_has_every_key_of_the_contract() {
    let _turn = turn();
    patiently(|| {
        let (finished, folder) = gate(
            "[\"errors < 1%\", \"tokyo browse/home max < 5s\", \"static hit_ratio > 1% during doors-open\"]",
        );
        assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
        let report = &finished.report;
        has_all(report, "", KEYS);
        for scope in ["global.", "regions.tokyo.", "regions.london.", "regions.new-york."] {
            has_all(report, scope, SCOPE_KEYS);
            for step in ["", "steps.home.", "steps.confirmation.", "journeys.checkout.steps.pay."] {
                for times in TIMES.split(' ') {
                    has_all(report, &format!("{scope}{step}{times}."), QUANTILES);
                }
            }
            has_all(
                report,
                &format!("{scope}steps.home."),
                "page_ms assets.requests assets.errors assets.latency_ms",
            );
            has_all(report, &format!("{scope}journeys.browse."), "started completed failed cut steps");
        }
        for class in ["private", "static", "html"] {
            has_all(report, &format!("cdn.classes.{class}."), CLASS_KEYS);
            has_all(report, &format!("cdn.regions.london.classes.{class}."), CLASS_KEYS);
        }
        assert_eq!(report["schema"], "doorbuster.report/1");
        assert_eq!((&report["run"]["job"], &report["run"]["seed"]), (&Value::from("gate"), &Value::from(7)));
        assert_eq!(value(report, "global.latency_ms.p99_99"), &Value::Null, "too few samples are null");
        assert_eq!(value(report, "global.errors_by_class").as_object().unwrap().len(), 9);
        sums_agree(report);
        files_are_there(&folder, &finished);
    });
}

/// Parts add up: regions to the whole, steps to their region, seconds to the run.
fn sums_agree(report: &Value) {
    let regions = report["regions"].as_object().unwrap();
    for key in ["requests", "requests_sent", "errors", "bytes_wire"] {
        let sum: f64 = regions.values().map(|region| number(region, key)).sum();
        assert_eq!(sum, number(report, &format!("global.{key}")), "{key}");
    }
    for region in regions.values() {
        let steps = region["steps"].as_object().unwrap().values();
        let parts = |step: &Value| {
            number(step, "requests") + number(step, "assets.requests") + number(step, "hops.requests")
        };
        assert_eq!(steps.map(parts).sum::<f64>(), number(region, "requests"));
    }
    let rows = report["timeline"].as_array().unwrap();
    let sum = |key: &str| rows.iter().map(|row| number(row, key)).sum::<f64>();
    assert_eq!(sum("requests"), number(report, "global.requests"));
    assert_eq!(sum("arrivals_planned"), number(report, "validity.arrivals_planned"));
    assert_eq!(sum("arrivals_started"), 105.0);
}

fn files_are_there(folder: &Folder, finished: &Finished) {
    let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
    let junit = read("junit.xml");
    assert!(junit.starts_with("<?xml") && junit.contains("errors &lt; 1%"), "{junit}");
    for region in ["tokyo", "london", "new-york"] {
        assert!(junit.contains(&format!("name=\"{region}\"")), "{junit}");
        assert!(read(&format!("logs/{region}.hlog")).contains("HIST"), "{region}");
    }
    assert!(read("summary.md").contains("pass"));
    assert!(finished.stdout.contains("verdict: pass"), "{}", finished.stdout);
    let kept = finished.stdout.lines().find_map(|line| line.strip_prefix("kept in ")).unwrap();
    assert!(kept.ends_with(finished.report["run"]["id"].as_str().unwrap()));
    assert!(finished.stdout.lines().all(|line| line.chars().count() <= 100), "wider than 100 columns");
}

#[test]
fn a_threshold_that_does_not_hold_fails_the_run() {
    let _turn = turn();
    patiently(|| {
        let (finished, folder) = gate("[\"home p50 < 1ns\", \"errors < 1%\", \"pay p99.99 < 10s\"]");
        assert_eq!(
            (finished.code, finished.report["verdict"].as_str()),
            (1, Some("fail")),
            "{}",
            finished.stdout
        );
        let ok: Vec<bool> = finished.report["thresholds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["ok"].as_bool().unwrap())
            .collect();
        assert_eq!(ok, [false, true, false], "a percentile without the samples for it is no pass");
        assert_eq!(finished.report["thresholds"][2]["observed"], Value::Null);
        assert!(fs::read_to_string(folder.path("junit.xml")).unwrap().contains("<failure"));
    });
}

#[test]
fn the_same_seed_sends_the_same_crowd() {
    let _turn = turn();
    patiently(|| {
        let crowd = || {
            let (finished, _folder) = gate("[]");
            let journeys = value(&finished.report, "global.journeys").clone();
            [number(&journeys, "browse.started"), number(&journeys, "checkout.started")]
        };
        assert_eq!(crowd(), crowd());
    });
}

#[test]
fn help_speaks_to_newcomers() {
    for (arguments, words) in [
        (
            &["--help"][..],
            &[
                "rehearse",
                "hit",
                "gate",
                "probe",
                "audit",
                "alert",
                "slo",
                "runs",
                "fleet",
                "demo",
                "half a minute",
            ][..],
        ),
        (&["probe", "--help"], &["--store", "--serve", "--for", "Exit codes"]),
        (&["slo", "status", "--help"], &["PLAN", "--store", "--json", "Exit codes"]),
        (&["audit", "--help"], &["URL|PLAN", "--policy", "--patient", "--journey", "Exit codes"]),
        (&["rehearse", "--help"], &["--target", "--allow-host", "Exit codes"]),
        (&["hit", "--help"], &["--rate", "--connections", "open model", "closed model"]),
        (&["plan", "--help"], &["--max-cost", "--json", "--aws-endpoint", "--allow-host", "Exit codes"]),
        (&["gate", "--help"], &["--junit", "--markdown"]),
        (&["alert", "test", "--help"], &["--only", "--for", "--severity", "group_wait", "Exit codes"]),
        (&["slo", "--help"], &["backtest"]),
        (
            &["slo", "backtest", "--help"],
            &["--events", "--rules", "--min-failures", "--incidents", "timestamp,good,total"],
        ),
        (&["demo", "--help"], &["--rtt", "--fault"]),
        (&["slo", "export", "--help"], &["--prometheus", "--cloudwatch", "--put", "--aws-endpoint"]),
        (&["fleet", "--help"], &["up", "status", "update", "logs", "down", "pki"]),
        (
            &["fleet", "up", "--help"],
            &["--zip", "--region", "--agents-ec2", "--probe", "--budget", "docs/fleet.md"],
        ),
        (&["fleet", "down", "--help"], &["cannot be removed", "Exit codes"]),
        (&["agent", "--help"], &["--stdio", "join"]),
        (
            &["agent", "join", "--help"],
            &["https://HOST:PORT", "--region", "--state", "--ca", "--token-file", "--program", "15 s"],
        ),
        (&["fleet", "pki", "--help"], &["--host", "--tokens", "--days", "once", "docs/join.md"]),
        (&["runs", "--help"], &["list", "show", "export", "prune"]),
        (&["runs", "prune", "--help"], &["--older-than", "--keep", "--max-size", "--dry-run"]),
    ] {
        let finished = run(arguments);
        assert_eq!(finished.code, 0);
        for word in words {
            assert!(finished.stdout.contains(word), "{arguments:?} lacks \"{word}\"");
        }
    }
}
