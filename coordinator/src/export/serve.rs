//! The page for scrapers: `/metrics`, and `/healthz` for whoever starts processes anew.
//!
//! It is served on a thread of its own, from the last snapshot that was shown: however slow a scraper is, and however long
//! the page, nobody who probes waits for it.

mod access;
mod listen;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::oneshot;

use super::Snapshot;
use super::prometheus::{Format, page};
use crate::Error;

pub(crate) use access::{Serving, TOKEN};

/// How old the last snapshot may be before this process counts as stuck.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Where the last snapshot hangs. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Board(Arc<Mutex<(Instant, Arc<Snapshot>)>>);

impl Board {
    /// A board with a first snapshot.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), Arc::new(snapshot)))))
    }

    /// Shows this snapshot from now on.
    pub(crate) fn show(&self, snapshot: Snapshot) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), Arc::new(snapshot));
    }

    /// The last snapshot, and how old it is. Nothing is locked any more when this returns.
    pub(super) fn look(&self) -> (Duration, Arc<Snapshot>) {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (shown.0.elapsed(), Arc::clone(&shown.1))
    }
}

/// A server under way. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens, the port filled in.
    pub address: SocketAddr,
    // Both are taken when it stops.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve a board, on a thread of its own; returns once it listens.
    ///
    /// # Errors
    /// An address that cannot be listened on, a thread that cannot be started.
    pub(crate) fn start(serving: Serving, board: Board) -> Result<Self, Error> {
        let failed = |source| Error::System { what: "serving /metrics (--serve)", source };
        let (bound, is_bound) = mpsc::sync_channel(1);
        let (stop, is_stopped) = oneshot::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(async move {
                    let listener = listen::bind(serving.address);
                    let listener = match listener.and_then(|listener| Ok((listener.local_addr()?, listener)))
                    {
                        Ok((address, listener)) => {
                            let _ = bound.send(Ok(address));
                            listener
                        }
                        Err(error) => {
                            let _ = bound.send(Err(error));
                            return;
                        }
                    };
                    tokio::select! {
                        () = listen::accept(listener, Arc::new(serving), router(board)) => {}
                        _ = is_stopped => {}
                    }
                }),
                Err(error) => {
                    let _ = bound.send(Err(error));
                }
            }
        };
        let thread = thread::Builder::new().name("doorbuster-serve".to_owned()).spawn(run).map_err(failed)?;
        // Without a word from the thread it ended by a panic, which it has reported itself.
        let lost = |_| std::io::Error::other("the server's thread ended before it listened");
        let address = is_bound.recv().map_err(lost).and_then(|bound| bound).map_err(failed)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens any more only where the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

fn router(board: Board) -> Router {
    Router::new().route("/metrics", get(metrics)).route(access::HEALTH, get(health)).with_state(board)
}

async fn metrics(State(board): State<Board>, headers: HeaderMap) -> Response<Body> {
    let format = Format::accepted(headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()));
    let (_, snapshot) = board.look();
    ([(CONTENT_TYPE, format.content_type())], page(&snapshot, format)).into_response()
}

async fn health(State(board): State<Board>) -> Response<Body> {
    let (age, snapshot) = board.look();
    let text = if age > FRESH_FOR {
        format!("nothing was evaluated for {} s\n", age.as_secs())
    } else if snapshot.vitals.lacks_store() {
        format!("nothing was saved for {} s\n", snapshot.vitals.store_failing_s)
    } else {
        return (StatusCode::OK, "ok\n").into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}
