//! What programs read besides JSON: JUnit and HdrHistogram logs, and the files themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorbuster_model::cdn::Rule;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

use super::{golden, outcome, three_regions};
use crate::Error;
use crate::outcome::{Reason, Verdict};
use crate::tell::hlog::hlog;
use crate::tell::junit::junit;
use crate::tell::report::Report;
use crate::tell::{Destinations, write};

/// (suite, case, what is wrong: the element's name and its text)
type Case = (String, String, Option<(String, String)>);

fn cases(xml: &str) -> Vec<Case> {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|why| panic!("{why}:\n{xml}"));
    let case = |node: roxmltree::Node<'_, '_>| {
        let wrong = node.children().find(roxmltree::Node::is_element);
        (
            node.parent().unwrap().attribute("name").unwrap().to_owned(),
            node.attribute("name").unwrap().to_owned(),
            wrong.map(|node| (node.tag_name().name().to_owned(), node.text().unwrap_or("").to_owned())),
        )
    };
    document.descendants().filter(|node| node.has_tag_name("testcase")).map(case).collect()
}

#[test]
fn the_junit_document() {
    golden("junit.xml", &junit(&three_regions()));
}

#[test]
fn junit_has_a_case_per_threshold_in_its_region_and_one_for_validity() {
    let cases = cases(&junit(&three_regions()));
    let shape: Vec<(&str, &str, &str)> = cases
        .iter()
        .map(|(suite, case, wrong)| {
            (suite.as_str(), case.as_str(), wrong.as_ref().map_or("", |wrong| wrong.0.as_str()))
        })
        .collect();
    assert_eq!(
        shape,
        [
            ("global", "the run is valid", "error"),
            ("global", "errors < 1%", ""),
            ("global", "browse/home p95 < 200ms", "failure"),
            ("tokyo", "the region is valid", ""),
            ("tokyo", "tokyo pay p99 < 800ms", "failure"),
            ("london", "the region is valid", ""),
            ("london", "cdn private-hit", "failure"),
            ("new-york", "the region is valid", "error"),
        ]
    );
    let text = |position: usize| cases[position].2.clone().unwrap().1;
    assert!(text(2).contains("observed 200.3 ms"), "{}", text(2));
    assert!(text(4).contains("cannot support"), "{}", text(4));
    let lines: Vec<String> = text(6).lines().map(str::to_owned).collect();
    assert!(lines[0].contains("CachingDisabled"), "what to change comes first: {}", lines[0]);
    assert!(
        lines[1].starts_with("37 times, private: GET https://shop.example.com/cart: 200"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 3, "a line per class");
}

#[test]
fn junit_has_a_case_for_every_promise_of_a_plan_that_declares_them() {
    let mut outcome = three_regions();
    outcome.plan.cdn.is_declared = true;
    for finding in &mut outcome.findings {
        finding.severity = finding.rule.severity(true);
    }
    let cases = cases(&junit(&outcome));
    let promised = |suite: &str, wrong: bool| {
        let cases = cases.iter().filter(|case| case.0 == suite && case.1.starts_with("cdn "));
        let names = cases.filter(|case| case.2.is_some() == wrong).map(|case| case.1.clone());
        names.collect::<Vec<String>>()
    };
    assert_eq!(promised("london", true), ["cdn private-hit"]);
    assert_eq!(promised("tokyo", true), ["cdn lifetime-differs", "cdn hit-ratio"]);
    assert_eq!(promised("new-york", true), [""; 0]);
    assert_eq!(promised("new-york", false).len(), Rule::all().count());
    assert_eq!(promised("global", false), [""; 0]);
}

#[test]
fn junit_counts_what_it_holds() {
    let xml = junit(&three_regions());
    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    let attribute = |name| root.attribute(name).unwrap();
    assert_eq!((attribute("tests"), attribute("failures"), attribute("errors")), ("8", "3", "2"));
    assert_eq!(attribute("time"), "12.500");
}

#[test]
fn junit_is_never_green_when_the_run_is_not() {
    let mut outcome = three_regions();
    outcome.thresholds.clear();
    outcome.reasons.clear();
    outcome.findings.clear();
    assert!(junit(&outcome).contains("<error"), "invalid without a reason");
    outcome.verdict = Verdict::Fail;
    outcome.reasons.push(Reason {
        kind: "policy",
        message: "cookies were cached".to_owned(),
        region: Some("london".to_owned()),
        invalidates: false,
    });
    let wrong: Vec<Case> = cases(&junit(&outcome)).into_iter().filter(|case| case.2.is_some()).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].0.as_str(), wrong[0].1.as_str()), ("london", "policy"));
}

