//! What waits for CloudWatch: at most an hour of it, and never more than fits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::datum::Datum;

/// How old what waits may become.
const AGE_MAX_S: i64 = 3_600;
/// The most values that wait, over all datums: some 16 bytes each.
const VALUES_MAX: usize = 1_000_000;

/// A request that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// Of which minute, in seconds since 1970.
    pub at_s: i64,
    /// What it holds.
    pub datums: Arc<Vec<Datum>>,
}

/// What became of datums so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Taken by CloudWatch.
    pub sent: u64,
    /// Dropped, because they waited too long or there were too many.
    pub dropped: u64,
    /// Refused by CloudWatch, or by our own checks.
    pub refused: u64,
    /// Requests that failed and were, or will be, sent again.
    pub failures: u64,
    /// Waiting.
    pub waiting: u64,
    /// When something was last taken, in seconds since 1970.
    pub last_sent_s: Option<i64>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    values: usize,
    sent: Sent,
    /// Why the last request did not go through; `None` once one does.
    problem: Option<String>,
}

/// The queue between who counts and who sends. Cheap to clone; who counts never waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    state: Arc<Mutex<State>>,
    has_more: Arc<Notify>,
}

impl Queue {
    /// Adds a minute's requests. What is over an hour older than they are, and the oldest of what is too much, is dropped
    /// and counted.
    pub(crate) fn push(&self, at_s: i64, requests: Vec<Vec<Datum>>) {
        let mut state = self.state();
        for datums in requests {
            state.values += datums.iter().map(Datum::values).sum::<usize>();
            state.waiting.push_back(Waiting { at_s, datums: Arc::new(datums) });
        }
        while state.values > VALUES_MAX
            || state.waiting.front().is_some_and(|oldest| oldest.at_s <= at_s - AGE_MAX_S)
        {
            let Some(oldest) = state.pop() else { break };
            state.sent.dropped += oldest.datums.len() as u64;
        }
        drop(state);
        self.has_more.notify_one();
    }

    /// Counts datums that our own checks refused.
    pub(crate) fn refuse(&self, datums: u64) {
        self.state().sent.refused += datums;
    }

    /// The oldest request, once there is one. It is in the caller's hands alone.
    pub(crate) async fn next(&self) -> Waiting {
        loop {
            if let Some(next) = self.state().pop() {
                return next;
            }
            self.has_more.notified().await;
        }
    }

    /// Counts what CloudWatch took.
    pub(crate) fn took(&self, waiting: &Waiting, now_s: i64) {
        let mut state = self.state();
        state.sent.sent += waiting.datums.len() as u64;
        state.sent.last_sent_s = Some(now_s);
        state.problem = None;
    }

    /// Counts what CloudWatch refused for good.
    pub(crate) fn refused(&self, waiting: &Waiting, why: &str) {
        let mut state = self.state();
        state.sent.refused += waiting.datums.len() as u64;
        state.problem = Some(why.to_owned());
    }

    /// Counts a request that failed, and says whether it may still be tried again at `now_s`; otherwise it is dropped.
    pub(crate) fn failed(&self, waiting: &Waiting, now_s: i64, why: &str) -> bool {
        let mut state = self.state();
        state.sent.failures += 1;
        state.problem = Some(why.to_owned());
        let may_wait = waiting.at_s > now_s - AGE_MAX_S;
        if !may_wait {
            state.sent.dropped += waiting.datums.len() as u64;
        }
        may_wait
    }

    /// What became of datums so far.
    pub(crate) fn sent(&self) -> Sent {
        let state = self.state();
        let waiting = state.waiting.iter().map(|waiting| waiting.datums.len() as u64).sum();
        Sent { waiting, ..state.sent }
    }

    /// Why the last request did not go through, while none has since.
    pub(crate) fn problem(&self) -> Option<String> {
        self.state().problem.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pop(&mut self) -> Option<Waiting> {
        let oldest = self.waiting.pop_front()?;
        self.values -= oldest.datums.iter().map(Datum::values).sum::<usize>();
        Some(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::datum::{Figures, MetricId, Unit};
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn request(values: usize) -> Vec<Datum> {
        let metric = MetricId { name: "Latency".to_owned(), dimensions: Vec::new() };
        let figures = Figures::Many(vec![(1.0, 1.0); values]);
        vec![Datum { metric, at_s: NOW_S, unit: Unit::Milliseconds, figures }; 2]
    }

    #[test]
    fn an_hour_waits_and_what_is_older_is_dropped_and_counted() {
        let queue = Queue::default();
        for minute in 0..=61 {
            queue.push(NOW_S + 60 * minute, vec![request(1)]);
        }
        let sent = queue.sent();
        assert_eq!((sent.waiting, sent.dropped), (120, 4), "two datums a minute, of which an hour is left");
    }

    #[test]
    fn what_is_too_much_is_dropped_from_the_oldest_on() {
        let queue = Queue::default();
        for _ in 0..3 {
            queue.push(NOW_S, vec![request(200_000)]);
        }
        assert_eq!((queue.sent().waiting, queue.sent().dropped), (4, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_comes_first_and_a_failed_one_ages() {
        let queue = Queue::default();
        queue.push(NOW_S, vec![request(1), request(2)]);
        let first = queue.next().await;
        assert_eq!(first.datums[0].values(), 1);
        assert!(queue.failed(&first, NOW_S + 3_599, "throttled"), "it may be tried again");
        assert!(!queue.failed(&first, NOW_S + 3_600, "throttled"), "it is an hour old");
        let second = queue.next().await;
        queue.took(&second, NOW_S + 3_601);
        queue.refuse(3);
        let expected = Sent {
            sent: 2,
            dropped: 2,
            refused: 3,
            failures: 2,
            waiting: 0,
            last_sent_s: Some(NOW_S + 3_601),
        };
        assert_eq!(queue.sent(), expected);
        let later = queue.clone();
        tokio::spawn(async move { later.push(NOW_S, vec![request(3)]) });
        assert_eq!(queue.next().await.datums[0].values(), 3, "who waits is woken");
    }
}
