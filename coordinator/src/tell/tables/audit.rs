//! An audit at a glance: a row per promise, and below what to change.

use std::collections::BTreeMap;

use doorbuster_model::cdn::Evidence;
use doorbuster_model::cdn::audit::{Proof, Ruling};

use super::super::colour::Paint;
use super::super::numbers::count;
use super::super::plain::plain;
use super::layout::{Grid, indented};
use crate::audited::{Audited, RegionAudit, named};
use crate::outcome::Verdict;

/// The longest path that is shown whole, in characters: no column is so narrow that it would break in the middle of one.
const PATH_CHARS_MAX: usize = 16;
/// Counters that tell of what an audit had no room for.
const LIMITS: [&str; 3] = ["addresses_not_looked_at", "cookies_refused", "proofs_not_kept"];
/// What is about no class of content.
const EDGE: &str = "edge";
/// The promise of which every region sees something else though it is kept.
const NEAR: &str = "near";

/// A promise as some regions have it.
struct Row<'a> {
    proof: &'a Proof,
    regions: Vec<&'a str>,
}

/// The table, what to change, and the verdict, ending with a line feed.
pub(crate) fn audited(audited: &Audited, colour: bool) -> String {
    let paint = Paint { on: colour };
    let rows = rows(&audited.regions);
    let mut parts = vec![grid(audited, &rows, paint).render()];
    let is_broken = |row: &&Row<'_>| matches!(row.proof.ruling, Ruling::Fail | Ruling::Warn);
    let told: String = rows.iter().filter(is_broken).map(|row| remedy(audited, row)).collect();
    if !told.is_empty() {
        parts.push(format!("What to change\n{told}"));
    }
    let is_left = |row: &&Row<'_>| row.proof.ruling == Ruling::NotApplicable;
    let left: String = rows.iter().filter(is_left).map(|row| left_out(audited, row)).collect();
    if !left.is_empty() {
        parts.push(format!("Not proved here\n{left}"));
    }
    parts.push(format!("{}{}", sums(audited), verdict(audited, paint)));
    parts.extend(audited.kept_in.as_deref().map(super::kept));
    parts.join("\n")
}

/// Promises in the order in which regions tell them; regions that saw the same share a row.
fn rows(regions: &[RegionAudit]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for region in regions {
        for proof in &region.proofs {
            if let Some(row) = rows.iter_mut().find(|row| is_alike(row.proof, proof)) {
                row.regions.push(&region.name);
                continue;
            }
            let beside = |row: &Row<'_>| row.proof.class == proof.class && row.proof.promise == proof.promise;
            let at = rows.iter().rposition(beside).map_or(rows.len(), |position| position + 1);
            rows.insert(at, Row { proof, regions: vec![region.name.as_str()] });
        }
    }
    rows
}

/// Whether two regions saw the same. Where a promise is kept, small differences in how are not worth a row.
fn is_alike(one: &Proof, other: &Proof) -> bool {
    fn key(proof: &Proof) -> (&str, &str, Ruling, &str) {
        (proof.class.as_str(), proof.promise.as_str(), proof.ruling, proof.rule.as_str())
    }
    let is_small = one.ruling == Ruling::Pass && one.promise != NEAR;
    key(one) == key(other) && (is_small || one.observed == other.observed)
}

