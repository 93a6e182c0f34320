//! Randomness as a function of (seed, index): the same crowd whatever the number of agents.

use std::convert::Infallible;

use rand_core::{Rng, TryRng};

/// The 64-bit finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
/// OOPSLA 2014, constants by D. Stafford, "Mix13").
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a draw is for. Each purpose has draws of its own, so that adding one never shifts another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Which journey an arrival or an iteration replays.
    Journey = 1,
    /// Everything inside a journey: choices, picks, think times.
    Walk = 2,
    /// When an arrival comes inside its second.
    Spacing = 3,
    /// How long a letter waits for its next attempt.
    Letter = 4,
    /// When a plan's probes come inside their interval.
    Probe = 5,
}

/// A stream of random numbers that depends on nothing but seed, purpose and index.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream of `index` for `purpose` under `seed`.
    pub const fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let keyed =
            mix(seed.wrapping_add(GOLDEN_GAMMA).wrapping_mul((purpose as u64) | 1) ^ mix(purpose as u64));
        Self { state: mix(keyed ^ mix(index.wrapping_add(GOLDEN_GAMMA))) }
    }

    /// A whole number in `0..bound` (0 where `bound` is 0), without noticeable bias for bounds below 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| u32::try_from(bits >> 32).unwrap_or(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        Ok(mix(self.state))
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for chunk in destination.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

/// The position in `weights` that `index` falls on: each position as often as its weight says.
/// Returns 0 where all weights are 0.
pub fn pick_weighted(seed: u64, index: u64, weights: &[u32]) -> usize {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let mut draw = Chance::new(seed, Purpose::Journey, index).below(total);
    for (position, weight) in weights.iter().enumerate() {
        let weight = u64::from(*weight);
        if draw < weight {
            return position;
        }
        draw -= weight;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::{Chance, Purpose, pick_weighted};
    use rand_core::Rng;

    #[test]
    fn a_stream_depends_on_seed_purpose_and_index_alone() {
        let draw = |seed, purpose, index| Chance::new(seed, purpose, index).next_u64();
        assert_eq!(draw(1, Purpose::Walk, 7), draw(1, Purpose::Walk, 7));
        assert_ne!(draw(1, Purpose::Walk, 7), draw(2, Purpose::Walk, 7));
        assert_ne!(draw(1, Purpose::Walk, 7), draw(1, Purpose::Journey, 7));
        assert_ne!(draw(1, Purpose::Walk, 7), draw(1, Purpose::Walk, 8));
    }

    #[test]
    fn weights_are_kept() {
        let mut seen = [0_u32; 3];
        for index in 0..100_000 {
            seen[pick_weighted(42, index, &[70, 20, 10])] += 1;
        }
        for (count, share) in seen.iter().zip([70_000_i64, 20_000, 10_000]) {
            // Four standard deviations of a binomial with 100,000 draws are below 600.
            assert!((i64::from(*count) - share).abs() < 600, "{seen:?}");
        }
    }

    #[test]
    fn draws_are_uniform() {
        let mut buckets = [0_i64; 16];
        for index in 0..160_000 {
            let bucket = Chance::new(9, Purpose::Spacing, index).below(16);
            buckets[usize::try_from(bucket).unwrap()] += 1;
        }
        let chi_squared: f64 = buckets.iter().map(|n| ((n - 10_000) as f64).powi(2) / 10_000.0).sum();
        // The 99.9th percentile of chi squared with 15 degrees of freedom is 37.7.
        assert!(chi_squared < 37.7, "{chi_squared} {buckets:?}");
    }
}
