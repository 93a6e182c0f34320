//! The open model: journeys start when the schedule says so, whatever the target does.

use std::rc::Rc;

use doorbuster_model::spacing::{Schedule, Spacing};

use crate::visit::{Crowd, Visitor, visit};
use crate::worker::Worker;

/// How many arrivals start before everything else gets a turn, when many are due at once.
const BURST_MAX: u32 = 64;

/// Starts every arrival of this worker's share at its time; returns after the last.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &mut Crowd, spacing: Spacing) {
    let plan = &worker.job.plan;
    let mut schedule = Schedule::new(plan.load.pace.clone(), spacing, plan.seed);
    let mut burst = 0;
    for ordinal in 0.. {
        let Some(index) = worker.segment.nth(ordinal) else { return };
        let Some(due_ns) = schedule.arrival_ns(index) else { return };
        if due_ns > worker.clock.now_ns() {
            worker.clock.sleep_until_ns(due_ns).await;
            burst = 0;
        } else if burst >= BURST_MAX {
            tokio::task::yield_now().await;
            burst = 0;
        }
        burst += 1;
        let worker = Rc::clone(worker);
        crowd.admit(async move {
            let visitor = Visitor::new(&worker);
            visit(&visitor, index, index, due_ns).await;
        });
    }
}
