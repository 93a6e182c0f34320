//! How long to wait before what failed is tried again.

use std::time::Duration;

/// How long to wait before a further attempt, the first of which is 0: a tenth to all of a bound that doubles from `first` to
/// `most` (exponential backoff with full jitter), so that those who were throttled together do not come back together.
/// `seed` tells them apart.
pub(crate) fn pause(first: Duration, most: Duration, attempt: u32, seed: u64) -> Duration {
    let longest = first.saturating_mul(1 << attempt.min(16)).min(most);
    let longest_ns = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    // SplitMix64's finalizer: any two attempts differ.
    let mut hash = seed.wrapping_add(u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Duration::from_nanos(longest_ns / 10 + (hash ^ (hash >> 31)) % (longest_ns - longest_ns / 10 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_differ() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(60));
        for attempt in 0..40 {
            let longest = Duration::from_secs((1 << attempt.min(6)).min(60));
            let pauses: Vec<Duration> =
                (0..20).map(|minute| pause(first, most, attempt, 1_800_000_000 + 60 * minute)).collect();
            let bounds = longest / 10..=longest;
            assert!(pauses.iter().all(|pause| bounds.contains(pause)), "{attempt}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{attempt}");
        }
    }
}
