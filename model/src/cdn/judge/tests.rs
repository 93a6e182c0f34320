use proptest::prelude::*;

use super::*;

/// A plan's own section, with London alone near its edges.
const DECLARED: &str = r#"
cdn:
  classes:
    - { class: private, match: ["/api/**", "/cart/**"], cached: never }
    - { class: static, match: ["/static/**"], cached_for: 365d, versioned: true, hit_ratio: "> 95%", compress: text, savings: "> 60%" }
    - { class: html, match: ["text/html"], cached_for: 5m, compress: text }
  edges: { london: [LHR] }
"#;
const HIT: &str = "X-Cache: Hit from cloudfront";
const MISS: &str = "X-Cache: Miss from cloudfront";

fn observed(policy: &Policy, path: &str, status: u16, lines: &str) -> Observed {
    let headers: Vec<(&[u8], &[u8])> = lines
        .split('|')
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let content_type =
        headers.iter().find(|(name, _)| *name == b"Content-Type").map_or(&b""[..], |(_, kind)| *kind);
    Observed {
        head: Head::of(headers.iter().copied()),
        class: policy.classify(path, content_type),
        status,
        asked: Asked::of("br, gzip"),
        ..Observed::default()
    }
}

fn ids(policy: &Policy, path: &str, status: u16, lines: &str) -> Vec<&'static str> {
    let seen = observed(policy, path, status, lines);
    judge(policy, policy.edges_of("london"), &seen).iter().map(Rule::id).collect()
}

fn declared() -> Policy {
    Policy::read("policy.yaml", DECLARED).unwrap()
}

/// A page, or an asset, as it is to be, with more lines.
fn page(more: &str) -> String {
    format!(
        "Content-Type: text/html|Cache-Control: public, max-age=300|Content-Encoding: br|Vary: Accept-Encoding|X-Amz-Cf-Pop: LHR50-P2|{more}"
    )
}

#[test]
fn right_answers_break_nothing() {
    let policy = declared();
    let asset = "Content-Type: text/css|Cache-Control: public, max-age=31536000, immutable|Age: 40000|X-Cache: Hit from cloudfront|X-Amz-Cf-Pop: LHR3-C1";
    for (path, status, lines) in [
        ("/", 200, page(HIT)),
        ("/", 200, page(&format!("{HIT}|Age: 301"))),
        ("/", 200, page("X-Cache: RefreshHit from cloudfront|Age: 0")),
        ("/", 200, page(&format!("{MISS}|Set-Cookie: AWSALB=x; Path=/"))),
        ("/static/a.css", 200, asset.to_owned()),
        (
            "/cart",
            200,
            format!("{MISS}|Content-Type: text/html|Cache-Control: private, no-store|Set-Cookie: sid=1"),
        ),
        ("/cart", 200, format!("{MISS}|Age: 0")),
        ("/cart/add", 303, format!("{MISS}|Location: /cart")),
        // Errors of one shopper's pages are kept for some seconds, too.
        ("/cart", 503, "X-Cache: Error from cloudfront|Age: 9".to_owned()),
        ("/api/orders", 401, format!("{MISS}|Set-Cookie: sid=1")),
        ("/nothing", 404, "X-Cache: Error from cloudfront|Age: 10|Content-Type: text/html".to_owned()),
        // For how long, one answer does not tell.
        ("/nothing", 404, "X-Cache-Status: HIT|Content-Type: text/html".to_owned()),
        ("/", 503, "X-Cache-Status: HIT".to_owned()),
        ("/feed", 200, format!("{HIT}|Content-Type: application/xml|Cache-Control: max-age=7|Age: 9000")),
        // Whose cookie it is, more than one answer tells.
        ("/feed", 200, format!("{HIT}|Set-Cookie: sid=0123456789abcdef")),
        ("/gone", 404, "X-Cache-Status: HIT|Set-Cookie: sid=0123456789abcdef".to_owned()),
        ("/old", 301, format!("{HIT}|Content-Type: text/html|Cache-Control: max-age=60")),
    ] {
        assert_eq!(ids(&policy, path, status, &lines), [""; 0], "{path} {status} {lines}");
    }
}

