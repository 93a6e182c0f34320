//! The connections of a shopper, or of all arrivals of a worker.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use doorbuster_model::sample::ConnectTimes;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::{ConnectError, Connection};
use crate::worker::Worker;

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
    /// HTTP/2: exchanges at a time on one connection.
    pub streams: u32,
}

/// What a browser opens: at most 6 connections to a host on HTTP/1.1, one on HTTP/2.
pub(crate) const BROWSER: Limits = Limits { connections: 6, http2_connections: 1, streams: 100 };

/// Connections that are kept for the next exchange.
pub(crate) struct Pool {
    limits: Limits,
    origins: RefCell<Vec<Rc<Connections>>>,
}

/// The connections to one origin.
struct Connections {
    origin: Origin,
    /// HTTP/1.1 connections that wait for an exchange; the last used comes first.
    idle: RefCell<Vec<Connection>>,
    /// HTTP/2 connections, with the exchanges on each.
    shared: RefCell<Vec<(Connection, Rc<Cell<u32>>)>>,
    /// A permit is an exchange on HTTP/1.1.
    exchanges: Arc<Semaphore>,
    /// A permit is an exchange on HTTP/2.
    streams: Arc<Semaphore>,
    /// Which version the origin speaks, once a connection told.
    http2: Cell<Option<bool>>,
    /// Held while a connection is opened that others may want to share.
    opening: Mutex<()>,
}

/// A connection for one exchange, with the right to use it.
pub(crate) struct Lease {
    /// The connection.
    pub connection: Connection,
    /// Set when it was opened for this exchange.
    pub opened: Option<ConnectTimes>,
    home: Rc<Connections>,
    stream: Option<StreamGuard>,
    _permit: OwnedSemaphorePermit,
}

/// Counts an exchange on an HTTP/2 connection as long as it lives.
struct StreamGuard(Rc<Cell<u32>>);

impl StreamGuard {
    fn new(streams: &Rc<Cell<u32>>) -> Self {
        streams.set(streams.get() + 1);
        Self(Rc::clone(streams))
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Pool {
    /// A pool without connections.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, origins: RefCell::default() }
    }

    /// Closes every idle connection.
    pub(crate) fn close_idle(&self) {
        for connections in self.origins.borrow().iter() {
            connections.idle.borrow_mut().clear();
            connections.shared.borrow_mut().clear();
        }
    }

    /// A connection to `origin` for one exchange: an idle one, or a new one, or the next that becomes free.
    pub(crate) async fn lease(&self, worker: &Rc<Worker>, origin: &Origin) -> Result<Lease, ConnectError> {
        let home = self.connections(origin);
        // While nobody knows what the origin speaks, one connection is opened and the others wait for what it tells.
        let negotiates = origin.secure || worker.job.prior_knowledge();
        if negotiates && home.http2.get().is_none() {
            let _first = home.opening.lock().await;
            if home.http2.get().is_none() {
                return self.open(worker, &home).await;
            }
        }
        if home.http2.get() == Some(true) {
            self.stream(worker, &home).await
        } else {
            exchange(worker, &home).await
        }
    }

    fn connections(&self, origin: &Origin) -> Rc<Connections> {
        let mut origins = self.origins.borrow_mut();
        if let Some(known) = origins.iter().find(|known| known.origin == *origin) {
            return Rc::clone(known);
        }
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        let streams = self.limits.http2_connections.saturating_mul(self.limits.streams as usize);
        let new = Rc::new(Connections {
            origin: origin.clone(),
            idle: RefCell::default(),
            shared: RefCell::default(),
            exchanges: permits(self.limits.connections),
            streams: permits(streams),
            http2: Cell::new(None),
            opening: Mutex::new(()),
        });
        origins.push(Rc::clone(&new));
        new
    }

    /// Opens the first connection to an origin and learns what it speaks.
    async fn open(&self, worker: &Rc<Worker>, home: &Rc<Connections>) -> Result<Lease, ConnectError> {
        let (connection, times) = worker.connect(&home.origin).await?;
        let http2 = connection.is_http2();
        home.http2.set(Some(http2));
        let permit = permit(if http2 { &home.streams } else { &home.exchanges }).await;
        Ok(self.leased(home, connection, Some(times), permit))
    }

    /// A stream on an HTTP/2 connection.
    async fn stream(&self, worker: &Rc<Worker>, home: &Rc<Connections>) -> Result<Lease, ConnectError> {
        let permit = permit(&home.streams).await;
        if let Some(connection) = self.free_stream(home) {
            return Ok(self.leased(home, connection, None, permit));
        }
        let _one_at_a_time = home.opening.lock().await;
        if let Some(connection) = self.free_stream(home) {
            return Ok(self.leased(home, connection, None, permit));
        }
        let (connection, times) = worker.connect(&home.origin).await?;
        Ok(self.leased(home, connection, Some(times), permit))
    }

    fn free_stream(&self, home: &Connections) -> Option<Connection> {
        let mut shared = home.shared.borrow_mut();
        shared.retain(|(connection, _)| !connection.is_closed());
        let free = shared.iter().filter(|(_, streams)| streams.get() < self.limits.streams);
        free.min_by_key(|(_, streams)| streams.get()).and_then(|(connection, _)| connection.share())
    }

    fn leased(
        &self,
        home: &Rc<Connections>,
        connection: Connection,
        opened: Option<ConnectTimes>,
        permit: OwnedSemaphorePermit,
    ) -> Lease {
        let stream = connection.share().map(|shared| {
            let mut all = home.shared.borrow_mut();
            let written = connection.written();
            let known = all.iter().find(|(known, _)| Rc::ptr_eq(&known.written(), &written));
            let streams = known.map_or_else(Rc::default, |(_, streams)| Rc::clone(streams));
            if known.is_none() {
                all.push((shared, Rc::clone(&streams)));
            }
            StreamGuard::new(&streams)
        });
        Lease { connection, opened, home: Rc::clone(home), stream, _permit: permit }
    }
}

/// An HTTP/1.1 connection.
async fn exchange(worker: &Rc<Worker>, home: &Rc<Connections>) -> Result<Lease, ConnectError> {
    let permit = permit(&home.exchanges).await;
    loop {
        let idle = home.idle.borrow_mut().pop();
        let Some(mut connection) = idle else { break };
        if connection.ready().await {
            return Ok(Lease {
                connection,
                opened: None,
                home: Rc::clone(home),
                stream: None,
                _permit: permit,
            });
        }
    }
    let (connection, times) = worker.connect(&home.origin).await?;
    home.http2.set(Some(connection.is_http2()));
    Ok(Lease { connection, opened: Some(times), home: Rc::clone(home), stream: None, _permit: permit })
}

async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match Arc::clone(semaphore).acquire_owned().await {
        Ok(permit) => permit,
        // A semaphore fails only once it is closed, and nobody closes these.
        Err(_) => std::future::pending().await,
    }
}

impl Lease {
    /// Gives the connection back after a complete exchange. A lease that is dropped instead closes it (HTTP/1.1).
    pub(crate) fn give_back(self) {
        if self.stream.is_none() && !self.connection.is_closed() {
            self.home.idle.borrow_mut().push(self.connection);
        }
    }
}
