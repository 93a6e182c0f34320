//! Two sources of numbers: dice that a seed repeats, and tokens that nobody can guess.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::error::Error;

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// Numbers that look random and repeat with the seed (SplitMix64: Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014). For rates and for inventing the catalogue, never
/// for secrets.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(AtomicU64::new(seed))
    }

    /// The next number.
    pub(crate) fn roll(&self) -> u64 {
        let state = self.0.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed).wrapping_add(GOLDEN_GAMMA);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound` (0 when the bound is 0).
    pub(crate) fn below(&self, bound: u32) -> u32 {
        let scaled = (u128::from(self.roll()) * u128::from(bound)) >> 64;
        // Below `bound`, hence it always fits.
        u32::try_from(scaled).unwrap_or(0)
    }

    /// One of the words (empty when there are none).
    pub(crate) fn pick<'a>(&self, words: &[&'a str]) -> &'a str {
        let bound = u32::try_from(words.len()).unwrap_or(u32::MAX);
        words.get(self.below(bound) as usize).copied().unwrap_or_default()
    }
}

/// A name that nobody can guess: 128 bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token(u128);

impl Token {
    /// Reads exactly what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Token> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(Token)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// Draws tokens: SHA-256 of a secret from the system and a counter, so that drawing cannot fail later.
#[derive(Debug)]
pub(crate) struct TokenSource {
    secret: [u8; 32],
    drawn: u64,
}

impl TokenSource {
    pub(crate) fn new() -> Result<TokenSource, Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|source| Error::Random { source })?;
        Ok(TokenSource { secret, drawn: 0 })
    }

    pub(crate) fn draw(&mut self) -> Token {
        self.drawn += 1;
        let digest =
            Sha256::new().chain_update(self.secret).chain_update(self.drawn.to_be_bytes()).finalize();
        Token(digest.iter().take(16).fold(0, |token, byte| (token << 8) | u128::from(*byte)))
    }
}

/// The first 16 hexadecimal digits of a SHA-256: a name for content that changes with it.
pub(crate) fn content_hash(content: &[u8]) -> String {
    use fmt::Write as _;
    let digest = Sha256::digest(content);
    digest.iter().take(8).fold(String::with_capacity(16), |mut hash, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

#[cfg(test)]
mod tests {
    use super::{Dice, Token, TokenSource, content_hash};

    #[test]
    fn dice_repeat_with_their_seed_and_stay_below_the_bound() {
        let (one, two) = (Dice::new(7), Dice::new(7));
        for _ in 0..1000 {
            let number = one.below(6);
            assert_eq!(number, two.below(6));
            assert!(number < 6);
        }
        assert_ne!(Dice::new(1).roll(), Dice::new(2).roll());
        assert_eq!(Dice::new(1).below(0), 0);
        // The first number of the reference implementation for seed 0.
        assert_eq!(Dice::new(0).roll(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn tokens_differ_and_survive_text() {
        let mut source = TokenSource::new().unwrap();
        let (one, two) = (source.draw(), source.draw());
        assert_ne!(one, two);
        assert_eq!(Token::parse(&one.to_string()), Some(one));
        for text in ["", "12", "+0000000000000000000000000000001", "g0000000000000000000000000000000"] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }

    #[test]
    fn content_names_its_hash() {
        assert_eq!(content_hash(b"abc"), "ba7816bf8f01cfea");
    }
}
