//! Listening and accepting, with a limit on everything that a scraper can hold.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use super::access::Serving;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 64;
/// Connections at a time; what comes beyond is closed at once.
const CONNECTIONS_MAX: usize = 64;
/// How long a head may be.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a connection may wait for its next request: longer than scrapers usually pause.
const REQUEST_WITHIN: Duration = Duration::from_secs(120);
/// After this a connection ends with the answer that is under way.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(600);
/// How long that answer may take.
const LAST_ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait when there are no descriptors left.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Binds a listener; must be called within a runtime.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // What was just stopped may be started again at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts for ever.
pub(super) async fn accept(listener: TcpListener, serving: Arc<Serving>, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE_AFTER_ERROR).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (serving, router) = (Arc::clone(&serving), router.clone());
        tokio::spawn(async move {
            attend(stream, serving, router).await;
            drop(place);
        });
    }
}

/// Serves one connection.
async fn attend(stream: TcpStream, serving: Arc<Serving>, router: Router) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let admitted = serving.admit(request.uri().path(), request.headers());
        let router = router.clone();
        async move {
            match admitted {
                Ok(()) => router.oneshot(request.map(Body::new)).await,
                Err(refused) => Ok::<_, Infallible>(*refused),
            }
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_WITHIN).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    // A connection that breaks off is the scraper's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(CONNECTION_AGE_MAX) => connection.as_mut().graceful_shutdown(),
    }
    let _ = timeout(LAST_ANSWER_WITHIN, connection).await;
}