#[test]
fn every_rule_has_answers_that_break_it() {
    let policy = declared();
    for (path, status, lines, expected) in [
        ("/cart", 200, HIT.to_owned(), "private-hit"),
        ("/api/cart", 200, "X-Cache: RefreshHit from cloudfront".to_owned(), "private-hit"),
        ("/cart", 200, format!("{HIT}|Age: 5|Set-Cookie: sid=1"), "private-hit"),
        ("/cart", 200, format!("{MISS}|Age: 5"), "private-age"),
        // What an error says belongs to one shopper, too.
        ("/api/orders", 401, "X-Cache-Status: HIT".to_owned(), "private-hit"),
        ("/cart", 404, format!("{HIT}|Set-Cookie: sid=1"), "private-hit"),
        ("/", 200, page(&format!("{HIT}|Age: 302")), "age-past-lifetime"),
        ("/", 200, page(MISS).replace("max-age=300", "max-age=31536000"), "lifetime-differs"),
        ("/", 200, page(MISS).replace("max-age=300", "max-age=300, s-maxage=60"), "lifetime-differs"),
        ("/", 200, page(MISS).replace("public, max-age=300", "private"), "caching-forbidden"),
        ("/", 200, page(MISS).replace("max-age=300", "max-age=0"), "caching-forbidden"),
        ("/", 200, page(&format!("{MISS}|Vary: *")), "caching-forbidden"),
        ("/", 200, page(&format!("{MISS}|Set-Cookie: sid=1")), "cookie-on-cacheable"),
        ("/", 200, page(&format!("{HIT}|Set-Cookie: sid=1; Path=/")), "cookie-on-cacheable"),
        ("/", 200, page(&format!("{HIT}|Set-Cookie: AWSALB=1")), "sticky-from-cache"),
        ("/gone", 404, "X-Cache-Status: HIT|Set-Cookie: AWSALB=1".to_owned(), "sticky-from-cache"),
        ("/", 200, page("Age: 7|Set-Cookie: AWSALB=1"), "sticky-from-cache"),
        ("/cart", 200, "Via: 1.1 varnish|Age: 7".to_owned(), "private-age"),
        ("/", 200, page(&format!("{HIT}|Vary: Cookie")), "varies-on-cookie"),
        ("/", 200, page(&format!("{HIT}|Vary: User-Agent")), "varies-on-user-agent"),
        ("/", 503, "X-Cache: Error from cloudfront|Age: 11".to_owned(), "error-cached"),
        ("/nothing", 404, "X-Cache: HIT|Age: 3600".to_owned(), "error-cached"),
        ("/", 200, page(HIT).replace("LHR50-P2", "FRA56-P1"), "other-region"),
        ("/x", 200, format!("{HIT}|Content-Encoding: gzip, gzip"), "compressed-twice"),
        ("/x.jpg", 200, format!("{HIT}|Content-Type: image/jpeg|Content-Encoding: gzip"), "compressed-image"),
        ("/x", 200, format!("{HIT}|Content-Encoding: zstd"), "encoding-not-asked"),
        ("/", 200, page(HIT).replace("|Vary: Accept-Encoding", ""), "vary-encoding-missing"),
        ("/", 200, page(HIT).replace("Cache-Control: public, max-age=300|", ""), "lifetime-unsaid"),
        (
            "/x",
            202,
            "x-amzn-waf-action: challenge|X-Cache: Error from cloudfront".to_owned(),
            "challenge-as-page",
        ),
        ("/x", 200, "X-Cache: Teleported from cloudfront".to_owned(), "cache-word-unknown"),
    ] {
        assert_eq!(ids(&policy, path, status, &lines), [expected], "{path} {status} {lines}");
    }
}

