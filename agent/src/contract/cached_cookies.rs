//! Cookies that came out of caches. One that two shoppers were given is a part of the copy, and they share a session by it;
//! where each is given its own, a function at the edge sets it as the answer goes out.

use std::collections::HashMap;

/// The most cookies that are remembered.
const KEPT_MAX: usize = 256;

/// One worker's knowledge: by the cookie's fingerprint, the shopper who was given it first.
#[derive(Debug, Default)]
pub(super) struct CachedCookies {
    given: HashMap<u64, u64>,
}

impl CachedCookies {
    /// Notes that `shopper` was given a cookie out of a cache; whether another one was given it before. `None` where there
    /// is no room to remember it.
    pub(super) fn note(&mut self, cookie: u64, shopper: u64) -> Option<bool> {
        if let Some(first) = self.given.get(&cookie) {
            return Some(*first != shopper);
        }
        if self.given.len() >= KEPT_MAX {
            return None;
        }
        self.given.insert(cookie, shopper);
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_handed_out_once_two_shoppers_have_it() {
        let mut cookies = CachedCookies::default();
        assert_eq!(cookies.note(7, 1), Some(false));
        assert_eq!(cookies.note(7, 1), Some(false), "to the same again");
        assert_eq!(cookies.note(7, 2), Some(true));
        assert_eq!(cookies.note(8, 2), Some(false));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut cookies = CachedCookies::default();
        let noted = (0..1_000).filter(|cookie| cookies.note(*cookie, 1).is_some()).count();
        assert_eq!((noted, cookies.given.len()), (KEPT_MAX, KEPT_MAX));
        assert_eq!(cookies.note(0, 2), Some(true), "what is known stays so");
    }
}
