//! Every fault about the CDN that the demo shop has: the load that shows it, the rule by which a run finds it, and the
//! promise that an audit finds broken. Each is found where it is and nowhere else, and a right shop has none.
//!
//! Faults come in groups of up to three, one for each region: what one region sees must not be seen in another.

use std::collections::BTreeSet;

use doorbuster_shop::{Error, Fault, Shop};
use serde_json::Value;

use crate::audit::{Audit, Audited, DECLARED, REGIONS, found, plan};
use crate::util::{
    Finished, Folder, count, kinds, patiently, patiently_without_findings, regions, run, shop, turn, value,
};

/// What shoppers do, by the name of the file. Where one of them shows a fault, that is its part of the matrix.
const JOURNEYS: [(&str, &str); 5] =
    [("visit", VISIT), ("plain", PLAIN), ("newsletter", NEWSLETTER), ("stay", STAY), ("missing", MISSING)];

/// Pages, files, and what belongs to one shopper, who writes a note that others are not to see.
const VISIT: &str = r#"
journey: visit
steps:
  - { step: home, get: /, assets: true }
  - { step: product, get: /p/1, assets: true }
  - { step: add, post: /cart/add, form: { product: 1, quantity: 1, note: "${shopper.mark}" }, redirects: stop, expect: { status: 303 } }
  - { step: cart, get: /cart }
  - { step: api, get: /api/cart }
"#;
/// Somebody who takes no compressed text, as a monitor or a script does, behind somebody who does.
const PLAIN: &str = r#"
journey: plain
steps:
  - { step: plain-home, get: /, assets: true, extract: { style: { css: "link[rel=stylesheet]", attribute: href } } }
  - { step: plain-product, get: /p/1, headers: { accept-encoding: identity } }
  - { step: plain-style, get: "${style}", headers: { accept-encoding: identity } }
"#;
/// Shoppers who come by a newsletter, each by an address of its own, and look at the same page without it; then they go on
/// with cookies of their own: they look at a page twice that those without cookies look at, too.
const NEWSLETTER: &str = r#"
journey: newsletter
choose: { letter: { text: 8 } }
steps:
  - { step: letter-home, get: / }
  - { step: letter-offer, get: /p/2, query: { utm_source: news, utm_campaign: "${letter}" } }
  - { step: letter-return, get: /p/2 }
  - { step: letter-add, post: /cart/add, form: { product: 2, quantity: 1 }, redirects: stop, expect: { status: 303 } }
  - { step: letter-cart, get: /cart }
  - { step: letter-again, get: / }
  - { step: letter-once-more, get: / }
"#;
/// Shoppers who look at their carts again and again: the balancer renews its cookie at each answer.
const STAY: &str = r#"
journey: stay
steps:
  - { step: stay-home, get: / }
  - { step: stay-add, post: /cart/add, form: { product: 3, quantity: 1 }, redirects: stop, expect: { status: 303 } }
  - { repeat: 8, steps: [{ step: stay-cart, get: /cart }, { step: stay-api, get: /api/cart }] }
"#;
/// An old link that leads nowhere.
const MISSING: &str = r#"
journey: missing
steps:
  - { step: missing-home, get: / }
  - { step: missing-page, get: /gone, expect: { status: 404 } }
"#;

/// A promise that an audit finds broken: class, promise, rule.
type Breach = (&'static str, &'static str, &'static str);

/// Whether a run, or an audit, sees a fault.
#[derive(Clone, Copy)]
enum Seen<T> {
    /// By this.
    By(T),
    /// It cannot, and why.
    Not(&'static str),
}

/// A fault of the matrix.
#[derive(Clone, Copy)]
struct Case {
    fault: &'static str,
    /// The same fault as audits meet it, which send too little to see a small share of anything.
    audited: &'static str,
    /// The rules that a run must find broken.
    run: Seen<&'static [&'static str]>,
    /// The promise that an audit must find broken.
    audit: Seen<Breach>,
    /// Other rules that the same fault may break, in a run or in an audit.
    besides: &'static [&'static str],
}

