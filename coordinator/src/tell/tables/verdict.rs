//! How the run was judged: thresholds, failures, and the verdict with its reasons.

use super::super::colour::Paint;
use super::super::numbers::{count, milliseconds, observed, percent};
use super::super::plain::plain;
use super::super::report::Report;
use super::layout::{Grid, indented};
use super::{FAILURES_SHOWN_MAX, shortened};
use crate::outcome::Verdict;

/// The longest example that is shown, in characters; the JSON report has all of it.
const EXAMPLE_MAX: usize = 300;

/// A row per threshold; `None` without any.
pub(super) fn thresholds(report: &Report, paint: Paint) -> Option<Grid> {
    if report.thresholds.is_empty() {
        return None;
    }
    let mut grid = Grid::new("Thresholds").words("rule").number("observed").words("holds");
    for threshold in &report.thresholds {
        let ok = if threshold.ok { paint.green("ok") } else { paint.red("FAILED") };
        grid.row(vec![plain(&threshold.rule), observed(threshold.observed, &threshold.unit), ok]);
    }
    Some(grid)
}

/// The most frequent failures with an example each; `None` without any.
pub(super) fn failures(report: &Report, paint: Paint) -> Option<Grid> {
    if report.failures.is_empty() {
        return None;
    }
    let mut grid = Grid::new("Failures: the most frequent, with the first example of each")
        .number("count")
        .words("where")
        .words("class")
        .words("example");
    for failure in report.failures.iter().take(FAILURES_SHOWN_MAX) {
        let place = format!("{} {}/{}", failure.region, failure.journey, failure.step);
        grid.row(vec![
            paint.red(&count(failure.count)),
            plain(&place),
            failure.class.clone(),
            shortened(&plain(&failure.example), EXAMPLE_MAX),
        ]);
    }
    Some(grid)
}

/// Whose failures they were, on one line; empty where nobody could tell.
pub(super) fn layers(report: &Report) -> String {
    let exchanges = &report.global.exchanges;
    let layers = &exchanges.errors_by_layer;
    let told = [
        ("edge", layers.edge),
        ("balancer", layers.balancer),
        ("origin", layers.origin),
        ("generator", layers.generator),
    ];
    let known: u64 = told.iter().map(|(_, failures)| failures).sum();
    if known == 0 {
        return String::new();
    }
    let rest = ("not known", exchanges.errors.saturating_sub(known));
    let parts: Vec<String> = (told.into_iter().chain([rest]))
        .filter(|(_, failures)| *failures > 0)
        .map(|(whose, failures)| format!("{whose} {}", count(failures)))
        .collect();
    indented("", &format!("whose failures: {}", parts.join(", ")))
}

/// Counters by which agents say that they came close to a limit of their own, and what that means.
const NEAR_LIMITS: [(&str, &str); 2] = [
    (
        "generator_cpu_over_90_percent_s",
        "used over 90 % of its CPU, so its own speed may be part of these times",
    ),
    (
        "generator_descriptors_over_90_percent_s",
        "used over 90 % of its descriptors; raise ulimit -n before it grows",
    ),
];

/// How the generator fared: a line, and one more for each limit that it came close to.
pub(super) fn generator(report: &Report) -> String {
    let validity = &report.validity;
    let lag = &validity.schedule_lag_ms;
    let line = format!(
        "arrivals: {} planned, {} started, {} late, {} cut; schedule lag p99 {}, max {}",
        count(validity.arrivals_planned),
        count(validity.arrivals_started),
        count(validity.arrivals_late),
        count(validity.journeys_cut),
        milliseconds(lag.p99),
        milliseconds(lag.max)
    );
    let near = NEAR_LIMITS.iter().filter_map(|(name, meaning)| {
        let seconds = report.global.counters.get(*name)?;
        Some(indented("", &format!("generator: for {} s an agent {meaning}", count(*seconds))))
    });
    std::iter::once(indented("", &line)).chain(near).collect()
}

/// What the run took of its error budget, on one line.
pub(super) fn budget(report: &Report) -> String {
    let slo = &report.slo;
    // In full, because its last digit is what it is about.
    let objective = format!("{:.7}", slo.objective * 100.0);
    let objective = objective.trim_end_matches('0').trim_end_matches('.');
    let line = format!(
        "error budget: {} spent; {} of {} exchanges good, the objective is {} %",
        percent(slo.budget_spent),
        count(slo.good),
        count(slo.total),
        objective
    );
    indented("", &line)
}

/// The verdict, and a reason with what to do per line.
pub(super) fn verdict(report: &Report, paint: Paint) -> String {
    let word = report.verdict.word();
    let word = match report.verdict {
        Verdict::Pass => paint.green(word),
        Verdict::Fail => paint.red(word),
        Verdict::Invalid => paint.yellow(word),
    };
    let mut text = format!("verdict: {word}\n");
    for reason in &report.reasons {
        let place = reason.region.as_ref().map(|region| format!("{region}: ")).unwrap_or_default();
        text.push_str(&indented("- ", &plain(&format!("{place}{}", reason.message))));
    }
    text
}
