//! A summary in Markdown, as pipelines show it beside a step.

use std::fmt::Write;

use super::numbers::{count, hit_ratio, milliseconds, observed, percent, rate};
use super::plain::plain;
use super::report::{Figures, Report, report};
use super::rest;
use crate::outcome::{Outcome, Verdict};

/// The most findings that are shown; the JSON report has all of them.
const FINDINGS_SHOWN_MAX: usize = 20;

/// The run as a Markdown document: verdict, reasons, thresholds, regions, what the edge did and does not keep.
pub(crate) fn markdown(outcome: &Outcome) -> String {
    let report = report(outcome);
    [heading(&report), thresholds(&report), regions(&report), cdn(&report), findings(&report)].concat()
}

fn heading(report: &Report) -> String {
    let mark = match report.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Invalid => "⚠️",
    };
    let (job, name) = (report.run.job.word(), escaped(&report.run.name));
    let mut text = format!("## {mark} {}: {job} {name}\n\n", report.verdict.word());
    for reason in &report.reasons {
        let place =
            reason.region.as_ref().map(|region| format!("**{}**: ", escaped(region))).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {place}{}", escaped(&reason.message));
    }
    if !report.reasons.is_empty() {
        text.push('\n');
    }
    text
}

fn thresholds(report: &Report) -> String {
    if report.thresholds.is_empty() {
        return String::new();
    }
    let rows = report.thresholds.iter().map(|threshold| {
        let ok = if threshold.ok { "✅" } else { "❌" };
        vec![escaped(&threshold.rule), observed(threshold.observed, &threshold.unit), ok.to_owned()]
    });
    table("Thresholds", &["threshold", "observed", "ok"], "|:--|--:|:-:|", rows)
}

fn regions(report: &Report) -> String {
    let titles = ["region", "requests", "req/s", "errors", "p50", "p95", "p99", "max", "hit ratio"];
    let regions = report.regions.iter().map(|(name, figures)| row(&escaped(name), figures));
    let global = std::iter::once(row("**global**", &report.global));
    table("Regions", &titles, "|:--|--:|--:|--:|--:|--:|--:|--:|--:|", regions.chain(global))
}

fn row(name: &str, figures: &Figures) -> Vec<String> {
    let latency = &figures.exchanges.latency_ms;
    vec![
        name.to_owned(),
        count(figures.exchanges.requests),
        rate(figures.requests_per_s),
        count(figures.exchanges.errors),
        milliseconds(latency.p50),
        milliseconds(latency.p95),
        milliseconds(latency.p99),
        milliseconds(latency.max),
        percent(figures.caching.hit_ratio),
    ]
}

/// What the edge did per region and class.
fn cdn(report: &Report) -> String {
    if !report.cdn.seen() {
        return String::new();
    }
    let rows = report.cdn.regions.iter().flat_map(|(region, caching)| {
        let classes = caching.classes.iter().filter(|(_, class)| class.caching.seen());
        classes.map(move |(name, class)| {
            let lowest = class.lowest_second.map(|lowest| lowest.hit_ratio);
            vec![
                escaped(region),
                escaped(name),
                count(class.caching.requests),
                hit_ratio(class.caching.hit_ratio, class.caching.hits, class.never_cached),
                percent(lowest),
                percent(class.caching.savings),
            ]
        })
    });
    let titles = ["region", "class", "requests", "hit ratio", "lowest second", "savings"];
    table("CDN", &titles, "|:--|:--|--:|--:|--:|--:|", rows)
}

/// Broken promises of the edge, what to change, and what there is no room for.
fn findings(report: &Report) -> String {
    let cdn = &report.cdn;
    let notes = [rest::findings(cdn.findings.len(), FINDINGS_SHOWN_MAX, cdn), rest::unclassified(cdn)];
    let notes: String = notes.iter().flatten().map(|note| format!("{}\n\n", escaped(note))).collect();
    if cdn.findings.is_empty() {
        return notes;
    }
    let rows = report.cdn.findings.iter().take(FINDINGS_SHOWN_MAX).map(|finding| {
        vec![
            escaped(&finding.severity),
            escaped(&finding.rule),
            escaped(&finding.region),
            count(finding.count),
            escaped(&finding.evidence),
            escaped(&finding.remedy),
        ]
    });
    let titles = ["severity", "finding", "region", "count", "the first, or the figures", "remedy"];
    table("Findings", &titles, "|:--|:--|:--|--:|:--|:--|", rows) + &notes
}

/// `rule` is the line below the titles, which says how columns are aligned.
fn table(heading: &str, titles: &[&str], rule: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!("### {heading}\n\n| {} |\n{rule}\n", titles.join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
    text
}

/// Text that shows as itself: no HTML, no markup, no end of a table's cell, no second line.
fn escaped(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => markdown.push_str("&amp;"),
            '<' => markdown.push_str("&lt;"),
            '>' => markdown.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' | '$' | '#' => markdown.extend(['\\', c]),
            c => markdown.push(c),
        }
    }
    markdown
}