impl Case {
    /// Seen by a run and by an audit.
    const fn new(fault: &'static str, rules: &'static [&'static str], breach: Breach) -> Self {
        Self { fault, audited: fault, run: Seen::By(rules), audit: Seen::By(breach), besides: &[] }
    }

    /// Seen by an audit alone.
    const fn audit_only(fault: &'static str, why: &'static str, breach: Breach) -> Self {
        Self { run: Seen::Not(why), ..Self::new(fault, &[], breach) }
    }

    /// Seen by a run alone.
    const fn run_only(fault: &'static str, rules: &'static [&'static str], why: &'static str) -> Self {
        Self { audit: Seen::Not(why), ..Self::new(fault, rules, ("", "", "")) }
    }

    const fn besides(self, besides: &'static [&'static str]) -> Self {
        Self { besides, ..self }
    }

    const fn audited_as(self, audited: &'static str) -> Self {
        Self { audited, ..self }
    }

    /// All rules that the fault may break.
    fn may_break(&self) -> BTreeSet<&'static str> {
        let mut rules: BTreeSet<&str> = self.besides.iter().copied().collect();
        if let Seen::By(of_run) = self.run {
            rules.extend(of_run);
        }
        if let Seen::By((_, _, rule)) = self.audit {
            rules.insert(rule);
        }
        rules
    }
}

/// Faults that are on together: in Tokyo, in London, in New York.
struct Group {
    /// The journey that shows them.
    journey: &'static str,
    /// For how long it must be walked, in seconds.
    seconds: u32,
    cases: &'static [Case],
}

const VISIT_S: u32 = 4;
/// Errors may be kept for 10 s: only then is one too old.
const PAST_ERRORS_S: u32 = 14;

