//! What people see: tables and Markdown.

use doorbuster_model::cdn::{ClassId, Counts, Pop, Rule};
use doorbuster_model::tally::Place;

use super::{golden, nothing_answered, outcome, ten_regions_with_long_names, three_regions};
use crate::outcome::{Finding, Outcome, Verdict};
use crate::tell::markdown::markdown;
use crate::tell::tables;
use crate::tell::tables::WIDTH_MAX;

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap()
}

/// 26 steps, as a rehearsal of a real shop has them.
fn with_many_steps(mut outcome: Outcome) -> Outcome {
    for (journey, (_, steps)) in outcome.names.journeys.iter_mut().enumerate() {
        steps.extend((0..11).map(|n| format!("{}-step-{n}", ["browse", "checkout"][journey])));
    }
    outcome
}

#[test]
fn the_tables_of_three_regions() {
    golden("tables-3-regions.txt", &tables(&three_regions(), false));
}

#[test]
fn the_tables_of_ten_regions() {
    golden("tables-10-regions.txt", &tables(&ten_regions_with_long_names(), false));
}

#[test]
fn the_tables_of_one_region_that_passed() {
    let mut outcome = outcome(&["local"]);
    (outcome.verdict, outcome.kept_in) = (Verdict::Pass, Some("runs/7f3a".into()));
    outcome.reasons.clear();
    outcome.findings.retain(|finding| !finding.severity.fails());
    golden("tables-1-region.txt", &tables(&outcome, false));
}

#[test]
fn no_line_is_too_wide() {
    let long = "x".repeat(100);
    for outcome in [
        three_regions(),
        with_many_steps(three_regions()),
        ten_regions_with_long_names(),
        with_many_steps(ten_regions_with_long_names()),
        outcome(&[&long, "b", "c", "d"]),
    ] {
        let text = tables(&outcome, false);
        assert!(widest(&text) <= WIDTH_MAX, "{} columns:\n{text}", widest(&text));
    }
}

#[test]
fn a_long_message_is_wrapped_and_nothing_of_it_is_lost() {
    let mut outcome = three_regions();
    let url = format!("https://shop.example.com/{}end", "a".repeat(200));
    outcome.reasons[0].message = format!("cannot reach {url}; see that the host answers");
    let text = tables(&outcome, false);
    assert!(widest(&text) <= WIDTH_MAX, "{text}");
    let whole: String = text.split_whitespace().collect();
    assert!(whole.contains(&url) && whole.contains("thehostanswers"), "{text}");
}

