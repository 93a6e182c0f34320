//! What a cache says it did with a request: `X-Cache` and `X-Cache-Status`, as each kind of cache spells them.
//!
//! Words are compared without regard to case. How sure a value is: \[D\] read in documentation or source, \[S\] seen in
//! answers or told by others, \[R\] recalled.

use super::fields::list;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheStatus {
    /// From the edge's cache (also requests collapsed behind one fetch, and what was served stale).
    Hit,
    /// From the edge's cache after it revalidated at the origin: it saved bytes but paid the origin's round trip.
    RefreshHit,
    /// From the origin.
    Miss,
    /// An error, the edge's own or one that it passed on.
    Error,
    /// Made at the edge, by a function or by its configuration.
    Generated,
    /// A redirect that the edge made, from HTTP to HTTPS for example.
    Redirect,
    /// The edge refused because a limit was reached.
    Limit,
    /// From the origin, because the cache was told to stay out of it.
    Bypass,
    /// No word about a cache.
    #[default]
    None,
    /// A word that is not known here.
    Unknown,
}

impl CacheStatus {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Hit,
        Self::RefreshHit,
        Self::Miss,
        Self::Error,
        Self::Generated,
        Self::Redirect,
        Self::Limit,
        Self::Bypass,
        Self::None,
        Self::Unknown,
    ];

    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::RefreshHit => "refresh hit",
            Self::Miss => "miss",
            Self::Error => "error",
            Self::Generated => "generated",
            Self::Redirect => "redirect",
            Self::Limit => "limit",
            Self::Bypass => "bypass",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the body came out of a cache.
    pub const fn is_cached(self) -> bool {
        matches!(self, Self::Hit | Self::RefreshHit)
    }

    /// Whether a cache was asked: what a hit ratio is made of.
    pub const fn is_lookup(self) -> bool {
        matches!(self, Self::Hit | Self::RefreshHit | Self::Miss)
    }
}

/// What CloudFront says before ` from cloudfront`.
const CLOUDFRONT: &[(&str, CacheStatus)] = &[
    // [S] In answers; the same words stand in its logs' `x-edge-result-type` [D].
    ("hit", CacheStatus::Hit),
    ("refreshhit", CacheStatus::RefreshHit),
    ("miss", CacheStatus::Miss),
    ("redirect", CacheStatus::Redirect),
    ("lambdageneratedresponse", CacheStatus::Generated),
    ("limitexceeded", CacheStatus::Limit),
    ("lambdaexecutionerror", CacheStatus::Error),
    ("lambdalimitexceeded", CacheStatus::Limit),
    // [D]
    ("error", CacheStatus::Error),
    ("functiongeneratedresponse", CacheStatus::Generated),
    // [R]
    ("lambdavalidationerror", CacheStatus::Error),
    ("functionexecutionerror", CacheStatus::Error),
    ("functionthrottlederror", CacheStatus::Limit),
    // [D] In its logs alone.
    ("originshieldhit", CacheStatus::Hit),
    ("capacityexceeded", CacheStatus::Limit),
];

/// What other caches say.
const OTHERS: &[(&str, CacheStatus)] = &[
    // [D] Fastly (reference, "X-Cache") and Squid know these two alone; nginx and Varnish say them too.
    ("hit", CacheStatus::Hit),
    ("miss", CacheStatus::Miss),
    // [D] nginx, `$upstream_cache_status`: the answer was fetched anew, served stale in spite of the origin, served
    // stale while another request fetched it, revalidated, or the cache was passed by.
    ("expired", CacheStatus::Miss),
    ("stale", CacheStatus::Hit),
    ("updating", CacheStatus::Hit),
    ("revalidated", CacheStatus::RefreshHit),
    ("bypass", CacheStatus::Bypass),
    // [D] Varnish, tutorial "Hit and miss headers": `hit graced cached`, `miss uncacheable`, `pass uncacheable`,
    // `pipe uncacheable`, `synth synth`. The first word tells.
    ("pass", CacheStatus::Bypass),
    ("pipe", CacheStatus::Bypass),
    ("synth", CacheStatus::Generated),
    // [S] Configurations of Varnish and nginx.
    ("cached", CacheStatus::Hit),
    ("uncached", CacheStatus::Miss),
];

fn meaning(table: &[(&str, CacheStatus)], word: &[u8]) -> CacheStatus {
    table
        .iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes()))
        .map_or(CacheStatus::Unknown, |(_, status)| *status)
}