fn grid(audited: &Audited, rows: &[Row<'_>], paint: Paint) -> Grid {
    let mut grid =
        Grid::new("Audit: what the edge has promised, and what was seen").words("about").words("promise");
    let has_regions = audited.regions.len() > 1;
    if has_regions {
        grid = grid.words("regions");
    }
    grid = grid.words("observed").words("verdict").words("evidence");
    for row in rows.iter().filter(|row| row.proof.ruling != Ruling::NotApplicable) {
        let proof = row.proof;
        let about = if proof.class.is_empty() { EDGE.to_owned() } else { plain(&proof.class) };
        let mut cells = vec![about, plain(&proof.title)];
        if has_regions {
            cells.push(regions(audited, row));
        }
        cells.push(plain(&proof.observed));
        cells.push(ruled(proof.ruling, paint));
        cells.push(proof.evidence.as_ref().map_or_else(String::new, shown));
        grid.row(cells);
    }
    grid
}

/// The regions of a row: `all`, or their names.
fn regions(audited: &Audited, row: &Row<'_>) -> String {
    if row.regions.len() == audited.regions.len() { "all".to_owned() } else { plain(&row.regions.join(", ")) }
}

fn ruled(ruling: Ruling, paint: Paint) -> String {
    match ruling {
        Ruling::Pass => paint.green("pass"),
        Ruling::Fail => paint.red("FAIL"),
        Ruling::Warn => paint.yellow("warn"),
        Ruling::Info | Ruling::NotApplicable => ruling.word().to_owned(),
    }
}

/// `GET …/style.css 200`
fn shown(evidence: &Evidence) -> String {
    let rest = evidence.url.split_once("://").map_or(evidence.url.as_str(), |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |begin| &rest[begin..]);
    let path = short(path);
    let status = if evidence.status == 0 { "-".to_owned() } else { evidence.status.to_string() };
    plain(&format!("{} {path} {status}", evidence.method))
}

/// The end of a path, from a slash on where it has one.
fn short(path: &str) -> String {
    let chars = path.chars().count();
    if chars <= PATH_CHARS_MAX {
        return path.to_owned();
    }
    let end: String = path.chars().skip(chars - (PATH_CHARS_MAX - 1)).collect();
    let slash = end.find('/').filter(|slash| slash + 1 < end.len());
    format!("…{}", &end[slash.unwrap_or(0)..])
}

/// A broken promise, where, and what to change at the edge.
fn remedy(audited: &Audited, row: &Row<'_>) -> String {
    let place =
        if audited.regions.len() > 1 { format!(" ({})", regions(audited, row)) } else { String::new() };
    let Proof { observed, rule, remedy, .. } = row.proof;
    indented("- ", &plain(&format!("{}{place}: {observed}. {remedy} [{rule}]", named(row.proof))))
}

/// A promise that could not be proved, and why.
fn left_out(audited: &Audited, row: &Row<'_>) -> String {
    let is_all = row.regions.len() == audited.regions.len();
    let place = if is_all { String::new() } else { format!(" ({})", regions(audited, row)) };
    indented("- ", &plain(&format!("{}{place}: {}", named(row.proof), row.proof.observed)))
}

/// How much was asked, and how it came out.
fn sums(audited: &Audited) -> String {
    let requests: u64 = audited.regions.iter().map(|region| region.requests).sum();
    let handshakes: u64 = audited.regions.iter().map(|region| region.handshakes).sum();
    let besides = match handshakes {
        0 => String::new(),
        _ => format!(" and {} handshakes", count(handshakes)),
    };
    let line = format!(
        "{} requests{besides}; {} promises kept, {} broken, {} warnings",
        count(requests),
        audited.count(Ruling::Pass),
        audited.count(Ruling::Fail),
        audited.count(Ruling::Warn)
    );
    indented("", &line) + &limits(audited)
}

/// Limits that were reached, by the names of their counters.
fn limits(audited: &Audited) -> String {
    let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, times) in audited.regions.iter().flat_map(|region| &region.counters) {
        if LIMITS.contains(&name.as_str()) {
            *reached.entry(name).or_default() += times;
        }
    }
    let line = |(name, times): (&str, u64)| indented("", &format!("limit reached: {name} {}", count(times)));
    reached.into_iter().map(line).collect()
}

