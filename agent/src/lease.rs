//! No load without a lease.

use std::time::{Duration, Instant};

/// How long load goes on after the last *new* value of the lease counter was seen.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// The lease that the coordinator renews by sending ever higher counters.
#[derive(Debug)]
pub(crate) struct Lease {
    counter: u64,
    seen: Instant,
}

impl Lease {
    /// A lease that begins `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self { counter: 0, seen: now }
    }

    /// Takes a counter that came at `now`; a value seen before renews nothing.
    pub(crate) fn renew(&mut self, counter: u64, now: Instant) {
        if counter > self.counter {
            self.counter = counter;
            self.seen = now;
        }
    }

    /// When the lease ends unless it is renewed.
    pub(crate) fn ends(&self) -> Instant {
        self.seen + LEASE
    }
}

#[cfg(test)]
mod tests {
    use super::{LEASE, Lease};
    use std::time::{Duration, Instant};

    #[test]
    fn only_a_new_value_renews() {
        let start = Instant::now();
        let mut lease = Lease::new(start);
        lease.renew(5, start + Duration::from_secs(2));
        lease.renew(5, start + Duration::from_secs(9));
        lease.renew(4, start + Duration::from_secs(9));
        assert_eq!(lease.ends(), start + Duration::from_secs(2) + LEASE);
        lease.renew(6, start + Duration::from_secs(10));
        assert_eq!(lease.ends(), start + Duration::from_secs(10) + LEASE);
    }
}
