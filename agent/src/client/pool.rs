//! The connections of a shopper, or of all arrivals of a worker.
//!
//! An exchange takes a free connection, or opens one where the limits leave a slot, or waits. Whoever waits longest
//! is handed what becomes free next: nobody overtakes, so that a queue's latencies are those of a queue.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;

use doorbuster_model::sample::ConnectTimes;
use tokio::sync::oneshot;

use super::{ConnectError, Connection};
use crate::worker::{Place, Worker};

/// Where requests go: what two URLs must share to share connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// The host, in brackets when it is a v6 address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// The origin of an http or https URL.
    pub(crate) fn of(url: &url::Url) -> Self {
        let secure = url.scheme() == "https";
        let port = url.port().unwrap_or(if secure { 443 } else { 80 });
        Self { secure, host: url.host_str().unwrap_or("").to_owned(), port }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// How many connections a pool opens to one origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// HTTP/1.1: connections, and so exchanges at a time.
    pub connections: usize,
    /// HTTP/2: connections.
    pub http2_connections: usize,
    /// Connections while nobody knows yet what the origin speaks.
    pub unknown_connections: usize,
    /// HTTP/2: exchanges at a time on one connection.
    pub streams: u32,
}

/// What a browser opens: at most 6 connections to a host on HTTP/1.1, one on HTTP/2, and one to find out which.
const BROWSER: Limits = Limits { connections: 6, http2_connections: 1, unknown_connections: 1, streams: 100 };

/// Connections that are kept for the next exchange.
pub(crate) struct Pool {
    /// Those of a browser where there are no others.
    limits: Option<Box<Limits>>,
    homes: RefCell<Vec<Rc<Home>>>,
}

/// The connections to one origin.
struct Home {
    origin: Origin,
    limits: Limits,
    /// Which version the origin speaks, once a connection told.
    http2: Cell<Option<bool>>,
    /// Connections open or being opened.
    open: Cell<usize>,
    /// HTTP/1.1 connections that wait for an exchange; the last used is taken first.
    idle: RefCell<Vec<Kept>>,
    /// HTTP/2 connections, with the exchanges on each.
    shared: RefCell<Vec<(Kept, Rc<Cell<u32>>)>>,
    /// Exchanges that wait, the longest first. While somebody waits, nothing is free.
    waiting: RefCell<VecDeque<oneshot::Sender<Grant>>>,
}

/// A connection and its slot among the origin's.
struct Kept {
    connection: Connection,
    slot: Slot,
}

impl Drop for Pool {
    /// Kept connections hold their slots, and slots their origin's list of kept connections: taken apart here.
    fn drop(&mut self) {
        self.close_idle();
    }
}

/// What an exchange is granted.
enum Grant {
    /// An HTTP/1.1 connection.
    Connection(Kept),
    /// A stream on an HTTP/2 connection.
    OnStream(Connection, StreamInUse),
    /// The right to open a connection.
    Slot(Slot),
}

/// The right to one connection; given up when dropped.
struct Slot(Rc<Home>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.serve();
    }
}

/// An exchange on an HTTP/2 connection; over when dropped.
struct StreamInUse {
    home: Rc<Home>,
    streams: Rc<Cell<u32>>,
}

impl Drop for StreamInUse {
    fn drop(&mut self) {
        self.streams.set(self.streams.get() - 1);
        self.home.serve();
    }
}

/// A connection for one exchange.
pub(crate) struct Lease {
    /// The connection.
    pub connection: Connection,
    /// Set when it was opened for this exchange.
    pub opened: Option<Box<ConnectTimes>>,
    /// What is held as long as the exchange lasts: a slot (HTTP/1.1) or a stream (HTTP/2).
    slot: Option<Slot>,
    _stream: Option<StreamInUse>,
}

/// A connection, or the way to one.
pub(crate) enum Leasing {
    /// It was free.
    Now(Lease),
    /// It is waited for, or opened.
    Later(Pin<Box<dyn Future<Output = Result<Lease, ConnectError>>>>),
}

impl Pool {
    /// A browser's pool, without connections.
    pub(crate) fn of_browser() -> Self {
        Self { limits: None, homes: RefCell::default() }
    }

