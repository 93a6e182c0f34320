//! The run's clock: nanoseconds since second 0, on this machine's monotonic clock, and sleep to a fraction of a
//! millisecond.

mod timer;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use self::timer::Timer;
use crate::epoch::Epoch;

/// Those who wake within so many nanoseconds wake together: every waking of a thread costs more than what an
/// arrival does then. Somebody who sleeps alone wakes when asked.
const TOGETHER_NS: u64 = 850_000;

/// When second 0 is, and who sleeps until when.
pub(crate) struct Clock {
    epoch: Epoch,
    timer: Timer,
    sleepers: RefCell<Sleepers>,
}

#[derive(Default)]
struct Sleepers {
    /// Who is to wake next, with the place of each among `beds`.
    due: BinaryHeap<Reverse<(u64, u32)>>,
    beds: Vec<Bed>,
    free: Vec<u32>,
    /// When the timer goes off; `None` while it is not set.
    set_for_ns: Option<u64>,
    /// Before this it does not go off again.
    not_before_ns: u64,
}

/// A place to sleep.
enum Bed {
    Asleep(Waker),
    /// Its sleeper was woken, and has not got up yet.
    Woken,
    /// Its sleeper left before the time.
    Left,
}

impl Clock {
    /// A clock whose second 0 is `epoch`. To be called in a runtime.
    ///
    /// # Errors
    /// When the system has no timer left.
    pub(crate) fn new(epoch: Epoch) -> io::Result<Self> {
        Ok(Self { epoch, timer: Timer::new()?, sleepers: RefCell::default() })
    }

    /// Nanoseconds since second 0 began; 0 before it.
    pub(crate) fn now_ns(&self) -> u64 {
        self.epoch.now_ns()
    }

    /// The instant that lies `ns` nanoseconds after second 0 began.
    pub(crate) fn at(&self, ns: u64) -> Instant {
        self.epoch.at(ns)
    }

    /// Sleeps until `ns`; returns at once when that is past. Never wakes early, and less than a millisecond late
    /// while the thread has time. [`Clock::ring`] must run meanwhile.
    pub(crate) async fn sleep_until_ns(&self, ns: u64) {
        let mut sleep = Asleep { clock: self, bed: None };
        poll_fn(|context| sleep.poll(ns, context)).await;
    }

    /// Wakes the sleepers, as long as it runs.
    pub(crate) async fn ring(&self) {
        loop {
            self.timer.rings().await;
            let now_ns = self.now_ns();
            let mut sleepers = self.sleepers.borrow_mut();
            sleepers.set_for_ns = None;
            if self.epoch.is_past(0) {
                sleepers.not_before_ns = now_ns + TOGETHER_NS;
                sleepers.wake(now_ns);
            }
            self.set_timer(&mut sleepers);
        }
    }

    fn set_timer(&self, sleepers: &mut Sleepers) {
        let Some(Reverse((next_ns, _))) = sleepers.due.peek() else { return };
        let ring_ns = (*next_ns).max(sleepers.not_before_ns);
        if sleepers.set_for_ns.is_none_or(|set_for_ns| ring_ns < set_for_ns) {
            sleepers.set_for_ns = Some(ring_ns);
            self.timer.set(self.at(ring_ns));
        }
    }
}

impl Sleepers {
    fn wake(&mut self, now_ns: u64) {
        while let Some(Reverse((due_ns, number))) = self.due.peek().copied()
            && due_ns <= now_ns
        {
            self.due.pop();
            match std::mem::replace(&mut self.beds[number as usize], Bed::Woken) {
                Bed::Asleep(waker) => waker.wake(),
                Bed::Woken | Bed::Left => self.free.push(number),
            }
        }
    }

    fn lie_down(&mut self, until_ns: u64, waker: Waker) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.beds.push(Bed::Left);
            // A worker holds half a million shoppers at most.
            u32::try_from(self.beds.len() - 1).unwrap_or(u32::MAX)
        });
        self.beds[number as usize] = Bed::Asleep(waker);
        self.due.push(Reverse((until_ns, number)));
        number
    }
}

/// Somebody who sleeps, or has not lain down yet.
struct Asleep<'a> {
    clock: &'a Clock,
    bed: Option<u32>,
}

impl Asleep<'_> {
    fn poll(&mut self, until_ns: u64, context: &Context<'_>) -> Poll<()> {
        if self.clock.epoch.is_past(until_ns) {
            return Poll::Ready(());
        }
        if self.bed.is_none() {
            let mut sleepers = self.clock.sleepers.borrow_mut();
            self.bed = Some(sleepers.lie_down(until_ns, context.waker().clone()));
            self.clock.set_timer(&mut sleepers);
        }
        Poll::Pending
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let Some(number) = self.bed else { return };
        let mut sleepers = self.clock.sleepers.borrow_mut();
        let bed = &mut sleepers.beds[number as usize];
        if let Bed::Woken = bed {
            sleepers.free.push(number);
        } else {
            // Its time is still in the heap, which gives the bed free when it comes.
            *bed = Bed::Left;
        }
    }
}

#[cfg(test)]
mod tests;
