//! When a letter that was not delivered is tried again.

use doorbuster_model::Chance;
use doorbuster_model::chance::Purpose;

/// The bound of the first wait; it doubles with each attempt.
const FIRST_MS: u64 = 1_000;
/// The bound beyond which it doubles no further.
const MOST_MS: u64 = 300_000;

/// How long a letter waits after its `attempt`th failure, from 1: anything from 0 to a bound that doubles from 1 s to
/// 5 min. It depends on nothing else, so letters that failed together do not come back together, and come back when
/// they would have without a crash.
/// Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog), full jitter.
fn wait_ms(letter: i64, attempt: u32) -> u64 {
    let doublings = attempt.saturating_sub(1).min(16);
    let bound_ms = (FIRST_MS << doublings).min(MOST_MS);
    Chance::new(letter.cast_unsigned(), Purpose::Letter, u64::from(attempt)).below(bound_ms + 1)
}

/// When a letter is tried again after its `attempt`th failure: a second from now at the earliest, and not before what the
/// receiver asked for is over.
pub(super) fn next_at_s(now_s: i64, letter: i64, attempt: u32, after_s: Option<u64>) -> i64 {
    let wait_s = wait_ms(letter, attempt).div_ceil(1_000).max(1) + after_s.unwrap_or(0);
    now_s.saturating_add_unsigned(wait_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_from_a_second_to_five_minutes() {
        let bounds_ms =
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000];
        for (attempt, bound_ms) in (1..).zip(bounds_ms) {
            let waits_ms: Vec<u64> = (1..=2_000).map(|letter| wait_ms(letter, attempt)).collect();
            let most_ms = waits_ms.iter().copied().max().unwrap();
            assert!(most_ms <= bound_ms && most_ms > bound_ms * 98 / 100, "{attempt}: {most_ms}");
            // All of it is used, evenly: the mean is half of the bound.
            let mean_ms = waits_ms.iter().sum::<u64>() / 2_000;
            assert!(mean_ms.abs_diff(bound_ms / 2) < bound_ms / 20, "{attempt}: {mean_ms}");
        }
        assert!(wait_ms(1, 0) <= 1_000 && wait_ms(1, u32::MAX) <= 300_000);
    }

    #[test]
    fn a_letter_s_waits_are_always_the_same() {
        for letter in [1, 2, i64::MAX, -1] {
            for attempt in [1, 5, 100] {
                assert_eq!(wait_ms(letter, attempt), wait_ms(letter, attempt));
            }
        }
        assert_ne!(wait_ms(1, 9), wait_ms(2, 9));
    }

    #[test]
    fn a_receiver_s_wish_is_waited_out() {
        for letter in 1..500 {
            assert_eq!(next_at_s(1_000, letter, 1, None), 1_001);
            let next_s = next_at_s(1_000, letter, 3, Some(60));
            assert!((1_061..=1_064).contains(&next_s), "{next_s}");
        }
    }
}
