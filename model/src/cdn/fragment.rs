//! Fragmentation: the same content kept again and again, because the cache's key holds what does not change it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most addresses that are watched; later ones are not.
const WATCHED_MAX: usize = 256;
/// The most ways of writing an address that are told apart.
const WAYS_MAX: usize = 8;
/// So many ways of writing the same address must miss: one or two may be chance.
const WAYS_MIN: usize = 3;

/// Parameters by which visits are followed, and which change no page.
const TRACKING: &[&str] = &[
    "_ga",
    "_gl",
    "dclid",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "msclkid",
    "srsltid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
];
/// The beginning of the others.
const TRACKING_PREFIX: &str = "utm_";

/// What addresses missed, one worker's knowledge. Bounded: 256 addresses, eight ways of writing each.
#[derive(Clone, Debug, Default)]
pub struct Fragments {
    /// By the address as it would be without what does not matter: the ways in which it was written.
    watched: BTreeMap<u64, Vec<u64>>,
}

impl Fragments {
    /// Notes that a cacheable answer was missed. Whether the address is fragmented: it was missed in several ways of
    /// writing it, which differ in the order of parameters or in those that follow visits.
    pub fn missed(&mut self, path: &str, query: &str) -> bool {
        if query.is_empty() {
            return false;
        }
        let address = hash(&(path, plain(query)));
        let is_full = self.watched.len() >= WATCHED_MAX;
        if is_full && !self.watched.contains_key(&address) {
            return false;
        }
        let ways = self.watched.entry(address).or_default();
        let way = hash(&query);
        if !ways.contains(&way) && ways.len() < WAYS_MAX {
            ways.push(way);
        }
        ways.len() >= WAYS_MIN
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The parameters that matter, in one order.
fn plain(query: &str) -> Vec<&str> {
    let matters = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !name.starts_with(TRACKING_PREFIX) && !TRACKING.contains(&name)
    };
    let mut pairs: Vec<&str> = query.split('&').filter(matters).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fragmented(queries: &[&str]) -> bool {
        let mut fragments = Fragments::default();
        queries.iter().fold(false, |_, query| fragments.missed("/search", query))
    }

    #[test]
    fn what_does_not_matter_makes_fragments() {
        assert!(is_fragmented(&["a=1&b=2&c=3", "b=2&a=1&c=3", "c=3&b=2&a=1"]));
        assert!(is_fragmented(&["q=tent&utm_source=x", "q=tent&utm_source=y", "q=tent&gclid=1"]));
        assert!(is_fragmented(&["gclid=1", "gclid=2", "gclid=3"]));
    }

    #[test]
    fn what_matters_makes_none() {
        assert!(!is_fragmented(&["q=tent", "q=lamp", "q=boots", "q=chair"]));
        assert!(!is_fragmented(&["q=tent", "q=tent", "q=tent", "q=tent"]), "a cold cache is another matter");
        assert!(!is_fragmented(&["a=1&b=2", "b=2&a=1"]), "twice may be chance");
        assert!(!is_fragmented(&["", "", "", ""]));
        assert!(!is_fragmented(&["page=1&page=2", "page=1", "page=2"]));
    }

    #[test]
    fn what_is_watched_is_bounded() {
        let mut fragments = Fragments::default();
        for product in 0..10_000 {
            for visit in 0..20 {
                fragments.missed(&format!("/p/{product}"), &format!("gclid={visit}"));
            }
        }
        assert_eq!(fragments.watched.len(), WATCHED_MAX);
        assert!(fragments.watched.values().all(|ways| ways.len() <= WAYS_MAX));
    }
}
