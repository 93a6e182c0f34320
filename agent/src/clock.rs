//! The run's clock: nanoseconds since second 0, on this machine's monotonic clock.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When second 0 is, and how long ago.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose second 0 begins at `start`.
    pub(crate) fn new(start: Instant) -> Self {
        Self { start }
    }

    /// Nanoseconds since second 0 began; 0 before it.
    pub(crate) fn now_ns(&self) -> u64 {
        // 2^64 ns are 584 years.
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The instant that lies `ns` nanoseconds after second 0 began.
    pub(crate) fn at(&self, ns: u64) -> Instant {
        self.start + Duration::from_nanos(ns)
    }

    /// Sleeps until `ns`; returns at once when that is past. Wakes up to a millisecond late, never early.
    pub(crate) async fn sleep_until_ns(&self, ns: u64) {
        sleep_until(self.at(ns)).await;
    }
}
