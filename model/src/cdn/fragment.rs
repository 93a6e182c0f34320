//! Fragmentation: the same content kept again and again, because the cache's key holds what does not change it.

use std::collections::BTreeMap;

use super::fingerprint::fingerprint;

/// The most addresses that are watched; later ones are not.
const WATCHED_MAX: usize = 256;
/// The most ways of writing an address that are told apart.
const WAYS_MAX: usize = 8;
/// So many ways of writing the same address must miss: one or two may be chance.
const WAYS_MIN: usize = 3;
/// From so many on hits are looked at: most addresses are written in one way, and theirs cost nothing.
const WAYS_OPEN: usize = WAYS_MIN - 1;

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
    /// By their [`content`].
    watched: BTreeMap<u64, Watched>,
    /// Of how many of them hits tell something.
    open: usize,
}

/// What is known of a content.
#[derive(Clone, Debug)]
enum Watched {
    /// The ways in which it was written when it missed, and whether the edge keeps it at all: it was a hit in one of them,
    /// or in a way in which everybody writes it.
    Open { missed: Vec<u64>, is_kept: bool },
    /// It was a hit in a way that had not missed and that nobody else writes: all ways share a copy.
    Shared,
    /// Every way has a copy of its own.
    Fragmented,
}

impl Fragments {
    /// Notes that a cacheable answer was missed. Whether the [`content`] is fragmented: it was missed in several ways of
    /// writing its query, which differ in the order of parameters or in those that follow visits, and was a hit in another.
    /// What is never a hit is not kept at all, which is another matter. `None` where there is no room to watch it.
    pub fn missed(&mut self, content: u64, query: &str) -> Option<bool> {
        if query.is_empty() {
            return Some(false);
        }
        let is_full = self.watched.len() >= WATCHED_MAX;
        if is_full && !self.watched.contains_key(&content) {
            return None;
        }
        let unknown = || Watched::Open { missed: Vec::new(), is_kept: false };
        let watched = self.watched.entry(content).or_insert_with(unknown);
        let Watched::Open { missed, is_kept } = watched else {
            return Some(matches!(watched, Watched::Fragmented));
        };
        let way = fingerprint(query);
        if !missed.contains(&way) && missed.len() < WAYS_MAX {
            missed.push(way);
            self.open += usize::from(missed.len() == WAYS_OPEN);
        }
        let is_fragmented = *is_kept && missed.len() >= WAYS_MIN;
        if is_fragmented {
            *watched = Watched::Fragmented;
            self.open -= 1;
        }
        Some(is_fragmented)
    }

    /// Whether hits tell anything.
    pub fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Notes that an answer was a hit.
    pub fn hit(&mut self, content: u64, query: &str) {
        let Some(watched) = self.watched.get_mut(&content) else { return };
        let Watched::Open { missed, is_kept } = watched else { return };
        let is_anybody_s = !query.split('&').any(follows_visits);
        if is_anybody_s || missed.contains(&fingerprint(query)) {
            *is_kept = true;
            return;
        }
        self.open -= usize::from(missed.len() >= WAYS_OPEN);
        *watched = Watched::Shared;
    }
}

/// Tells apart what addresses show: `place` is the address without its query, and neither the order of the query's
/// parameters nor those that follow visits change anything.
pub fn content(place: &str, query: &str) -> u64 {
    // A sum knows no order, and keeps no list.
    let parameters = query.split('&').filter(|pair| !pair.is_empty() && !follows_visits(pair));
    let parameters = parameters.fold(0_u64, |sum, pair| sum.wrapping_add(fingerprint(pair)));
    fingerprint(&(place, parameters))
}

