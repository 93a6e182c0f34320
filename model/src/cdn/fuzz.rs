//! What fuzzing feeds, and what must hold whatever that is. With the feature `fuzz`; every test holds the committed corpus
//! to it, too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::policy::{Cached, Policy};
use super::{
    Asked, CacheStatus, ClassId, Counts, Evidence, Fragments, Head, HitLayer, MarkSearch, Marks, Observed,
    Pop, Rule, Verb, content, judge,
};
use crate::sample::Times;
use crate::{Key, Part, Sample};

/// The greatest number of seconds that any header tells (RFC 9111, section 1.2.2).
const SECONDS_MAX: u32 = 1 << 31;
/// What is planted, and must not be shown.
const SECRET: &str = "S3cr3tOfNobody";
/// So many ways of writing an address tell that it is kept again and again.
const WAYS_MIN: usize = 3;
/// So many contents are watched.
const WATCHED_MAX: usize = 256;

/// What is asked of that which is kept.
const KEPT: [Rule; 8] = [
    Rule::AgePastLifetime,
    Rule::LifetimeDiffers,
    Rule::CachingForbidden,
    Rule::CookieOnCacheable,
    Rule::VariesOnCookie,
    Rule::VariesOnUserAgent,
    Rule::VaryEncodingMissing,
    Rule::LifetimeUnsaid,
];

/// Declared by nobody, by a shop behind CloudFront, and by one behind any cache.
static POLICIES: LazyLock<[Policy; 3]> = LazyLock::new(|| {
    let read = |provider: &str| {
        let text = format!("cdn: {{ provider: {provider}, edges: {{ tokyo: [NRT] }} }}\n");
        Policy::read("cdn.yaml", &text).unwrap_or_default()
    };
    [Policy::default(), read("cloudfront"), read("generic")]
});

/// An answer's head: it is read and judged, and what is said of it holds together. The first line is
/// `200 /static/shop.css br, gzip`: the status, the path, and the codings that were asked for. The others are headers.
///
/// # Panics
/// Where something does not hold.
pub fn head(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let mut words = first.splitn(3, ' ');
    let status = words.next().and_then(|status| status.parse().ok()).unwrap_or(200);
    let (target, asked) = (words.next().unwrap_or("/"), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let headers: Vec<(&[u8], &[u8])> = lines.filter_map(header).collect();

    let head = Head::of(headers.iter().copied());
    let shouted: Vec<(Vec<u8>, &[u8])> =
        headers.iter().map(|(name, value)| (name.to_ascii_uppercase(), *value)).collect();
    let again = Head::of(shouted.iter().map(|(name, value)| (name.as_slice(), *value)));
    assert_eq!(head, again, "the case of names tells nothing");
    let seconds = [head.age_s(), head.lifetime_s(), Some(head.stale_s()), Some(head.stale_if_error_s())];
    assert!(seconds.into_iter().flatten().all(|seconds| seconds <= SECONDS_MAX));
    assert_eq!(head.pop.and_then(|pop| Pop::of_code(pop.code())), head.pop);
    let is_timed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"server-timing"));
    assert!(is_timed || head.hit_layer == HitLayer::Unsaid);
    assert!(!head.is_fresh_hit() || head.is_hit());

    let is_type = |name: &[u8]| name.eq_ignore_ascii_case(b"content-type");
    let content_type = headers.iter().find(|(name, _)| is_type(name)).map_or(&b""[..], |(_, value)| *value);
    let bytes_wire = bytes.len() as u64;
    let seen = Observed { head, status, asked: Asked::of(asked), bytes_wire, ..Observed::default() };
    for policy in POLICIES.iter() {
        hold(policy, path, content_type, &seen);
    }
}

/// The name and the value of a header.
fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], line[colon + 1..].trim_ascii()))
}

/// Holds an answer to a policy.
fn hold(policy: &Policy, path: &str, content_type: &[u8], seen: &Observed) {
    let class = policy.classify(path, content_type);
    assert_eq!(policy.class(class).is_none(), class == ClassId::UNCLASSIFIED);
    let cached = policy.class(class).map_or(Cached::Unsaid, |class| class.cached);
    for (verb, is_packed_inside) in [(Verb::Get, false), (Verb::Head, false), (Verb::Other, true)] {
        let seen = Observed { class, verb, is_packed_inside, ..*seen };
        let broken = judge(policy, policy.edges_of("tokyo"), &seen);
        let anywhere = judge(policy, None, &seen);
        for rule in Rule::all().filter(|rule| *rule != Rule::OtherRegion) {
            assert_eq!(broken.contains(rule), anywhere.contains(rule), "{} by where it was asked", rule.id());
        }
        let (head, is_of) = (&seen.head, seen.is_of(policy));
        assert!(is_of || broken.is_empty(), "{broken:?}");
        let is_unknown = is_of && head.cache == CacheStatus::Unknown;
        assert_eq!(broken.contains(Rule::CacheWordUnknown), is_unknown);
        let is_private_hit = is_of && cached == Cached::Never && head.cache.is_cached();
        assert_eq!(broken.contains(Rule::PrivateHit), is_private_hit);
        let may_have_age = cached == Cached::Never && head.age_s() > Some(0);
        assert!(!broken.contains(Rule::PrivateAge) || may_have_age);
        assert!(!broken.contains(Rule::OtherRegion) || head.pop.is_some());
        assert!(!broken.contains(Rule::ErrorCached) || seen.status >= 400);
        let is_kept = matches!(cached, Cached::For(_)) && verb != Verb::Other;
        assert!(is_kept || !KEPT.iter().any(|rule| broken.contains(*rule)), "{broken:?} of {cached:?}");
        let is_promised = policy.class(class).is_some_and(|class| class.compresses_text);
        assert_eq!(seen.is_text(policy), is_promised && seen.is_compressible());
        count(&seen);
    }
}

