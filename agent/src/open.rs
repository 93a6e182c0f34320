//! The open model: journeys start when the schedule says so, whatever the target does.

use std::rc::Rc;

use doorbuster_model::spacing::{Schedule, Spacing};
use tokio::task::spawn_local;

use crate::crowd::{Crowd, Present};
use crate::visit::{Visitor, visit};
use crate::worker::Worker;

/// How many arrivals start before everything else gets a turn, when many are due at once.
const BURST_MAX: u32 = 64;

/// Starts every arrival of this worker's share that is due in the agent's part of the run, at its time; returns after the
/// last. Arrivals are those of the whole run, by the same indices and at the same times, whatever part it is.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &Rc<Crowd>, spacing: Spacing) {
    let plan = &worker.job.plan;
    let mut schedule = Schedule::new(plan.load.pace.clone(), spacing, plan.seed);
    let first = worker.segment.count_below(schedule.arrivals_before(worker.job.begins_ns()));
    let ends_ns = worker.job.ends_ns();
    let mut burst = 0;
    let mut now_ns = 0;
    for ordinal in first.. {
        let Some(index) = worker.segment.nth(ordinal) else { return };
        let Some(due_ns) = schedule.arrival_ns(index).filter(|due_ns| *due_ns < ends_ns) else { return };
        if due_ns > now_ns {
            now_ns = worker.clock.now_ns();
        }
        if due_ns > now_ns {
            worker.clock.sleep_until_ns(due_ns).await;
            burst = 0;
        } else if burst >= BURST_MAX {
            tokio::task::yield_now().await;
            burst = 0;
        }
        burst += 1;
        if let Some(present) = crowd.enter(worker) {
            spawn_local(arrive(Rc::clone(worker), index, due_ns, present));
        }
    }
}

/// One arrival's visit.
async fn arrive(worker: Rc<Worker>, index: u64, due_ns: u64, _present: Present) {
    let visitor = Visitor::new(&worker, index);
    let now_ns = worker.clock.now_ns();
    visit(&visitor, index, due_ns, now_ns).await;
}
