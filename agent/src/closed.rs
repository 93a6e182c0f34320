//! The closed model: shoppers start their next iteration when the last one ended.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use doorbuster_model::generation::iteration_index;
use doorbuster_model::plan::{Connections, Cookies};
use tokio::task::spawn_local;

use crate::crowd::{Crowd, Present};
use crate::visit::{Visited, Visitor, visit};
use crate::worker::Worker;

/// How often the number of shoppers is brought to what it is to be, while it changes.
const STEP_NS: u64 = 5_000_000;
/// How many shoppers come in before everything else gets a turn.
const BURST_MAX: usize = 64;
/// How long a shopper waits after an iteration that broke or sent nothing, first and at most: a target that refuses
/// connections is not to be hammered as fast as refusing goes, and nobody is to go in circles without a request.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Keeps this worker's share of shoppers walking until the agent's part of the load is over.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &Rc<Crowd>) {
    let end_ns = worker.job.ends_ns();
    let mut seats = Seats::default();
    let mut now_ns = worker.job.begins_ns();
    while now_ns < end_ns {
        let wanted = worker.segment.count_below(worker.job.shoppers_at(now_ns));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        seats.leave(wanted);
        while seats.taken < wanted {
            let Some(number) = worker.segment.nth(seats.taken as u64) else { break };
            let stay = seats.take();
            if let Some(present) = crowd.enter(worker) {
                spawn_local(live(Rc::clone(worker), number, stay, present));
            }
            if seats.taken.is_multiple_of(BURST_MAX) {
                tokio::task::yield_now().await;
            }
        }
        worker.clock.sleep_until_ns(worker.job.shoppers_change_ns(now_ns, STEP_NS).min(end_ns)).await;
        now_ns = worker.clock.now_ns();
    }
}

/// The shoppers' seats, of which the first so many are taken. When this is dropped (the load is over, or was
/// stopped) everybody leaves.
#[derive(Default)]
struct Seats {
    all: Vec<Rc<Seat>>,
    taken: usize,
}

/// A shopper's place in the crowd.
#[derive(Default)]
struct Seat {
    /// How many iterations were begun on it: who comes back goes on, and repeats nothing.
    iterations: Cell<u64>,
    /// How often it was given up; whoever took it before that is to leave.
    left: Cell<u32>,
}

/// A shopper's stay on a seat.
struct Stay {
    seat: Rc<Seat>,
    left: u32,
}

impl Stay {
    /// Whether there is to be another iteration.
    fn goes_on(&self) -> bool {
        self.seat.left.get() == self.left
    }

    /// The number of the next iteration.
    fn next(&self) -> u64 {
        self.seat.iterations.replace(self.seat.iterations.get() + 1)
    }
}

impl Seats {
    /// Takes the next seat.
    fn take(&mut self) -> Stay {
        if self.taken == self.all.len() {
            self.all.push(Rc::default());
        }
        let seat = Rc::clone(&self.all[self.taken]);
        self.taken += 1;
        Stay { left: seat.left.get(), seat }
    }

    /// Lets all but the first `count` leave after their iteration.
    fn leave(&mut self, count: usize) {
        while self.taken > count {
            self.taken -= 1;
            let left = &self.all[self.taken].left;
            left.set(left.get().wrapping_add(1));
        }
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        self.leave(0);
    }
}

/// One shopper's life: iteration after iteration as long as its `stay` goes on.
///
/// Nothing says when a shopper of a closed model is to come, so its first iteration is intended when it begins.
async fn live(worker: Rc<Worker>, number: u64, stay: Stay, _present: Present) {
    let load = &worker.job.plan.load;
    let visitor = Visitor::new(&worker, number);
    let mut now_ns = worker.clock.now_ns();
    let mut pause = PAUSE_MIN;
    while stay.goes_on() {
        let index = iteration_index(number, worker.job.generation(), stay.next());
        let (visited, ended_ns) = visit(&visitor, index, now_ns, now_ns).await;
        if load.cookies == Cookies::PerIteration {
            visitor.forget();
        }
        if load.connections == Connections::PerIteration {
            visitor.pool().close_idle();
        }
        match visited {
            Visited::Gone => return,
            Visited::Broken | Visited::Unsent => {
                // This also gives the others their turn: every other visit has waited for an answer.
                tokio::time::sleep(pause).await;
                now_ns = worker.clock.now_ns();
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Visited::Completed | Visited::Failed => {
                now_ns = ended_ns;
                pause = PAUSE_MIN;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seats;

    #[test]
    fn who_was_to_leave_leaves_though_the_seat_is_taken_again() {
        let mut seats = Seats::default();
        let first: Vec<_> = (0..3).map(|_| seats.take()).collect();
        assert_eq!([first[1].next(), first[1].next()], [0, 1]);
        seats.leave(1);
        assert_eq!(first.iter().map(super::Stay::goes_on).collect::<Vec<_>>(), [true, false, false]);
        let second = seats.take();
        assert!(second.goes_on() && !first[1].goes_on());
        assert_eq!(second.next(), 2, "a seat's iterations go on");
        drop(seats);
        assert!(!second.goes_on() && !first[0].goes_on());
    }
}
