//! What the edge did per class of content and region, and what it does not keep of what it has promised.

use super::super::colour::Paint;
use super::super::numbers::{NOT_AVAILABLE, count, percent};
use super::super::plain::plain;
use super::super::report::{ClassCaching, Finding, Report};
use super::layout::{Grid, indented};
use super::shortened;

/// The most regions that get a row each.
const REGIONS_SHOWN_MAX: usize = 4;
/// The most findings that are shown; the JSON report has all of them.
const FINDINGS_SHOWN_MAX: usize = 10;
/// The longest evidence that is shown, in characters; the JSON report has all of it.
const SEEN_MAX: usize = 200;
/// The most paths that belong to no class that are named.
const PATHS_SHOWN_MAX: usize = 5;

/// A row per class and region that the edge said something about; `None` when it never said anything about its cache.
/// Of many regions, the one with the lowest hit ratio stands beside all of them.
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
            let lowest = regions.min_by(|(_, one), (_, other)| ratio(one).total_cmp(&ratio(other)));
            let lowest = lowest.filter(|(_, class)| class.caching.seen());
            std::iter::once(("all", all)).chain(lowest).collect()
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
        percent(caching.hit_ratio),
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
    let mut rows: Vec<(&Finding, u64)> = Vec::new();
    for finding in &report.cdn.findings {
        let known =
            rows.iter_mut().find(|(first, _)| first.rule == finding.rule && first.region == finding.region);
        match known {
            Some((_, times)) => *times = times.saturating_add(finding.count),
            None => rows.push((finding, finding.count)),
        }
    }
    rows
}

/// What does not fit a table: findings that are not shown, and what belongs to no class of a policy that somebody wrote.
pub(super) fn notes(report: &Report) -> String {
    let cdn = &report.cdn;
    let mut notes = String::new();
    let rest = (grouped(report).len() as u64).saturating_sub(FINDINGS_SHOWN_MAX as u64);
    let rest = rest.saturating_add(cdn.findings_not_kept);
    if rest > 0 {
        let line = format!("{} more findings; the JSON report lists those that were kept", count(rest));
        notes.push_str(&indented("", &line));
    }
    let answers = cdn.classes.get("unclassified").map_or(0, |class| class.caching.requests);
    if cdn.declared && answers > 0 {
        let paths: Vec<String> =
            cdn.unclassified.keys().take(PATHS_SHOWN_MAX).map(|path| plain(path)).collect();
        let such = if paths.is_empty() { String::new() } else { format!(", such as {}", paths.join(", ")) };
        let line = format!("{} answers belong to no class of cdn.classes{such}", count(answers));
        notes.push_str(&indented("", &line));
    }
    notes
}
