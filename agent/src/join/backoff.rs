//! How long to wait before dialling again.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(200);
/// The longest.
const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait. `chance` (from all of its values) spreads it over its upper half, so that agents that were cut off
    /// together do not come back together.
    pub(super) fn next(&mut self, chance: u32) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = whole / 2;
        half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }

    /// What was tried went well.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A number that nobody knows before; without chance on this machine, always the same.
pub(super) fn chance() -> u32 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_le_bytes(bytes),
        Err(_) => u32::MAX / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Duration};

    #[test]
    fn waits_double_up_to_five_seconds_and_begin_anew_after_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..8).map(|_| backoff.next(u32::MAX).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
        assert_eq!(backoff.next(0), Duration::from_millis(2_500));
        backoff.reset();
        assert_eq!(backoff.next(0), Duration::from_millis(100));
        (0..100).for_each(|_| assert!(backoff.next(u32::MAX) <= Duration::from_secs(5)));
    }
}
