//! The server that agents dial: TLS with a certificate on both sides, HTTP/2, and a limit on all that a stranger can hold.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorbuster_link::KEEP_ALIVE_EVERY;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::crowd::{Crowd, Place};
use super::gate::holds_for;
use super::roster::Roster;
use super::service::Service;
use crate::Error;
use crate::fleet::pki::Pki;

/// How long a handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long somebody without a certificate may stay, who can only enrol.
const STRANGER_WITHIN: Duration = Duration::from_secs(30);
/// How long an answer to a ping may take: on a slow line it comes behind all of an assignment that is under way. Who is gone is
/// noticed before, by an agent's silence.
const PING_ANSWERED_WITHIN: Duration = Duration::from_secs(60);
/// Calls at a time on one connection.
const CALLS_MAX: u32 = 8;
/// How often the server's certificate is made anew.
const RENEW_EVERY: Duration = Duration::from_secs(12 * 3_600);
/// How long to wait when there are no descriptors left.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);
/// How long agents may take to close their connections when they are let go.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// A server under way. Dropping it ends it, with all its connections.
#[derive(Debug)]
pub(super) struct Server {
    /// Where it listens, the port filled in.
    #[cfg(test)]
    pub address: SocketAddr,
    /// Taken when it stops.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens, and serves from then on.
    ///
    /// # Errors
    /// An address that cannot be listened on, keys that cannot be used.
    pub(super) async fn start(address: SocketAddr, pki: Pki, roster: Arc<Roster>) -> Result<Self, Error> {
        let failed = |source| Error::System {
            what: "listening for agents that join (the plan's fleet: listen)",
            source,
        };
        let tls = tls(&pki).map_err(|why| failed(std::io::Error::other(why)))?;
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        #[cfg(test)]
        let address = listener.local_addr().map_err(failed)?;
        let (stop, is_stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, tls, Arc::new(Service { pki, roster }), is_stopped));
        Ok(Self {
            #[cfg(test)]
            address,
            stop: Some(stop),
            task,
        })
    }

    /// Takes no connection any more, and waits a little until those that there are have been closed by the other side.
    pub(super) async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // It listens for this as long as it lives.
            let _ = stop.send(());
        }
        let _ = timeout(2 * LEAVE_WITHIN, &mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves until it is stopped.
async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: Arc<Service>,
    is_stopped: oneshot::Receiver<()>,
) {
    // Whoever ends this task ends them as well.
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listener, tls, &service, &mut connections) => {}
        _ = is_stopped => {}
    }
    drop(listener);
    let _ = timeout(LEAVE_WITHIN, async { while connections.join_next().await.is_some() {} }).await;
}

/// Accepts for ever.
async fn accept(
    listener: &TcpListener,
    mut tls: Arc<ServerConfig>,
    service: &Arc<Service>,
    connections: &mut JoinSet<()>,
) {
    let mut made_at = Instant::now();
    let crowd = Crowd::default();
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            sleep(PAUSE_AFTER_ERROR).await;
            continue;
        };
        if made_at.elapsed() >= RENEW_EVERY
            && let Ok(renewed) = self::tls(&service.pki)
        {
            (tls, made_at) = (renewed, Instant::now());
        }
        while connections.try_join_next().is_some() {}
        // What comes beyond is closed at once.
        let Some(place) = crowd.let_in(from.ip()) else { continue };
        // Small messages must not wait for one another; without this, they do.
        let _ = stream.set_nodelay(true);
        connections.spawn(attend(stream, place, TlsAcceptor::from(Arc::clone(&tls)), Arc::clone(service)));
    }
}

/// Serves one connection, which has its place as long.
async fn attend(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut place: Place,
    acceptor: TlsAcceptor,
    service: Arc<Service>,
) {
    let Ok(Ok(stream)) = timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await else { return };
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned();
    if shown.is_some() && !place.is_an_agent_s() {
        return;
    }
    // No connection outlives the certificate by which it was let in.
    let stays = shown.as_ref().map_or(STRANGER_WITHIN, |shown| holds_for(shown, Timestamp::now()));
    let answer = service_fn(move |request: Request<Incoming>| {
        let answered = Arc::clone(&service).answer(shown.clone(), request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE_EVERY)
        .keep_alive_timeout(PING_ANSWERED_WITHIN)
        .max_concurrent_streams(CALLS_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    // A connection that breaks off comes back.
    let _ = timeout(stays, connection).await;
}

/// How TLS is spoken: an agent shows a certificate of the authority's that holds, or none.
fn tls(pki: &Pki) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(pki.authority.certificate.clone()).map_err(|why| why.to_string())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|why| why.to_string())?;
    let (certificate, key) = pki.authority.serve(&pki.hosts, Timestamp::now())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|why| why.to_string())?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .map_err(|why| why.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A session that is resumed would let a certificate in that has expired since.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
