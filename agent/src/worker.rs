//! One worker: a thread with a runtime, shoppers, connections and a tally of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use doorbuster_journeys::{Journey, Run};
use doorbuster_model::Segment;
use doorbuster_model::cdn::Marks;
use doorbuster_model::plan::{Connections, Model};
use doorbuster_model::sample::ConnectTimes;
use http::HeaderMap;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use crate::address::Addresses;
use crate::answering::Types;
use crate::cache::Heads;
use crate::client::body::Sampling;
use crate::client::http1::Scratch;
use crate::client::{ConnectError, Connection, Connector, Limits, Origin, Pool};
use crate::clock::Clock;
use crate::contract::Contract;
use crate::cookies::Scopes;
use crate::crowd::Crowd;
use crate::engine::{STOP_GRACE, Stop};
use crate::epoch::Epoch;
use crate::job::Job;
use crate::page::Styles;
use crate::probe::Records;
use crate::tallies::Tallies;
use crate::turns::Turns;
use crate::{Error, audit, closed, open, probe, trace};

const SECOND_NS: u64 = 1_000_000_000;
/// Descriptors that are left for everything that is no connection.
const DESCRIPTORS_SPARE: u32 = 64;

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
    /// When second 0 is.
    pub epoch: Epoch,
    /// The same on this machine's wall clock, in nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Its running tally.
    pub tallies: Tallies,
    /// What tells that a stop was asked for.
    pub stop: Stop,
}

/// What everything on a worker's thread uses.
pub(crate) struct Worker {
    /// What all workers share.
    pub job: Arc<Job>,
    /// The plan's journeys, in its order, and the run: this worker's own copies, since threads that count the same
    /// references slow each other down.
    pub journeys: Vec<Arc<Journey>>,
    /// The run's id, and what the markers of its shoppers begin with.
    pub run: Arc<Run>,
    /// Where steps go.
    pub addresses: Addresses,
    /// Where its shoppers' cookies go.
    pub scopes: Scopes,
    /// This worker's share.
    pub segment: Segment,
    /// The run's clock.
    pub clock: Clock,
    /// When its second 0 began, in nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// The running tally.
    pub tallies: RefCell<Tallies>,
    /// How connections are opened.
    pub connector: Connector,
    /// The pool of all arrivals, where the plan shares connections.
    pub shared: Option<Pool>,
    /// Where connections read.
    pub scratch: Scratch,
    /// The headers of an answer of which nobody wants them.
    pub no_headers: HeaderMap,
    /// Where requests are written before they are sent.
    pub out: RefCell<Vec<u8>>,
    /// What style sheets name.
    pub styles: RefCell<Styles>,
    /// What its shoppers' caches share.
    pub heads: RefCell<Heads>,
    /// What content types mean.
    pub types: RefCell<Types>,
    /// Which bodies are decoded that nobody wants.
    pub sampling: RefCell<Sampling>,
    /// The turns in which it sends, to a stranger.
    pub turns: Option<Turns>,
    /// What answers are held to.
    pub contract: RefCell<Contract>,
    /// What the walks of a probe have come to so far.
    pub records: Records,
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

