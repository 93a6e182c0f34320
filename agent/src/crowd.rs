//! All shoppers of a worker: who is there, and who is not let in.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

use crate::worker::Worker;

/// The most shoppers that a worker holds at once; arrivals beyond are not started, and counted.
const SHOPPERS_MAX: usize = 500_000;

/// Counts shoppers as they come and go.
#[derive(Default)]
pub(crate) struct Crowd {
    present: Cell<usize>,
    /// Told when the last one has left.
    empty: Notify,
}

/// A shopper's presence: over when dropped.
pub(crate) struct Present(Rc<Crowd>);

impl Drop for Present {
    fn drop(&mut self) {
        let present = self.0.present.get() - 1;
        self.0.present.set(present);
        if present == 0 {
            self.0.empty.notify_waiters();
        }
    }
}

impl Crowd {
    /// Lets a shopper in; `None` where the worker holds no more, which is counted.
    pub(crate) fn enter(self: &Rc<Self>, worker: &Worker) -> Option<Present> {
        if self.present.get() >= SHOPPERS_MAX {
            worker.tallies.borrow_mut().current().count("arrivals_not_started", 1);
            return None;
        }
        self.present.set(self.present.get() + 1);
        Some(Present(Rc::clone(self)))
    }

    /// Waits until everybody has left.
    pub(crate) async fn drain(&self) {
        while self.present.get() > 0 {
            self.empty.notified().await;
        }
    }
}
