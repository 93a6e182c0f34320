//! One worker: a thread with a runtime, shoppers, connections and a tally of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use doorbuster_model::Segment;
use doorbuster_model::plan::{Connections, Model};
use doorbuster_model::sample::ConnectTimes;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, watch};
use tokio::task::LocalSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::client::body::Sampling;
use crate::client::{ConnectError, Connection, Connector, Limits, Origin, Pool};
use crate::clock::Clock;
use crate::job::{Job, nanoseconds};
use crate::tallies::{Tallies, WorkerTick};
use crate::visit::Crowd;
use crate::{Error, closed, open};

/// How long journeys may go on after a stop was asked for.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// An exchange that waited so long, and at least as long as the plan's grace, when the grace is over, was not cut
/// off too early: it is a timeout.
const PATIENCE_MIN: Duration = Duration::from_secs(1);
/// Descriptors that are left for everything that is no connection.
const DESCRIPTORS_SPARE: u32 = 64;

/// What the session tells its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Carry on.
    Go,
    /// Start nothing any more, and end soon.
    Stop,
}

/// What one worker is to do.
pub(crate) struct Duty {
    /// Its number.
    pub number: usize,
    /// How many workers the agent has.
    pub workers: usize,
    /// Its share of the agent's share.
    pub segment: Segment,
    /// The most descriptors of the process.
    pub descriptors_max: u32,
    /// When second 0 begins.
    pub start: Instant,
    /// Where its seconds go.
    pub ticks: UnboundedSender<WorkerTick>,
    /// What the session says.
    pub orders: watch::Receiver<Order>,
}

/// What everything on a worker's thread uses.
pub(crate) struct Worker {
    /// What all workers share.
    pub job: Arc<Job>,
    /// This worker's share.
    pub segment: Segment,
    /// The run's clock.
    pub clock: Clock,
    /// The running tally.
    pub tallies: RefCell<Tallies>,
    /// How connections are opened.
    pub connector: Connector,
    /// The pool of all arrivals, where the plan shares connections.
    pub shared: Option<Rc<Pool>>,
    /// Which bodies are decoded that nobody wants.
    pub sampling: RefCell<Sampling>,
    /// How long an exchange must have waited to be a timeout, not merely cut, when everybody is sent away; `None`
    /// while nobody is, and when a stop was asked for.
    pub patience: Cell<Option<Duration>>,
    places: Arc<Semaphore>,
}

/// The right to one open connection of this process.
pub(crate) type Place = tokio::sync::OwnedSemaphorePermit;

/// Counts a connection as long as it lives, and keeps its place.
struct OpenConnection {
    worker: Rc<Worker>,
    _place: Place,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.worker.tallies.borrow_mut().connections -= 1;
    }
}

impl Worker {
    /// A place for a connection, if this process may open one more now; otherwise that is counted.
    pub(crate) fn try_place(&self) -> Option<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        if place.is_none() {
            self.tallies.borrow_mut().current().count("connections_waited_for", 1);
        }
        place
    }

    /// A place for a connection, once this process may open one more.
    pub(crate) async fn place(&self) -> Place {
        match Arc::clone(&self.places).acquire_owned().await {
            Ok(place) => place,
            // A semaphore fails only once it is closed, and nobody closes this one.
            Err(_) => std::future::pending().await,
        }
    }

    /// Opens a connection in its place.
    pub(crate) async fn connect(
        self: &Rc<Self>,
        origin: &Origin,
        place: Place,
    ) -> Result<(Connection, ConnectTimes), ConnectError> {
        self.tallies.borrow_mut().connections += 1;
        let kept = OpenConnection { worker: Rc::clone(self), _place: place };
        let result = self.connector.connect(origin, kept).await;
        if matches!(&result, Err(error) if error.own_fault) {
            self.tallies.borrow_mut().current().count("connections_refused_by_this_machine", 1);
        }
        result
    }

    /// The pool of a new shopper.
    pub(crate) fn pool(&self) -> Rc<Pool> {
        self.shared.clone().unwrap_or_else(|| Rc::new(Pool::new(crate::client::BROWSER)))
    }
}

