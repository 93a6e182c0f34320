//! What people see: tables and Markdown.

use super::{golden, nothing_answered, outcome, ten_regions_with_long_names, three_regions};
use crate::outcome::{Outcome, Verdict};
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
    assert!(text.contains("n/a") && text.contains("verdict: invalid") && !text.contains("CDN"), "{text}");
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
    assert!(rows.iter().all(|row| matches!(bars(row), 4 | 10)), "{text}");
}