static MATRIX: [Group; 11] = [
    Group {
        journey: "visit",
        seconds: VISIT_S,
        cases: &[
            Case::new(
                "api-cached",
                &["private-hit", "marker-leaked"],
                ("private", "never-kept", "private-hit"),
            ),
            Case::new("cold-cache", &["hit-ratio"], ("html", "kept", "hit-ratio")),
            Case::new("no-lifetime", &["lifetime-unsaid"], ("html", "lifetime", "lifetime-unsaid")),
        ],
    },
    Group {
        journey: "visit",
        seconds: VISIT_S,
        cases: &[
            Case::new(
                "cart-leaked",
                &["private-hit", "marker-leaked"],
                ("private", "never-kept", "private-hit"),
            ),
            Case::new(
                "no-compression",
                &["not-compressed", "savings"],
                ("static", "compressed", "not-compressed"),
            ),
            Case::new("short-ttl=5s", &["lifetime-differs"], ("html", "lifetime", "lifetime-differs")),
        ],
    },
    Group {
        journey: "visit",
        seconds: VISIT_S,
        cases: &[
            // Who fetched the page is the first to get the cookie, and all who share the session share its cart.
            Case::new(
                "session-cached",
                &["cookie-from-cache"],
                ("html", "sets-cookies", "cookie-from-cache"),
            )
            .besides(&["cookie-on-cacheable", "marker-leaked"]),
            Case::new("html-year", &["lifetime-differs"], ("html", "lifetime", "lifetime-differs")),
            Case::new("weak-compression", &["savings"], ("static", "savings", "savings")),
        ],
    },
    Group {
        journey: "visit",
        seconds: VISIT_S,
        cases: &[
            Case::new("stale-html=1h", &["age-past-lifetime"], ("html", "age", "age-past-lifetime")),
            // What may not be kept is no hit, either.
            Case::new("no-store-html", &["caching-forbidden"], ("html", "lifetime", "caching-forbidden"))
                .besides(&["hit-ratio"]),
            Case::new("vary-agent", &["varies-on-user-agent"], ("html", "vary", "varies-on-user-agent")),
        ],
    },
    Group {
        journey: "visit",
        seconds: VISIT_S,
        cases: &[
            Case::new(
                "images-compressed",
                &["compressed-image"],
                ("static", "compressed", "compressed-image"),
            ),
            // What is decoded once is as small as what came, and is another body than the file.
            Case::new("double-gzip", &["compressed-twice"], ("static", "compressed", "compressed-twice"))
                .besides(&["savings", "encodings-differ"]),
            Case::new("no-vary", &["vary-encoding-missing"], ("html", "vary", "vary-encoding-missing")),
        ],
    },
    Group {
        journey: "newsletter",
        seconds: VISIT_S,
        cases: &[
            Case::new("cookie-key", &["fragmented"], ("html", "cookies", "varies-on-cookie"))
                .besides(&["hit-ratio"]),
            Case::new("sticky-cached", &["sticky-from-cache"], ("html", "sets-cookies", "sticky-from-cache")),
            Case::new("wrong-edge", &["other-region"], ("", "near", "other-region")),
        ],
    },
    Group {
        journey: "newsletter",
        seconds: VISIT_S,
        cases: &[
            // A quarter of the pages is asked for by addresses of newsletters.
            Case::new("query-key", &["fragmented", "hit-ratio"], ("html", "tracking", "fragmented")),
            Case::new(
                "cookie-sent",
                &["cookie-on-cacheable"],
                ("html", "sets-cookies", "cookie-on-cacheable"),
            ),
            Case::new("vary-cookie", &["varies-on-cookie"], ("html", "cookies", "varies-on-cookie")),
        ],
    },
    Group {
        journey: "plain",
        seconds: VISIT_S,
        cases: &[
            // gzip saves less than br.
            Case::new("forced-gzip", &["encoding-not-asked"], ("static", "encodings", "encoding-not-asked"))
                .besides(&["savings"]),
            Case::new("broken-brotli", &["encodings-differ"], ("static", "encodings", "encodings-differ")),
            Case::audit_only(
                "no-range",
                "no shopper of a run asks for a part",
                ("static", "ranges", "ranges-ignored"),
            ),
        ],
    },
    Group {
        journey: "stay",
        seconds: VISIT_S,
        cases: &[
            Case::run_only(
                "unsticky=60%",
                &["session-moved"],
                "an audit looks at no shopper for long enough to see a target change",
            ),
            Case::new("age-leaked", &["private-age"], ("private", "never-kept", "private-age")),
            // Over 1 % of all answers, no shop was measured. An audit sends so little that it meets none of so few; where
            // it meets enough, it is invalid, and pages that never came are no hits.
            Case::new("challenge=1.5%", &["challenge-as-page"], ("", "challenges", "challenge-as-page"))
                .audited_as("challenge=15%")
                .besides(&["hit-ratio"]),
        ],
    },
    Group {
        journey: "missing",
        seconds: PAST_ERRORS_S,
        cases: &[
            Case::new("error-ttl=1h", &["error-cached"], ("", "errors", "error-cached")),
            Case::audit_only(
                "no-304",
                "a page that is walked to is fetched without conditions",
                ("html", "revalidates", "never-revalidates"),
            ),
            Case::audit_only("head-lies", "no shopper of a run sends HEAD", ("html", "head", "head-differs")),
        ],
    },
    Group {
        journey: "visit",
        seconds: VISIT_S,
        cases: &[
            // What is left to judge by is gzip.
            Case::audit_only(
                "corrupt-brotli",
                "a file that breaks off is a failed request of its run, of the class body",
                ("static", "encodings", "encodings-differ"),
            )
            .besides(&["savings"]),
        ],
    },
];

/// Faults of the shop that are none of its edge's promises; their failures are told by layer.
const NOT_THE_EDGE_S: [&str; 6] = ["slow", "errors", "freeze", "lost-cart", "oversell", "down"];

impl Group {
    /// A shop with these faults, each in its region.
    fn shop(&self, fault: impl Fn(&Case) -> &'static str) -> Shop {
        let shop = shop();
        for (case, region) in self.cases() {
            shop.set_fault(format!("{}@{region}", fault(case)).parse::<Fault>().unwrap());
        }
        shop
    }

    /// The cases, each with its region.
    fn cases(&self) -> impl Iterator<Item = (&Case, &'static str)> {
        self.cases.iter().zip(REGIONS)
    }

    /// Whether its audit meets so many challenges that it says nothing about the shop.
    fn is_challenged(&self) -> bool {
        self.cases.iter().any(|case| case.audited.starts_with("challenge"))
    }
}

