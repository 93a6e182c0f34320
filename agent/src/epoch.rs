//! Second 0 of a run, on this machine's monotonic clock.

use std::time::Duration;

use tokio::time::Instant;

/// When second 0 is. It may lie hours back, before this machine was started, and so before anything that its monotonic
/// clock can say: what is kept is a time that it can say, and how far second 0 is from there.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// Second 0, or a later time where that is past.
    known: Instant,
    /// How long after second 0 that is.
    known_ns: u64,
}

impl Epoch {
    /// Second 0 begins at `at_unix_ns` by a wall clock that says `now_unix_ns` at `now`.
    pub(crate) fn agreed(at_unix_ns: u64, now_unix_ns: u64, now: Instant) -> Self {
        Self {
            known: now + Duration::from_nanos(at_unix_ns.saturating_sub(now_unix_ns)),
            known_ns: now_unix_ns.saturating_sub(at_unix_ns),
        }
    }

    /// Nanoseconds since second 0 began; 0 before it.
    pub fn now_ns(&self) -> u64 {
        // 2^64 ns are 584 years.
        let since_ns = u64::try_from(self.known.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.known_ns.saturating_add(since_ns)
    }

    /// Whether it is `ns` nanoseconds past second 0, or later.
    pub(crate) fn is_past(&self, ns: u64) -> bool {
        // Before second 0 nothing is past, not even 0 ns.
        Instant::now()
            .checked_duration_since(self.known)
            .is_some_and(|since| since.as_nanos() + u128::from(self.known_ns) >= u128::from(ns))
    }

    /// The instant that lies `ns` nanoseconds after second 0 began; of those long past, one that is past as well.
    pub fn at(&self, ns: u64) -> Instant {
        self.known + Duration::from_nanos(ns.saturating_sub(self.known_ns))
    }
}

impl From<Instant> for Epoch {
    /// Second 0 begins at this instant.
    fn from(at: Instant) -> Self {
        Self { known: at, known_ns: 0 }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    #[tokio::test(start_paused = true)]
    async fn second_0_to_come_is_waited_for() {
        let epoch = Epoch::agreed(7 * SECOND_NS, 5 * SECOND_NS, Instant::now());
        assert!(epoch.now_ns() == 0 && !epoch.is_past(0));
        assert_eq!(epoch.at(SECOND_NS) - Instant::now(), Duration::from_secs(3));
        advance(Duration::from_millis(2_500)).await;
        assert_eq!(epoch.now_ns(), SECOND_NS / 2);
        assert!(epoch.is_past(SECOND_NS / 2) && !epoch.is_past(SECOND_NS / 2 + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn second_0_may_lie_before_this_machine_was_started() {
        // In 1970: no monotonic clock goes back so far.
        let now_unix_ns = 1_795_000_000 * SECOND_NS;
        let epoch = Epoch::agreed(0, now_unix_ns, Instant::now());
        assert_eq!(epoch.now_ns(), now_unix_ns);
        assert!(epoch.is_past(now_unix_ns) && !epoch.is_past(now_unix_ns + 1));
        advance(Duration::from_secs(2)).await;
        assert_eq!(epoch.now_ns(), now_unix_ns + 2 * SECOND_NS);
        assert_eq!(epoch.at(now_unix_ns + 3 * SECOND_NS) - Instant::now(), Duration::from_secs(1));
        assert!(epoch.at(5) <= Instant::now());
    }
}
