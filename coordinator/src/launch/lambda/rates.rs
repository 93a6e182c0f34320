//! How fast functions may be invoked, so that AWS need not say no. Pure: time is an argument.

use std::time::Duration;

/// The most environments that begin at once, and how many more may begin each second after that. Source: AWS Lambda Developer
/// Guide, "Lambda function scaling": 1,000 environments every 10 seconds for each function.
const ENVIRONMENTS_AT_ONCE: u32 = 1_000;
const ENVIRONMENTS_PER_S: u32 = 100;
/// How many invocations a second a region takes for each function that may run at the same time. Source: AWS Lambda Developer
/// Guide, "Lambda quotas".
const INVOCATIONS_PER_CONCURRENCY: u32 = 10;

/// What a function of a region may be invoked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    invocations: Allowance,
    environments: Allowance,
}

impl Rates {
    /// The rates of a region in which so many functions may run at the same time.
    pub(super) fn new(concurrency: u32) -> Self {
        let per_s = concurrency.max(1).saturating_mul(INVOCATIONS_PER_CONCURRENCY);
        Self {
            invocations: Allowance::new(per_s, per_s),
            environments: Allowance::new(ENVIRONMENTS_AT_ONCE, ENVIRONMENTS_PER_S),
        }
    }

    /// How long the next invocation has to wait, asked for at `now`, which never goes back. It counts as made then.
    pub(super) fn wait(&mut self, now: Duration) -> Duration {
        self.invocations.wait(now).max(self.environments.wait(now))
    }
}

/// So many at once, and so many more each second: a leaky bucket, by the time at which it would be empty.
/// Source: ITU-T I.371, the generic cell rate algorithm, virtual scheduling.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowance {
    /// What one takes.
    interval: Duration,
    /// How far ahead of its time one may come.
    tolerance: Duration,
    /// The time of the next one, were they all evenly spaced.
    next: Duration,
}

impl Allowance {
    fn new(at_once: u32, per_s: u32) -> Self {
        let interval = Duration::from_secs(1) / per_s.max(1);
        Self { interval, tolerance: interval * at_once.saturating_sub(1), next: Duration::ZERO }
    }

    fn wait(&mut self, now: Duration) -> Duration {
        let at = self.next.max(now);
        self.next = at + self.interval;
        at.saturating_sub(self.tolerance).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of so many invocations that are asked for at once is made.
    fn made(rates: &mut Rates, now: Duration, count: usize) -> Vec<Duration> {
        (0..count).map(|_| now + rates.wait(now)).collect()
    }

    #[test]
    fn a_thousand_environments_begin_at_once_and_a_thousand_more_in_ten_seconds() {
        let mut rates = Rates::new(10_000);
        let made = made(&mut rates, Duration::from_secs(5), 3_000);
        let before = |at_s: u64| made.iter().filter(|made| **made <= Duration::from_secs(at_s)).count();
        assert_eq!((before(5), before(15), before(25)), (1_000, 2_000, 3_000));
    }

    #[test]
    fn a_small_quota_is_kept_too() {
        // 3 at the same time: 30 invocations a second.
        let mut rates = Rates::new(3);
        let made = made(&mut rates, Duration::ZERO, 90);
        let second = |from_s: u64| {
            let within = Duration::from_secs(from_s)..Duration::from_secs(from_s + 1);
            made.iter().filter(|made| within.contains(*made)).count()
        };
        assert!(made[..30].iter().all(Duration::is_zero));
        assert!((29..=30).contains(&second(1)), "{made:?}");
        assert!(made[89] <= Duration::from_millis(2_001), "{:?}", made[89]);
    }

    #[test]
    fn what_was_not_used_is_there_again() {
        let mut rates = Rates::new(1);
        assert!(made(&mut rates, Duration::ZERO, 10).iter().all(Duration::is_zero));
        assert!(!rates.wait(Duration::ZERO).is_zero());
        let later = Duration::from_secs(10);
        assert!(made(&mut rates, later, 10).iter().all(|made| *made == later));
    }
}
