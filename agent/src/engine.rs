//! What generates the load: Doorbuster's own engine, or one that somebody brings (`goose/` does).
//!
//! Whichever it is, the session around it is the same: the assignment and its checks, the lease, the agreed start, a
//! report a second, the stop.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::Error;
use crate::epoch::Epoch;
use crate::job::Job;
use crate::tallies::{Tallies, WorkerTick};
use crate::worker::{self, Duty};

/// How long journeys may go on after a stop was asked for.
pub const STOP_GRACE: Duration = Duration::from_secs(2);

/// Generates the load of one assignment.
pub trait Engine {
    /// Makes ready for `job`, in a process that may open `descriptors_max` descriptors. Whatever takes time is done
    /// here, because second 0 comes soon after; nothing is sent yet. The coordinator waits 10 s for it.
    ///
    /// # Errors
    /// Why the job cannot be carried out.
    fn prepare(&mut self, job: &Arc<Job>, descriptors_max: u32) -> Result<(), Error>;

    /// Begins, on threads that [`Start::spawn`] runs: each reports through the [`Start::tallies`] of its number, from
    /// 0. Returns how many there are.
    ///
    /// # Errors
    /// When a thread cannot be started.
    fn start(&mut self, job: &Arc<Job>, start: &Start) -> Result<usize, Error>;
}

/// What the session tells its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Carry on.
    Go,
    /// Start nothing any more, and end soon.
    Stop,
}

/// The agreed start, and everything that connects an engine's threads with the session.
#[derive(Debug)]
pub struct Start {
    pub(crate) epoch: Epoch,
    /// When second 0 is on this machine's wall clock, in nanoseconds since 1970.
    pub(crate) at_unix_ns: u64,
    /// The first second that is reported.
    pub(crate) first_second: u32,
    pub(crate) descriptors_max: u32,
    pub(crate) ticks: UnboundedSender<WorkerTick>,
    pub(crate) orders: watch::Receiver<Order>,
    pub(crate) failures: UnboundedSender<Error>,
}

impl Start {
    /// When second 0 is: to come, or long past where the job is a later part of a run. [`Job::begins_ns`] says from when on
    /// anything may be sent.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The running tally of the thread of that number.
    pub fn tallies(&self, number: usize) -> Tallies {
        Tallies::new(number, self.first_second, self.ticks.clone())
    }

    /// What tells that a stop was asked for.
    pub fn stop(&self) -> Stop {
        Stop(self.orders.clone())
    }

    /// Runs `work` on a thread of its own. When it fails, the agent does.
    ///
    /// # Errors
    /// [`Error::System`] when there is no thread to be had.
    pub fn spawn(
        &self,
        name: String,
        work: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let failures = self.failures.clone();
        let thread = thread::Builder::new().name(name).spawn(move || {
            if let Err(error) = work() {
                // Nobody listens any more only where the agent is ending anyway.
                let _ = failures.send(error);
            }
        });
        thread.map(drop).map_err(|source| Error::System { what: "starting a worker's thread", source })
    }
}

/// Tells that a stop was asked for.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Order>);

impl Stop {
    /// Whether it was.
    pub fn is_ordered(&self) -> bool {
        *self.0.borrow() == Order::Stop
    }

    /// Returns once it was, or the session has gone.
    pub async fn ordered(&mut self) {
        let _ = self.0.wait_for(|order| *order == Order::Stop).await;
    }
}

/// Doorbuster's own engine: a thread per worker, each with its share of the agent's share.
#[derive(Debug)]
pub(crate) struct Own;

impl Engine for Own {
    fn prepare(&mut self, _: &Arc<Job>, _: u32) -> Result<(), Error> {
        Ok(())
    }

    fn start(&mut self, job: &Arc<Job>, start: &Start) -> Result<usize, Error> {
        let workers = job.workers();
        let shares = job.segment.split(u32::try_from(workers).unwrap_or(1));
        for (number, segment) in shares.into_iter().enumerate() {
            let duty = Duty {
                number,
                workers,
                segment,
                descriptors_max: start.descriptors_max,
                epoch: start.epoch,
                start_unix_ns: start.at_unix_ns,
                tallies: start.tallies(number),
                stop: start.stop(),
            };
            let job = Arc::clone(job);
            start.spawn(format!("worker-{number}"), move || worker::run(job, duty))?;
        }
        Ok(workers)
    }
}
