//! What each step and each journey came to.
//!
//! Up to [`SIDE_BY_SIDE_MAX`] regions stand side by side. More would not fit beside each other, so their merged
//! figures are shown, and the region that is worst.

use super::super::colour::Paint;
use super::super::numbers::{count, milliseconds};
use super::super::plain::plain;
use super::super::report::{Figures, Report, Step};
use super::layout::Grid;

/// The most regions that get a column each.
const SIDE_BY_SIDE_MAX: usize = 4;

/// A row per step; `None` where one step of one region would only repeat the region's row.
pub(super) fn steps(report: &Report, paint: Paint) -> Option<Grid> {
    let steps = &report.global.steps;
    let has_pages = steps.values().any(|step| step.page_ms.count > 0);
    match report.regions.len() {
        0 | 1 if steps.len() <= 1 && !has_pages => None,
        0 | 1 => Some(alone(report, has_pages, paint)),
        2..=SIDE_BY_SIDE_MAX => Some(side_by_side(report, has_pages, paint)),
        _ => Some(merged(report, has_pages, paint)),
    }
}

/// One region: its percentiles.
fn alone(report: &Report, has_pages: bool, paint: Paint) -> Grid {
    let grid =
        begun("Steps: latency of each step's own request; requests and errors with assets and redirects");
    let grid = grid.number("p50").number("p95").number("p99").number("max");
    rows(with_pages(grid, has_pages), report, paint, |_, step| {
        let latency = &step.exchanges.latency_ms;
        let mut cells: Vec<String> =
            [latency.p50, latency.p95, latency.p99, latency.max].map(milliseconds).into();
        cells.extend(has_pages.then(|| page(step)));
        cells
    })
}

/// A few regions: the 95th percentile of each.
fn side_by_side(report: &Report, has_pages: bool, paint: Paint) -> Grid {
    let mut grid = begun("Steps: p95 from the intended start; requests and errors with assets and redirects");
    for region in report.regions.keys() {
        grid = grid.number(format!("{} p95", plain(region)));
    }
    rows(with_pages(grid, has_pages), report, paint, |label, step| {
        let p95 = |region: &Figures| {
            milliseconds(region.steps.get(label).and_then(|step| step.exchanges.latency_ms.p95))
        };
        let mut cells: Vec<String> = report.regions.values().map(p95).collect();
        cells.extend(has_pages.then(|| page(step)));
        cells
    })
}

/// Many regions: their merged percentiles, and the region that is worst.
fn merged(report: &Report, has_pages: bool, paint: Paint) -> Grid {
    let grid = begun("Steps: each step's own request; requests and errors with assets and redirects");
    let grid = with_pages(grid.number("p95").number("p99"), has_pages);
    rows(grid.number("worst p95").words("in region"), report, paint, |label, step| {
        let latency = &step.exchanges.latency_ms;
        let mut cells: Vec<String> = [latency.p95, latency.p99].map(milliseconds).into();
        cells.extend(has_pages.then(|| page(step)));
        let (region, p95) = worst(report, label).unzip();
        cells.extend([milliseconds(p95), region.map(plain).unwrap_or_default()]);
        cells
    })
}

fn begun(title: &'static str) -> Grid {
    Grid::new(title).words("step").number("requests").number("errors")
}

/// The 95th percentile of a step's pages; blank where it fetches none, which is not the same as too few.
fn page(step: &Step) -> String {
    if step.page_ms.count == 0 { String::new() } else { milliseconds(step.page_ms.p95) }
}

fn with_pages(grid: Grid, has_pages: bool) -> Grid {
    if has_pages { grid.number("page p95") } else { grid }
}

/// A row per step: name, requests, errors (both with assets and hops), and what `rest` adds.
fn rows(mut grid: Grid, report: &Report, paint: Paint, rest: impl Fn(&str, &Step) -> Vec<String>) -> Grid {
    for (label, step) in &report.global.steps {
        let errors = step.exchanges.errors + step.assets.errors + step.hops.errors;
        let requests = step.exchanges.requests + step.assets.requests + step.hops.requests;
        let mut cells = vec![plain(label), count(requests), paint.red_above_zero(errors, count(errors))];
        cells.extend(rest(label, step));
        grid.row(cells);
    }
    grid
}

/// The region with the highest 95th percentile of a step; the first of equals.
fn worst<'a>(report: &'a Report, label: &str) -> Option<(&'a str, f64)> {
    let p95 = |(name, region): (&'a String, &'a Figures)| {
        Some((name.as_str(), region.steps.get(label)?.exchanges.latency_ms.p95?))
    };
    report.regions.iter().filter_map(p95).reduce(|worst, next| if next.1 > worst.1 { next } else { worst })
}

/// A row per journey; `None` where there is one and it always ran to its end.
pub(super) fn journeys(report: &Report, paint: Paint) -> Option<Grid> {
    let journeys = &report.global.journeys;
    if journeys.len() < 2 && journeys.values().all(|journey| journey.failed + journey.cut == 0) {
        return None;
    }
    let some_left = journeys.values().any(|journey| journey.abandoned > 0);
    let mut grid = Grid::new("Journeys: all regions")
        .words("journey")
        .number("started")
        .number("completed")
        .number("failed");
    if some_left {
        grid = grid.number("abandoned");
    }
    grid = grid.number("cut");
    for (name, journey) in journeys {
        let mut cells = vec![
            plain(name),
            count(journey.started),
            count(journey.completed),
            paint.red_above_zero(journey.failed, count(journey.failed)),
        ];
        if some_left {
            cells.push(count(journey.abandoned));
        }
        cells.push(count(journey.cut));
        grid.row(cells);
    }
    Some(grid)
}
