//! Whatever head comes: it is read and judged without a panic, and what is said of it holds together.
//!
//! The first line is `200 /static/shop.css br, gzip`: the status, the path, and the codings that were asked for. The others
//! are headers.

#![no_main]

use std::sync::LazyLock;

use doorbuster_model::cdn::policy::Cached;
use doorbuster_model::cdn::status::{x_cache, x_cache_status};
use doorbuster_model::cdn::{
    Asked, CacheStatus, ClassId, Evidence, Fragments, Head, HitLayer, Observed, Policy, Pop, Rule, Verb,
    cache_status, content, judge,
};
use libfuzzer_sys::fuzz_target;

/// The greatest number of seconds that any header tells (RFC 9111, section 1.2.2).
const SECONDS_MAX: u32 = 1 << 31;

/// Declared by nobody, by a shop behind CloudFront, and by one behind any cache.
static POLICIES: LazyLock<[Policy; 3]> = LazyLock::new(|| {
    let read =
        |provider: &str| Policy::read("cdn.yaml", &format!("cdn: {{ provider: {provider} }}\n")).unwrap();
    [Policy::default(), read("cloudfront"), read("generic")]
});

/// The name and the value of a header.
fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], line[colon + 1..].trim_ascii()))
}

/// What a value means by itself, whichever header it is of.
fn value(value: &[u8]) {
    // A header that is there says something, if only what nobody knows.
    for status in [cache_status(value), x_cache(value).0, x_cache_status(value)] {
        assert_ne!(status, CacheStatus::None);
    }
    let is_told = value.windows(13).any(|word| word == b"cdn-hit-layer");
    assert!(is_told || HitLayer::of(value) == HitLayer::Unsaid);
}

fn location(pop: Option<Pop>) {
    assert_eq!(pop.and_then(|pop| Pop::of_code(pop.code())), pop);
}

/// Holds an answer to a policy.
fn hold(policy: &Policy, path: &str, content_type: &[u8], seen: &Observed) {
    let class = policy.classify(path, content_type);
    assert_eq!(class, policy.choose(policy.of_path(path), policy.of_type(content_type)));
    assert_eq!(policy.class(class).is_none(), class == ClassId::UNCLASSIFIED);
    let is_private = policy.class(class).is_some_and(|class| class.cached == Cached::Never);
    for (verb, is_packed_inside) in [(Verb::Get, false), (Verb::Head, false), (Verb::Other, true)] {
        let seen = Observed { class, verb, is_packed_inside, ..*seen };
        let broken = judge(policy, policy.edges_of("tokyo"), &seen);
        let (head, is_of) = (&seen.head, seen.is_of(policy));
        assert!(is_of || broken.is_empty(), "{broken:?}");
        let is_unknown = is_of && head.cache == CacheStatus::Unknown;
        assert_eq!(broken.contains(Rule::CacheWordUnknown), is_unknown);
        assert!(!broken.contains(Rule::PrivateHit) || (is_private && head.cache.is_cached()));
        assert!(!broken.contains(Rule::PrivateAge) || (is_private && head.age_s().is_some()));
        assert!(!broken.contains(Rule::OtherRegion) || head.pop.is_some());
        assert!(!broken.contains(Rule::ErrorCached) || seen.status >= 400);
        assert!(!broken.contains(Rule::MarkerLeaked), "no head shows what stands in a body");
        let is_text = seen.is_text(policy);
        assert!(!is_text || policy.class(class).is_some_and(|class| class.compresses_text));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let mut words = first.splitn(3, ' ');
    let status = words.next().and_then(|status| status.parse().ok()).unwrap_or(200);
    let (target, asked) = (words.next().unwrap_or("/"), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&[u8], &[u8])> = lines.filter_map(header).collect();
    headers.iter().for_each(|(_, text)| value(text));

    let head = Head::of(headers.iter().copied());
    let shouted: Vec<(Vec<u8>, &[u8])> =
        headers.iter().map(|(name, value)| (name.to_ascii_uppercase(), *value)).collect();
    let again = Head::of(shouted.iter().map(|(name, value)| (name.as_slice(), *value)));
    assert_eq!(head, again, "the case of names tells nothing");
    assert!([head.age_s(), head.lifetime_s()].into_iter().flatten().all(|seconds| seconds <= SECONDS_MAX));
    location(head.pop);

    let is_type = |name: &[u8]| name.eq_ignore_ascii_case(b"content-type");
    let content_type = headers.iter().find(|(name, _)| is_type(name)).map_or(&b""[..], |(_, value)| *value);
    let bytes_wire = bytes.len() as u64;
    let seen = Observed { head, status, asked: Asked::of(asked), bytes_wire, ..Observed::default() };
    for policy in POLICIES.iter() {
        hold(policy, path, content_type, &seen);
    }
    let mut fragments = Fragments::default();
    let missed = fragments.missed(content(path, query), query);
    assert_eq!(missed, Some(false), "one way of writing an address is no fragment");
    let evidence = Evidence::new("GET", target, status, [], headers.iter().copied(), "");
    assert!(evidence.answered.len() <= headers.len());
});
