//! Which addresses were missed before. What nobody asked for yet cannot be a hit: such a miss fills the cache, and breaks no
//! promise.

use std::hash::{DefaultHasher, Hash, Hasher};

/// How many addresses share a place.
const WAYS: usize = 4;
/// How many places there are: 65,536 addresses in half a megabyte.
const PLACES: u64 = 16_384;

/// One worker's knowledge of what was missed. Takes no room before the first miss, and no more after it. Of more
/// addresses than there is room for, some are taken for new ones once more.
#[derive(Debug, Default)]
pub(super) struct FirstMisses {
    /// Fingerprints, the last missed of a place first; 0 is none.
    places: Box<[[u64; WAYS]]>,
}

impl FirstMisses {
    /// Notes a miss; whether it is the first of the address of this [`fingerprint`].
    pub(super) fn is_first(&mut self, fingerprint: u64) -> bool {
        if self.places.is_empty() {
            self.places = (0..PLACES).map(|_| [0; WAYS]).collect();
        }
        let place = usize::try_from(fingerprint % PLACES).unwrap_or(0);
        let Some(known) = self.places.get_mut(place) else { return true };
        if known.contains(&fingerprint) {
            return false;
        }
        known.rotate_right(1);
        known[0] = fingerprint;
        true
    }
}

/// Tells texts apart; never 0.
pub(super) fn fingerprint(text: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_missed_for_the_first_time_once() {
        let mut misses = FirstMisses::default();
        assert!(misses.places.is_empty(), "nothing is missed yet");
        for (address, is_first) in [("/", true), ("/a", true), ("/", false), ("/a", false), ("/?a", true)] {
            assert_eq!(misses.is_first(fingerprint(address)), is_first, "{address}");
        }
    }

    #[test]
    fn many_addresses_are_known_and_more_take_no_more_room() {
        let mut misses = FirstMisses::default();
        let address = |number: u32| fingerprint(&format!("http://shop.test/p/{number}"));
        assert!((0..5_000).all(|number| misses.is_first(address(number))));
        let again = (0..5_000).filter(|number| misses.is_first(address(*number))).count();
        assert!(again < 50, "{again} of a shop's addresses are forgotten");
        for number in 0..200_000 {
            misses.is_first(address(number));
        }
        assert_eq!(misses.places.len() * WAYS * size_of::<u64>(), 512 << 10);
    }
}