/// The verdict, and why it is none. Broken promises were told before.
fn verdict(audited: &Audited, paint: Paint) -> String {
    let word = audited.verdict.word();
    let word = match audited.verdict {
        Verdict::Pass => paint.green(word),
        Verdict::Fail => paint.red(word),
        Verdict::Invalid => paint.yellow(word),
    };
    let mut text = format!("verdict: {word}\n");
    for reason in audited.reasons.iter().filter(|reason| reason.invalidates) {
        let place = reason.region.as_ref().map(|region| format!("{region}: ")).unwrap_or_default();
        text.push_str(&indented("- ", &plain(&format!("{place}{}", reason.message))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audited::tests::{proof, two_regions};
    use crate::tell::tables::WIDTH_MAX;

    #[test]
    fn regions_that_saw_the_same_share_a_row() {
        let text = audited(&two_regions(), false);
        let row = |words: &[&str]| text.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(row(&["static", "tokyo", "FAIL"]), "{text}");
        assert!(row(&["static", "london", "pass"]), "{text}");
        assert!(row(&["html", "all", "5m", "pass"]), "{text}");
        assert!(row(&["edge", "all", "info"]), "{text}");
        for part in [
            "What to change\n- static: what kept is about (tokyo): no hit in 5 fetches",
            "[hit-ratio]",
            "Not proved here\n- html: what expires is about: not waited for",
            "82 requests and 10 handshakes; 3 promises kept, 1 broken, 0 warnings",
            "verdict: fail\n",
        ] {
            assert!(text.contains(part), "\"{part}\" is missing:\n{text}");
        }
        let place = |word: &str| text.find(word).unwrap();
        assert!(place("tokyo") < place("london"), "what differs by region stands together:\n{text}");
    }

    #[test]
    fn regions_that_saw_something_else_have_rows_of_their_own() {
        let mut outcome = two_regions();
        for (region, promise, observed, pop) in
            [(0, "compressed", "0 of 2 texts", "NRT57"), (1, "compressed", "1 of 2 texts", "LHR50")]
        {
            let proofs = &mut outcome.regions[region].proofs;
            proofs.push(proof("html", promise, Ruling::Fail, observed));
            proofs.push(proof("static", "lifetime", Ruling::Pass, if region == 0 { "365d" } else { "1y" }));
            proofs.retain(|proof| proof.promise != "near");
            proofs.push(proof("", "near", Ruling::Pass, pop));
        }
        let mut other = proof("html", "vary", Ruling::Warn, "no Vary");
        outcome.regions[0].proofs.push(other.clone());
        other.rule = "varies-on-user-agent".to_owned();
        outcome.regions[1].proofs.push(other);
        let text = audited(&outcome, false);
        let row = |words: &[&str]| text.lines().any(|line| words.iter().all(|word| line.contains(word)));
        for words in [
            ["html", "tokyo", "0 of 2 texts"],
            ["html", "london", "1 of 2 texts"],
            ["edge", "tokyo", "NRT57"],
            ["edge", "london", "LHR50"],
            ["static", "all", "365d"],
            ["html", "tokyo", "no Vary"],
            ["html", "london", "no Vary"],
        ] {
            assert!(row(&words), "{words:?} is missing:\n{text}");
        }
        for remedy in ["(tokyo): 0 of 2 texts", "(london): 1 of 2 texts", "[varies-on-user-agent]"] {
            assert!(text.contains(remedy), "{remedy} is missing:\n{text}");
        }
    }

    #[test]
    fn evidence_is_never_broken_in_the_middle_of_a_word() {
        let mut outcome = two_regions();
        let observed = "an observation of so many words that its column takes all the room that it can get";
        outcome.regions[0].proofs.push(proof("static", "revalidates", Ruling::Warn, observed));
        for regions in [2, 1] {
            outcome.regions.truncate(regions);
            let text = audited(&outcome, false);
            // "…/static.css" of the last, which has a parameter behind it.
            assert!(text.lines().any(|line| line.contains("…/static.css?v=1")), "{text}");
        }
    }

    #[test]
    fn no_line_is_too_wide_and_nothing_paints_the_terminal() {
        let mut outcome = two_regions();
        outcome.regions[0].name = "asia-pacific-southeast-behind-the-second-transit-gateway".to_owned();
        let hostile = format!("\u{1b}[31m{}\n{}", "x".repeat(90), "y ".repeat(40));
        outcome.regions[1].proofs.push(proof("private", "never-kept", Ruling::Warn, &hostile));
        let text = audited(&outcome, false);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= WIDTH_MAX && !text.contains('\u{1b}'), "{widest} columns:\n{text}");
        assert!(audited(&outcome, true).contains("\u{1b}[31mFAIL"));
    }

    #[test]
    fn where_it_is_kept_stands_at_the_end() {
        let mut outcome = two_regions();
        assert!(audited(&outcome, false).ends_with("verdict: fail\n"));
        outcome.kept_in = Some("data/runs/7f3a".into());
        assert!(audited(&outcome, false).ends_with("verdict: fail\n\nkept in data/runs/7f3a\n"));
    }

    #[test]
    fn limits_that_were_reached_are_told() {
        let mut outcome = two_regions();
        assert!(!audited(&outcome, false).contains("limit reached"), "not all counters are limits");
        for region in &mut outcome.regions {
            region.counters.insert("addresses_not_looked_at".to_owned(), 600);
        }
        assert!(audited(&outcome, false).contains("\nlimit reached: addresses_not_looked_at 1,200\n"));
    }

    #[test]
    fn one_region_needs_no_column_of_its_own() {
        let mut outcome = two_regions();
        outcome.regions.remove(0);
        outcome.regions[0].handshakes = 0;
        let text = audited(&outcome, false);
        assert!(!text.contains("regions") && !text.contains("london"), "{text}");
        assert!(text.contains("\n41 requests; 2 promises kept"), "{text}");
    }

    #[test]
    fn evidence_is_shown_short() {
        let evidence = |url: &str, status| Evidence {
            method: "GET".to_owned(),
            url: url.to_owned(),
            status,
            ..Evidence::default()
        };
        for (url, status, expected) in [
            ("http://127.0.0.1:8091/", 200, "GET / 200"),
            ("https://shop.test/cart?a=b", 0, "GET /cart?a=b -"),
            ("https://shop.test/static/0123456789abcdef/style.css", 304, "GET …/style.css 304"),
            ("https://shop.test/static/a-very-long-name-of-a-file.css", 200, "GET …e-of-a-file.css 200"),
            ("https://shop.test/static/0123456789abcdef/", 200, "GET …23456789abcdef/ 200"),
        ] {
            assert_eq!(shown(&evidence(url, status)), expected);
        }
    }
}
