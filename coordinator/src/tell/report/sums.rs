//! A tally summed along one of its dimensions, in one pass over its keys.

use std::collections::BTreeMap;

use doorbuster_model::cdn::Counts;
use doorbuster_model::tally::{Exchanges, Place};
use doorbuster_model::{Key, Tally};

/// The exchanges of all keys that `group` gives the same answer for, merged.
pub(super) fn exchanges_by<G: Ord>(tally: &Tally, group: impl Fn(&Key) -> G) -> BTreeMap<G, Exchanges> {
    let mut sums: BTreeMap<G, Exchanges> = BTreeMap::new();
    for (key, exchanges) in &tally.exchanges {
        sums.entry(group(key)).or_default().merge(exchanges);
    }
    sums
}

/// What the edge did, of all places that `group` gives the same answer for, merged.
pub(super) fn caching_by<G: Ord>(tally: &Tally, group: impl Fn(&Place) -> G) -> BTreeMap<G, Counts> {
    let mut sums: BTreeMap<G, Counts> = BTreeMap::new();
    for (place, counts) in &tally.caching {
        sums.entry(group(place)).or_default().merge(counts);
    }
    sums
}
