//! CloudFront's `Server-Timing`: which layer of caches had an answer.
//!
//! \[D\] Developer guide, "Server-Timing header". It is there where the response headers policy turns it on, or where a
//! request says `Pragma: server-timing`. What else it tells, other headers tell, too, or this side measures itself.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::fields::{parameter, split};

/// The metric that names the layer.
const METRIC: &[u8] = b"cdn-hit-layer";
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(METRIC));

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

impl HitLayer {
    /// Those that are told, in order.
    pub const TOLD: [Self; 4] = [Self::Edge, Self::Regional, Self::Shield, Self::Other];

    /// What a value of `Server-Timing` says. The value is long, and mostly about other things: those are not taken apart.
    pub fn of(value: &[u8]) -> Self {
        let Some(position) = FINDER.find(value) else { return Self::Unsaid };
        let metric = split(&value[position..], b',').next().unwrap_or_default();
        let mut parts = split(metric, b';');
        if parts.next().unwrap_or_default().trim_ascii() != METRIC {
            return Self::Unsaid;
        }
        let description = parts.map(parameter).find(|(key, _)| *key == b"desc").and_then(|(_, value)| value);
        description.map_or(Self::Unsaid, Self::named)
    }

    fn named(word: &[u8]) -> Self {
        match word {
            b"EDGE" => Self::Edge,
            b"REC" => Self::Regional,
            b"Origin Shield" => Self::Shield,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_guide_s_layers_are_read() {
        for (value, layer) in [
            (
                "cdn-cache-hit,cdn-pop;desc=\"NRT57-P1\",cdn-rid;desc=\"x,y;z==\",cdn-hit-layer;desc=\"EDGE\"",
                HitLayer::Edge,
            ),
            ("cdn-hit-layer;desc=\"REC\",cdn-downstream-fbl;dur=4.75", HitLayer::Regional),
            ("db;dur=53, cdn-hit-layer ; desc=\"Origin Shield\" , cdn-cache-hit", HitLayer::Shield),
            ("cdn-hit-layer;dur=1;desc=REC", HitLayer::Regional),
            ("cdn-hit-layer;desc=\"MOON\"", HitLayer::Other),
            ("cdn-hit-layer;desc=\"\"", HitLayer::Other),
            ("cdn-hit-layer", HitLayer::Unsaid),
            ("cdn-hit-layers;desc=\"EDGE\"", HitLayer::Unsaid),
            ("cdn-cache-miss,cdn-upstream-layer;desc=\"EDGE\",cdn-upstream-fbl;dur=178", HitLayer::Unsaid),
            ("", HitLayer::Unsaid),
        ] {
            assert_eq!(HitLayer::of(value.as_bytes()), layer, "{value}");
        }
    }

    #[test]
    fn those_that_are_told_follow_what_is_not() {
        for (position, layer) in HitLayer::TOLD.into_iter().enumerate() {
            assert_eq!(layer as usize, position + 1, "{layer:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(
            wild in prop::collection::vec(any::<u8>(), 0..200),
            near in "(cdn-pop|cdn-hit-layer|cdn-cache-hit|desc|dur|\"|,|;|=|EDGE|[0-9]){0,40}",
        ) {
            let _ = (HitLayer::of(&wild), HitLayer::of(near.as_bytes()));
        }
    }
}
