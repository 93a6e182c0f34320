//! A long run as a relay: parts of it that follow one another without a gap, each covered by assignments of its own.
//!
//! ```text
//!   generation 0  ├──────────────────┤╌╌ drains
//!   generation 1                     ├──────────────────┤╌╌ drains
//!   generation 2                                        ├───────┤╌ graceful
//!                 0                  13 min             26 min  length
//! ```
//!
//! What lives for a limited time (a function) can carry a run of any length so. Whoever covers a part starts exactly what
//! is due in it, by the times of the whole run, so that no arrival is lost and none is started twice.

use std::time::Duration;

/// How long journeys of a generation that has a successor may go on after its end.
pub const DRAIN_MAX: Duration = Duration::from_nanos(DRAIN_MAX_NS);

const DRAIN_MAX_NS: u64 = 90 * SECOND_NS;
const SECOND_NS: u64 = 1_000_000_000;
/// In how many bits of an iteration's index the generation is told: 65,536 of the shortest are four days.
const GENERATION_BITS: u32 = 16;
/// How many bits below that number iterations: one every 50 ms for nine days.
const ITERATION_BITS: u32 = 24;

/// A part of a run's time that one assignment covers: arrivals with `from_ns` <= due < `to_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, from 0.
    pub number: u32,
    /// Where it begins, in nanoseconds from the run's second 0.
    pub from_ns: u64,
    /// Where it ends, exclusive.
    pub to_ns: u64,
    /// Whether no other follows it.
    pub is_last: bool,
}

impl Generation {
    /// The first second that is reported of it: seconds are numbered by the run.
    pub fn first_second(&self) -> u32 {
        u32::try_from(self.from_ns / SECOND_NS).unwrap_or(u32::MAX)
    }

    /// When journeys that are still under way are cut, in a run of `length_ns` whose journeys may go on for `graceful_ns`:
    /// the last generation's then, those of the others [`DRAIN_MAX`] after its end at the latest.
    pub fn cut_ns(&self, length_ns: u64, graceful_ns: u64) -> u64 {
        let over_ns = length_ns.saturating_add(graceful_ns);
        if self.is_last { over_ns } else { over_ns.min(self.to_ns.saturating_add(DRAIN_MAX_NS)) }
    }
}

/// The parts of a run of `length_ns`, none longer than `longest`: whole seconds, in order and without a gap; one that is
/// the whole run where `longest` is `None`. Less than a second counts as one.
pub fn generations(length_ns: u64, longest: Option<Duration>) -> Vec<Generation> {
    generations_after(length_ns, longest.unwrap_or(Duration::MAX), longest)
}

/// The same where the first is no longer than `first`, however long those may be that follow it.
pub fn generations_after(length_ns: u64, first: Duration, longest: Option<Duration>) -> Vec<Generation> {
    let whole_ns = |most: Duration| most.as_secs().max(1).saturating_mul(SECOND_NS);
    let mut most_ns = whole_ns(first);
    let mut generations = Vec::new();
    let mut from_ns = 0;
    for number in 0.. {
        let to_ns = length_ns.min(most_ns.saturating_add(from_ns));
        let is_last = to_ns == length_ns;
        generations.push(Generation { number, from_ns, to_ns, is_last });
        if is_last {
            break;
        }
        from_ns = to_ns;
        most_ns = longest.map_or(u64::MAX, whole_ns);
    }
    generations
}

