//! The closed model: shoppers start their next iteration when the last one ended.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use doorbuster_model::pace::Shape;
use doorbuster_model::plan::{Connections, Cookies};

use crate::visit::{Crowd, Visited, Visitor, visit};
use crate::worker::Worker;

/// How often the number of shoppers is brought to what the pace says, while it changes.
const STEP_NS: u64 = 5_000_000;
/// How many shoppers come in before everything else gets a turn.
const BURST_MAX: usize = 64;
/// How long a shopper waits after an iteration that broke, first and at most: a target that refuses connections is
/// not to be hammered as fast as refusing goes.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Keeps this worker's share of shoppers walking until the load is over.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &mut Crowd) {
    let pace = &worker.job.plan.load.pace;
    let end_ns = pace.length_ns();
    let mut shoppers = Stays::default();
    // How many iterations each shopper has begun: one that leaves and comes back goes on, and repeats nothing.
    let mut iterations: Vec<Rc<Cell<u64>>> = Vec::new();
    let mut now_ns = 0;
    while now_ns < end_ns {
        let wanted = worker.segment.count_below(pace.shoppers_at(now_ns));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        shoppers.keep(wanted);
        while shoppers.0.len() < wanted {
            let Some(number) = worker.segment.nth(shoppers.0.len() as u64) else { break };
            if iterations.len() == shoppers.0.len() {
                iterations.push(Rc::default());
            }
            let iteration = Rc::clone(&iterations[shoppers.0.len()]);
            let stays = Rc::new(Cell::new(true));
            shoppers.0.push(Rc::clone(&stays));
            crowd.admit(live(Rc::clone(worker), number, iteration, stays));
            if shoppers.0.len().is_multiple_of(BURST_MAX) {
                tokio::task::yield_now().await;
            }
        }
        worker.clock.sleep_until_ns(next_change_ns(worker, now_ns)).await;
        now_ns = worker.clock.now_ns();
    }
}

/// Who stays for another iteration. When this is dropped (the load is over, or was stopped) nobody does.
#[derive(Default)]
struct Stays(Vec<Rc<Cell<bool>>>);

impl Stays {
    /// Lets all but the first `count` leave after their iteration.
    fn keep(&mut self, count: usize) {
        for retired in self.0.drain(count.min(self.0.len())..) {
            retired.set(false);
        }
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        self.keep(0);
    }
}

/// When the number of shoppers may next differ: soon on a ramp, otherwise at the end of the phase.
fn next_change_ns(worker: &Worker, now_ns: u64) -> u64 {
    let mut end_ns = 0;
    for phase in worker.job.plan.load.pace.phases() {
        end_ns += phase.length_ns;
        if now_ns < end_ns {
            return match phase.shape {
                Shape::Flat(_) => end_ns,
                Shape::Line(..) => (now_ns + STEP_NS).min(end_ns),
            };
        }
    }
    end_ns
}

/// One shopper's life: iteration after iteration as long as it `stays`.
///
/// Nothing says when a shopper of a closed model is to come, so its first iteration is intended when it begins.
async fn live(worker: Rc<Worker>, number: u64, iteration: Rc<Cell<u64>>, stays: Rc<Cell<bool>>) {
    let load = &worker.job.plan.load;
    let visitor = Visitor::new(&worker);
    let mut intended_ns = worker.clock.now_ns();
    let mut pause = PAUSE_MIN;
    while stays.get() {
        // Shoppers are limited to 10 million, so their number and iteration share 64 bits without touching.
        let index = (number << 40) | iteration.get();
        iteration.set(iteration.get() + 1);
        let visited = visit(&visitor, number, index, intended_ns).await;
        // An iteration that waited for nothing gives the others their turn all the same.
        tokio::task::yield_now().await;
        intended_ns = worker.clock.now_ns();
        if load.cookies == Cookies::PerIteration {
            visitor.forget_cookies();
        }
        if load.connections == Connections::PerIteration {
            visitor.pool.close_idle();
        }
        if visited == Visited::Broken {
            tokio::time::sleep(pause).await;
            intended_ns = worker.clock.now_ns();
            pause = (pause * 2).min(PAUSE_MAX);
        } else {
            pause = PAUSE_MIN;
        }
    }
}
