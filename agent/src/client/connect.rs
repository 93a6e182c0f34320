//! Opening a connection: name, TCP, proxy, TLS, each timed.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use doorbuster_model::ErrorClass;
use doorbuster_model::sample::ConnectTimes;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::Connection;
use super::pool::Origin;
use super::resolve::Resolver;
use super::stream::Stream;
use crate::job::Job;

/// The longest answer of a proxy to CONNECT that is read.
const PROXY_HEAD_MAX: usize = 8_192;

/// Why a connection could not be opened.
#[derive(Debug)]
pub(crate) struct ConnectError {
    /// dns, connect, tls or timeout.
    pub class: ErrorClass,
    /// What was attempted, on what, and why it failed.
    pub message: String,
    /// Whether this machine, not the target, lacks something (descriptors, ports).
    pub own_fault: bool,
}

impl ConnectError {
    fn new(class: ErrorClass, message: String) -> Self {
        Self { class, message, own_fault: false }
    }
}

/// A worker's way to open connections.
pub(crate) struct Connector {
    resolver: Resolver,
    tls: TlsConnector,
    proxy: Option<Url>,
    prior_knowledge: bool,
    timeout: Duration,
}

impl Connector {
    /// As the job says.
    pub(crate) fn new(job: &Job) -> Self {
        Self {
            resolver: Resolver::new(&job.plan.http.resolve),
            tls: TlsConnector::from(Arc::clone(&job.tls)),
            proxy: job.plan.http.proxy.clone(),
            prior_knowledge: job.prior_knowledge(),
            timeout: job.plan.http.timeouts.connect,
        }
    }

    /// Whether plain requests go through a proxy, and so name their host in the request line.
    pub(crate) fn is_proxied(&self) -> bool {
        self.proxy.is_some()
    }

    /// Opens a connection to `origin`. `kept` lives as long as it does.
    pub(crate) async fn connect(
        &self,
        origin: &Origin,
        kept: Box<dyn Any>,
    ) -> Result<(Connection, ConnectTimes), ConnectError> {
        match timeout(self.timeout, self.open(origin, kept)).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::new(
                ErrorClass::Timeout,
                format!("connecting to {origin} took over {:?}", self.timeout),
            )),
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        kept: Box<dyn Any>,
    ) -> Result<(Connection, ConnectTimes), ConnectError> {
        let mut times = ConnectTimes::default();
        let mut stream = self.reach(origin, &mut times).await?;
        if !origin.secure {
            let speaks = |why: hyper::Error| handshake_failed(origin, &why);
            let connection =
                Connection::open(Stream::Plain(stream), self.prior_knowledge, kept).await.map_err(speaks)?;
            return Ok((connection, times));
        }
        if self.proxy.is_some() {
            tunnel(&mut stream, origin).await?;
        }
        let began = Instant::now();
        let stream = secure(&self.tls, origin, stream).await?;
        times.tls_ns = Some(nanoseconds(began));
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if self.prior_knowledge && !http2 {
            let why = "does not speak HTTP/2, which was asked for; leave that out to take what it speaks";
            return Err(ConnectError::new(ErrorClass::Protocol, format!("{origin} {why}")));
        }
        let speaks = |why: hyper::Error| handshake_failed(origin, &why);
        let stream = Stream::Tls(Box::new(stream));
        Ok((Connection::open(stream, http2, kept).await.map_err(speaks)?, times))
    }

    /// A TCP connection to `origin`, or to the proxy before it.
    async fn reach(&self, origin: &Origin, times: &mut ConnectTimes) -> Result<TcpStream, ConnectError> {
        let (host, port) = match &self.proxy {
            Some(proxy) => (proxy.host_str().unwrap_or(""), proxy.port_or_known_default().unwrap_or(80)),
            None => (origin.host.as_str(), origin.port),
        };
        let began = Instant::now();
        let found = self.resolver.resolve(host, port).await;
        let found =
            found.map_err(|why| ConnectError::new(ErrorClass::Dns, format!("looking up {host}: {why}")))?;
        times.dns_ns = found.asked.then(|| nanoseconds(began));
        let began = Instant::now();
        let stream = tcp(&found.addresses, port).await?;
        times.connect_ns = nanoseconds(began);
        Ok(stream)
    }

    /// A bare connection to `origin`, through the proxy's tunnel where there is a proxy, for whoever speaks TLS over it. It
    /// has no limit of its own.
    pub(crate) async fn bare(&self, origin: &Origin) -> Result<TcpStream, ConnectError> {
        let mut stream = self.reach(origin, &mut ConnectTimes::default()).await?;
        if self.proxy.is_some() {
            tunnel(&mut stream, origin).await?;
        }
        Ok(stream)
    }

    /// What the server of `origin` takes of all that `config` offers: a handshake, and no request.
    pub(crate) async fn shake_hands(
        &self,
        origin: &Origin,
        config: Arc<rustls::ClientConfig>,
    ) -> Result<Agreed, ConnectError> {
        let agree = async {
            let stream = self.bare(origin).await?;
            let stream = secure(&TlsConnector::from(config), origin, stream).await?;
            let (_, session) = stream.get_ref();
            Ok::<_, ConnectError>(Agreed {
                version: session.protocol_version(),
                protocol: session.alpn_protocol().map(<[u8]>::to_vec),
            })
        };
        match timeout(self.timeout, agree).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::new(
                ErrorClass::Timeout,
                format!("a handshake with {origin} took over {:?}", self.timeout),
            )),
        }
    }
}

