//! What the edge did per class of content and region, and what it does not keep of what it has promised.

use std::cmp::Reverse;

use super::super::colour::Paint;
use super::super::numbers::{NOT_AVAILABLE, count, hit_ratio, percent};
use super::super::plain::plain;
use super::super::report::{ClassCaching, Finding, Report};
use super::super::rest;
use super::layout::{Grid, indented};
use super::shortened;

/// The most regions that get a row each.
const REGIONS_SHOWN_MAX: usize = 4;
/// The most findings that are shown; the JSON report has all of them.
const FINDINGS_SHOWN_MAX: usize = 10;
/// The longest evidence that is shown, in characters; the JSON report has all of it.
const SEEN_MAX: usize = 200;

/// A row per class and region that the edge said something about; `None` when it never said anything about its cache.
/// Of many regions, the one with the lowest hit ratio stands beside all of them; of what is never to be cached, the one with
/// the most hits.
pub(super) fn classes(report: &Report) -> Option<Grid> {
    if !report.cdn.seen() {
        return None;
    }
    let is_one = report.regions.len() == 1;
    let mut grid =
        Grid::new("CDN: hits and savings, and the second with the lowest hit ratio").words("class");
    if !is_one {
        grid = grid.words("region");
    }
    grid = grid
        .number("requests")
        .number("hits")
        .number("misses")
        .number("refreshed")
        .number("hit ratio")
        .number("lowest second")
        .number("savings");
    for (name, all) in &report.cdn.classes {
        if !all.caching.seen() && all.caching.bytes_decoded == 0 {
            continue;
        }
        for (region, class) in regions(report, name, all) {
            let mut cells = vec![plain(name)];
            cells.extend((!is_one).then(|| plain(region)));
            cells.extend(figures(class));
            grid.row(cells);
        }
    }
    Some(grid)
}

/// What is shown of a class: by the names of regions.
fn regions<'a>(report: &'a Report, name: &str, all: &'a ClassCaching) -> Vec<(&'a str, &'a ClassCaching)> {
    let regions = report.cdn.regions.iter().filter_map(|(region, caching)| {
        let class = caching.classes.get(name)?;
        Some((region.as_str(), class))
    });
    match report.cdn.regions.len() {
        0 | 1 => vec![("all", all)],
        2..=REGIONS_SHOWN_MAX => regions.collect(),
        _ => {
            let ratio = |class: &ClassCaching| class.caching.hit_ratio.unwrap_or(f64::INFINITY);
            let worst = if all.never_cached {
                regions.min_by_key(|(_, class)| Reverse(class.caching.hits))
            } else {
                regions.min_by(|(_, one), (_, other)| ratio(one).total_cmp(&ratio(other)))
            };
            let worst = worst.filter(|(_, class)| class.caching.seen());
            std::iter::once(("all", all)).chain(worst).collect()
        }
    }
}

fn figures(class: &ClassCaching) -> [String; 7] {
    let caching = &class.caching;
    let lowest = class.lowest_second.map_or_else(
        || NOT_AVAILABLE.to_owned(),
        |lowest| format!("{} at {} s", percent(Some(lowest.hit_ratio)), count(u64::from(lowest.second))),
    );
    [
        count(caching.requests),
        count(caching.hits),
        count(caching.misses),
        count(caching.refresh_hits),
        hit_ratio(caching.hit_ratio, caching.hits, class.never_cached),
        lowest,
        percent(caching.savings),
    ]
}

/// A row per broken rule and region, the gravest first; `None` without any.
pub(super) fn findings(report: &Report, paint: Paint) -> Option<Grid> {
    let rows = grouped(report);
    if rows.is_empty() {
        return None;
    }
    let mut grid = Grid::new("Findings: promises of the CDN that do not hold, the gravest first")
        .words("severity")
        .words("finding")
        .words("region")
        .number("count")
        .words("the first, or the figures");
    for (finding, times) in rows.iter().take(FINDINGS_SHOWN_MAX) {
        let severity = match finding.severity.as_str() {
            word if finding.fails() => paint.red(word),
            "warning" => paint.yellow("warning"),
            word => word.to_owned(),
        };
        grid.row(vec![
            severity,
            finding.rule.clone(),
            plain(&finding.region),
            count(*times),
            shortened(&plain(&finding.evidence), SEEN_MAX),
        ]);
    }
    Some(grid)
}

/// What to change where only warnings say so: what fails a run says it among the verdict's reasons.
pub(super) fn remedies(report: &Report) -> Option<Grid> {
    let mut told: Vec<&str> = Vec::new();
    let mut grid = Grid::new("What to change at the CDN or behind it").words("finding").words("remedy");
    for (finding, _) in grouped(report).iter().take(FINDINGS_SHOWN_MAX) {
        if !finding.fails() && !told.contains(&finding.rule.as_str()) {
            told.push(&finding.rule);
            grid.row(vec![finding.rule.clone(), finding.remedy.clone()]);
        }
    }
    (!told.is_empty()).then_some(grid)
}

/// The findings, those of a rule in a region together with how often they were seen.
fn grouped(report: &Report) -> Vec<(&Finding, u64)> {
    let findings = &report.cdn.findings;
    let mut rows: Vec<(&Finding, u64)> = Vec::new();
    for finding in findings {
        // What is judged by rate is judged for the region and for each edge location: the one holds the others.
        let is_counted = findings.iter().any(|whole| is_part(finding, whole));
        let count = if is_counted { 0 } else { finding.count };
        match rows.iter_mut().find(|(first, _)| is_alike(first, finding)) {
            Some((_, times)) => *times = times.saturating_add(count),
            None => rows.push((finding, count)),
        }
    }
    rows
}

/// Whether both are of the same rule in the same region.
fn is_alike(one: &Finding, other: &Finding) -> bool {
    one.rule == other.rule && one.region == other.region
}

/// Whether one edge location's figures are among those of its region.
fn is_part(finding: &Finding, whole: &Finding) -> bool {
    let are_by_rate = finding.first_s.is_none() && whole.first_s.is_none();
    let is_within = finding.pop.is_some() && whole.pop.is_none() && finding.class == whole.class;
    are_by_rate && is_within && is_alike(finding, whole)
}

/// What does not fit a table: findings that are not shown, and what belongs to no class of a policy that somebody wrote.
pub(super) fn notes(report: &Report) -> String {
    let cdn = &report.cdn;
    let findings = rest::findings(grouped(report).len(), FINDINGS_SHOWN_MAX, cdn);
    let notes = [findings, rest::unclassified(cdn)];
    notes.iter().flatten().map(|line| indented("", line)).collect()
}
