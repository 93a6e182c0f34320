use super::*;

const ADDRESS: &str = "http://shop.test/a.css";
const SECOND_NS: u64 = 1_000_000_000;

/// A head as it is written, a header to a line.
fn head(text: &str) -> HeaderMap {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, value)| {
            (HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value.trim()).unwrap())
        })
        .collect()
}

fn sheet() -> Option<Rc<Sheet>> {
    Some(Rc::new(Sheet::default()))
}

/// What stands in the request, as `name: value`; `fresh` where none is sent.
fn asked(known: &Known) -> String {
    match known {
        Known::Fresh(_) => "fresh".to_owned(),
        Known::Ask(conditions) => {
            let line =
                |(name, value): &(HeaderName, HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
            conditions.iter().map(line).collect::<Vec<_>>().join(", ")
        }
    }
}

/// For how many seconds an answer is fresh with this head; `None` where it is not kept.
fn fresh_s(text: &str) -> Option<u64> {
    let (mut cache, mut heads) = (Cache::default(), Heads::default());
    cache.keep(ADDRESS, &head(text), None, 0, &mut heads);
    cache.0.first().map(|entry| entry.fresh_until_ns / SECOND_NS)
}

const MADE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\n";
const MODIFIED: &str = "last-modified: Sun, 06 Nov 1994 08:39:37 GMT\n";

#[test]
fn answers_are_fresh_for_as_long_as_they_say() {
    for (text, expected) in [
        ("cache-control: max-age=60", Some(60)),
        ("cache-control: Max-Age=60", Some(60)),
        ("cache-control: max-age=\"60\"", Some(60)),
        ("cache-control: public, max-age=31536000, immutable", Some(31_536_000)),
        ("cache-control: private\ncache-control: max-age=60", Some(60)),
        ("cache-control: private=\"a, no-store\", max-age=60", Some(60)),
        ("cache-control: max-age=60, s-maxage=5", Some(60)),
        ("cache-control: max-age=60, max-age=600", Some(60)),
        ("cache-control: max-age=99999999999999999999", Some(1 << 31)),
        ("cache-control: max-age=60\nage: 45", Some(15)),
        ("cache-control: max-age=60\nage: 45, 7", Some(15)),
        ("cache-control: max-age=60\nage: old", Some(60)),
        ("cache-control: max-age=60\nexpires: Thu, 01 Jan 1970 00:00:00 GMT", Some(60)),
        ("cache-control: max-age=60, must-revalidate", Some(60)),
        ("cache-control: max-age=60\npragma: no-cache", Some(60)),
        ("vary: Accept-Encoding, Origin, User-Agent\ncache-control: max-age=60", Some(60)),
    ] {
        assert_eq!(fresh_s(text), expected, "{text}");
    }
    for (text, expected) in [
        ("expires: Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("expires: Sun, 06 Nov 1994 08:50:37 GMT\nage: 20", Some(40)),
        ("last-modified: Sun, 06 Nov 1994 08:39:37 GMT", Some(60)),
        ("last-modified: Sunday, 06-Nov-94 08:39:37 GMT", Some(60)),
        ("cache-control: public\nlast-modified: Sun, 06 Nov 1994 08:39:37 GMT", Some(60)),
    ] {
        assert_eq!(fresh_s(&format!("{MADE}{text}")), expected, "{text}");
    }
}

#[test]
fn what_is_not_fresh_is_kept_only_to_be_asked_about() {
    for text in [
        "cache-control: no-cache, max-age=60\netag: \"a\"",
        "cache-control: no-cache=\"set-cookie, x\", max-age=60\netag: \"a\"",
        "cache-control: max-age=60\nage: 60\netag: \"a\"",
        "cache-control: max-age=soon\netag: \"a\"",
        "cache-control: max-age\netag: \"a\"",
        "expires: 0\netag: \"a\"",
        "expires: Sun, 06 Nov 1994 08:50:37 GMT\netag: \"a\"",
        "last-modified: Sun, 06 Nov 1994 08:39:37 GMT",
        "vary: accept-encoding\nvary: Cookie\ncache-control: max-age=60\netag: \"a\"",
    ] {
        assert_eq!(fresh_s(text), Some(0), "{text}");
    }
    for text in ["cache-control: must-revalidate", "pragma: no-cache", "expires: -1"] {
        assert_eq!(fresh_s(&format!("{MADE}{MODIFIED}{text}")), Some(0), "{text}");
    }
    for text in [
        "",
        "cache-control: no-cache",
        "cache-control: no-store, max-age=60\netag: \"a\"",
        "cache-control: max-age=60\nage: 61",
        "vary: *\ncache-control: max-age=60\netag: \"a\"",
        "vary: cookie\ncache-control: max-age=60\nlast-modified: Sun, 06 Nov 1994 08:39:37 GMT",
    ] {
        assert_eq!(fresh_s(text), None, "{text}");
    }
    assert_eq!(fresh_s(&format!("etag: \"{}\"", "x".repeat(VALIDATOR_BYTES_MAX))), None, "too long a tag");
}

#[test]
fn what_has_expired_is_asked_about_and_is_fresh_again() {
    let (mut cache, mut heads) = (Cache::default(), Heads::default());
    let first = head(&format!("{MODIFIED}etag: W/\"a\"\ncache-control: max-age=10"));
    assert_eq!(cache.keep(ADDRESS, &first, sheet(), 5 * SECOND_NS, &mut heads), Kept::Yes);
    let ask = |cache: &Cache, at_s: u64| asked(&cache.look_up(ADDRESS, true, at_s * SECOND_NS));
    let conditions = "if-none-match: W/\"a\", if-modified-since: Sun, 06 Nov 1994 08:39:37 GMT";
    assert_eq!((ask(&cache, 14).as_str(), ask(&cache, 15).as_str()), ("fresh", conditions));
    assert_eq!(asked(&cache.look_up("http://shop.test/a.css?v=2", true, 0)), "", "that is another one");
    // A 304 that says nothing new, one that says another time and tag, and one that says what no longer holds.
    for (text, at_s, stale_s, expected) in [
        ("", 20, 30, conditions),
        ("cache-control: max-age=60\netag: \"b\"", 40, 100, "if-none-match: \"b\", if-modified-since"),
        ("cache-control: no-cache", 200, 200, "if-none-match: \"b\", if-modified-since"),
    ] {
        let known = cache.refresh(ADDRESS, &head(text), at_s * SECOND_NS, &mut heads);
        assert!(matches!(known, Known::Fresh(Some(_))), "{text}: the style sheet is still known");
        if stale_s > at_s {
            assert_eq!(ask(&cache, stale_s - 1), "fresh", "{text}");
        }
        assert!(ask(&cache, stale_s).starts_with(expected), "{text}: {}", ask(&cache, stale_s));
    }
    let known = cache.refresh(ADDRESS, &head("cache-control: no-store"), 0, &mut heads);
    assert!(matches!(known, Known::Fresh(Some(_))), "what was asked about may be used this once");
    assert_eq!(ask(&cache, 0), "");
    let known = cache.refresh(ADDRESS, &head("etag: \"b\""), 0, &mut heads);
    assert!(matches!(known, Known::Ask(_)), "nobody has asked");
}

#[test]
fn what_may_not_be_kept_any_more_is_forgotten() {
    let (mut cache, mut heads) = (Cache::default(), Heads::default());
    let good = head("cache-control: max-age=10\netag: \"a\"");
    cache.keep(ADDRESS, &good, None, 0, &mut heads);
    assert_eq!(asked(&cache.look_up(ADDRESS, false, 0)), "fresh");
    assert_eq!(asked(&cache.look_up(ADDRESS, true, 0)), "", "what it names was not looked for");
    let varies = head("cache-control: max-age=10\netag: \"a\"\nvary: cookie");
    cache.keep(ADDRESS, &varies, None, 0, &mut heads);
    cache.refresh(ADDRESS, &head(""), 0, &mut heads);
    assert_eq!(asked(&cache.look_up(ADDRESS, false, 0)), "if-none-match: \"a\"", "it varies as before");
    assert_eq!(cache.keep(ADDRESS, &head("cache-control: no-store"), None, 0, &mut heads), Kept::No);
    assert_eq!(asked(&cache.look_up(ADDRESS, false, 0)), "");
}

#[test]
fn a_cache_is_bounded_and_shoppers_share_what_they_were_told() {
    let (mut cache, mut heads) = (Cache::default(), Heads::default());
    let good = head("cache-control: max-age=10\netag: \"a\"");
    let address = |number: usize| format!("http://shop.test/{number}.svg");
    for number in 0..ENTRIES_MAX {
        assert_eq!(cache.keep(&address(number), &good, None, 0, &mut heads), Kept::Yes);
    }
    assert_eq!(cache.keep(&address(7), &good, None, 0, &mut heads), Kept::Yes, "it is there already");
    assert_eq!(cache.keep(&address(ENTRIES_MAX), &good, None, 0, &mut heads), Kept::ForAnother);
    assert_eq!(cache.0.len(), ENTRIES_MAX);
    assert_eq!(asked(&cache.look_up(&address(0), false, 0)), "", "the oldest had to go");
    let mut other = Cache::default();
    other.keep(&address(9), &good, None, SECOND_NS, &mut heads);
    let shared = cache.entry(&address(9)).unwrap();
    assert!(Rc::ptr_eq(&shared.head, &other.0[0].head));
    assert!(size_of::<Entry>() <= 24, "{}", size_of::<Entry>());
    for number in 0..2 * HEADS_MAX {
        other.keep(&address(number), &good, None, 0, &mut heads);
    }
    assert!(heads.0.len() <= HEADS_MAX && other.0.len() <= ENTRIES_MAX);
}
