//! Listening and accepting: HTTP/1.1 and HTTP/2 (by prior knowledge) on one port.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4_096;
/// Connections that are open at a time, over all listeners; what comes beyond is closed at once.
const CONNECTIONS_MAX: usize = 100_000;
/// CloudFront takes 20,480 bytes of request; a little more leaves room for an answer that says so.
const HEAD_BYTES_MAX: usize = 32 * 1024;
const STREAMS_PER_CONNECTION_MAX: u32 = 250;
/// How long to wait when there are no descriptors left, which only others can give back.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

/// What came through the doors, over all listeners.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    open: AtomicUsize,
    accept_errors: AtomicU64,
    turned_away: AtomicU64,
}

/// The numbers behind [`Doors`] at one moment.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct DoorCounts {
    /// Connections open now.
    connections: usize,
    /// Times that accepting failed, mostly for want of descriptors.
    accept_errors: u64,
    /// Connections closed at once because too many were open.
    turned_away: u64,
}

impl Doors {
    pub(crate) fn counts(&self) -> DoorCounts {
        DoorCounts {
            connections: self.open.load(Ordering::Relaxed),
            accept_errors: self.accept_errors.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
        }
    }
}

/// Counts a connection for as long as it lives.
struct Guest(Arc<Doors>);

impl Guest {
    fn admit(doors: &Arc<Doors>) -> Option<Guest> {
        if doors.open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
            doors.open.fetch_sub(1, Ordering::Relaxed);
            doors.turned_away.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Guest(Arc::clone(doors)))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Binds a listener; must be called within a runtime.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A demo that was just stopped may be started again at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts for ever and answers every request with `answer`.
pub(crate) async fn accept<Answer, Answering, AnswerBody>(
    listener: TcpListener,
    doors: Arc<Doors>,
    answer: Answer,
) where
    Answer: Fn(Request<Incoming>) -> Answering + Clone + Send + 'static,
    Answering: Future<Output = Response<AnswerBody>> + Send + 'static,
    AnswerBody: Body + Send + 'static,
    AnswerBody::Data: Send,
    AnswerBody::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().pipeline_flush(true).max_buf_size(HEAD_BYTES_MAX);
    builder.http2().max_concurrent_streams(STREAMS_PER_CONNECTION_MAX);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                doors.accept_errors.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                continue;
            }
        };
        if let Some(guest) = Guest::admit(&doors) {
            tokio::spawn(attend(stream, builder.clone(), answer.clone(), guest));
        }
    }
}

/// Serves one connection until either side closes it.
async fn attend<Answer, Answering, AnswerBody>(
    stream: TcpStream,
    builder: Builder<TokioExecutor>,
    answer: Answer,
    _guest: Guest,
) where
    Answer: Fn(Request<Incoming>) -> Answering + Send + 'static,
    Answering: Future<Output = Response<AnswerBody>> + Send + 'static,
    AnswerBody: Body + Send + 'static,
    AnswerBody::Data: Send,
    AnswerBody::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    // Only speeds answers up; where it cannot be set, they come all the same.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answering = answer(request);
        async move { Ok::<_, Infallible>(answering.await) }
    });
    // A connection that breaks off is the viewer's affair; the books have its requests.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