/// Has shoppers walk these journeys.
pub(crate) fn rehearse(
    shop: &Shop,
    journeys: &[&str],
    arrivals_per_s: u32,
    seconds: u32,
    policy: &str,
) -> Finished {
    let folder = Folder::new();
    for (name, text) in JOURNEYS {
        folder.write(&format!("{name}.yaml"), text);
    }
    let files: Vec<String> = journeys.iter().map(|name| format!("{name}.yaml")).collect();
    let plan = format!(
        "name: matrix\n{}journeys: [{}]\nload: {{ arrivals: [{{ hold: {arrivals_per_s}/s, for: {seconds}s }}] }}\n\
         graceful: 30s\n{policy}",
        regions(shop),
        files.join(", ")
    );
    run(&["rehearse", &folder.write("plan.yaml", plan), "--quiet"])
}

/// Everything that a run found.
pub(crate) fn findings(report: &Value) -> &[Value] {
    value(report, "cdn.findings").as_array().unwrap()
}

/// The rules that a run found broken in a region.
pub(crate) fn broken<'a>(report: &'a Value, region: &str) -> BTreeSet<&'a str> {
    let there = findings(report).iter().filter(|finding| finding["region"] == region);
    there.map(|finding| finding["rule"].as_str().unwrap()).collect()
}

/// Whether any finding is one by which a run fails.
fn is_to_fail(report: &Value) -> bool {
    findings(report).iter().any(|finding| finding["severity"] == "error" || finding["severity"] == "critical")
}

/// Nothing is broken but what the fault breaks.
fn breaks_nothing_else(case: &Case, region: &str, rules: &BTreeSet<&str>, shown: &str) {
    let may_break = case.may_break();
    let others: Vec<&&str> = rules.difference(&may_break).collect();
    assert!(others.is_empty(), "{} in {region} also breaks {others:?}: {shown}", case.fault);
}

fn run_finds(group: &Group) {
    let shop = group.shop(|case| case.fault);
    let finished = rehearse(&shop, &[group.journey], 60, group.seconds, DECLARED);
    let report = &finished.report;
    let shown = value(report, "cdn.findings").to_string();
    for (case, region) in group.cases() {
        let rules = broken(report, region);
        match case.run {
            Seen::By(expected) => {
                let missed: Vec<&&str> = expected.iter().filter(|rule| !rules.contains(**rule)).collect();
                assert!(missed.is_empty(), "{} in {region} lacks {missed:?}: {shown}", case.fault);
            }
            Seen::Not(why) => {
                assert!(rules.is_empty(), "{} in {region} is {rules:?}, and yet {why}: {shown}", case.fault);
            }
        }
        breaks_nothing_else(case, region, &rules, &shown);
    }
    assert_eq!(finished.code, i32::from(is_to_fail(report)), "{}", finished.stderr);
    assert!(kinds(report).iter().all(|kind| *kind == "cdn"), "{:?}", kinds(report));
}

/// Audits several shops at once: each spends most of its time waiting.
fn audits_find(groups: &[Group]) {
    let start = |group| {
        let shop = Group::shop(group, |case| case.audited);
        let audit = Audit::of_plan(&plan(&shop, DECLARED), &[]);
        (shop, audit, group)
    };
    let audits: Vec<(Shop, Audit, &Group)> = groups.iter().map(start).collect();
    for (_shop, audit, group) in audits {
        let audited = audit.finish();
        for (case, region) in group.cases() {
            let breaches = [found(&audited, region, "fail"), found(&audited, region, "warn")].concat();
            match case.audit {
                Seen::By(expected) => {
                    let is_there = breaches.contains(&expected);
                    assert!(is_there, "{} in {region} lacks {expected:?}: {}", case.audited, audited.stdout);
                }
                Seen::Not(why) => {
                    assert!(
                        breaches.is_empty(),
                        "{} is {breaches:?}, and yet {why}: {}",
                        case.audited,
                        audited.stdout
                    );
                }
            }
            let rules: BTreeSet<&str> = breaches.iter().map(|(_, _, rule)| *rule).collect();
            breaks_nothing_else(case, region, &rules, &audited.stdout);
        }
        tells_what_failed(group, &audited);
        let (code, verdict) = if group.is_challenged() { (3, "invalid") } else { (1, "fail") };
        assert_eq!(audited.code, code, "{}{}", audited.stdout, audited.stderr);
        assert_eq!(audited.report["verdict"], verdict, "{}", audited.stdout);
    }
}