/// Closed model: the index that everything random about an iteration follows from. A shopper who goes on in another
/// generation repeats nothing, though nobody tells that one how many iterations there were. After 2^16 generations, or 2^24
/// iterations of one, the same shopper's draws begin anew; another shopper's are never touched.
pub fn iteration_index(shopper: u64, generation: u32, iteration: u64) -> u64 {
    // Shoppers are limited to 10 million, so that their number and the 40 bits below share 64 without touching.
    let generation = u64::from(generation) % (1 << GENERATION_BITS);
    let iteration = iteration % (1 << ITERATION_BITS);
    (shopper << (GENERATION_BITS + ITERATION_BITS)) | (generation << ITERATION_BITS) | iteration
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_hour_is_five_of_thirteen_minutes() {
        let minutes = |ns: u64| ns / 60 / SECOND_NS;
        let parts = generations(3_600 * SECOND_NS, Some(Duration::from_secs(13 * 60)));
        let ends: Vec<u64> = parts.iter().map(|part| minutes(part.to_ns)).collect();
        assert_eq!(ends, [13, 26, 39, 52, 60]);
        assert_eq!(parts[4].first_second(), 52 * 60);
        let whole = Generation { number: 0, from_ns: 0, to_ns: 7, is_last: true };
        assert_eq!(generations(7, None), [whole]);
        assert_eq!(generations(7, Some(Duration::ZERO)), [whole], "no generation is shorter than a second");
    }

    #[test]
    fn journeys_are_cut_after_the_drain_and_never_after_the_grace() {
        let parts = generations(200 * SECOND_NS, Some(Duration::from_secs(80)));
        let cut_s: Vec<u64> =
            parts.iter().map(|part| part.cut_ns(200 * SECOND_NS, 10 * SECOND_NS) / SECOND_NS).collect();
        assert_eq!(cut_s, [170, 210, 210]);
        assert_eq!(
            parts[2].cut_ns(200 * SECOND_NS, 400 * SECOND_NS),
            600 * SECOND_NS,
            "the plan's own grace"
        );
        assert_eq!(parts[1].cut_ns(u64::MAX, u64::MAX), 250 * SECOND_NS);
    }

    #[test]
    fn generation_0_is_counted_as_a_run_without_generations_is() {
        for (shopper, iteration) in [(0, 0), (7, 3), (9_999_999, (1 << 24) - 1)] {
            assert_eq!(iteration_index(shopper, 0, iteration), (shopper << 40) | iteration);
        }
        let mut seen = BTreeSet::new();
        for shopper in [0, 1, 9_999_999] {
            for generation in [0, 1, 256, 65_535] {
                seen.extend([0, 1, (1 << 24) - 1].map(|n| iteration_index(shopper, generation, n)));
            }
        }
        assert_eq!(seen.len(), 3 * 4 * 3, "no index twice");
        for beyond in [iteration_index(3, 1 << 16, 5), iteration_index(3, 0, (1 << 24) + 5)] {
            assert_eq!(beyond, iteration_index(3, 0, 5), "other shoppers' are never touched");
        }
    }

    #[test]
    fn the_first_may_be_shorter() {
        let seconds = Duration::from_secs;
        let ends = |first, longest| -> Vec<u64> {
            let parts = generations_after(10 * SECOND_NS, first, longest);
            parts.iter().map(|part| part.to_ns / SECOND_NS).collect()
        };
        assert_eq!(ends(seconds(3), Some(seconds(4))), [3, 7, 10]);
        assert_eq!(ends(seconds(3), None), [3, 10]);
        assert_eq!(ends(Duration::MAX, Some(seconds(4))), [10]);
        assert_eq!(ends(Duration::ZERO, Some(seconds(20))), [1, 10]);
    }

    proptest! {
        #[test]
        fn the_union_is_the_run_without_a_gap(
            length_ns in 1_u64..20_000 * SECOND_NS,
            longest_ms in 0_u64..4_000_000,
            first_ms in 0_u64..4_000_000,
        ) {
            let longest = Duration::from_millis(longest_ms.max(2_000));
            let first = Duration::from_millis(first_ms.max(2_000)).min(longest);
            let parts = generations_after(length_ns, first, Some(longest));
            prop_assert!(Duration::from_nanos(parts[0].to_ns) <= first);
            prop_assert_eq!(parts[0].from_ns, 0);
            prop_assert_eq!(parts[parts.len() - 1].to_ns, length_ns);
            for (position, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.number as usize, position);
                prop_assert_eq!(part.is_last, position + 1 == parts.len());
                prop_assert!(part.from_ns < part.to_ns && part.from_ns.is_multiple_of(SECOND_NS));
                prop_assert!(Duration::from_nanos(part.to_ns - part.from_ns) <= longest);
                if let Some(next) = parts.get(position + 1) {
                    prop_assert_eq!(part.to_ns, next.from_ns);
                }
            }
        }
    }
}
