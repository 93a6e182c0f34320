use proptest::prelude::*;

use super::*;

/// The head of lines such as `Age: 5`.
fn head(lines: &str) -> Head {
    let headers = lines.lines().filter_map(|line| line.split_once(':'));
    Head::of(headers.map(|(name, value)| (name.trim().as_bytes(), value.as_bytes())))
}

#[test]
fn a_head_takes_little_room() {
    assert!(size_of::<Head>() <= 32, "{}", size_of::<Head>());
}

/// An answer of CloudFront, as seen with `curl -I`, with Server-Timing turned on.
#[test]
fn a_hit_of_cloudfront_is_read() {
    let hit = head(
        "content-type: text/css; charset=utf-8
        Content-Encoding: br
        cache-control: public, max-age=31536000, immutable
        server: nginx
        vary: Accept-Encoding
        x-cache: Hit from cloudfront
        via: 1.1 2f4b3ac1d8.cloudfront.net (CloudFront)
        x-amz-cf-pop: NRT57-P1
        x-amz-cf-id: kAbc==
        age: 1723
        server-timing: cdn-cache-hit,cdn-pop;desc=\"NRT57-P1\",cdn-hit-layer;desc=\"EDGE\"",
    );
    assert_eq!((hit.cache, hit.hit_layer), (CacheStatus::Hit, HitLayer::Edge));
    assert_eq!((hit.age_s(), hit.lifetime_s()), (Some(1_723), Some(31_536_000)));
    assert_eq!((hit.encoding, hit.kind), (Encoding::Brotli, ContentKind::Text));
    assert_eq!(hit.pop.map(|pop| pop.to_string()).as_deref(), Some("NRT57"));
    assert_eq!(hit.maker, Maker::Other);
    assert!(hit.says.any(Says::CLOUDFRONT) && hit.says.any(Says::VARY_ENCODING));
    assert!(!hit.says.any(Says::FORBIDS) && !hit.says.any(Says::UNREADABLE));
}

#[test]
fn a_miss_with_the_balancer_s_cookies_is_read() {
    let miss = head(
        "Cache-Control: private, no-store
        Set-Cookie: sid=42; Path=/; HttpOnly
        Set-Cookie: AWSALB=abc/+d==; Expires=Mon, 30 Nov 2026 00:00:00 GMT; Path=/
        Set-Cookie: AWSALBCORS=abc/+d==; Path=/; SameSite=None; Secure
        X-Cache: Miss from cloudfront",
    );
    assert!(miss.says.any(Says::SETS_COOKIE) && miss.says.any(Says::SETS_STICKY));
    assert!(miss.says.any(Says::NO_STORE) && miss.says.any(Says::PRIVATE));
    assert!(miss.sticky().is_some());
    let other = head("set-cookie: AWSALB=abc/+e==; Path=/");
    assert_ne!(miss.sticky(), other.sticky());
    assert!(!other.says.any(Says::SETS_COOKIE), "the balancer's own cookie is not the shop's");
    assert!(!head("set-cookie: AWSALBAPP-0=x").says.any(Says::SETS_COOKIE));
    assert_eq!(head("set-cookie: sid=1").sticky(), None);
}

#[test]
fn whose_word_on_the_cache_counts() {
    for (lines, cache) in [
        ("", CacheStatus::None),
        ("X-Cache: HIT", CacheStatus::Hit),
        ("X-Cache: HIT\nX-Cache: MISS", CacheStatus::Miss),
        ("X-Cache-Status: EXPIRED", CacheStatus::Miss),
        // nginx in front of Varnish.
        ("X-Cache-Status: MISS\nX-Cache: HIT", CacheStatus::Miss),
        ("X-Cache: MISS\nCache-Status: Edge; hit", CacheStatus::Hit),
        ("Cache-Status: Edge; fwd=miss\nX-Cache: HIT", CacheStatus::Miss),
        ("Cache-Status: Origin; hit\nCache-Status: Edge; fwd=stale; fwd-status=304", CacheStatus::RefreshHit),
        // A cache behind CloudFront, whose words came along.
        ("Cache-Status: Varnish; hit\nX-Cache: Miss from cloudfront", CacheStatus::Miss),
        ("X-Cache: Miss from cloudfront\nCache-Status: Varnish; hit", CacheStatus::Miss),
        ("X-Cache: Teleported from cloudfront", CacheStatus::Unknown),
    ] {
        assert_eq!(head(lines).cache, cache, "{lines}");
    }
}

#[test]
fn an_age_tells_a_hit_where_no_word_does() {
    for (lines, lookup, is_fresh) in [
        ("Via: 1.1 varnish\nX-Varnish: 32770 3\nAge: 7", CacheStatus::Hit, true),
        ("Via: 1.1 varnish\nX-Varnish: 32770\nAge: 0", CacheStatus::None, false),
        ("Age: soon", CacheStatus::None, false),
        ("", CacheStatus::None, false),
        // A word tells more.
        ("X-Cache: MISS\nAge: 7", CacheStatus::Miss, false),
        ("X-Cache: Error from cloudfront\nAge: 7", CacheStatus::Error, false),
        ("X-Cache: RefreshHit from cloudfront\nAge: 0", CacheStatus::RefreshHit, false),
        ("X-Cache: Odd from cloudfront\nAge: 7", CacheStatus::Unknown, false),
        ("X-Cache: HIT\nAge: 0", CacheStatus::Hit, true),
    ] {
        let head = head(lines);
        assert_eq!((head.lookup(), head.is_fresh_hit()), (lookup, is_fresh), "{lines}");
        assert_eq!(head.is_hit(), lookup.is_cached(), "{lines}");
    }
}

