use std::path::PathBuf;

use doorbuster_model::Overrides;
use doorbuster_model::cdn::{self, FindingKey, Severity};

use super::*;
use crate::prepare::Source;

/// Two regions; two seconds of warm-up, which is the first section, and eight that are judged.
const PLAN: &str = "name: x\ntarget: http://127.0.0.1:1\nregions: [tokyo, london]\njourneys: [browse]\nload: { arrivals: [{ hold: 10/s, for: 10s }] }\nwarmup: 2s\n";
const DECLARED: &str = "cdn: { provider: cloudfront }\n";

fn prepared(cdn: &str) -> Prepared {
    let source = Source {
        name: "plan.yaml".to_owned(),
        folder: PathBuf::from("/nowhere"),
        text: format!("{PLAN}{cdn}"),
        files: BTreeMap::new(),
    };
    Prepared::new(source, Overrides::default()).unwrap()
}

fn fold(prepared: &Prepared) -> Fold {
    let load = &prepared.plan.load;
    Fold::new(Vec::new(), 2, load.pace.clone(), load.model, Vec::new(), Vec::new())
}

/// Counts of the class `static`.
fn count(fold: &mut Fold, region: usize, section: u16, pop: &str, hits: u64, misses: u64) {
    let place = Place { class: ClassId(1), section, pop: Pop::parse(pop.as_bytes()) };
    fold.regions[region].caching.insert(place, Counts { hits, misses, ..Counts::default() });
}

/// An answer's finding, in tokyo.
fn add(fold: &mut Fold, rule: Rule, class: u8, pop: &str, count: u64) {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let evidence = Evidence {
        method: "GET".to_owned(),
        url: "http://shop.test/cart".to_owned(),
        status: 200,
        answered: vec![own("Server", "nginx"), own("X-Cache", "Hit from cloudfront"), own("Age", "5")],
        ..Evidence::default()
    };
    let key = FindingKey { rule, class: ClassId(class), pop: Pop::parse(pop.as_bytes()) };
    fold.findings[0].add(key, cdn::Finding { count, first_ns: 1, last_ns: 2, evidence });
}

/// (rule, severity, region, class, edge location, count)
type Row = (&'static str, &'static str, String, String, Option<String>, u64);

fn row(finding: &Finding) -> Row {
    let pop = finding.pop.map(|pop| pop.to_string());
    let (region, class) = (finding.region.clone(), finding.class.clone());
    (finding.rule.id(), finding.severity.word(), region, class, pop, finding.count)
}

fn expected(
    rule: &'static str,
    severity: &'static str,
    region: &str,
    class: &str,
    pop: &str,
    count: u64,
) -> Row {
    let pop = Some(pop.to_owned()).filter(|pop| !pop.is_empty());
    (rule, severity, region.to_owned(), class.to_owned(), pop, count)
}

#[test]
fn ratios_are_judged_once_per_class_and_edge_location_outside_the_warm_up() {
    let prepared = prepared(DECLARED);
    let mut fold = fold(&prepared);
    count(&mut fold, 0, 0, "NRT57", 0, 1_000);
    count(&mut fold, 0, 1, "NRT57", 990, 10);
    count(&mut fold, 0, 1, "NRT12", 50, 50);
    count(&mut fold, 1, 1, "LHR50", 10, 60);
    let (found, not_kept) = findings(&prepared, &fold);
    assert_eq!(
        found.iter().map(row).collect::<Vec<_>>(),
        [
            expected("hit-ratio", "error", "tokyo", "static", "", 60),
            expected("hit-ratio", "error", "tokyo", "static", "NRT12", 50),
        ],
        "what fills the cache, what keeps its promise, and what is too little to say, are no findings"
    );
    assert_eq!((found[0].seen_ns, not_kept), (None, 0));
    assert_eq!(seen(&found[0]), "hits: 1040 of 1100 look-ups (94.54 %), promised > 95%");
    let reasons = reasons(&found);
    assert_eq!((reasons.len(), reasons[0].kind, reasons[0].region.as_deref()), (1, "cdn", Some("tokyo")));
    let message = &reasons[0].message;
    assert!(message.starts_with("hit-ratio: fewer look-ups are hits than promised"), "{message}");
    assert!(
        message.contains("(static): hits: 1040 of 1100 look-ups (94.54 %), promised > 95%. "),
        "{message}"
    );
    assert!(message.ends_with(Rule::HitRatio.remedy()), "{message}");
}

#[test]
fn a_hit_ratio_that_nothing_tells_is_told_and_fails_nothing() {
    let prepared = prepared("cdn: { provider: generic }\n");
    let mut fold = fold(&prepared);
    let place = Place { class: ClassId(1), section: 1, pop: None };
    fold.regions[0].caching.insert(place, Counts { others: 1_000, untold: 900, ..Counts::default() });
    let (found, _) = findings(&prepared, &fold);
    let rows: Vec<Row> = found.iter().map(row).collect();
    assert_eq!(rows, [expected("hit-ratio-untold", "info", "tokyo", "static", "", 900)]);
    assert_eq!(seen(&found[0]), "hits: 0 of 900 answers, as far as they say (0.00 %), promised > 95%");
    assert!(reasons(&found).is_empty());
}

#[test]
fn what_nobody_declared_warns_and_only_where_the_provider_is_seen() {
    let prepared = prepared("");
    let mut fold = fold(&prepared);
    count(&mut fold, 0, 1, "", 0, 1_000);
    count(&mut fold, 1, 1, "LHR50", 0, 200);
    let (found, _) = findings(&prepared, &fold);
    let rows: Vec<Row> = found.iter().map(row).collect();
    assert_eq!(rows, [expected("hit-ratio", "warning", "london", "static", "LHR50", 200)]);
    assert!(reasons(&found).is_empty());
}

#[test]
fn a_critical_finding_fails_any_run_once_per_rule_and_region() {
    let prepared = prepared("");
    let mut fold = fold(&prepared);
    add(&mut fold, Rule::LifetimeDiffers, 2, "NRT57", 9);
    add(&mut fold, Rule::PrivateHit, 0, "NRT57", 3);
    add(&mut fold, Rule::PrivateHit, 0, "NRT12", 2);
    add(&mut fold, Rule::ErrorCached, 255, "", 1);
    fold.findings[1].not_kept = 4;
    let (found, not_kept) = findings(&prepared, &fold);
    assert_eq!(
        found.iter().map(row).collect::<Vec<_>>(),
        [
            expected("private-hit", "critical", "tokyo", "private", "NRT12", 2),
            expected("private-hit", "critical", "tokyo", "private", "NRT57", 3),
            expected("lifetime-differs", "warning", "tokyo", "html", "NRT57", 9),
            expected("error-cached", "warning", "tokyo", "unclassified", "", 1),
        ]
    );
    assert_eq!(not_kept, 4);
    let reasons = reasons(&found);
    assert_eq!((reasons.len(), reasons[0].invalidates), (1, false));
    let message = &reasons[0].message;
    let seen =
        "(private, 5 times): GET http://shop.test/cart: 200, X-Cache: Hit from cloudfront, Age: 5. Give";
    assert!(message.contains(seen), "what does not tell is left out: {message}");
    assert_eq!(found[0].severity, Severity::Critical);
}
