//! What the edge has promised, judged while a crowd is on it: what is told of it, and that a shop without faults has none. The
//! faults themselves stand in the matrix.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use doorbuster_shop::Fault;
use serde_json::Value;

use crate::audit::{DECLARED, REGIONS};
use crate::matrix::{self, broken, findings};
use crate::util::{
    Finished, Folder, answering, count, kinds, patiently, patiently_without_findings, read_head_text, run,
    server, shop, turn, value,
};

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
        let (asked, answered) = (lines(leak, "asked"), lines(leak, "answered"));
        assert!(
            asked.iter().any(|line| line.starts_with("cookie: ")),
            "who reads a cart was there before: {asked:?}"
        );
        assert!(answered.contains(&"x-cache: hit from cloudfront".to_owned()), "{answered:?}");
        assert!(answered.iter().any(|line| line.starts_with("content-type: ")), "{answered:?}");
        let mut cookies = asked.iter().chain(&answered).filter(|line| line.contains("cookie: "));
        assert!(cookies.all(|line| line.contains("=(hidden)")), "{asked:?} {answered:?}");
        let evidence = leak["evidence"].as_str().unwrap();
        let (_, shown) = evidence.split_once("; shopper ").unwrap_or_else(|| panic!("{evidence}"));
        let numbers = shown.split(|character: char| !character.is_ascii_digit());
        let numbers: Vec<u64> = numbers.filter_map(|text| text.parse().ok()).collect();
        assert!(shown.contains(" is shown to shopper "), "{evidence}");
        assert!(matches!(numbers[..], [one, other] if one != other), "{evidence}");
    });
}

#[test]
fn a_report_shows_no_secret_of_a_journey_or_of_a_plan() {
    let _turn = turn();
    let folder = Folder::new();
    // It belongs to no class, and its edge is another region's.
    let feed = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nX-Amz-Cf-Pop: SYD4-C1\r\nContent-Length: 0\r\n\r\n",
    );
    folder.write(
        "feed.yaml",
        "journey: feed\nsteps:\n  - { step: feed, get: \"/feeds/${env.DOORBUSTER_TEST_SECRET};jsessionid=A1B2C3/all?otp=778899\" }\n",
    );
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: cdn\ntarget: \"http://{feed}\"\nregions: [tokyo]\njourneys: [feed.yaml]\nload: {{ arrivals: [{{ hold: 10/s, for: 1s }}] }}\nhttp: {{ headers: {{ X-Gate: gate-5512 }} }}\ncdn: {{ edges: {{ tokyo: [NRT] }} }}\n"
        ),
    );
    let (data, json) = (folder.path("data"), folder.path("report.json"));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_doorbuster"))
        .args(["rehearse", &plan, "--quiet"])
        .arg("--data-dir")
        .arg(data)
        .arg("--json")
        .arg(&json)
        .env("DOORBUSTER_TEST_SECRET", "xyzzy-42")
        .output()
        .unwrap();
    let text = std::fs::read_to_string(json).unwrap_or_default();
    let report: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(value(&report, "cdn.unclassified")["/feeds/***/all"], 10, "{}", value(&report, "cdn"));
    let finding = finding(&report, "other-region");
    assert!(lines(finding, "asked").contains(&"x-gate: (hidden)".to_owned()), "{finding}");
    for secret in ["xyzzy", "A1B2C3", "778899", "gate-5512"] {
        assert!(!text.contains(secret), "{secret} is shown: {finding}");
    }
}

/// A shop that shows everybody what its first shopper wrote, and breaks off in the middle of it.
fn breaking_off() -> SocketAddr {
    let first = Arc::new(Mutex::new(String::new()));
    server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            if !head.starts_with("POST ") {
                let shown = first.lock().unwrap().clone();
                let head = "Content-Type: text/html\r\nCache-Control: no-store\r\nContent-Length: 9999";
                let _ = write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n<p>{shown}</p>");
                return;
            }
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                let length = line.strip_prefix("content-length: ")?;
                length.parse::<usize>().ok()
            });
            let mut form = vec![0; length.unwrap_or(0)];
            if stream.read_exact(&mut form).is_err() {
                return;
            }
            let mut first = first.lock().unwrap();
            if first.is_empty() {
                *first = String::from_utf8(form).unwrap();
            }
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    })
}

#[test]
fn a_leak_is_found_in_a_body_that_is_never_complete() {
    let _turn = turn();
    patiently(|| {
        let folder = Folder::new();
        folder.write(
            "write.yaml",
            "journey: write\nsteps:\n  - { step: note, post: /note, form: { note: \"${shopper.mark}\" } }\n  - { step: cart, get: /cart }\n",
        );
        let plan = format!(
            "name: cdn\ntarget: \"http://{}\"\nregions: [tokyo]\njourneys: [write.yaml]\nload: {{ arrivals: [{{ hold: 20/s, for: 1s }}] }}\n",
            breaking_off()
        );
        let finished = run(&["rehearse", &folder.write("plan.yaml", plan), "--quiet"]);
        let report = &finished.report;
        assert_eq!(count(report, "global.errors_by_class.body"), 20, "{}", finished.stderr);
        // Only who wrote first may read it.
        assert_eq!(finding(report, "marker-leaked")["count"], 19, "{}", value(report, "cdn.findings"));
        assert_eq!((finished.code, kinds(report)), (1, vec!["cdn"]), "{}", finished.stderr);
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
