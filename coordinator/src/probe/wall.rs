//! Wall-clock time, and its multiples of ten seconds, at which objectives are evaluated.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep, sleep_until};

/// How far evaluations are apart, in seconds.
pub(crate) const BEAT_S: i64 = 10;
const BEAT_NS: u64 = 10_000_000_000;
/// How long this sleeps at most before it looks at the clock again, which somebody may have set.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The wall clock: this machine's, or in tests one that goes with the runtime's time.
#[derive(Clone)]
pub(crate) struct Wall(Arc<dyn Fn() -> u64 + Send + Sync>);

impl fmt::Debug for Wall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Wall").field(&self.now_ns()).finish()
    }
}

impl Wall {
    /// This machine's.
    pub(crate) fn system() -> Self {
        Self(Arc::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            // 2^64 ns after 1970 is the year 2554.
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        }))
    }

    /// One that stands at `unix_s` now, and goes on as the runtime's time does.
    #[cfg(test)]
    pub(crate) fn of_runtime(unix_s: u64) -> Self {
        let begin = Instant::now();
        Self(Arc::new(move || {
            unix_s * 1_000_000_000 + u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
        }))
    }

    /// Nanoseconds since 1970.
    pub(crate) fn now_ns(&self) -> u64 {
        (self.0)()
    }

    /// Whole seconds since 1970.
    pub(crate) fn now_s(&self) -> i64 {
        seconds(self.now_ns())
    }
}

/// The whole seconds of nanoseconds since 1970.
pub(crate) fn seconds(unix_ns: u64) -> i64 {
    // 2^64 ns are far below 2^63 s.
    i64::try_from(unix_ns / 1_000_000_000).unwrap_or(i64::MAX)
}

/// The first multiple of ten seconds after `now_s`: what has come by now belongs to it or to an earlier one.
pub(crate) fn next_beat_s(now_s: i64) -> i64 {
    (now_s.div_euclid(BEAT_S) + 1) * BEAT_S
}

/// Waits until then; for ever where there is no such time.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Tells each multiple of ten seconds once.
#[derive(Debug)]
pub(crate) struct Beat {
    wall: Wall,
    last_s: Option<i64>,
}

impl Beat {
    /// The first that it tells is the last one before now.
    pub(crate) fn new(wall: &Wall) -> Self {
        Self { wall: wall.clone(), last_s: None }
    }

    /// Waits for the next multiple. Of several that were missed it is the last, and of a clock that was set back it is an
    /// earlier one: the ledger knows what to do about both. One that is given up loses nothing.
    pub(crate) async fn next(&mut self) -> i64 {
        loop {
            let now_ns = self.wall.now_ns();
            let latest_s = seconds(now_ns) / BEAT_S * BEAT_S;
            if self.last_s != Some(latest_s) {
                self.last_s = Some(latest_s);
                return latest_s;
            }
            let left = Duration::from_nanos(BEAT_NS - now_ns % BEAT_NS);
            sleep(left.min(LOOK_EVERY)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_multiple_is_told_once_and_in_time() {
        let wall = Wall::of_runtime(1_795_000_003);
        let mut beat = Beat::new(&wall);
        assert_eq!(beat.next().await, 1_795_000_000, "whoever begins does not wait");
        for expected in [1_795_000_010, 1_795_000_020, 1_795_000_030] {
            assert_eq!(beat.next().await, expected);
            let late_ns = wall.now_ns() - u64::try_from(expected).unwrap() * 1_000_000_000;
            assert!(late_ns < 10_000_000, "{late_ns} ns late");
        }
        let waited = Instant::now();
        assert!(tokio::time::timeout(Duration::from_secs(5), beat.next()).await.is_err());
        assert_eq!(beat.next().await, 1_795_000_040, "one that is given up loses none");
        assert!(waited.elapsed() <= Duration::from_millis(10_010));
        sleep(Duration::from_secs(33)).await;
        assert_eq!(
            beat.next().await,
            1_795_000_070,
            "those that were missed are the ledger's to make up for"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_is_followed() {
        let now_s = Arc::new(AtomicU64::new(1_795_000_100));
        let told = Arc::clone(&now_s);
        let wall = Wall(Arc::new(move || told.load(Ordering::Relaxed) * 1_000_000_000));
        let mut beat = Beat::new(&wall);
        assert_eq!(beat.next().await, 1_795_000_100);
        now_s.store(1_794_990_005, Ordering::Relaxed);
        assert_eq!(beat.next().await, 1_794_990_000);
    }
}