/// Whether a parameter follows visits.
fn follows_visits(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    name.starts_with(TRACKING_PREFIX) || TRACKING.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether anything comes of it: `-` is missed, `+` a hit.
    fn is_fragmented(looks: &[&str]) -> bool {
        let mut fragments = Fragments::default();
        let mut is_fragmented = false;
        for look in looks {
            let (what, query) = look.split_at(1);
            let content = content("http://shop.test/search", query);
            if what == "+" {
                fragments.hit(content, query);
            } else {
                is_fragmented = fragments.missed(content, query).unwrap();
            }
        }
        is_fragmented
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
        for looks in [
            &["-a=1&b=2&c=3", "-b=2&a=1&c=3", "+a=1&b=2&c=3", "-c=3&b=2&a=1"][..],
            &["-q=tent&utm_source=x", "-q=tent&utm_source=y", "+q=tent&utm_source=x", "-q=tent&gclid=1"],
            &["-q=tent&gclid=1", "-q=tent&gclid=2", "+q=tent", "-q=tent&gclid=3"],
            &["-gclid=1", "-gclid=2", "-gclid=3", "+", "-gclid=4"],
            &["-gclid=1", "-gclid=2", "+", "-gclid=3", "+gclid=9", "-gclid=3"],
        ] {
            assert!(is_fragmented(looks), "{looks:?}");
        }
    }

    #[test]
    fn what_matters_makes_none() {
        for looks in [
            &["-q=tent", "-q=lamp", "+q=tent", "-q=boots", "-q=chair"][..],
            &["-a=1&b=2", "+a=1&b=2", "-b=2&a=1"],
            &["-", "-", "+", "-", "-"],
            &["-page=1&page=2", "-page=1", "+page=1", "-page=2"],
        ] {
            assert!(!is_fragmented(looks), "{looks:?}");
        }
        assert!(!is_fragmented(&["-q=tent"; 4]), "a cold cache is another matter");
    }

    #[test]
    fn what_is_kept_in_no_way_is_not_kept_in_many() {
        for looks in [
            &["-gclid=1", "-gclid=2", "-gclid=3", "-gclid=4"][..],
            &["-a=1&b=2&c=3", "-b=2&a=1&c=3", "-c=3&b=2&a=1", "-c=3&a=1&b=2"],
            // Another page is kept, which says nothing of this one.
            &["-q=tent&gclid=1", "-q=tent&gclid=2", "+q=lamp", "+", "-q=tent&gclid=3"],
        ] {
            assert!(!is_fragmented(looks), "{looks:?}");
        }
    }

    #[test]
    fn who_hits_by_an_address_of_their_own_share_a_copy() {
        // What several caches of an edge miss, or one each time that a copy expires.
        let looks = ["-gclid=1", "-gclid=2", "+gclid=3", "-gclid=4", "+gclid=1", "+", "-gclid=5"];
        assert!(!is_fragmented(&looks));
    }

    #[test]
    fn what_is_watched_is_bounded_and_ends() {
        let mut fragments = Fragments::default();
        let mut not_watched = 0;
        for product in 0..10_000 {
            for visit in 0..20 {
                let missed = fragments.missed(product, &format!("gclid={visit}"));
                not_watched += usize::from(missed.is_none());
            }
        }
        assert_eq!((fragments.watched.len(), not_watched), (WATCHED_MAX, (10_000 - WATCHED_MAX) * 20));
        assert_eq!(fragments.open, WATCHED_MAX);
        let is_bounded = |watched: &Watched| match watched {
            Watched::Open { missed, .. } => missed.len() <= WAYS_MAX,
            Watched::Shared | Watched::Fragmented => false,
        };
        assert!(fragments.watched.values().all(is_bounded));
        for product in 0..10_000 {
            fragments.hit(product, if product % 2 == 0 { "" } else { "gclid=new" });
            fragments.missed(product, "gclid=0");
        }
        assert!(!fragments.is_open(), "every one of them is decided");
    }

    #[test]
    fn the_hits_of_a_right_shop_are_not_looked_at() {
        let mut fragments = Fragments::default();
        for search in 0..100 {
            let query = format!("q={search}");
            assert_eq!(fragments.missed(search, &query), Some(false));
            assert!(!fragments.is_open());
            fragments.hit(search, &query);
            assert_eq!(fragments.missed(search, &query), Some(false), "a copy that expired");
        }
        assert!(!fragments.is_open());
    }
}
