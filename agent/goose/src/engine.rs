//! Goose as an engine of Doorbuster's agent.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use doorbuster_agent::{Engine, Error, Job, Start};
use goose::GooseError;
use goose::goose::Scenario;
use tokio::sync::oneshot;

use crate::allocation::{Allocation, allocate};
use crate::call::watched;
use crate::check::check;
use crate::life::{Go, live};
use crate::users::Users;

/// How long Goose may take to launch its users: a second less than the coordinator waits, so that it is told why.
const READY_WITHIN: Duration = Duration::from_secs(9);

/// Goose with a team's scenarios.
pub(crate) struct Goose {
    scenarios: Vec<Scenario>,
    /// What was made ready, until it is let go.
    ready: Option<Ready>,
}

/// Goose's thread, whose users wait.
struct Ready {
    thread: JoinHandle<Result<(), Error>>,
    go: oneshot::Sender<Go>,
}

impl Goose {
    /// An engine that has not begun.
    pub(crate) fn new(scenarios: Vec<Scenario>) -> Self {
        Self { scenarios, ready: None }
    }
}

impl Engine for Goose {
    fn prepare(&mut self, job: &Arc<Job>, descriptors_max: u32) -> Result<(), Error> {
        check(job)?;
        quieten();
        let Allocation { journeys, scenarios, ordinals, shoppers } =
            allocate(job, &self.scenarios, descriptors_max)?;
        let users = Arc::new(Users::new(Arc::clone(job), journeys, ordinals));
        let scenarios: Vec<Scenario> = (scenarios.into_iter().enumerate())
            .filter(|(_, scenario)| scenario.weight > 0)
            .map(|(journey, scenario)| watched(scenario, journey, &users))
            .collect();
        let (is_ready, ready) = sync_channel(1);
        let (go, gone) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("goose".to_owned())
            .spawn(move || live(&users, scenarios, shoppers, &is_ready, gone))
            .map_err(|source| Error::System { what: "starting Goose's thread", source })?;
        match ready.recv_timeout(READY_WITHIN) {
            Ok(()) => {
                self.ready = Some(Ready { thread, go });
                Ok(())
            }
            Err(RecvTimeoutError::Disconnected) => ended(thread),
            Err(RecvTimeoutError::Timeout) => Err(Error::Assignment(format!(
                "Goose did not launch its users within {READY_WITHIN:?}: give the region more agents or machines"
            ))),
        }
    }

    fn start(&mut self, _: &Arc<Job>, start: &Start) -> Result<usize, Error> {
        let unready = || Error::Assignment("Goose was not made ready".to_owned());
        let Ready { thread, go } = self.ready.take().ok_or_else(unready)?;
        // Whoever no longer waits for it has ended, which is told below.
        let _ = go.send(Go { epoch: start.epoch(), tallies: start.tallies(0), stop: start.stop() });
        start.spawn("goose-end".to_owned(), move || ended(thread))?;
        Ok(1)
    }
}

/// How Goose's thread ended.
fn ended(thread: JoinHandle<Result<(), Error>>) -> Result<(), Error> {
    let panicked = || Err(Error::Assignment("Goose panicked (its message stands above)".to_owned()));
    thread.join().unwrap_or_else(|_| panicked())
}

/// An error of Goose's as one of the agent's.
pub(crate) fn failure(what: &str, error: &GooseError) -> Error {
    Error::Assignment(format!("{what}: {error}"))
}

/// Takes Goose's log, a line for every failed request among it, unless `main` has set a logger of its own.
fn quieten() {
    struct Nobody;
    impl log::Log for Nobody {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    static NOBODY: Nobody = Nobody;
    let _ = log::set_logger(&NOBODY);
}