/// Whatever an answer counts as, it counts once.
fn count(seen: &Observed) {
    let key = Key { journey: 0, step: 0, part: Part::Main, section: 0 };
    let mut counts = Counts::default();
    counts.record(&Sample {
        status: Some(seen.status),
        verb: seen.verb,
        head: seen.head,
        is_text: seen.is_compressible(),
        is_sampled: true,
        is_first_miss: true,
        ..Sample::new(key, Times::default())
    });
    assert_eq!((counts.answers(), counts.lookups() + counts.others), (1, 1));
    assert!(counts.untold <= counts.others && counts.first_misses == counts.misses);
    assert!(counts.hit_layers.iter().sum::<u64>() <= 1 && counts.texts_sampled <= counts.texts);
}

/// A body behind a byte that says in pieces of how many it comes: other shoppers' markers are found in it, however it comes.
///
/// # Panics
/// Where they are not.
pub fn marks(bytes: &[u8]) {
    let [size, body @ ..] = bytes else { return };
    let (marks, own) = (Marks::of("fuzz"), 17);
    let found = |body: &[u8], size: usize| {
        let mut search = MarkSearch::new(own);
        body.chunks(size.max(1)).for_each(|piece| search.look(&marks, piece));
        search.foreign()
    };
    let size = usize::from(*size);
    let whole = found(body, body.len());
    assert_eq!(found(body, size), whole, "in pieces of {size}");
    assert_ne!(whole, Some(own));
    let (before, after) = body.split_at(body.len() / 2);
    let planted = [before, marks.of_shopper(5).as_bytes(), after].concat();
    assert!(found(&planted, size).is_some(), "in pieces of {size}");
}

/// Queries, one to a line, in which content is missed: only what is the same content is fragmented.
///
/// # Panics
/// Where something else is.
pub fn fragments(text: &str) {
    const PLACE: &str = "https://shop.test/";
    let mut fragments = Fragments::default();
    let mut ways: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for query in text.lines() {
        let same = content(PLACE, query);
        let mut pairs: Vec<&str> = query.split('&').rev().collect();
        pairs.push("utm_source=x");
        assert_eq!(
            content(PLACE, &pairs.join("&")),
            same,
            "neither order nor what follows visits tells anything"
        );
        assert_ne!(content("https://other.test/", query), same);
        let known = ways.entry(same).or_default();
        known.insert(query);
        let many = known.len() >= WAYS_MIN;
        match fragments.missed(same, query) {
            Some(is_fragmented) => assert!(!is_fragmented || many, "{known:?}"),
            None => assert!(ways.len() > WATCHED_MAX),
        }
    }
}

/// Text that stands around secrets of a request and an answer: no evidence shows them.
///
/// # Panics
/// Where one does.
pub fn secrets(text: &str) {
    if text.contains(SECRET) {
        return;
    }
    let url = format!("https://u:{SECRET}@shop.test/{text};PHPSESSID={SECRET}?{text}&api_key={SECRET}");
    let asked = [
        ("Cookie", format!("sid={SECRET}; {text}")),
        ("Authorization", format!("{text} {SECRET}")),
        ("Referer", format!("https://u:{SECRET}@shop.test/{text}")),
    ];
    let answered = [
        ("Set-Cookie", format!("sid={SECRET}; {text}")),
        ("Location", format!("/{text};jsessionid={SECRET}?token={SECRET}&{text}")),
        ("Refresh", format!("5; url=/?otp={SECRET}&{text}")),
        ("Link", format!("<https://u:{SECRET}@shop.test/?{text}>; rel=next, </?jwt={SECRET}>")),
        ("X-Session", format!("{text}{SECRET}")),
    ];
    fn lines<'a>(headers: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }
    let evidence = Evidence::new("GET", &url, 200, lines(&asked), lines(&answered), "");
    let shown = format!("{evidence:?} {evidence}");
    assert!(!shown.contains(SECRET), "{shown}");
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// The files that are committed for a target.
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        let files: Vec<Vec<u8>> = files.collect();
        assert!(files.len() >= 4, "{target}");
        files
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn the_committed_corpus_holds() {
        corpus("head").iter().for_each(|bytes| head(bytes));
        corpus("mark").iter().for_each(|bytes| marks(bytes));
        corpus("fragment").iter().for_each(|bytes| fragments(&text(bytes)));
        corpus("secret").iter().for_each(|bytes| secrets(&text(bytes)));
    }

    #[test]
    fn the_corpus_says_what_it_is_for() {
        let prefix = Marks::of("fuzz").prefix().to_owned();
        let holds = |target: &str, part: &str| corpus(target).iter().any(|bytes| text(bytes).contains(part));
        assert!(holds("mark", &format!("{prefix}3-e")), "a marker of the run that is looked for");
        assert!(
            holds("fragment", "gclid=") && holds("secret", "jsessionid=") && holds("head", "cdn-hit-layer")
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_holds(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            lines in "(200|404|503) (/|/cart|/static/a.css) br\n((X-Cache|Age|Cache-Control|Vary|Content-Type|Set-Cookie): [ -~]{0,30}\n){0,6}",
            queries in "((a|b|utm_source|gclid)(=[0-9]?)?(&|\n)){0,40}",
            around in "(/|[?]|&|;|=|#|:|//|@|<|>|url=|token=|[a-z]|é){0,30}",
        ) {
            head(&bytes);
            head(lines.as_bytes());
            marks(&bytes);
            fragments(&queries);
            secrets(&around);
        }
    }
}
