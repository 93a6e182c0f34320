//! The tables at the end of a run, for people: at most 100 columns wide.

mod alert;
mod audit;
mod backtest;
mod edge;
mod fleet;
mod layout;
mod preflight;
mod regions;
mod runs;
mod slo;
mod steps;
mod verdict;

use std::path::Path;

use self::layout::Grid;
use super::colour::Paint;
use super::report::{Report, report};
use crate::outcome::Outcome;

pub(crate) use alert::{deliveries, silences};
pub(crate) use audit::audited;
pub(crate) use backtest::backtested;
pub(crate) use fleet::fleet;
pub(crate) use preflight::planned;
pub(crate) use runs::{pruned, runs};
pub(crate) use slo::{bar, budget_left, budgets};

/// The widest line.
pub(crate) const WIDTH_MAX: usize = 100;
/// The most failures that are shown with an example.
pub(crate) const FAILURES_SHOWN_MAX: usize = 5;

/// All tables and the verdict, ending with a line feed. With `colour`, verdict, errors and failed thresholds are
/// painted by escape sequences.
pub(crate) fn tables(outcome: &Outcome, colour: bool) -> String {
    told(&report(outcome), outcome.kept_in.as_deref(), colour)
}

/// The same, of a report: one that was just made, or was read again.
pub(crate) fn told(report: &Report, kept_in: Option<&Path>, colour: bool) -> String {
    let paint = Paint { on: colour };
    let grids = [
        Some(regions::regions(report, paint)),
        steps::steps(report, paint),
        steps::journeys(report, paint),
        edge::classes(report),
        edge::findings(report, paint),
        edge::remedies(report),
        verdict::thresholds(report, paint),
        verdict::failures(report, paint),
    ];
    let mut parts: Vec<String> = grids.iter().flatten().map(Grid::render).collect();
    let lines =
        [edge::notes(report), verdict::layers(report), verdict::generator(report), verdict::budget(report)];
    parts.push(lines.concat());
    parts.push(verdict::verdict(report, paint));
    if let Some(path) = kept_in {
        parts.push(layout::indented("", &format!("kept in {}", path.display())));
    }
    parts.join("\n")
}

/// Where a run is kept.
fn kept(path: &Path) -> String {
    layout::indented("", &format!("kept in {}", path.display()))
}

/// A text of at most so many characters.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max - 1).chain(['…']).collect()
}