    /// Whether this process may open one more connection now.
    pub(crate) fn has_place(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// A place for a connection, once this process may open one more.
    pub(crate) async fn place(&self) -> Place {
        match Arc::clone(&self.places).acquire_owned().await {
            Ok(place) => place,
            // A semaphore fails only once it is closed, and nobody closes this one.
            Err(_) => std::future::pending().await,
        }
    }

    /// When somebody may send who is ready to at `ready_ns`: then, and to a stranger once it is his turn.
    pub(crate) async fn turn_ns(&self, ready_ns: u64) -> u64 {
        match &self.turns {
            // Boxed: hardly any target is a stranger.
            Some(turns) => {
                let turn_ns = turns.next_ns(ready_ns);
                Box::pin(self.clock.sleep_until_ns(turn_ns)).await;
                turn_ns
            }
            None => ready_ns,
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
        let result = self.connector.connect(origin, Box::new(kept)).await;
        if matches!(&result, Err(error) if error.own_fault) {
            self.tallies.borrow_mut().current().count("connections_refused_by_this_machine", 1);
        }
        result
    }
}

/// Runs a worker on this thread until its load is over and its journeys have ended or were cut.
pub(crate) fn run(job: Arc<Job>, duty: Duty) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "starting a worker's runtime", source })?;
    let entered = runtime.enter();
    let Duty { number, workers, segment, descriptors_max, epoch, start_unix_ns, tallies, stop } = duty;
    let places = share(descriptors_max.saturating_sub(DESCRIPTORS_SPARE) as usize, workers, number).max(1);
    let clock = Clock::new(epoch);
    let marks = Marks::of(&job.run);
    let worker = Rc::new(Worker {
        connector: Connector::new(&job),
        journeys: job.journeys.iter().map(|journey| Arc::new(Journey::clone(journey))).collect(),
        run: Arc::new(Run { id: Box::from(&*job.run), mark: Box::from(marks.prefix()) }),
        addresses: Addresses::new(&job),
        scopes: Scopes::default(),
        segment,
        clock: clock.map_err(|source| Error::System { what: "setting up a worker's timer", source })?,
        start_unix_ns,
        tallies: RefCell::new(tallies),
        shared: shared_pool(&job, workers, number).map(Pool::new),
        scratch: Scratch::default(),
        no_headers: HeaderMap::new(),
        out: RefCell::default(),
        styles: RefCell::default(),
        heads: RefCell::default(),
        types: RefCell::default(),
        sampling: RefCell::default(),
        turns: job.turns(),
        contract: RefCell::new(Contract::new(&job, marks)),
        records: Records::default(),
        patience: Cell::new(None),
        places: Arc::new(Semaphore::new(places)),
        job,
    });
    drop(entered);
    if worker.contract.borrow().marks().is_some() {
        // A run in which nothing could be planted is to say so.
        worker.tallies.borrow_mut().current().count("markers_planted", 0);
    }
    runtime.block_on(live(Rc::clone(&worker), stop));
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
async fn live(worker: Rc<Worker>, stop: Stop) {
    let shoppers = LocalSet::new();
    let patience = shoppers.run_until(async {
        tokio::select! {
            patience = walk(&worker, stop) => patience,
            () = tick(&worker) => None,
            () = worker.clock.ring() => None,
        }
    });
    let patience = patience.await;
    // Whoever is still there is sent away: what they were doing is counted as cut.
    worker.patience.set(patience);
    drop(shoppers);
    // Resting connections hold this worker, which holds them: taken apart here.
    if let Some(pool) = &worker.shared {
        pool.close_idle();
    }
}

/// Load, then draining. Returns how long an exchange that is still under way must have waited to be a timeout.
async fn walk(worker: &Rc<Worker>, mut stop: Stop) -> Option<Duration> {
    let crowd = Rc::new(Crowd::default());
    let stopped = tokio::select! {
        () = load(worker, &crowd) => false,
        () = stop.ordered() => true,
    };
    let grace = if stopped { STOP_GRACE } else { until_end(worker) };
    tokio::select! {
        _ = timeout(grace, crowd.drain()) => {}
        // A stop during the draining shortens it.
        () = async { stop.ordered().await; tokio::time::sleep(STOP_GRACE).await }, if !stopped => {}
    }
    let asked = stopped || stop.is_ordered();
    (!asked).then(|| worker.job.patience())
}

/// How long journeys may still go on.
fn until_end(worker: &Worker) -> Duration {
    Duration::from_nanos(worker.job.cut_ns().saturating_sub(worker.clock.now_ns()))
}

async fn load(worker: &Rc<Worker>, crowd: &Rc<Crowd>) {
    // A later part of a run is made ready before it begins; a stop is heard meanwhile, too.
    worker.clock.sleep_until_ns(worker.job.begins_ns()).await;
    if worker.job.traces > 0 {
        return trace::run(worker, crowd).await;
    }
    if worker.job.audit.is_some() {
        return audit::run(worker, crowd).await;
    }
    if worker.job.probe.is_some() {
        return probe::run(worker, crowd).await;
    }
    match worker.job.plan.load.model {
        Model::Open(spacing) => open::run(worker, crowd, spacing).await,
        Model::Closed => closed::run(worker, crowd).await,
    }
}

/// Hands each second over as it passes, also when nothing happens in it.
async fn tick(worker: &Worker) {
    let from_ns = worker.clock.now_ns().max(worker.job.begins_ns());
    let next_ns = (from_ns / SECOND_NS + 1).saturating_mul(SECOND_NS);
    let mut seconds = interval_at(worker.clock.at(next_ns), Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        if let Some(pool) = &worker.shared {
            pool.close_closed();
        }
        worker.tallies.borrow_mut().at(worker.clock.now_ns());
    }
}
