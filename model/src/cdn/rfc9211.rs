//! `Cache-Status`, the standard's own word (RFC 9211): a list of caches with parameters each.

use super::CacheStatus;
use super::fields::{list, parameter, split};

/// Longer values are not looked at: caches add some dozen bytes each.
const BYTES_MAX: usize = 4_096;

/// What a value of `Cache-Status` says of the cache nearest to the client, which is the last of the list.
pub fn cache_status(value: &[u8]) -> CacheStatus {
    if value.len() > BYTES_MAX {
        return CacheStatus::Unknown;
    }
    list(value).last().map_or(CacheStatus::Unknown, status_of)
}

/// What one cache says. `hit` and `fwd` exclude each other (section 2.1); of a parameter that is repeated the last
/// counts, as structured fields have it.
fn status_of(member: &[u8]) -> CacheStatus {
    let mut parts = split(member, b';');
    if parts.next().is_none_or(|name| name.trim_ascii().is_empty()) {
        return CacheStatus::Unknown;
    }
    let (mut hit, mut collapsed, mut fwd, mut fwd_status) = (false, false, None, None);
    for (name, value) in parts.map(parameter) {
        match name {
            b"hit" => hit = is_true(value),
            b"collapsed" => collapsed = is_true(value),
            b"fwd" => fwd = value,
            b"fwd-status" => fwd_status = value,
            _ => {}
        }
    }
    // A collapsed request shared the fetch of another: no request of its own reached the origin, and CloudFront calls
    // the same a hit.
    if hit || (collapsed && fwd.is_some()) {
        return CacheStatus::Hit;
    }
    let is_unchanged = fwd_status == Some(&b"304"[..]);
    match fwd {
        Some(b"miss" | b"uri-miss" | b"vary-miss" | b"partial") => CacheStatus::Miss,
        // Without the status nobody knows whether revalidation succeeded; it is what a stale answer is forwarded for.
        Some(b"stale") if is_unchanged || fwd_status.is_none() => CacheStatus::RefreshHit,
        Some(b"stale") => CacheStatus::Miss,
        Some(b"revalidated") => CacheStatus::RefreshHit,
        // The request itself asked for it, and the origin said that nothing changed.
        Some(b"request") if is_unchanged => CacheStatus::RefreshHit,
        Some(b"bypass" | b"method" | b"request") => CacheStatus::Bypass,
        _ => CacheStatus::Unknown,
    }
}

/// A boolean parameter: named alone it is true (RFC 8941, section 3.1.2).
fn is_true(value: Option<&[u8]>) -> bool {
    value.is_none_or(|value| value == b"?1")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn examples_of_the_standard_mean_what_it_says() {
        use CacheStatus as Is;
        for (value, status) in [
            // Section 3.
            ("ExampleCache; hit", Is::Hit),
            ("ExampleCache; hit; ttl=376", Is::Hit),
            ("ExampleCache; hit; ttl=-412", Is::Hit),
            ("ExampleCache; fwd=uri-miss", Is::Miss),
            ("ExampleCache; fwd=stale; fwd-status=304", Is::RefreshHit),
            ("ExampleCache; fwd=uri-miss; collapsed", Is::Hit),
            ("ExampleCache; fwd=uri-miss; collapsed=?0", Is::Miss),
            ("OriginCache; hit; ttl=1100,\n \"CDN Company Here\"; hit; ttl=545", Is::Hit),
            // Section 2.2.
            ("A; fwd=bypass", Is::Bypass),
            ("A; fwd=method", Is::Bypass),
            ("A; fwd=vary-miss;stored", Is::Miss),
            ("A; fwd=miss", Is::Miss),
            ("A; fwd=request", Is::Bypass),
            ("A; fwd=request; fwd-status=304", Is::RefreshHit),
            ("A; fwd=partial", Is::Miss),
            ("A; fwd=stale", Is::RefreshHit),
            ("A; fwd=stale; fwd-status=200", Is::Miss),
            // The last is the nearest.
            ("Origin; hit, Edge; fwd=uri-miss", Is::Miss),
            ("Origin; fwd=uri-miss, Edge; hit", Is::Hit),
            (r#""a, cache; hit"; fwd=miss"#, Is::Miss),
            ("A; hit=?0; fwd=miss", Is::Miss),
            // What says nothing that is known.
            ("A", Is::Unknown),
            ("A; hit=?0", Is::Unknown),
            ("A; fwd=teleport", Is::Unknown),
            ("; hit", Is::Unknown),
            ("", Is::Unknown),
        ] {
            assert_eq!(cache_status(value.as_bytes()), status, "{value:?}");
        }
        assert_eq!(cache_status(&b"A; hit,".repeat(1_000)), Is::Unknown, "over the limit");
    }

    proptest! {
        #[test]
        fn no_value_panics(
            wild in prop::collection::vec(any::<u8>(), 0..100),
            near in "(A|\"|,|;|=| |hit|fwd|stale|collapsed|304|[?]1){0,30}",
        ) {
            let _ = (cache_status(&wild), cache_status(near.as_bytes()));
        }
    }
}