#[test]
fn stale_answers_may_be_as_old_as_they_say() {
    let policy = declared();
    let stale =
        page(&format!("{HIT}|Age: 330")).replace("max-age=300", "max-age=300, stale-while-revalidate=30");
    assert_eq!(ids(&policy, "/", 200, &stale), [""; 0]);
    assert_eq!(ids(&policy, "/", 200, &stale.replace("330", "332")), ["age-past-lifetime"]);
    let day = stale.replace("validate=30", "validate=86400").replace("330", "70000");
    assert_eq!(ids(&policy, "/", 200, &day), [""; 0], "a day is a day");
    assert_eq!(ids(&policy, "/", 200, &day.replace("70000", "86702")), ["age-past-lifetime"]);
}

#[test]
fn what_is_for_failures_counts_where_the_origin_failed() {
    let policy = declared();
    let stale = page(&format!("{HIT}|Age: 3000")).replace("max-age=300", "max-age=300, stale-if-error=86400");
    assert_eq!(ids(&policy, "/", 200, &stale), ["age-past-lifetime"]);
    let failed = Observed { has_failed: true, ..observed(&policy, "/", 200, &stale) };
    assert!(judge(&policy, None, &failed).is_empty());
    let older = observed(&policy, "/", 200, &stale.replace("Age: 3000", "Age: 86702"));
    let older = Observed { has_failed: true, ..older };
    assert!(judge(&policy, None, &older).contains(Rule::AgePastLifetime));
}

#[test]
fn without_a_declared_policy_only_the_provider_s_answers_count() {
    let policy = Policy::default();
    assert_eq!(ids(&policy, "/cart", 200, "X-Cache: HIT|Age: 7"), [""; 0], "nobody promised that of Varnish");
    assert_eq!(ids(&policy, "/cart", 200, HIT), ["private-hit"]);
    assert_eq!(ids(&policy, "/login", 200, &page(MISS).replace("public, max-age=300", "no-store")), [""; 0]);
    let mut generic = policy.clone();
    generic.provider = Provider::Generic;
    assert_eq!(ids(&generic, "/cart", 200, "X-Cache: HIT|Age: 7"), ["private-hit"]);
    assert_eq!(ids(&generic, "/cart", 200, "Server: nginx"), [""; 0]);
}

#[test]
fn what_changes_something_is_no_matter_of_caches() {
    let policy = declared();
    let mut seen = observed(&policy, "/", 200, &page(&format!("{MISS}|Set-Cookie: sid=1|Vary: Cookie")));
    assert!(!judge(&policy, None, &seen).is_empty());
    seen.verb = Verb::Other;
    assert!(judge(&policy, None, &seen).is_empty());
    seen.is_packed_inside = true;
    assert!(judge(&policy, None, &seen).contains(Rule::CompressedTwice));
    let mut plain = observed(&policy, "/x", 200, &format!("{HIT}|Content-Type: text/css"));
    plain.is_packed_inside = true;
    let broken: Vec<Rule> = judge(&policy, None, &plain).iter().collect();
    assert_eq!(broken, [Rule::EncodingUnsaid], "once, and nobody says so");
}

#[test]
fn an_answer_takes_little_room() {
    assert!(size_of::<Observed>() <= 80, "{}", size_of::<Observed>());
}

proptest! {
    #[test]
    fn no_answer_panics_and_private_ones_are_never_judged_as_kept(
        class in 0_u8..5,
        status in 100_u16..700,
        age in 0_u32..2_000_000_000,
        cache in prop::sample::select(vec!["Hit", "RefreshHit", "Miss", "Error", "Odd"]),
    ) {
        let policy = declared();
        let lines = format!("X-Cache: {cache} from cloudfront|Age: {age}");
        let seen = Observed { class: ClassId(class), ..observed(&policy, "/", status, &lines) };
        let broken = judge(&policy, policy.edges_of("london"), &seen);
        prop_assert!(class != 0 || !broken.contains(Rule::AgePastLifetime));
        prop_assert!(class == 0 || !broken.contains(Rule::PrivateHit));
    }
}