    /// A pool with limits of its own, without connections.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits: Some(Box::new(limits)), homes: RefCell::default() }
    }

    /// Closes every connection that no exchange uses, and forgets the origins that nothing is left of.
    pub(crate) fn close_idle(&self) {
        let mut homes = self.homes.borrow_mut();
        for home in homes.iter() {
            // Taken out first: dropping a slot looks at these lists.
            let idle = home.idle.take();
            let shared = home.shared.take();
            drop((idle, shared));
        }
        // What an origin speaks is worth keeping only where it had to be found out.
        homes.retain(|home| home.open.get() > 0 || Rc::strong_count(home) > 1 || home.origin.secure);
        if homes.is_empty() {
            *homes = Vec::new();
        }
    }

    /// Closes the resting connections that the other side has closed, so that they hold no descriptor.
    pub(crate) fn close_closed(&self) {
        for home in self.homes.borrow().iter() {
            // Taken out first: dropping a slot looks at this list.
            let closed: Vec<_> =
                home.idle.borrow_mut().extract_if(.., |kept| !kept.connection.is_open()).collect();
            drop(closed);
        }
    }

    /// Closes resting connections as the other side closes them, as long as it is polled.
    pub(crate) fn poll_close_closed(&self, context: &mut Context<'_>) {
        if self.any_news(context) {
            self.close_closed();
            // Asking whether they are open took this task's waker away: ask for news again.
            if self.any_news(context) {
                context.waker().wake_by_ref();
            }
        }
    }

    /// Whether something came on a resting connection; whatever comes later wakes this task.
    fn any_news(&self, context: &mut Context<'_>) -> bool {
        let homes = self.homes.borrow();
        // All are asked, so that all wake this task.
        let news = homes.iter().map(|home| {
            let idle = home.idle.borrow();
            idle.iter().filter(|kept| kept.connection.poll_news(context).is_ready()).count()
        });
        news.sum::<usize>() > 0
    }

    /// A connection to `origin` for one exchange, at once or once there is one.
    pub(crate) fn lease(&self, worker: &Rc<Worker>, origin: &Origin) -> Leasing {
        let home = self.home(origin, worker.job.prior_knowledge());
        let grant = match home.grant_unless_waiting() {
            Some(Grant::Connection(Kept { connection, slot })) => {
                return Leasing::Now(Lease { connection, opened: None, slot: Some(slot), _stream: None });
            }
            Some(Grant::OnStream(connection, stream)) => {
                return Leasing::Now(Lease { connection, opened: None, slot: None, _stream: Some(stream) });
            }
            slot => slot,
        };
        // Boxed: a shopper that waits or connects may cost memory, one that has its connection may not.
        Leasing::Later(Box::pin(lease(Rc::clone(worker), home, grant)))
    }

    fn home(&self, origin: &Origin, prior_knowledge: bool) -> Rc<Home> {
        let mut homes = self.homes.borrow_mut();
        if let Some(known) = homes.iter().find(|known| known.origin == *origin) {
            return Rc::clone(known);
        }
        // Without TLS nothing is negotiated: the plan says what is spoken.
        let http2 = Cell::new((!origin.secure).then_some(prior_knowledge));
        let home = Rc::new(Home {
            origin: origin.clone(),
            limits: self.limits.as_deref().copied().unwrap_or(BROWSER),
            http2,
            open: Cell::new(0),
            idle: RefCell::default(),
            shared: RefCell::default(),
            waiting: RefCell::default(),
        });
        homes.push(Rc::clone(&home));
        home
    }
}

/// Waits for a connection, or opens the one that was granted.
async fn lease(worker: Rc<Worker>, home: Rc<Home>, grant: Option<Grant>) -> Result<Lease, ConnectError> {
    let mut grant = match grant {
        Some(grant) => grant,
        None => home.wait().await,
    };
    loop {
        grant = match grant {
            Grant::Connection(Kept { mut connection, slot }) => {
                if connection.is_open() {
                    return Ok(Lease { connection, opened: None, slot: Some(slot), _stream: None });
                }
                // It was closed meanwhile: its slot serves for another.
                Grant::Slot(slot)
            }
            Grant::OnStream(connection, stream) => {
                return Ok(Lease { connection, opened: None, slot: None, _stream: Some(stream) });
            }
            Grant::Slot(slot) => match place(&worker, &home).await {
                Ok(place) => return open(&worker, &home, slot, place).await,
                // What became free while this process could open no more is used instead of the slot.
                Err(grant) => grant,
            },
        };
    }
}

