//! What the edge has promised, judged while a crowd is on it: what is told of it, and that a shop without faults has none. The
//! faults themselves stand in the matrix.

use std::collections::BTreeSet;

use doorbuster_shop::Fault;
use serde_json::Value;

use crate::audit::{DECLARED, REGIONS};
use crate::matrix::{self, broken, findings};
use crate::util::{Finished, count, kinds, patiently, patiently_without_findings, shop, turn, value};

/// How many shoppers come to all regions together.
const SHOPPERS: u64 = 240;

/// Runs shoppers against a shop with this fault.
fn rehearse(fault: Option<&str>, more: &str) -> Finished {
    let shop = shop();
    fault.into_iter().for_each(|fault| shop.set_fault(fault.parse::<Fault>().unwrap()));
    matrix::rehearse(&shop, &["visit"], 60, 4, more)
}

/// Nothing but these rules is broken in a region.
fn breaks(report: &Value, region: &str, rules: &[&str]) {
    let expected: BTreeSet<&str> = rules.iter().copied().collect();
    assert_eq!(broken(report, region), expected, "{region}: {}", value(report, "cdn.findings"));
}

/// The first finding of a rule.
fn finding<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let found = findings(report).iter().find(|finding| finding["rule"] == rule);
    found.unwrap_or_else(|| panic!("{rule} is not among {}", value(report, "cdn.findings")))
}

/// The lines of a finding's request or answer.
fn lines(finding: &Value, key: &str) -> Vec<String> {
    let lines = finding[key].as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap().to_ascii_lowercase()).collect()
}

#[test]
fn a_shop_that_keeps_its_promises_has_no_findings() {
    let _turn = turn();
    patiently_without_findings(|find| {
        for more in [DECLARED, ""] {
            let finished = rehearse(None, more);
            let report = &finished.report;
            findings(report).iter().for_each(|finding| find(finding.to_string()));
            assert_eq!((finished.code, kinds(report)), (0, vec![]), "{}", finished.stderr);
            assert_eq!(value(report, "cdn.declared"), &Value::from(!more.is_empty()));
            assert_eq!(count(report, "global.counters.markers_planted"), SHOPPERS);
            assert!(count(report, "global.counters.html_searched") > 0);
            // What filled the caches of three regions are misses all the same.
            assert!(count(report, "cdn.classes.html.misses") >= 6);
        }
    });
}

#[test]
fn a_finding_shows_what_was_asked_and_answered_without_anybody_s_secrets() {
    let _turn = turn();
    patiently(|| {
        let finished = rehearse(Some("api-cached@tokyo"), "");
        let report = &finished.report;
        assert_eq!(finished.code, 1, "what is critical fails also without a policy: {}", finished.stderr);
        let hit = finding(report, "private-hit");
        assert_eq!((&hit["severity"], &hit["class"]), (&Value::from("critical"), &Value::from("private")));
        assert!(hit["url"].as_str().unwrap().ends_with("/api/cart"), "{hit}");
        assert!(hit["pop"].as_str().unwrap().starts_with("NRT"), "{hit}");
        assert!(hit["count"].as_u64().unwrap() > 40, "eighty shoppers come to Tokyo: {hit}");
        let (asked, answered) = (lines(hit, "asked"), lines(hit, "answered"));
        assert!(asked.iter().any(|line| line.starts_with("x-doorbuster-run: ")), "{asked:?}");
        assert!(answered.contains(&"x-cache: hit from cloudfront".to_owned()), "{answered:?}");
        let mut cookies = asked
            .iter()
            .chain(&answered)
            .filter(|line| line.starts_with("cookie: ") || line.starts_with("set-cookie: "));
        assert!(cookies.all(|line| line.contains("=(hidden)")), "{asked:?} {answered:?}");

        let leak = finding(report, "marker-leaked");
        let evidence = leak["evidence"].as_str().unwrap();
        let (_, shown) = evidence.split_once("; shopper ").unwrap_or_else(|| panic!("{evidence}"));
        let numbers = shown.split(|character: char| !character.is_ascii_digit());
        let numbers: Vec<u64> = numbers.filter_map(|text| text.parse().ok()).collect();
        assert!(shown.contains(" is shown to shopper "), "{evidence}");
        assert!(matches!(numbers[..], [one, other] if one != other), "{evidence}");
    });
}

#[test]
fn what_nobody_declared_warns() {
    let _turn = turn();
    patiently(|| {
        let finished = rehearse(Some("short-ttl=5s"), "");
        let report = &finished.report;
        REGIONS.iter().for_each(|region| breaks(report, region, &["lifetime-differs"]));
        assert_eq!(finding(report, "lifetime-differs")["severity"], "warning");
        assert_eq!((finished.code, kinds(report)), (0, vec![]), "{}", finished.stderr);
    });
}

#[test]
fn http2_is_judged_as_well() {
    let _turn = turn();
    patiently(|| {
        let finished = rehearse(Some("api-cached@tokyo"), "http: { version: \"2\" }\n");
        let report = &finished.report;
        breaks(report, "tokyo", &["private-hit", "marker-leaked"]);
        REGIONS[1..].iter().for_each(|region| breaks(report, region, &[]));
        let answered = lines(finding(report, "private-hit"), "answered");
        assert!(answered.contains(&"x-cache: hit from cloudfront".to_owned()), "{answered:?}");
    });
}

#[test]
fn failures_belong_to_who_made_them() {
    let _turn = turn();
    for (fault, layer) in [("errors=20%", "balancer"), ("down", "edge")] {
        patiently(|| {
            let finished = rehearse(Some(fault), "");
            let report = &finished.report;
            let errors = count(report, "global.errors");
            assert!(errors > 20, "{fault}: {errors}");
            assert_eq!(count(report, &format!("global.errors_by_layer.{layer}")), errors, "{fault}");
        });
    }
}