#[test]
fn junit_survives_what_xml_cannot_hold() {
    let mut outcome = outcome(&["tokyo", "global"]);
    outcome.reasons[0].message = "a\u{0}b\u{1b}[31m \"c\" 'd' <e> & ]]> \u{ffff}\nsecond\tline".to_owned();
    let cases = cases(&junit(&outcome));
    let (_, message) = cases[0].2.clone().unwrap();
    assert_eq!(message, "a\u{fffd}b\u{fffd}[31m \"c\" 'd' <e> & ]]> \u{fffd}\nsecond\tline");
    // A region of the name "global" is not mistaken for all regions.
    assert_eq!(cases.iter().filter(|case| case.1 == "the run is valid").count(), 1);
    assert_eq!(cases.iter().filter(|case| case.1 == "errors < 1%").count(), 1);
}

#[test]
fn the_log_reads_back_with_the_same_counts() {
    let outcome = three_regions();
    let region = &outcome.regions[1];
    let log = hlog(&outcome.run, region).unwrap();
    let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(&log).map(|entry| entry.unwrap()).collect();
    let [LogEntry::StartTime(start), LogEntry::BaseTime(base), rest @ ..] = &entries[..] else {
        panic!("{entries:?}");
    };
    assert_eq!((start.as_secs(), start), (1_795_737_600, base));
    let expected = crate::outcome::Outcome::exchanges(&region.tally);
    let expected = [("latency", &expected.latency), ("service", &expected.service)];
    assert_eq!(rest.len(), expected.len());
    for (entry, (tag, ours)) in rest.iter().zip(expected) {
        let LogEntry::Interval(interval) = entry else { panic!("{entry:?}") };
        assert_eq!(interval.tag().unwrap().as_str(), tag);
        assert_eq!(interval.duration().as_millis(), 12_500);
        let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
        let histogram: hdrhistogram::Histogram<u64> =
            Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        assert_eq!(histogram.len(), ours.total());
        let p95 = ours.quantile_us(950_000).unwrap();
        assert_eq!(histogram.value_at_quantile(0.95).min(ours.max_us().unwrap()), p95);
        assert!((interval.max() - ours.max_us().unwrap() as f64 / 1_000.0).abs() < 1.0, "milliseconds");
    }
    assert!(String::from_utf8(log).unwrap().contains("microseconds"));
}

#[test]
fn every_destination_is_written_and_missing_folders_are_made() {
    let folder = std::env::temp_dir().join(format!("doorbuster-tell-{}", std::process::id()));
    let to = Destinations {
        json: Some(folder.join("deep/report.json")),
        junit: Some(folder.join("junit.xml")),
        markdown: Some(folder.join("summary.md")),
        hlog: Some(folder.join("logs")),
    };
    write(&three_regions(), &to).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let report: Report = serde_json::from_str(&read("deep/report.json")).unwrap();
    assert_eq!(report.regions.len(), 3);
    assert!(read("junit.xml").starts_with("<?xml") && read("summary.md").starts_with("## "));
    for region in report.regions.keys() {
        assert!(read(&format!("logs/{region}.hlog")).starts_with("#[Histogram log format version 1.3]"));
    }
    let onto_a_folder = Destinations { json: Some(folder.clone()), ..Destinations::default() };
    let why = write(&three_regions(), &onto_a_folder).unwrap_err();
    assert!(matches!(&why, Error::Write { path, .. } if *path == folder), "{why}");
    std::fs::remove_dir_all(&folder).unwrap();
}
