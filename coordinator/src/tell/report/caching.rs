//! What the edge did.

use doorbuster_model::cdn::Class;
use doorbuster_model::{Tally, tally};
use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::ratio;
use super::sums::caching_by;

/// What the edge did, and what it broke.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Cdn {
    /// Per class of content: `private`, `static`, `html` and `unclassified`.
    pub classes: IndexMap<String, Caching>,
    /// Violations with their evidence; empty where no policy was checked.
    pub findings: Vec<Finding>,
}

/// What the edge did for a class of content, by the `X-Cache` of its answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Caching {
    /// Answers from the edge's cache.
    pub hits: u64,
    /// Answers from the origin.
    pub misses: u64,
    /// Answers from the edge's cache after it revalidated at the origin.
    pub refresh_hits: u64,
    /// Answers that say none of this.
    pub others: u64,
    /// hits ÷ (hits + misses + refresh_hits), 0 to 1; `null` without any of them.
    pub hit_ratio: Option<f64>,
    /// Body bytes over the wire, of the answers that were decoded.
    pub bytes_wire: u64,
    /// The same bodies in bytes after decoding.
    pub bytes_decoded: u64,
    /// 1 − bytes_wire ÷ bytes_decoded, 0 to 1; `null` when nothing was decoded.
    pub savings: Option<f64>,
}

/// A violation of what the content delivery network is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Finding {
    /// The rule that was broken.
    pub rule: String,
    /// How grave it is.
    pub severity: String,
    /// The region that saw it.
    pub region: String,
    /// The edge location that answered, where it said so.
    pub pop: Option<String>,
    /// What was asked for: a URL.
    pub url: String,
    /// What was seen: the parts of the answer's head that show it.
    pub evidence: String,
    /// How often it was seen.
    pub count: u64,
}

impl Cdn {
    pub(super) fn of(tally: &Tally) -> Self {
        let sums = caching_by(tally, |class, _| class);
        let class = |class: Class| {
            let caching = sums.get(&class).map(Caching::of).unwrap_or_default();
            (class.word().to_owned(), caching)
        };
        Self { classes: Class::ALL.into_iter().map(class).collect(), findings: Vec::new() }
    }
}

impl Caching {
    pub(super) fn of(caching: &tally::Caching) -> Self {
        let saved = caching.bytes_decoded.saturating_sub(caching.bytes_wire);
        Self {
            hits: caching.hits,
            misses: caching.misses,
            refresh_hits: caching.refresh_hits,
            others: caching.others,
            hit_ratio: ratio(caching.hits, caching.hits + caching.misses + caching.refresh_hits),
            bytes_wire: caching.bytes_wire,
            bytes_decoded: caching.bytes_decoded,
            savings: ratio(saved, caching.bytes_decoded),
        }
    }

    /// Whether the edge said anything about its cache.
    pub(crate) fn seen(&self) -> bool {
        self.hit_ratio.is_some()
    }
}