#[test]
fn lifetimes_are_those_of_shared_caches() {
    for (lines, lifetime_s) in [
        ("Cache-Control: max-age=300", Some(300)),
        ("Cache-Control: max-age=\"300\"", Some(300)),
        ("Cache-Control: MAX-AGE = 300, public", Some(300)),
        ("Cache-Control: max-age=0, s-maxage=600", Some(600)),
        ("Cache-Control: s-maxage=600, max-age=0", Some(600)),
        ("Cache-Control: max-age=300\nCache-Control: s-maxage=600", Some(600)),
        ("Cache-Control: max-age=300, max-age=5", Some(300)),
        ("Cache-Control: s-maxage=7, s-maxage=8", Some(7)),
        ("Cache-Control: max-age=99999999999", Some(1 << 31)),
        ("Cache-Control: max-age=soon", None),
        ("Cache-Control: no-cache=\"set-cookie\"", None),
        ("", None),
    ] {
        assert_eq!(head(lines).lifetime_s(), lifetime_s, "{lines}");
    }
    for (lines, stale_s, stale_if_error_s) in [
        ("Cache-Control: max-age=5, stale-while-revalidate=30, stale-if-error=999999", 30, 999_999),
        ("Cache-Control: stale-while-revalidate=86400\nCache-Control: stale-while-revalidate=60", 86_400, 0),
        ("Cache-Control: stale-if-error=99999999999", 0, 1 << 31),
        ("Cache-Control: stale-while-revalidate, stale-if-error=soon", 0, 0),
    ] {
        let stale = head(lines);
        assert_eq!((stale.stale_s(), stale.stale_if_error_s()), (stale_s, stale_if_error_s), "{lines}");
    }
    assert!(head("Cache-Control: max-age=soon").says.any(Says::UNREADABLE));
}

#[test]
fn facts_are_told_apart() {
    for (lines, fact) in [
        ("Cache-Control: No-Store", Says::NO_STORE),
        ("Cache-Control: public, no-cache", Says::NO_CACHE),
        ("Cache-Control: private", Says::PRIVATE),
        ("Expires: 0", Says::EXPIRES),
        ("Vary: Accept-Encoding, Cookie", Says::VARY_COOKIE),
        ("Vary: user-agent", Says::VARY_USER_AGENT),
        ("Vary: Origin\nVary: accept-encoding", Says::VARY_ENCODING),
        ("Vary: *", Says::VARY_ANYTHING),
        ("x-amzn-waf-action: challenge", Says::CHALLENGED),
        ("X-Amzn-Waf-Action: captcha", Says::CHALLENGED),
        ("Via: 1.1 varnish, 1.1 x.cloudfront.net (CloudFront)", Says::CLOUDFRONT),
        ("X-Amz-Cf-Pop: LHR50-P2", Says::CLOUDFRONT),
        ("X-Amz-Cf-Pop: London", Says::UNREADABLE),
        ("Age: -5", Says::UNREADABLE),
        ("Age:", Says::UNREADABLE),
    ] {
        assert!(head(lines).says.any(fact), "{lines}");
    }
    for lines in [
        "Cache-Control: private=\"x-a\", no-cache=\"set-cookie\", max-age=3",
        "Vary: Cookies, Origin",
        "x-amzn-waf-action: allow",
        "Via: 1.1 (CloudFront) proxy",
        "Agee: x",
    ] {
        assert_eq!(head(lines).says, Says::default(), "{lines}");
    }
}

#[test]
fn who_made_an_answer_is_known_by_its_server() {
    for (lines, maker) in [
        ("Server: CloudFront", Maker::Edge),
        ("server: awselb/2.0", Maker::Balancer),
        ("Server: nginx/1.22.1", Maker::Other),
        ("Server: AmazonS3", Maker::Other),
        ("", Maker::Unsaid),
    ] {
        assert_eq!(head(lines).maker, maker, "{lines}");
    }
    let ages = ["Age: 17", "Age: 17, 20", "Age: 17\nAge: 20"].map(|lines| head(lines).age_s());
    assert_eq!(ages, [Some(17); 3], "the first counts");
}

const NAMES: [&str; 16] = [
    "age",
    "Via",
    "vary",
    "server",
    "x-cache",
    "expires",
    "set-cookie",
    "content-type",
    "cache-status",
    "x-amz-cf-pop",
    "cache-control",
    "server-timing",
    "x-cache-status",
    "content-encoding",
    "x-amzn-waf-action",
    "x-amz-cf-id",
];

proptest! {
    #[test]
    fn no_header_panics(
        known in prop::collection::vec(
            (prop::sample::select(NAMES.to_vec()), prop::collection::vec(any::<u8>(), 0..80)),
            0..20,
        ),
        wild in prop::collection::vec(any::<u8>(), 0..20),
        near in "(max-age|s-maxage|private|stale-if-error|AWSALB|=|,|;|\"|[0-9]|cloudfront| ){0,20}",
    ) {
        let mut head = Head::default();
        for (name, value) in &known {
            head.header(name.as_bytes(), value);
            head.header(name.as_bytes(), near.as_bytes());
        }
        head.header(&wild, &wild);
        prop_assert!(head.age_s().is_none_or(|age_s| age_s <= 1 << 31));
        prop_assert!(head.lifetime_s().is_none_or(|lifetime_s| lifetime_s <= 1 << 31));
    }
}
