//! Time limits that cost nothing as long as they are kept.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep_until};

use crate::clock::Clock;

/// A limit on something that is done again and again, like the exchanges of one shopper.
///
/// The timer of one time is left standing for the next: when it goes off, and the limit has moved on meanwhile, it
/// is set anew. So a timer is touched once in the length of a limit, not twice in every exchange. It wakes the task
/// that last polled it: a limit belongs to one task.
#[derive(Default)]
pub(crate) struct Limit {
    until_ns: Cell<u64>,
    /// When the timer goes off.
    set_for_ns: Cell<u64>,
    timer: Cell<Option<Pin<Box<Sleep>>>>,
}

impl Limit {
    /// What is under way may go on until then.
    pub(crate) fn until(&self, until_ns: u64) {
        self.until_ns.set(until_ns);
    }

    /// Carries `work` out; `None` when the limit came first. It may be moved meanwhile. (Pinned by the caller: a
    /// future that is handed over lies twice in the one that takes it.)
    pub(crate) async fn keep<F: Future>(&self, clock: &Clock, mut work: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll(clock, context).map(|()| None),
        })
        .await
    }

    /// Ready once the limit is past.
    fn poll(&self, clock: &Clock, context: &mut Context<'_>) -> Poll<()> {
        let until_ns = self.until_ns.get();
        let timer = self.timer.take();
        // A timer that goes off before the limit is as good: it will be set anew.
        if timer.as_ref().is_some_and(|timer| self.set_for_ns.get() <= until_ns && !timer.is_elapsed()) {
            self.timer.set(timer);
            return Poll::Pending;
        }
        let mut timer = timer.unwrap_or_else(|| Box::pin(sleep_until(clock.at(until_ns))));
        timer.as_mut().reset(clock.at(until_ns));
        self.set_for_ns.set(until_ns);
        // Not bound by the task's budget: a timer that is set and not waited for would wake nobody.
        let over = pin!(unconstrained(timer.as_mut())).poll(context);
        self.timer.set(Some(timer));
        over
    }

    /// Lets the timer go: for somebody who will not need it for long.
    pub(crate) fn rest(&self) {
        self.timer.set(None);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::Limit;
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_moves_on_is_kept_by_one_timer() {
        let clock = Clock::new(Instant::now().into()).unwrap();
        let limit = Limit::default();
        for _ in 0..50 {
            limit.until(clock.now_ns() + 1_000_000_000);
            let work = pin!(sleep(Duration::from_millis(300)));
            assert_eq!(limit.keep(&clock, work).await, Some(()), "0.3 s are within 1 s");
        }
        for length_ms in [1_000, 200, 3_000] {
            let begin_ns = clock.now_ns();
            limit.until(begin_ns + length_ms * 1_000_000);
            let work = pin!(sleep(Duration::from_secs(60)));
            assert_eq!(limit.keep(&clock, work).await, None);
            let waited_ms = (clock.now_ns() - begin_ns) / 1_000_000;
            assert!((length_ms..=length_ms + 2).contains(&waited_ms), "{length_ms} {waited_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_moves_while_the_work_is_under_way() {
        let clock = Clock::new(Instant::now().into()).unwrap();
        let limit = Limit::default();
        limit.until(100_000_000);
        let work = async {
            sleep(Duration::from_millis(50)).await;
            limit.until(10_000_000_000);
            sleep(Duration::from_millis(500)).await;
        };
        assert_eq!(limit.keep(&clock, pin!(work)).await, Some(()));
    }
}