/// What failed is told to people, with what to change, and to pipelines, each with its region.
fn tells_what_failed(group: &Group, audited: &Audited) {
    let reasons = audited.report["reasons"].as_array().unwrap();
    for (_, region) in group.cases() {
        for (class, promise, rule) in found(audited, region, "fail") {
            let failure = format!("type=\"{rule}\"");
            assert!(audited.junit.contains(&failure), "{class} {promise}: {}", audited.junit);
            let is_told = reasons.iter().any(|reason| {
                reason["kind"] == "promise"
                    && reason["region"] == region
                    && reason["message"].as_str().unwrap().contains(rule)
            });
            assert!(is_told, "{class} {promise} in {region}: {reasons:?}");
        }
    }
    assert!(audited.stdout.contains("What to change"), "{}", audited.stdout);
}

#[test]
fn every_fault_of_the_edge_has_its_row() {
    let Err(Error::UnknownFault { kinds, .. }) = "?".parse::<Fault>() else {
        panic!("there is no such fault")
    };
    let name = |fault: &str| fault.split(['=', '@']).next().unwrap().to_owned();
    let known: BTreeSet<String> = kinds.split(", ").map(name).collect();
    let cases = || MATRIX.iter().flat_map(|group| group.cases);
    let mut told: Vec<String> = cases().map(|case| name(case.fault)).collect();
    told.extend(NOT_THE_EDGE_S.map(str::to_owned));
    assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), known);
    assert_eq!(told.len(), known.len(), "each once");
    assert!(cases().count() >= 25);
    for group in &MATRIX {
        assert!(JOURNEYS.iter().any(|(journey, _)| *journey == group.journey), "{}", group.journey);
        // Otherwise a finding in another region than its fault's could pass for another fault's.
        let rules: Vec<&str> = group.cases.iter().flat_map(Case::may_break).collect();
        let distinct: BTreeSet<&str> = rules.iter().copied().collect();
        assert_eq!(rules.len(), distinct.len(), "one rule for two faults: {rules:?}");
    }
}

#[test]
fn load_finds_every_fault_where_it_is() {
    let _turn = turn();
    for group in &MATRIX {
        patiently(|| run_finds(group));
    }
}

#[test]
fn audits_find_every_fault_where_it_is() {
    let _turn = turn();
    for groups in MATRIX.chunks(4) {
        patiently(|| audits_find(groups));
    }
}

/// What a shop behind CloudFront might promise, in its own words.
const POLICY: &str = r#"
cdn:
  provider: cloudfront
  classes:
    - { class: private, match: ["/api/**", "/cart/**", "/checkout/**"], cached: never }
    - { class: static, match: ["/static/**", "*.css", "*.js", "image/*"], cached_for: 365d, versioned: true, hit_ratio: "> 95%", compress: text, savings: "> 60%" }
    - { class: html, match: ["text/html"], cached_for: 5m, hit_ratio: "> 80%", compress: text }
  edges: { tokyo: [NRT, HND, KIX], london: [LHR], new-york: [JFK, EWR, IAD] }
"#;

/// A crowd that does everything of the matrix finds nothing in a right shop, in at least so many requests. What it finds all
/// the same is noted by `find`.
fn right_shop(arrivals_per_s: u32, seconds: u32, requests_min: u64, find: &dyn Fn(String)) {
    let shop = shop();
    let journeys = JOURNEYS.map(|(name, _)| name);
    let finished = rehearse(&shop, &journeys, arrivals_per_s, seconds, POLICY);
    let report = &finished.report;
    findings(report).iter().for_each(|finding| find(finding.to_string()));
    assert_eq!((finished.code, kinds(report)), (0, vec![]), "{}", finished.stderr);
    assert_eq!(value(report, "cdn.declared"), &Value::from(true));
    let requests = count(report, "global.requests_sent");
    assert!(requests >= requests_min, "{requests} requests");
    for region in REGIONS {
        let hits = count(report, &format!("cdn.regions.{region}.classes.static.hits"));
        assert!(hits > 100, "{region} was looked at: {hits} hits");
    }
}

#[test]
fn a_right_shop_has_no_findings() {
    let _turn = turn();
    patiently_without_findings(|find| right_shop(60, 10, 1_000, find));
}

#[test]
#[ignore = "a minute: cargo xtask long"]
fn long_a_right_shop_has_no_findings_at_five_hundred_requests_a_second() {
    let _turn = turn();
    patiently_without_findings(|find| right_shop(80, 60, 30_000, find));
}
