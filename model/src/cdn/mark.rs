//! Markers that shoppers leave in what they enter, and looking for those of others.
//!
//! A shop that shows one shopper what another one entered has shared what is private, whatever its headers say. So each
//! shopper of a run enters names and addresses with a marker of its own (`dbm-3fa09c11d2e4-17-e`): letters, digits and
//! hyphens alone, which survive HTML, JSON, addresses and lower case. Only whole markers count, so that a name that was
//! cut short is not taken for another shopper's.

use memchr::memmem::Finder;

/// Ends a marker.
const END: &[u8] = b"-e";
/// The longest number in digits.
const DIGITS_MAX: usize = 20;
/// `dbm-`, twelve hexadecimal digits, `-`.
const PREFIX_BYTES: usize = 17;
/// What may be missing of a marker at the end of a piece.
const TAIL_BYTES: usize = PREFIX_BYTES + DIGITS_MAX + END.len() - 1;

/// The markers of a run.
#[derive(Clone, Debug)]
pub struct Marks {
    prefix: String,
    finder: Finder<'static>,
}

impl Marks {
    /// Those of the run of this id.
    pub fn of(run: &str) -> Self {
        let prefix = format!("dbm-{:012x}-", hash(run.as_bytes()) >> 16);
        let finder = Finder::new(prefix.as_bytes()).into_owned();
        Self { prefix, finder }
    }

    /// What all of them begin with; a shopper's number and `-e` follow.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The marker of a shopper.
    pub fn of_shopper(&self, shopper: u64) -> String {
        format!("{}{shopper}-e", self.prefix)
    }

    /// Whether somebody's marker begins in `text`.
    pub fn are_in(&self, text: &[u8]) -> bool {
        self.finder.find(text).is_some()
    }

    /// The first shopper but `own` whose marker stands in `text`.
    fn foreign_in(&self, text: &[u8], own: u64) -> Option<u64> {
        let mut shoppers =
            self.finder.find_iter(text).filter_map(|found| number(&text[found + PREFIX_BYTES..]));
        shoppers.find(|shopper| *shopper != own)
    }
}

/// The number that a text begins with, if the end of a marker follows it.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take(DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(digits);
    if !rest.starts_with(END) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): no secret, only unlikely to be met by chance.
fn hash(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A search through a body that comes in pieces.
#[derive(Clone, Debug)]
pub struct MarkSearch {
    own: u64,
    foreign: Option<u64>,
    tail: [u8; TAIL_BYTES],
    tail_bytes: usize,
}

impl MarkSearch {
    /// Looks for the markers of all shoppers but `own`.
    pub fn new(own: u64) -> Self {
        Self { own, foreign: None, tail: [0; TAIL_BYTES], tail_bytes: 0 }
    }

    /// Looks through the next piece.
    pub fn look(&mut self, marks: &Marks, piece: &[u8]) {
        if self.foreign.is_some() {
            return;
        }
        // What stands across the border: the last piece's end with this one's beginning.
        let mut border = [0; 2 * TAIL_BYTES];
        let head_bytes = piece.len().min(TAIL_BYTES);
        let border_bytes = self.tail_bytes + head_bytes;
        border[..self.tail_bytes].copy_from_slice(&self.tail[..self.tail_bytes]);
        border[self.tail_bytes..border_bytes].copy_from_slice(&piece[..head_bytes]);
        let border = &border[..border_bytes];
        self.foreign = marks.foreign_in(border, self.own).or_else(|| marks.foreign_in(piece, self.own));
        // Of a short piece, the border holds all that there is.
        let end = if piece.len() < TAIL_BYTES { border } else { piece };
        let end = &end[end.len().saturating_sub(TAIL_BYTES)..];
        self.tail[..end.len()].copy_from_slice(end);
        self.tail_bytes = end.len();
    }

    /// Whose marker was found first, if anybody's but the own.
    pub fn foreign(&self) -> Option<u64> {
        self.foreign
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(marks: &Marks, own: u64, pieces: &[&[u8]]) -> Option<u64> {
        let mut search = MarkSearch::new(own);
        pieces.iter().for_each(|piece| search.look(marks, piece));
        search.foreign()
    }

    #[test]
    fn only_others_of_the_same_run_are_found() {
        let marks = Marks::of("friday-7");
        let page = |shopper| format!("<td>Shopper {shopper} {}</td>", marks.of_shopper(shopper));
        assert_eq!(marks.prefix().len(), PREFIX_BYTES);
        assert!(marks.are_in(page(17).as_bytes()) && !Marks::of("friday-8").are_in(page(17).as_bytes()));
        assert_eq!(found(&marks, 17, &[page(17).as_bytes()]), None);
        assert_eq!(found(&marks, 17, &[page(18).as_bytes()]), Some(18));
        assert_eq!(found(&marks, 17, &[page(17).as_bytes(), page(u64::MAX).as_bytes()]), Some(u64::MAX));
        assert_eq!(found(&Marks::of("friday-8"), 17, &[page(18).as_bytes()]), None, "another run");
        let both = page(17) + &page(3);
        assert_eq!(found(&marks, 17, &[both.as_bytes()]), Some(3));
    }

    #[test]
    fn what_is_no_whole_marker_does_not_count() {
        let marks = Marks::of("friday-7");
        let prefix = marks.prefix();
        for text in [
            format!("{prefix}1"),
            format!("{prefix}1-"),
            format!("{prefix}1…"),
            format!("{prefix}-e"),
            format!("{prefix}x1-e"),
            format!("{prefix}99999999999999999999-e"),
            format!("{prefix}100000000000000000000-e"),
            prefix[..10].to_owned(),
            String::new(),
        ] {
            assert_eq!(found(&marks, 17, &[text.as_bytes()]), None, "{text}");
        }
        let nested = format!("{prefix}1{}", marks.of_shopper(5));
        assert_eq!(found(&marks, 17, &[nested.as_bytes()]), Some(5));
    }

    proptest! {
        #[test]
        fn a_marker_is_found_however_the_body_is_cut(
            before in "[a-z<>-]{0,60}",
            after in "[a-z<>-]{0,60}",
            shopper in any::<u64>(),
            size in 1_usize..90,
        ) {
            let marks = Marks::of("run");
            let body = format!("{before}{}{after}", marks.of_shopper(shopper));
            let pieces: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
            prop_assert_eq!(found(&marks, shopper, &pieces), None);
            prop_assert_eq!(found(&marks, shopper.wrapping_add(1), &pieces), Some(shopper));
        }

        #[test]
        fn no_body_panics(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8)) {
            let marks = Marks::of("run");
            let mut search = MarkSearch::new(1);
            pieces.iter().for_each(|piece| search.look(&marks, piece));
            prop_assert_eq!(search.foreign(), None);
        }
    }
}