#[test]
fn colour_comes_only_when_asked_for_and_changes_no_letter() {
    for outcome in [three_regions(), ten_regions_with_long_names()] {
        let (plain, coloured) = (tables(&outcome, false), tables(&outcome, true));
        assert!(!plain.contains('\u{1b}'), "not even from a message");
        let codes = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[39m"];
        assert!(codes.iter().all(|code| coloured.contains(code)));
        let stripped = codes.iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(stripped, plain);
    }
}

#[test]
fn nothing_answered_is_told_without_figures() {
    let text = tables(&nothing_answered(), false);
    assert!(!text.contains("Findings") && !text.contains("What to change"), "{text}");
    assert!(text.contains("n/a") && text.contains("verdict: invalid") && !text.contains("CDN"), "{text}");
}

#[test]
fn findings_are_told_once_per_rule_and_region_with_what_to_change() {
    let text = tables(&three_regions(), false);
    let rows = |rule: &str| text.lines().filter(|line| line.split_whitespace().nth(1) == Some(rule)).count();
    assert_eq!(
        (rows("private-hit"), rows("lifetime-differs"), rows("hit-ratio")),
        (1, 1, 1),
        "classes of a region stand together: {text}"
    );
    // As it is wrapped, so without its spaces.
    let whole: String = text.split_whitespace().collect();
    for rule in [Rule::PrivateHit, Rule::LifetimeDiffers, Rule::HitRatio] {
        let remedy: String = rule.remedy().split_whitespace().collect();
        assert_eq!(whole.matches(&remedy).count(), 1, "{}: {text}", rule.id());
    }
    assert!(text.contains("2 more findings"), "{text}");
    assert!(text.contains("whose failures: balancer 5, origin 2, not known 1"), "{text}");
}

#[test]
fn the_lowest_second_stands_beside_the_hit_ratio_of_each_region() {
    let row = |outcome: &Outcome, region: &str| {
        let text = tables(outcome, false);
        let classes = text.split("CDN: ").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
        let row = classes.lines().find(|line| line.starts_with("static") && line.contains(region));
        row.unwrap_or_else(|| panic!("no {region} in {classes}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let three = three_regions();
    assert_eq!(row(&three, "london"), "static london 400 300 100 0 75.0 % 60.0 % at 3 s 75.0 %");
    let mut ten = ten_regions_with_long_names();
    let worse = Place { class: ClassId(1), section: 2, pop: None };
    ten.regions[7].tally.caching.insert(worse, Counts { misses: 100, ..Counts::default() });
    assert!(row(&ten, "all").starts_with("static all 4,100 3,000 1,100 0 73.2 %"), "{}", row(&ten, "all"));
    let shown = tables(&ten, false);
    assert_eq!(
        shown.split("CDN: ").nth(1).unwrap().matches("60.0 %").count(),
        3,
        "all have the lowest second, and the worst region its ratio too: {shown}"
    );
}

#[test]
fn what_is_never_to_be_cached_has_no_low_ratio_and_no_low_second() {
    let private = Place { class: ClassId(0), section: 2, pop: None };
    let rows = |outcome: &Outcome| -> Vec<String> {
        let text = tables(outcome, false);
        let classes = text.split("CDN: ").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        classes.lines().filter(|line| line.starts_with("private")).map(words).collect()
    };
    let mut three = three_regions();
    three.regions[1].tally.caching.insert(private, Counts { misses: 100, ..Counts::default() });
    let shown = rows(&three);
    let london = shown.iter().find(|row| row.starts_with("private london")).unwrap();
    assert!(london.contains("100 0 should miss n/a"), "{shown:?}");
    let mut ten = ten_regions_with_long_names();
    for (region, hits) in [(2, 1), (7, 3)] {
        ten.regions[region].tally.caching.insert(private, Counts { hits, misses: 97, ..Counts::default() });
    }
    let shown = rows(&ten);
    assert_eq!(shown.len(), 2, "all, and the region with the most hits: {shown:?}");
    assert!(shown[0].contains("2.0 % leak") && shown[1].contains("3.0 % leak"), "{shown:?}");
    let summary = markdown(&three);
    assert!(summary.contains("| london | private | 300 | should miss | n/a |"), "{summary}");
}

#[test]
fn what_is_judged_by_rate_is_counted_once() {
    let mut outcome = three_regions();
    let whole = outcome.findings.iter().find(|finding| finding.rule == Rule::HitRatio).unwrap().clone();
    let part = |pop: &[u8], count| Finding { pop: Pop::parse(pop), count, ..whole.clone() };
    outcome.findings.extend([part(b"NRT57", 60), part(b"NRT12", 40)]);
    let row = |outcome: &Outcome| {
        let text = tables(outcome, false);
        let row = text.lines().find(|line| line.contains("hit-ratio") && line.contains("tokyo")).unwrap();
        row.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(row(&outcome).starts_with("warning hit-ratio tokyo 100 "), "{}", row(&outcome));
    // Where the region as a whole keeps its promise, its edge locations are added.
    outcome.findings.retain(|finding| finding.rule != Rule::HitRatio || finding.pop.is_some());
    assert!(row(&outcome).starts_with("warning hit-ratio tokyo 100 "), "{}", row(&outcome));
}

#[test]
fn what_a_summary_has_no_room_for_is_told() {
    let mut outcome = three_regions();
    outcome.plan.cdn.is_declared = true;
    let last = outcome.findings[3].clone();
    outcome.findings.extend(std::iter::repeat_n(last, 21));
    let text = markdown(&outcome);
    assert!(
        text.contains("7 more findings; the JSON report"),
        "5 beyond 20, and 2 that were not kept: {text}"
    );
    assert!(text.contains("13 answers belong to no class of cdn.classes, such as /pay"), "{text}");
}

#[test]
fn what_belongs_to_no_class_is_listed_where_somebody_declared_them() {
    let mut outcome = three_regions();
    assert!(!tables(&outcome, false).contains("no class"));
    outcome.plan.cdn.is_declared = true;
    // Two hops of each region, five refused payments and two business failures.
    let text = tables(&outcome, false);
    assert!(text.contains("13 answers belong to no class of cdn.classes, such as /pay"), "{text}");
}

#[test]
fn the_markdown_summary() {
    let text = markdown(&three_regions());
    assert!(!text.contains("<b>") && !text.contains('\u{1b}'), "{text}");
    golden("summary.md", &text);
}

#[test]
fn every_row_of_a_markdown_table_has_its_cells() {
    let mut outcome = three_regions();
    outcome.thresholds[0].rule = "a | b \\| c\nd".to_owned();
    let text = markdown(&outcome);
    let bars = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.iter().all(|row| matches!(bars(row), 4 | 7 | 10)), "{text}");
}
