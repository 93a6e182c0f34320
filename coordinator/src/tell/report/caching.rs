//! What the edge did for a class of content.

use doorbuster_model::cdn::Counts;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::ratio;

/// What the edge did for a class of content, by what its answers say of the cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Caching {
    /// Requests that were answered.
    pub requests: u64,
    /// Answers from the edge's cache.
    pub hits: u64,
    /// Answers from the origin.
    pub misses: u64,
    /// Of the misses, those of what was never asked for before, however its address is written: they fill the cache.
    pub first_misses: u64,
    /// Answers from the edge's cache after it revalidated at the origin.
    pub refresh_hits: u64,
    /// Answers that say none of this, errors, and answers to requests that no cache keeps.
    pub others: u64,
    /// Of the others, answers that a cache may have given, and that say neither hit nor miss.
    pub untold: u64,
    /// hits ÷ (hits + misses + refresh_hits), 0 to 1; `null` without any of them.
    pub hit_ratio: Option<f64>,
    /// Answers by the layer of caches that had them.
    pub hit_layers: HitLayers,
    /// Body bytes over the wire.
    pub bytes_wire: u64,
    /// Body bytes after decoding, of the answers that were decoded.
    pub bytes_decoded: u64,
    /// Bytes over the wire of a sample of the text that an edge can compress, whatever it came in.
    pub text_bytes_wire: u64,
    /// The same texts in bytes after decoding.
    pub text_bytes_decoded: u64,
    /// 1 − text_bytes_wire ÷ text_bytes_decoded, 0 to 1; `null` without such text.
    pub savings: Option<f64>,
}

/// Answers by the layer of caches that had them, as far as `Server-Timing` says it (`cdn-hit-layer`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct HitLayers {
    /// The edge location itself.
    pub edge: u64,
    /// A regional edge cache.
    pub regional: u64,
    /// Origin Shield.
    pub shield: u64,
    /// A layer that is not known here.
    pub other: u64,
}

impl HitLayers {
    fn of([edge, regional, shield, other]: [u64; 4]) -> Self {
        Self { edge, regional, shield, other }
    }
}

impl Caching {
    pub(super) fn of(counts: &Counts) -> Self {
        let saved = counts.text_decoded.saturating_sub(counts.text_wire);
        Self {
            requests: counts.answers(),
            hits: counts.hits,
            misses: counts.misses,
            first_misses: counts.first_misses,
            refresh_hits: counts.refresh_hits,
            others: counts.others,
            untold: counts.untold,
            hit_ratio: ratio(counts.hits, counts.lookups()),
            hit_layers: HitLayers::of(counts.hit_layers),
            bytes_wire: counts.bytes_wire,
            bytes_decoded: counts.bytes_decoded,
            text_bytes_wire: counts.text_wire,
            text_bytes_decoded: counts.text_decoded,
            savings: ratio(saved, counts.text_decoded),
        }
    }

    /// Whether the edge said anything about its cache.
    pub(crate) fn seen(&self) -> bool {
        self.hit_ratio.is_some()
    }
}
