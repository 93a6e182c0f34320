//! CloudFront's `Server-Timing`: which layer answered, and what the origin took.
//!
//! \[D\] Developer guide, "Server-Timing header". It is there where the response headers policy turns it on, or where a
//! request says `Pragma: server-timing`.

use super::CacheStatus;
use super::fields::{list, number, parameter, split};
use super::pop::Pop;

/// More metrics than CloudFront has; the rest of a value is not looked at.
const METRICS_MAX: usize = 32;

/// Which layer of caches had the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitLayer {
    /// Nothing is said.
    #[default]
    Unsaid,
    /// The edge location itself.
    Edge,
    /// A regional edge cache.
    Regional,
    /// Origin Shield.
    Shield,
    /// One that is not known here.
    Other,
}

/// What a `Server-Timing` tells of the way to an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Whether it was a hit, a refresh hit or a miss.
    pub cache: CacheStatus,
    /// The layer that had it.
    pub hit_layer: HitLayer,
    /// The layer that asked the origin.
    pub upstream_layer: HitLayer,
    /// The edge location.
    pub pop: Option<Pop>,
    /// Looking the origin's name up, in milliseconds.
    pub upstream_dns_ms: Option<u32>,
    /// Connecting to the origin, in milliseconds.
    pub upstream_connect_ms: Option<u32>,
    /// The origin's first byte, in milliseconds since it was asked.
    pub upstream_first_byte_ms: Option<u32>,
    /// The edge's first byte to the client, in milliseconds since it was asked.
    pub downstream_first_byte_ms: Option<u32>,
}

impl HitLayer {
    fn named(word: &[u8]) -> Self {
        match word {
            b"EDGE" => Self::Edge,
            b"REC" => Self::Regional,
            b"Origin Shield" => Self::Shield,
            _ => Self::Other,
        }
    }
}

impl Timing {
    /// Reads a value of `Server-Timing`. Metrics of others are passed over.
    pub fn of(value: &[u8]) -> Self {
        let mut timing = Self::default();
        for metric in list(value).take(METRICS_MAX) {
            let mut parts = split(metric, b';');
            let name = parts.next().unwrap_or_default().trim_ascii();
            let (mut description, mut duration) = (None, None);
            for (key, value) in parts.map(parameter) {
                match key {
                    b"desc" => description = value,
                    b"dur" => duration = value.and_then(milliseconds),
                    _ => {}
                }
            }
            timing.metric(name, description, duration);
        }
        timing
    }

    fn metric(&mut self, name: &[u8], description: Option<&[u8]>, duration_ms: Option<u32>) {
        let layer = || description.map_or(HitLayer::Unsaid, HitLayer::named);
        match name {
            b"cdn-cache-miss" => self.cache = CacheStatus::Miss,
            // Comes beside `cdn-cache-hit`, in either order.
            b"cdn-cache-refresh" => self.cache = CacheStatus::RefreshHit,
            b"cdn-cache-hit" if self.cache != CacheStatus::RefreshHit => self.cache = CacheStatus::Hit,
            b"cdn-hit-layer" => self.hit_layer = layer(),
            b"cdn-upstream-layer" => self.upstream_layer = layer(),
            b"cdn-pop" => self.pop = description.and_then(Pop::parse),
            b"cdn-upstream-dns" => self.upstream_dns_ms = duration_ms,
            b"cdn-upstream-connect" => self.upstream_connect_ms = duration_ms,
            b"cdn-upstream-fbl" => self.upstream_first_byte_ms = duration_ms,
            b"cdn-downstream-fbl" => self.downstream_first_byte_ms = duration_ms,
            _ => {}
        }
    }
}

/// Whole milliseconds of a duration, which may have decimals.
fn milliseconds(duration: &[u8]) -> Option<u32> {
    number(duration.split(|byte| *byte == b'.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_guide_s_metrics_are_read() {
        let hit = Timing::of(
            b"cdn-cache-hit,cdn-pop;desc=\"NRT57-P1\",cdn-rid;desc=\"x,y;z==\",cdn-hit-layer;desc=\"REC\"\
              ,cdn-downstream-fbl;dur=4.75",
        );
        assert_eq!((hit.cache, hit.hit_layer), (CacheStatus::Hit, HitLayer::Regional));
        assert_eq!(hit.pop, Pop::parse(b"NRT57"));
        assert_eq!((hit.downstream_first_byte_ms, hit.upstream_first_byte_ms), (Some(4), None));
        let miss = Timing::of(
            b"db;dur=53, cdn-cache-miss, cdn-upstream-layer;desc=\"Origin Shield\", cdn-upstream-dns;dur=0\
              ,cdn-upstream-connect;dur=12,cdn-upstream-fbl;dur=178",
        );
        assert_eq!((miss.cache, miss.upstream_layer), (CacheStatus::Miss, HitLayer::Shield));
        let upstream = (miss.upstream_dns_ms, miss.upstream_connect_ms, miss.upstream_first_byte_ms);
        assert_eq!(upstream, (Some(0), Some(12), Some(178)));
        for refreshed in ["cdn-cache-hit,cdn-cache-refresh", "cdn-cache-refresh,cdn-cache-hit"] {
            assert_eq!(Timing::of(refreshed.as_bytes()).cache, CacheStatus::RefreshHit);
        }
        assert_eq!(Timing::of(b"cdn-hit-layer;desc=\"MOON\"").hit_layer, HitLayer::Other);
        assert_eq!(Timing::of(b"cdn-pop;desc=5,cdn-upstream-fbl;dur=soon"), Timing::default());
    }

    #[test]
    fn a_long_value_is_read_to_its_limit() {
        let long = ["x;dur=1,"; METRICS_MAX].concat() + "cdn-cache-hit";
        assert_eq!(Timing::of(long.as_bytes()), Timing::default());
    }

    proptest! {
        #[test]
        fn no_value_panics(
            wild in prop::collection::vec(any::<u8>(), 0..200),
            near in "(cdn-pop|cdn-hit-layer|cdn-cache-hit|desc|dur|\"|,|;|=|EDGE|[0-9]){0,40}",
        ) {
            let _ = (Timing::of(&wild), Timing::of(near.as_bytes()));
        }
    }
}
