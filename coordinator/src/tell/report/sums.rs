//! A tally summed along one of its dimensions, in one pass over its keys.

use std::collections::BTreeMap;

use doorbuster_model::cdn::Class;
use doorbuster_model::tally::{Caching, Exchanges};
use doorbuster_model::{Key, Tally};

/// The exchanges of all keys that `group` gives the same answer for, merged.
pub(super) fn exchanges_by<G: Ord>(tally: &Tally, group: impl Fn(&Key) -> G) -> BTreeMap<G, Exchanges> {
    let mut sums: BTreeMap<G, Exchanges> = BTreeMap::new();
    for (key, exchanges) in &tally.exchanges {
        sums.entry(group(key)).or_default().merge(exchanges);
    }
    sums
}

/// What the edge did, of all classes and sections that `group` gives the same answer for, merged.
pub(super) fn caching_by<G: Ord>(tally: &Tally, group: impl Fn(Class, u16) -> G) -> BTreeMap<G, Caching> {
    let mut sums: BTreeMap<G, Caching> = BTreeMap::new();
    for ((class, section), caching) in &tally.caching {
        sums.entry(group(*class, *section)).or_default().merge(caching);
    }
    sums
}