/// Runs a worker on this thread until its load is over and its journeys have ended or were cut.
pub(crate) fn run(job: Arc<Job>, duty: Duty) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting a worker's runtime", source })?;
    let Duty { number, workers, segment, descriptors_max, start, ticks, orders } = duty;
    let places = share(descriptors_max.saturating_sub(DESCRIPTORS_SPARE) as usize, workers, number).max(1);
    let worker = Rc::new(Worker {
        connector: Connector::new(&job),
        segment,
        clock: Clock::new(start),
        tallies: RefCell::new(Tallies::new(number, ticks)),
        shared: shared_pool(&job, workers, number).map(|limits| Rc::new(Pool::new(limits))),
        sampling: RefCell::default(),
        patience: Cell::new(None),
        places: Arc::new(Semaphore::new(places)),
        job,
    });
    LocalSet::new().block_on(&runtime, live(Rc::clone(&worker), orders));
    worker.tallies.borrow_mut().finish();
    Ok(())
}

/// `total` dealt out to `parts`: the share of `part`.
fn share(total: usize, parts: usize, part: usize) -> usize {
    total / parts.max(1) + usize::from(part < total % parts.max(1))
}

/// The limits of this worker's share of a shared pool.
fn shared_pool(job: &Job, workers: usize, number: usize) -> Option<Limits> {
    let load = &job.plan.load;
    if load.connections != Connections::Shared {
        return None;
    }
    let bound = load.max_connections.map_or(usize::MAX, |most| share(most as usize, workers, number));
    Some(Limits {
        connections: bound,
        http2_connections: bound,
        unknown_connections: bound,
        streams: load.streams,
    })
}

/// The worker's life: load, then draining, with the seconds handed over as they pass.
async fn live(worker: Rc<Worker>, mut orders: watch::Receiver<Order>) {
    worker.clock.sleep_until_ns(0).await;
    let mut crowd = Crowd::new(Rc::clone(&worker));
    let body = async {
        let stopped = tokio::select! {
            () = load(&worker, &mut crowd) => false,
            () = stop(&mut orders) => true,
        };
        let grace = if stopped { STOP_GRACE } else { until_end(&worker) };
        let drained = tokio::select! {
            drained = timeout(grace, crowd.drain()) => drained.is_ok(),
            // A stop during the draining shortens it.
            () = async { stop(&mut orders).await; tokio::time::sleep(STOP_GRACE).await }, if !stopped => false,
        };
        if !drained {
            let asked = stopped || *orders.borrow() == Order::Stop;
            let graceful = worker.job.plan.graceful.max(PATIENCE_MIN);
            worker.patience.set((!asked).then_some(graceful));
            crowd.cut().await;
        }
    };
    tokio::select! {
        () = body => {}
        () = tick(&worker) => {}
    }
}

/// How long journeys may still go on: until the load's end plus the plan's grace.
fn until_end(worker: &Worker) -> Duration {
    let plan = &worker.job.plan;
    let end_ns = plan.load.pace.length_ns().saturating_add(nanoseconds(plan.graceful));
    Duration::from_nanos(end_ns.saturating_sub(worker.clock.now_ns()))
}

async fn load(worker: &Rc<Worker>, crowd: &mut Crowd) {
    match worker.job.plan.load.model {
        Model::Open(spacing) => open::run(worker, crowd, spacing).await,
        Model::Closed => closed::run(worker, crowd).await,
    }
}

/// Returns once a stop was ordered, or the session has gone.
async fn stop(orders: &mut watch::Receiver<Order>) {
    let _ = orders.wait_for(|order| *order == Order::Stop).await;
}

/// Hands each second over as it passes, also when nothing happens in it.
async fn tick(worker: &Worker) {
    let mut seconds = interval_at(worker.clock.at(1_000_000_000), Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        worker.tallies.borrow_mut().at(worker.clock.now_ns());
    }
}
