//! What was looked up before. What nobody asked for yet cannot be a hit: the miss that is the first look-up fills the cache,
//! and breaks no promise.

/// How many contents share a place.
const WAYS: usize = 4;
/// How many places there are: 65,536 contents in half a megabyte.
const PLACES: u64 = 16_384;

/// One worker's knowledge of what was looked up. Takes no room before the first look-up, and no more after it. Of more
/// contents than there is room for, some are taken for new ones once more.
#[derive(Debug, Default)]
pub(super) struct LookedUp {
    /// What tells them apart, the last that came to a place first; 0 is none.
    places: Box<[[u64; WAYS]]>,
}

impl LookedUp {
    /// Notes a look-up; whether it is the first of this content, which is never 0. Where another is forgotten for it, that is
    /// counted.
    pub(super) fn is_first(&mut self, content: u64, forgotten: &mut u64) -> bool {
        if self.places.is_empty() {
            self.places = (0..PLACES).map(|_| [0; WAYS]).collect();
        }
        let place = usize::try_from(content % PLACES).unwrap_or(0);
        let Some(known) = self.places.get_mut(place) else { return true };
        if known.contains(&content) {
            return false;
        }
        known.rotate_right(1);
        *forgotten += u64::from(known[0] != 0);
        known[0] = content;
        true
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::cdn::fingerprint;

    use super::*;

    #[test]
    fn a_content_is_looked_up_for_the_first_time_once() {
        let mut looked_up = LookedUp::default();
        assert!(looked_up.places.is_empty(), "nothing is looked up yet");
        for (address, is_first) in [("/", true), ("/a", true), ("/", false), ("/a", false), ("/?a", true)] {
            assert_eq!(looked_up.is_first(fingerprint(address), &mut 0), is_first, "{address}");
        }
    }

    #[test]
    fn many_contents_are_known_and_more_take_no_more_room() {
        let mut looked_up = LookedUp::default();
        let content = |number: u32| fingerprint(&format!("http://shop.test/p/{number}"));
        let mut forgotten = 0;
        assert!((0..5_000).all(|number| looked_up.is_first(content(number), &mut forgotten)));
        assert!(forgotten < 50, "{forgotten} of a shop's contents are forgotten");
        let again = (0..5_000).filter(|number| looked_up.is_first(content(*number), &mut 0)).count();
        assert!(again < 50, "{again} of a shop's contents were forgotten");
        for number in 0..200_000 {
            looked_up.is_first(content(number), &mut forgotten);
        }
        assert!(forgotten > 100_000, "{forgotten} of far too many");
        assert_eq!(looked_up.places.len() * WAYS * size_of::<u64>(), 512 << 10);
    }
}
