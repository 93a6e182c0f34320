//! What the edge did per class of content.

use super::super::numbers::{bytes, count, percent};
use super::super::report::Report;
use super::layout::Grid;

/// A row per class that the edge said something about; `None` when the edge never said anything about its cache.
pub(super) fn classes(report: &Report) -> Option<Grid> {
    let classes = &report.cdn.classes;
    if !classes.values().any(|caching| caching.seen()) {
        return None;
    }
    let mut grid = Grid::new("CDN: all regions")
        .words("class")
        .number("hits")
        .number("misses")
        .number("refresh hits")
        .number("hit ratio")
        .number("on the wire")
        .number("decoded")
        .number("savings");
    for (class, caching) in classes.iter().filter(|(_, caching)| caching.seen() || caching.bytes_decoded > 0)
    {
        grid.row(vec![
            class.clone(),
            count(caching.hits),
            count(caching.misses),
            count(caching.refresh_hits),
            percent(caching.hit_ratio),
            bytes(caching.bytes_wire),
            bytes(caching.bytes_decoded),
            percent(caching.savings),
        ]);
    }
    Some(grid)
}
