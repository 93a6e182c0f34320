//! Whether cookies are in the cache's key though they change nothing: then each shopper misses what others hit.

use std::collections::HashMap;

/// The most contents that are watched; later ones are not.
const WATCHED_MAX: usize = 256;
/// The most cookies of a content that are told apart.
const COOKIES_MAX: usize = 8;
/// So many different cookies must miss, and so many requests hit that have none or had theirs before: fewer may be
/// chance, since an edge location has many caches.
const MISSES_MIN: usize = 4;
const HITS_MIN: u32 = 4;
/// After so many hits of a content nothing more is found out about it: to look at the cookies of each costs something.
const HITS_MAX: u32 = 10_000;

/// One worker's knowledge of contents that were missed more than once. Bounded: 256 of them, eight cookies of each.
#[derive(Debug, Default)]
pub(super) struct CookieKeys {
    watched: HashMap<u64, Watched>,
    /// How many of them are not decided yet.
    open: usize,
}

/// What is known of a content.
#[derive(Debug)]
enum Watched {
    /// The cookies that missed, and how often nobody's or theirs hit.
    Open { missed: Vec<u64>, hits: u32 },
    /// Somebody's cookies hit that had not missed: they are not in the key.
    Shared,
    /// They are.
    Keyed,
}

impl CookieKeys {
    /// Notes that a content was missed, and not looked up for the first time, by a request with `cookies`, which are 0 where
    /// it had none. Whether that is because they are in the key; `None` where there is no room to watch it.
    pub(super) fn missed(&mut self, content: u64, cookies: u64) -> Option<bool> {
        if cookies == 0 {
            return Some(false);
        }
        if self.watched.len() >= WATCHED_MAX && !self.watched.contains_key(&content) {
            return None;
        }
        let open = &mut self.open;
        let watched = self.watched.entry(content).or_insert_with(|| {
            *open += 1;
            Watched::Open { missed: Vec::new(), hits: 0 }
        });
        let Watched::Open { missed, hits } = watched else { return Some(matches!(watched, Watched::Keyed)) };
        if !missed.contains(&cookies) && missed.len() < COOKIES_MAX {
            missed.push(cookies);
        }
        let is_keyed = missed.len() >= MISSES_MIN && *hits >= HITS_MIN;
        if is_keyed {
            *watched = Watched::Keyed;
            self.open -= 1;
        }
        Some(is_keyed)
    }

    /// Whether hits tell anything more.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Notes that a request hit a content; its cookies are asked for only where they matter.
    pub(super) fn hit(&mut self, content: u64, cookies: impl FnOnce() -> u64) {
        let Some(watched) = self.watched.get_mut(&content) else { return };
        let Watched::Open { missed, hits } = watched else { return };
        let cookies = cookies();
        if cookies == 0 || missed.contains(&cookies) {
            *hits = hits.saturating_add(1);
            if *hits < HITS_MAX {
                return;
            }
        }
        let is_keyed = *hits >= HITS_MAX && missed.len() >= MISSES_MIN;
        *watched = if is_keyed { Watched::Keyed } else { Watched::Shared };
        self.open -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shoppers with cookies of their own miss, and others with `cookies` hit meanwhile; whether that is noticed.
    fn is_noticed(shoppers: u64, cookies: impl Fn(u64) -> Option<u64>) -> bool {
        let mut keys = CookieKeys::default();
        let mut noticed = false;
        for shopper in 1..=shoppers {
            noticed |= keys.missed(7, shopper) == Some(true);
            if let Some(cookies) = cookies(shopper) {
                keys.hit(7, || cookies);
            }
        }
        noticed
    }

    #[test]
    fn who_has_cookies_misses_what_others_hit() {
        assert!(is_noticed(10, |_| Some(0)), "those without cookies hit");
        assert!(is_noticed(10, Some), "who missed hits the second time");
        assert!(!is_noticed(4, |_| Some(0)), "so few may be chance");
        assert!(!is_noticed(100, |_| None), "a cold cache gives hits to nobody");
        assert!(!is_noticed(100, |shopper| Some(shopper + 1_000)), "cookies that nobody saw hit");
        assert!(!is_noticed(100, |shopper| Some(if shopper == 3 { 1_000 } else { 0 })), "once is enough");
    }

    #[test]
    fn a_content_is_not_watched_for_ever() {
        for (shoppers, is_keyed) in [(2, false), (MISSES_MIN as u64, true)] {
            let mut keys = CookieKeys::default();
            (1..=shoppers).for_each(|shopper| assert_eq!(keys.missed(7, shopper), Some(false)));
            (1..HITS_MAX).for_each(|_| keys.hit(7, || 0));
            assert!(keys.is_open());
            keys.hit(7, || 0);
            assert!(!keys.is_open(), "{shoppers}");
            assert_eq!(keys.missed(7, 99), Some(is_keyed), "{shoppers}");
        }
    }

    #[test]
    fn what_is_watched_is_bounded_and_ends() {
        let mut keys = CookieKeys::default();
        assert_eq!(keys.missed(1, 0), Some(false));
        assert!(!keys.is_open(), "without cookies there is nothing to watch");
        for content in 0..1_000 {
            for cookies in 1..100 {
                keys.missed(content, cookies);
            }
        }
        assert_eq!((keys.watched.len(), keys.open), (WATCHED_MAX, WATCHED_MAX));
        assert_eq!(keys.missed(1_000, 5), None, "there is no room");
        for content in 0..1_000 {
            keys.hit(content, || 100);
        }
        assert!(!keys.is_open());
        assert_eq!(keys.missed(0, 5), Some(false), "what is known to be shared stays so");
        keys.hit(5_000, || unreachable!("nobody watches it"));
    }
}
