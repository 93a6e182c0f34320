//! Fragmentation: the same content kept again and again, because the cache's key holds what does not change it.

use std::collections::BTreeMap;

use super::fingerprint::fingerprint;

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

/// What contents missed, one worker's knowledge. Bounded: 256 of them, eight ways of writing the address of each.
#[derive(Clone, Debug, Default)]
pub struct Fragments {
    /// By their [`content`]: the ways in which their addresses were written.
    watched: BTreeMap<u64, Vec<u64>>,
}

impl Fragments {
    /// Notes that a cacheable answer was missed. Whether the [`content`] is fragmented: it was missed in several ways of
    /// writing its query, which differ in the order of parameters or in those that follow visits. `None` where there is no
    /// room to watch it.
    pub fn missed(&mut self, content: u64, query: &str) -> Option<bool> {
        if query.is_empty() {
            return Some(false);
        }
        let is_full = self.watched.len() >= WATCHED_MAX;
        if is_full && !self.watched.contains_key(&content) {
            return None;
        }
        let ways = self.watched.entry(content).or_default();
        if ways.len() < WAYS_MAX {
            let way = fingerprint(query);
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        Some(ways.len() >= WAYS_MIN)
    }
}

/// Tells apart what addresses show: `place` is the address without its query, and neither the order of the query's
/// parameters nor those that follow visits change anything.
pub fn content(place: &str, query: &str) -> u64 {
    // A sum knows no order, and keeps no list.
    let parameters = query.split('&').filter(|pair| matters(pair));
    let parameters = parameters.fold(0_u64, |sum, pair| sum.wrapping_add(fingerprint(pair)));
    fingerprint(&(place, parameters))
}

/// Whether a parameter changes what is shown.
fn matters(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    !pair.is_empty() && !name.starts_with(TRACKING_PREFIX) && !TRACKING.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fragmented(queries: &[&str]) -> bool {
        let mut fragments = Fragments::default();
        let mut missed = |query: &str| fragments.missed(content("http://shop.test/search", query), query);
        queries.iter().copied().fold(Some(false), |_, query| missed(query)).unwrap()
    }

    #[test]
    fn content_is_the_same_however_it_is_asked_for() {
        let of = |query: &str| content("http://shop.test/search", query);
        for (query, other) in [
            ("a=1&b=2&c=3", "c=3&a=1&b=2"),
            ("q=tent", "utm_source=x&q=tent&gclid=1"),
            ("", "fbclid=1"),
            ("", "&&"),
        ] {
            assert_eq!(of(query), of(other), "{query} and {other}");
        }
        for (query, other) in [("q=tent", "q=lamp"), ("", "q="), ("page=1&page=1", "page=1"), ("a=1", "A=1")]
        {
            assert_ne!(of(query), of(other), "{query} and {other}");
        }
        assert_ne!(content("http://a.test/", ""), content("http://b.test/", ""), "another host's is another");
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
        let mut not_watched = 0;
        for product in 0..10_000 {
            for visit in 0..20 {
                let missed = fragments.missed(product, &format!("gclid={visit}"));
                not_watched += usize::from(missed.is_none());
            }
        }
        assert_eq!((fragments.watched.len(), not_watched), (WATCHED_MAX, (10_000 - WATCHED_MAX) * 20));
        assert!(fragments.watched.values().all(|ways| ways.len() <= WAYS_MAX));
    }
}