/// What both sides of a handshake agreed on.
pub(crate) struct Agreed {
    /// The version of TLS.
    pub version: Option<rustls::ProtocolVersion>,
    /// What is spoken over it (ALPN).
    pub protocol: Option<Vec<u8>>,
}

/// Speaks TLS with `origin` over a connection to it.
pub(crate) async fn secure(
    tls: &TlsConnector,
    origin: &Origin,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let fail =
        |why: &dyn std::fmt::Display| ConnectError::new(ErrorClass::Tls, format!("TLS with {origin}: {why}"));
    let name =
        ServerName::try_from(origin.host.trim_matches(['[', ']']).to_owned()).map_err(|why| fail(&why))?;
    tls.connect(name, stream).await.map_err(|why| fail(&why))
}

fn handshake_failed(origin: &Origin, why: &hyper::Error) -> ConnectError {
    ConnectError::new(ErrorClass::Protocol, format!("beginning HTTP with {origin}: {why}"))
}

fn nanoseconds(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Connects to the first address that answers.
async fn tcp(addresses: &[IpAddr], port: u16) -> Result<TcpStream, ConnectError> {
    let mut first = None;
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Without it a request may wait for the acknowledgement of the one before; a failure costs only that.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            // The first address is the one whose turn it was: its failure tells most.
            Err(error) => first = first.or_else(|| Some(refused(address, &error))),
        }
    }
    Err(first.unwrap_or_else(|| ConnectError::new(ErrorClass::Connect, "there is no address".to_owned())))
}

fn refused(address: SocketAddr, error: &std::io::Error) -> ConnectError {
    // EMFILE, ENFILE, EADDRNOTAVAIL: what this machine ran out of, whatever the target does.
    let own_fault = matches!(error.raw_os_error(), Some(24 | 23 | 99));
    ConnectError {
        class: ErrorClass::Connect,
        message: format!("connecting to {address}: {error}"),
        own_fault,
    }
}

/// Asks the proxy for a tunnel.
async fn tunnel(stream: &mut TcpStream, origin: &Origin) -> Result<(), ConnectError> {
    let fail = |why: String| {
        ConnectError::new(ErrorClass::Connect, format!("asking the proxy for a tunnel to {origin}: {why}"))
    };
    let (host, port) = (&origin.host, origin.port);
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| fail(error.to_string()))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.map_err(|error| fail(error.to_string()))?;
        head.push(byte);
        if head.len() > PROXY_HEAD_MAX {
            return Err(fail("its answer is too long".to_owned()));
        }
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).into_owned();
    if line.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
        Ok(())
    } else {
        Err(fail(line))
    }
}