/// What a value of `X-Cache` means, and whether CloudFront says it. Where several caches are listed, the one nearest to
/// the client is the last: each appends its own word.
pub fn x_cache(value: &[u8]) -> (CacheStatus, bool) {
    const FROM: &[u8] = b" from cloudfront";
    let last = list(value).last().unwrap_or_default();
    let word = last.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let tail = last.len().checked_sub(FROM.len()).map_or(&[][..], |begin| &last[begin..]);
    let is_cloudfront = tail.eq_ignore_ascii_case(FROM);
    (meaning(if is_cloudfront { CLOUDFRONT } else { OTHERS }, word), is_cloudfront)
}

/// What a value of `X-Cache-Status` means, by which nginx's `$upstream_cache_status` is mostly shown.
pub fn x_cache_status(value: &[u8]) -> CacheStatus {
    meaning(OTHERS, list(value).last().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn x_cache_means_what_its_source_says() {
        use CacheStatus as Is;
        for (value, status, is_cloudfront) in [
            // CloudFront's developer guide, "Standard logs", and answers seen.
            ("Hit from cloudfront", Is::Hit, true),
            ("hit from CloudFront", Is::Hit, true),
            ("RefreshHit from cloudfront", Is::RefreshHit, true),
            ("Miss from cloudfront", Is::Miss, true),
            ("Error from cloudfront", Is::Error, true),
            ("Redirect from cloudfront", Is::Redirect, true),
            ("LambdaGeneratedResponse from cloudfront", Is::Generated, true),
            ("FunctionGeneratedResponse from cloudfront", Is::Generated, true),
            ("LimitExceeded from cloudfront", Is::Limit, true),
            ("LambdaLimitExceeded from cloudfront", Is::Limit, true),
            ("FunctionThrottledError from cloudfront", Is::Limit, true),
            ("LambdaExecutionError from cloudfront", Is::Error, true),
            ("LambdaValidationError from cloudfront", Is::Error, true),
            ("FunctionExecutionError from cloudfront", Is::Error, true),
            ("Teleported from cloudfront", Is::Unknown, true),
            // Words of other caches mean nothing at CloudFront, and the other way round.
            ("Stale from cloudfront", Is::Unknown, true),
            ("RefreshHit", Is::Unknown, false),
            // Fastly: a shield behind the edge.
            ("HIT", Is::Hit, false),
            ("MISS, HIT", Is::Hit, false),
            ("HIT, MISS", Is::Miss, false),
            // Squid names itself.
            ("MISS from proxy.example.com", Is::Miss, false),
            // Varnish's tutorial.
            ("hit graced cached", Is::Hit, false),
            ("miss uncacheable", Is::Miss, false),
            ("pass uncacheable", Is::Bypass, false),
            ("synth synth", Is::Generated, false),
            // A cache behind CloudFront.
            ("HIT, Miss from cloudfront", Is::Miss, true),
            ("", Is::Unknown, false),
            (" , ", Is::Unknown, false),
            (" from cloudfront", Is::Unknown, false),
        ] {
            assert_eq!(x_cache(value.as_bytes()), (status, is_cloudfront), "{value:?}");
        }
    }

    #[test]
    fn x_cache_status_means_what_nginx_says() {
        use CacheStatus as Is;
        // ngx_http_upstream_module, "$upstream_cache_status".
        for (value, status) in [
            ("HIT", Is::Hit),
            ("MISS", Is::Miss),
            ("BYPASS", Is::Bypass),
            ("EXPIRED", Is::Miss),
            ("STALE", Is::Hit),
            ("UPDATING", Is::Hit),
            ("REVALIDATED", Is::RefreshHit),
            ("-", Is::Unknown),
            ("", Is::Unknown),
        ] {
            assert_eq!(x_cache_status(value.as_bytes()), status, "{value:?}");
        }
    }

    #[test]
    fn tables_say_everything_once_in_lower_case() {
        for table in [CLOUDFRONT, OTHERS] {
            for (position, (word, _)) in table.iter().enumerate() {
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
                assert!(!table[..position].iter().any(|(earlier, _)| earlier == word), "{word}");
            }
        }
        for (position, status) in CacheStatus::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, position, "{status:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(value in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = (x_cache(&value), x_cache_status(&value));
        }
    }
}
