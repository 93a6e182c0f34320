//! Where Goose's users wait until the plan wants them: it launches all of them before the start.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

/// How often it is looked whether everybody has left.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Who is let in, and how many are inside. Shoppers are told apart by their ordinals in the agent's share.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The shoppers below this ordinal may be inside.
    wanted: AtomicUsize,
    /// Nobody comes in any more.
    closed: AtomicBool,
    /// Nothing is to begin any more, by whoever is inside either.
    ended: AtomicBool,
    inside: AtomicUsize,
    bells: Vec<Notify>,
}

impl Gate {
    /// A gate for so many, of whom nobody is wanted yet.
    pub(crate) fn new(shoppers: usize) -> Self {
        Self {
            wanted: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            inside: AtomicUsize::new(0),
            bells: (0..shoppers).map(|_| Notify::new()).collect(),
        }
    }

    /// Waits until this shopper is wanted. It is inside then, until [`Gate::leave`]. False once the gate is closed.
    pub(crate) async fn enter(&self, ordinal: usize) -> bool {
        while !self.is_closed() {
            if ordinal < self.wanted.load(SeqCst) {
                self.inside.fetch_add(1, SeqCst);
                // Either this sees that the gate was closed meanwhile, or whoever closed it sees this one inside.
                if self.is_closed() {
                    self.leave();
                    return false;
                }
                return true;
            }
            match self.bells.get(ordinal) {
                // A bell that was rung while nobody listened rings for whoever listens next.
                Some(bell) => bell.notified().await,
                None => return false,
            }
        }
        false
    }

    /// Whoever was inside before may come once more to say goodbye, even through a closed gate; not once all is over.
    pub(crate) fn enter_for_on_stop(&self) -> bool {
        self.inside.fetch_add(1, SeqCst);
        let may = !self.has_ended();
        if !may {
            self.leave();
        }
        may
    }

    /// A shopper is inside no longer.
    pub(crate) fn leave(&self) {
        self.inside.fetch_sub(1, SeqCst);
    }

    /// The shoppers below this ordinal may be inside; others are let out after their iteration.
    pub(crate) fn let_in(&self, wanted: usize) {
        let before = self.wanted.swap(wanted, SeqCst);
        self.bells.iter().take(wanted).skip(before).for_each(Notify::notify_one);
    }

    /// Nobody comes in any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.bells.iter().for_each(Notify::notify_one);
    }

    /// Nothing begins any more.
    pub(crate) fn end(&self) {
        self.close();
        self.ended.store(true, SeqCst);
    }

    /// Whether nobody comes in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// Whether nothing is to begin any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(SeqCst)
    }

    /// How many are inside.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(SeqCst)
    }

    /// Waits until everybody has left.
    pub(crate) async fn drained(&self) {
        while self.inside() > 0 {
            sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::Gate;

    #[tokio::test]
    async fn who_is_wanted_comes_in_and_a_closed_gate_turns_away() {
        let gate = Arc::new(Gate::new(3));
        let waiting: Vec<_> = (0..3)
            .map(|ordinal| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move { gate.enter(ordinal).await })
            })
            .collect();
        gate.let_in(2);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.inside(), 2);
        gate.close();
        let mut entered = Vec::new();
        for one in waiting {
            entered.push(one.await.unwrap());
        }
        assert_eq!(entered, [true, true, false]);
        assert!(gate.enter_for_on_stop(), "whoever was inside may say goodbye");
        gate.end();
        assert!(!gate.enter_for_on_stop());
        (0..3).for_each(|_| gate.leave());
        assert!(timeout(Duration::from_secs(1), gate.drained()).await.is_ok());
    }
}
