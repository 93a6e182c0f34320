//! What each region came to.

use super::super::colour::Paint;
use super::super::numbers::{count, milliseconds, percent, rate};
use super::super::plain::plain;
use super::super::report::{Figures, Report};
use super::layout::Grid;

/// A row per region, and one for all of them together where there are several.
pub(super) fn regions(report: &Report, paint: Paint) -> Grid {
    let mut grid = Grid::new("Regions: all exchanges, latency from the intended start")
        .words("region")
        .number("requests")
        .number("req/s")
        .number("errors")
        .number("p50")
        .number("p95")
        .number("p99")
        .number("max")
        .number("hit ratio");
    for (name, figures) in &report.regions {
        grid.row(row(name, figures, paint));
    }
    if report.regions.len() != 1 {
        grid.row(row("global", &report.global, paint));
    }
    grid
}

fn row(name: &str, figures: &Figures, paint: Paint) -> Vec<String> {
    let exchanges = &figures.exchanges;
    let latency = &exchanges.latency_ms;
    vec![
        plain(name),
        count(exchanges.requests),
        rate(figures.requests_per_s),
        paint.red_above_zero(exchanges.errors, count(exchanges.errors)),
        milliseconds(latency.p50),
        milliseconds(latency.p95),
        milliseconds(latency.p99),
        milliseconds(latency.max),
        percent(figures.caching.hit_ratio),
    ]
}