/// A place for one more connection of this process, or what becomes free before there is one.
async fn place(worker: &Rc<Worker>, home: &Rc<Home>) -> Result<Place, Grant> {
    if let Some(place) = worker.try_place() {
        return Ok(place);
    }
    tokio::select! {
        place = worker.place() => Ok(place),
        grant = home.wait() => Err(grant),
    }
}

/// Opens a connection in a slot.
async fn open(worker: &Rc<Worker>, home: &Rc<Home>, slot: Slot, place: Place) -> Result<Lease, ConnectError> {
    let (connection, times) = worker.connect(&home.origin, place).await?;
    let http2 = connection.is_http2();
    home.http2.set(Some(http2));
    let lease = match connection.share() {
        None => Lease { connection, opened: Some(Box::new(times)), slot: Some(slot), _stream: None },
        Some(shared) => {
            let streams = Rc::new(Cell::new(1));
            let stream = StreamInUse { home: Rc::clone(home), streams: Rc::clone(&streams) };
            home.shared.borrow_mut().push((Kept { connection: shared, slot }, streams));
            Lease { connection, opened: Some(Box::new(times)), slot: None, _stream: Some(stream) }
        }
    };
    // What was learned, or the new streams, may serve others.
    home.serve();
    Ok(lease)
}

impl Home {
    /// What is free now, for somebody whom nobody waits before.
    fn grant_unless_waiting(self: &Rc<Self>) -> Option<Grant> {
        let somebody_waits = self.waiting.borrow().iter().any(|waiting| !waiting.is_closed());
        if somebody_waits { None } else { self.grant() }
    }

    fn grant(self: &Rc<Self>) -> Option<Grant> {
        let idle = self.idle.borrow_mut().pop();
        if let Some(mut kept) = idle {
            // The slot of one that was closed meanwhile serves for another.
            let open = kept.connection.is_open();
            return Some(if open { Grant::Connection(kept) } else { Grant::Slot(kept.slot) });
        }
        if let Some(grant) = self.stream() {
            return Some(grant);
        }
        let limit = match self.http2.get() {
            Some(true) => self.limits.http2_connections,
            Some(false) => self.limits.connections,
            None => self.limits.unknown_connections,
        };
        if self.open.get() >= limit {
            return None;
        }
        self.open.set(self.open.get() + 1);
        Some(Grant::Slot(Slot(Rc::clone(self))))
    }

    /// A stream on the least busy HTTP/2 connection that has one free.
    fn stream(self: &Rc<Self>) -> Option<Grant> {
        // Taken out first, and only when there are any: dropping a slot looks at this list.
        let closed: Vec<_> =
            self.shared.borrow_mut().extract_if(.., |(kept, _)| !kept.connection.is_open()).collect();
        drop(closed);
        let shared = self.shared.borrow();
        let free = shared.iter().filter(|(_, streams)| streams.get() < self.limits.streams);
        let (kept, streams) = free.min_by_key(|(_, streams)| streams.get())?;
        let connection = kept.connection.share()?;
        streams.set(streams.get() + 1);
        Some(Grant::OnStream(connection, StreamInUse { home: Rc::clone(self), streams: Rc::clone(streams) }))
    }

    /// Waits at the end of the line.
    async fn wait(self: &Rc<Self>) -> Grant {
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push_back(sender);
        match receiver.await {
            Ok(grant) => grant,
            // The line is part of this home, which is alive as long as somebody holds it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Hands what is free to those who wait, in order.
    fn serve(self: &Rc<Self>) {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            let Some(next) = next else { return };
            if next.is_closed() {
                continue;
            }
            let Some(grant) = self.grant() else {
                self.waiting.borrow_mut().push_front(next);
                return;
            };
            // Whoever left in this very moment lets the grant go, which serves the next.
            let _ = next.send(grant);
        }
    }
}

impl Lease {
    /// Gives the connection back after an exchange that leaves it fit for another. A lease that is dropped instead
    /// closes it (HTTP/1.1).
    pub(crate) fn give_back(self) {
        let Self { connection, slot, .. } = self;
        if let Some(slot) = slot {
            let home = Rc::clone(&slot.0);
            home.idle.borrow_mut().push(Kept { connection, slot });
            home.serve();
        }
    }
}
