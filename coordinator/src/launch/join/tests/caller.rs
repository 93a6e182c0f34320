//! Whoever dials the desk, with whatever certificate.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use doorbuster_link::{ENROL, JOIN, Messages, RENEW};
use doorbuster_wire::{Downward, Enrol, Enrolled, Upward};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::Status;
use tonic::body::Body;
use tonic::client::Grpc;
use tower::Service;

use crate::fleet::pki::Pki;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(10);

/// How TLS is spoken.
pub(super) struct Credentials(Arc<ClientConfig>);

impl Credentials {
    /// Without a certificate.
    pub(super) fn none(pki: &Pki) -> Self {
        Self::with(pki, None)
    }

    /// With this one.
    pub(super) fn of(pki: &Pki, pem: &str, key: &KeyPair) -> Self {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self::with(pki, Some((certificate, key)))
    }

    fn with(pki: &Pki, shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(pki.authority.certificate.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match shown {
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self(Arc::new(config))
    }
}

/// The request for a certificate for a key.
pub(super) fn request(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

/// A connection.
pub(super) struct Caller(Grpc<Channel>);

impl Caller {
    pub(super) async fn dial(address: SocketAddr, credentials: &Credentials) -> Result<Self, String> {
        Self::dial_from(address.ip(), address, credentials).await
    }

    /// The same from another address of this machine.
    pub(super) async fn dial_from(
        from: IpAddr,
        address: SocketAddr,
        credentials: &Credentials,
    ) -> Result<Self, String> {
        let stream = connected(from, address).await.map_err(|why| why.to_string())?;
        let connector = TlsConnector::from(Arc::clone(&credentials.0));
        let stream =
            connector.connect(ServerName::from(address.ip()), stream).await.map_err(|why| why.to_string())?;
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|why| why.to_string())?;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let origin: Uri = format!("https://{address}").parse().unwrap();
        Ok(Self(Grpc::with_origin(Channel(sender), origin)))
    }

    pub(super) async fn enrol(&mut self, token: &str, csr_pem: &str) -> Result<Enrolled, Status> {
        self.ask(ENROL, token, csr_pem).await
    }

    pub(super) async fn renew(&mut self, csr_pem: &str) -> Result<Enrolled, Status> {
        self.ask(RENEW, "", csr_pem).await
    }

    async fn ask(&mut self, path: &'static str, token: &str, csr_pem: &str) -> Result<Enrolled, Status> {
        let message = Enrol { token: token.to_owned(), csr_pem: csr_pem.to_owned() };
        self.0.ready().await.map_err(|why| Status::unavailable(why.to_string()))?;
        let asked = self.0.unary(tonic::Request::new(message.encode()), path.parse().unwrap(), Messages);
        let answer = timeout(WITHIN, asked).await.expect("an answer")?;
        Ok(Enrolled::decode(&answer.into_inner()).unwrap())
    }

    /// Joins; the first answer, `None` where the stream ends without one.
    pub(super) async fn join(
        &mut self,
        agent: &str,
        region: &str,
        protocol: u32,
    ) -> Result<Option<Downward>, Status> {
        let (agent, region, version) = (agent.to_owned(), region.to_owned(), "0.0.1".to_owned());
        self.stream(vec![Upward::Join { agent, region, protocol, version, received: 0 }]).await
    }

    /// Says this on a stream; the first answer.
    pub(super) async fn stream(&mut self, says: Vec<Upward>) -> Result<Option<Downward>, Status> {
        self.0.ready().await.map_err(|why| Status::unavailable(why.to_string()))?;
        let says: Vec<Vec<u8>> = says.iter().map(Upward::encode).collect();
        let request = tonic::Request::new(futures_util::stream::iter(says));
        let called = async {
            let answer = self.0.streaming(request, JOIN.parse().unwrap(), Messages).await?;
            let first = answer.into_inner().message().await?;
            Ok(first.map(|bytes| Downward::decode(&bytes).unwrap()))
        };
        timeout(WITHIN, called).await.expect("an answer")
    }
}

/// A connection from one of this machine's addresses, on which nothing is said.
pub(super) async fn connected(from: IpAddr, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(address).await
}

/// A connection as tonic wants it.
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
