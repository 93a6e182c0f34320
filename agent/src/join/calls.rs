//! A connection to the coordinator, and the calls over it: TLS, HTTP/2 by hyper, gRPC by tonic's core.

use std::error::Error as _;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use doorbuster_link::{
    ENROL, ENROL_BYTES_MAX, JOIN, KEEP_ALIVE_EVERY, KEEP_ALIVE_WITHIN, MESSAGE_BYTES_MAX, Messages, RENEW,
};
use doorbuster_wire::{Downward, Enrol, Enrolled, Upward};
use futures_util::stream::poll_fn;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::{Status, Streaming};
use tower_service::Service;
use url::{Host, Url};

/// How long connecting and each call may take.
const WITHIN: Duration = Duration::from_secs(10);

/// A connection.
pub(super) struct Connection {
    channel: Channel,
    origin: Uri,
    task: Task,
}

/// A stream both ways. Dropping it closes its connection.
pub(super) struct Stream {
    to: mpsc::UnboundedSender<Upward>,
    from: Streaming<Bytes>,
    _channel: Channel,
    _task: Task,
}

/// What drives a connection, as long as somebody holds it.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Why not, for people.
    pub(super) async fn open(coordinator: &Url, tls: Arc<ClientConfig>) -> Result<Self, String> {
        match timeout(WITHIN, Self::connect(coordinator, tls)).await {
            Ok(connected) => connected.map_err(|why| format!("connecting to {coordinator}: {why}")),
            Err(_) => Err(format!("connecting to {coordinator}: no answer within {} s", WITHIN.as_secs())),
        }
    }

    async fn connect(coordinator: &Url, tls: Arc<ClientConfig>) -> Result<Self, String> {
        let host = coordinator.host_str().ok_or("it has no host")?;
        let port = coordinator.port_or_known_default().ok_or("it has no port")?;
        let origin = format!("https://{host}:{port}").parse::<Uri>().map_err(|why| why.to_string())?;
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
        let stream = stream.map_err(|why| why.to_string())?;
        // Small messages must not wait for one another.
        stream.set_nodelay(true).map_err(|why| why.to_string())?;
        let connector = TlsConnector::from(tls);
        let stream =
            connector.connect(server_name(coordinator)?, stream).await.map_err(|why| why.to_string())?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE_EVERY)
            .keep_alive_timeout(KEEP_ALIVE_WITHIN)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|why| chain(&why))?;
        let task = Task(tokio::spawn(async move {
            // Whoever calls learns of it from the call.
            let _ = connection.await;
        }));
        Ok(Self { channel: Channel(sender), origin, task })
    }

    /// Hands a token in for a certificate.
    pub(super) async fn enrol(&mut self, message: &Enrol) -> Result<Enrolled, Status> {
        self.ask(ENROL, message).await
    }

    /// Asks for the next certificate.
    pub(super) async fn renew(&mut self, csr_pem: String) -> Result<Enrolled, Status> {
        self.ask(RENEW, &Enrol { token: String::new(), csr_pem }).await
    }

    async fn ask(&mut self, path: &'static str, message: &Enrol) -> Result<Enrolled, Status> {
        let mut grpc = self.grpc().max_decoding_message_size(ENROL_BYTES_MAX);
        let asked = async {
            grpc.ready().await.map_err(|why| Status::unavailable(chain(&why)))?;
            let request = tonic::Request::new(message.encode());
            grpc.unary(request, PathAndQuery::from_static(path), Messages).await
        };
        let answer = timeout(WITHIN, asked)
            .await
            .map_err(|_| Status::deadline_exceeded("no answer came in time"))??;
        Enrolled::decode(&answer.into_inner()).map_err(|why| Status::internal(why.to_string()))
    }

    /// Opens the stream.
    ///
    /// # Errors
    /// Why not, for people.
    pub(super) async fn join(self) -> Result<Stream, String> {
        let (to, mut messages) = mpsc::unbounded_channel::<Upward>();
        let said =
            poll_fn(move |context| messages.poll_recv(context).map(|next| next.map(|next| next.encode())));
        let mut grpc = self.grpc();
        let joined = async {
            grpc.ready().await.map_err(|why| chain(&why))?;
            let request = tonic::Request::new(said);
            let answer = grpc.streaming(request, PathAndQuery::from_static(JOIN), Messages).await;
            answer.map_err(|status| words(&status))
        };
        let answer = timeout(WITHIN, joined).await.map_err(|_| "no answer came in time".to_owned())??;
        Ok(Stream { to, from: answer.into_inner(), _channel: self.channel, _task: self.task })
    }

    fn grpc(&self) -> Grpc<Channel> {
        Grpc::with_origin(self.channel.clone(), self.origin.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
    }
}

impl Stream {
    /// Sends a message. Where the stream is broken, reading from it says so.
    pub(super) fn send(&self, message: Upward) {
        let _ = self.to.send(message);
    }

    /// The next message; nothing is lost where this is given up half-way.
    ///
    /// # Errors
    /// Why none follows, for people.
    pub(super) async fn next(&mut self) -> Result<Downward, String> {
        match self.from.message().await {
            Ok(Some(bytes)) => Downward::decode(&bytes).map_err(|why| why.to_string()),
            Ok(None) => Err("the coordinator closed it".to_owned()),
            Err(status) => Err(words(&status)),
        }
    }
}

/// A connection as tonic wants it.
#[derive(Clone)]
struct Channel(SendRequest<Body>);

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

fn server_name(coordinator: &Url) -> Result<ServerName<'static>, String> {
    match coordinator.host() {
        Some(Host::Domain(name)) => {
            ServerName::try_from(name.to_owned()).map_err(|why| format!("\"{name}\": {why}"))
        }
        Some(Host::Ipv4(address)) => Ok(ServerName::from(IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Ok(ServerName::from(IpAddr::V6(address))),
        None => Err("it has no host".to_owned()),
    }
}

/// What a call came to, with all that is known of why.
pub(super) fn words(status: &Status) -> String {
    let message = status.message().to_owned();
    match status.source() {
        Some(source) => format!("{message} ({})", chain(source)),
        None if message.is_empty() => status.code().to_string(),
        None => message,
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
