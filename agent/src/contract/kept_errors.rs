//! For how long errors are kept, where nobody tells their Age (nginx): for at least as long as an address has given hits
//! alone. Errors may be kept for some seconds, so that a hit by itself says nothing.

use std::collections::HashMap;

use doorbuster_model::cdn::ERROR_AGE_MAX_S;

/// The most addresses that are watched; later ones are not.
const WATCHED_MAX: usize = 256;
/// So many times the longest time, for each of those who share an edge: an error that is fetched anew as often as it is to be
/// is seen to be so by one of `n` with the chance 1 in n each time. That it never is within 7 n times, happens once in a
/// thousand ((1 − 1/n)^(7n) < e⁻⁷).
const TIMES: u64 = 7;
const SECOND_NS: u64 = 1_000_000_000;

/// One worker's knowledge of addresses whose errors were hits.
#[derive(Debug)]
pub(super) struct KeptErrors {
    /// When each last gave something else, or the first hit.
    since_ns: HashMap<u64, u64>,
    /// Hits for longer than this are of one copy.
    longest_ns: u64,
}

impl KeptErrors {
    /// Nothing is known yet. So many workers send what one of them would have sent alone.
    pub(super) fn new(workers: u64) -> Self {
        let times = if workers > 1 { workers.saturating_mul(TIMES) } else { 1 };
        let longest_ns = (u64::from(ERROR_AGE_MAX_S) * SECOND_NS).saturating_mul(times);
        Self { since_ns: HashMap::new(), longest_ns }
    }

    /// Notes an error at `now_ns`, which was a hit or not. Whether it is kept for too long; `None` where there is no room to
    /// watch its address.
    pub(super) fn note(&mut self, address: u64, is_hit: bool, now_ns: u64) -> Option<bool> {
        let is_full = self.since_ns.len() >= WATCHED_MAX;
        match self.since_ns.get_mut(&address) {
            Some(since_ns) if is_hit => return Some(now_ns.saturating_sub(*since_ns) > self.longest_ns),
            Some(since_ns) => *since_ns = now_ns,
            None if is_hit && is_full => return None,
            None if is_hit => {
                self.since_ns.insert(address, now_ns);
            }
            None => {}
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an error that is asked for each second, and kept for so long, is found within a minute.
    fn is_found(kept_s: u64) -> bool {
        let mut errors = KeptErrors::new(1);
        (0..60).any(|second| errors.note(7, second % kept_s != 0, second * SECOND_NS) == Some(true))
    }

    #[test]
    fn only_what_is_kept_for_long_is_found() {
        assert!(!is_found(1) && !is_found(5) && !is_found(10), "some seconds are right");
        assert!(is_found(13) && is_found(3_600));
    }

    #[test]
    fn a_hit_that_is_the_first_answer_is_as_old_as_it_is_known_to_be() {
        let mut errors = KeptErrors::new(1);
        assert_eq!(errors.note(7, true, 0), Some(false));
        assert_eq!(errors.note(7, true, 10 * SECOND_NS), Some(false));
        assert_eq!(errors.note(7, true, 10 * SECOND_NS + 1), Some(true));
        assert_eq!(errors.note(8, true, 99 * SECOND_NS), Some(false), "another address");
    }

    #[test]
    fn what_others_fetch_anew_is_not_held_against_the_edge() {
        // Two workers ask in turn; the one that comes too late finds a new copy each time.
        let mut errors = KeptErrors::new(2);
        let found = (0..140).filter(|second| errors.note(7, true, second * SECOND_NS) == Some(true));
        assert_eq!(found.count(), 0, "somebody else may have fetched it");
        assert_eq!(errors.note(7, true, 141 * SECOND_NS), Some(true), "so often, that is no chance");
    }

    #[test]
    fn what_is_watched_is_bounded() {
        let mut errors = KeptErrors::new(1);
        let watched = |errors: &mut KeptErrors, is_hit| {
            (0..1_000).filter(|address| errors.note(*address, is_hit, 0).is_some()).count()
        };
        assert_eq!(
            (watched(&mut errors, false), errors.since_ns.len()),
            (1_000, 0),
            "what is not kept takes no room"
        );
        assert_eq!((watched(&mut errors, true), errors.since_ns.len()), (WATCHED_MAX, WATCHED_MAX));
    }
}
