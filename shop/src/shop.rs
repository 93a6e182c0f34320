//! Starting and stopping: one thread, one single-threaded runtime, all listeners.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::admin::{self, Desk};
use crate::counts::Counts;
use crate::edge::{RegionalEdge, Watch};
use crate::error::Error;
use crate::fault::{Fault, Faults};
use crate::listener::{self, Doors};
use crate::log::{AccessLog, FLUSH_EVERY};
use crate::options::Options;
use crate::origin::{Origin, OriginService};

/// Where a region is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The region's name.
    pub region: String,
    /// Where it listens, the port filled in.
    pub address: SocketAddr,
}

/// A running shop. Dropping it stops it.
#[derive(Debug)]
pub struct Shop {
    watch: Watch,
    addresses: Addresses,
    // Both are taken when it stops.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What was bound.
#[derive(Clone, Debug)]
struct Addresses {
    edges: Arc<[Edge]>,
    admin: SocketAddr,
}

/// What the shop's thread needs.
struct Opening {
    options: Options,
    watch: Watch,
    origin: Arc<Origin>,
}

impl Shop {
    /// Starts the shop on a thread of its own and returns once all listeners are bound.
    ///
    /// # Errors
    /// Options that contradict themselves, a port that is taken, a log that cannot be created, a thread
    /// that cannot be started.
    pub fn start(options: Options) -> Result<Shop, Error> {
        options.check()?;
        let region_names = || options.regions.iter().map(|region| region.name.clone());
        let faults = Arc::new(Faults::new(region_names()));
        let now = Instant::now();
        options.faults.iter().for_each(|fault| faults.switch_on(fault.clone(), now));
        let counts = Arc::new(Counts::new(region_names()));
        let log = options.access_log.as_deref().map(AccessLog::create).transpose()?.map(Arc::new);
        let origin = Arc::new(Origin::new(&options, Arc::clone(&faults))?);
        let watch = Watch { faults, counts, log };

        let (bound, is_bound) = mpsc::sync_channel(1);
        let (stop, is_stopped) = oneshot::channel();
        let opening = Opening { options, watch: watch.clone(), origin };
        let thread = thread::Builder::new().name("doorbuster-shop".to_owned());
        let thread = thread
            .spawn(move || opening.run(&bound, is_stopped))
            .map_err(|source| Error::Thread { source })?;
        // Without a word from the thread it ended by a panic, which it has reported itself.
        let lost = || Error::Thread { source: std::io::Error::other("it ended before it listened") };
        let addresses = is_bound.recv().map_err(|_| lost())??;
        Ok(Shop { watch, addresses, stop: Some(stop), thread: Some(thread) })
    }

    /// Where each region is served, in the order of the options.
    pub fn edges(&self) -> &[Edge] {
        &self.addresses.edges
    }

    /// Where the admin endpoint is served.
    pub fn admin(&self) -> SocketAddr {
        self.addresses.admin
    }

    /// Region → `METHOD path status` → answers: every answer that the edges sent, exactly. The path is
    /// without its query. A request whose viewer left before the answer has the status `000`; beyond
    /// 20,000 distinct keys per region, and for paths over 500 bytes, answers are counted under `(other)`.
    pub fn counts(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.watch.counts.snapshot()
    }

    /// Switches a fault on, now. One of the same kind for the same place is replaced; one for a region
    /// that the shop does not serve changes nothing.
    pub fn set_fault(&self, fault: Fault) {
        self.watch.faults.switch_on(fault, Instant::now());
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.watch.faults.clear();
    }

    /// Closes all listeners and connections and writes out the log; takes well under a second.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens any more only where the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened; there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

impl Opening {
    /// The life of the shop's thread.
    fn run(self, bound: &mpsc::SyncSender<Result<Addresses, Error>>, is_stopped: oneshot::Receiver<()>) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(source) => {
                let _ = bound.send(Err(Error::Thread { source }));
                return;
            }
        };
        runtime.block_on(async move {
            let log = self.watch.log.clone();
            let opened = self.open();
            let is_open = opened.is_ok();
            // Whoever started the shop waits for this word; if it is gone, so is the sender of `stop`.
            let _ = bound.send(opened);
            if is_open {
                let _ = is_stopped.await;
            }
            if let Some(log) = log {
                log.flush();
            }
        });
        // Dropping the runtime drops every connection.
    }

    /// Binds everything, then starts to accept.
    fn open(self) -> Result<Addresses, Error> {
        let Opening { options, watch, origin } = self;
        let mut edges = Vec::new();
        let mut listeners = Vec::new();
        for region in &options.regions {
            let (listener, address) = bind(region.listen, &region.name)?;
            edges.push(Edge { region: region.name.clone(), address });
            listeners.push(listener);
        }
        let (admin_listener, admin) = bind(options.admin, "admin")?;
        let addresses = Addresses { edges: edges.into(), admin };

        let doors = Arc::new(Doors::default());
        let service = OriginService::new(Arc::clone(&origin));
        for (index, (listener, region)) in listeners.into_iter().zip(&options.regions).enumerate() {
            let edge = RegionalEdge::new(index, region, options.seed, service.clone(), watch.clone());
            let edge = Arc::new(edge);
            let answer = move |request| Arc::clone(&edge).serve(request);
            tokio::spawn(listener::accept(listener, Arc::clone(&doors), answer));
        }
        if let Some(log) = watch.log.clone() {
            tokio::spawn(write_out(log));
        }
        let desk = Desk { watch, origin, doors: Arc::clone(&doors), edges: Arc::clone(&addresses.edges) };
        let router = admin::router(desk);
        let answer = move |request: Request<Incoming>| {
            let router = router.clone();
            async move {
                let Ok(answer) = router.oneshot(request.map(Body::new)).await;
                answer
            }
        };
        tokio::spawn(listener::accept(admin_listener, doors, answer));
        Ok(addresses)
    }
}

fn bind(address: SocketAddr, purpose: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { purpose: purpose.to_owned(), address, source };
    let listener = listener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn write_out(log: Arc<AccessLog>) {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    loop {
        ticks.tick().await;
        log.flush();
    }
}
