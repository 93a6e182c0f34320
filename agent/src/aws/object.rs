//! Objects of S3, fetched and put by addresses that are signed already, over one connection that is kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, IF_NONE_MATCH, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use crate::Error;
use crate::client::{Origin, Stream, secure, tls};

/// How long the first connection and a whole object may take.
const WHOLE_WITHIN: Duration = Duration::from_secs(20);
/// How often a whole object is asked for.
const ATTEMPTS_MAX: u32 = 3;
/// What waits before the second attempt; twice as long before the next.
const BACKOFF: Duration = Duration::from_millis(200);
const AGENT: &str = concat!("Doorbuster/", env!("CARGO_PKG_VERSION"));

/// Somebody who fetches and puts objects, one after another.
pub(super) struct Objects {
    tls: TlsConnector,
    kept: Option<Kept>,
}

/// A connection that is kept for the next object of the same origin.
struct Kept {
    origin: Origin,
    sender: SendRequest<Full<Bytes>>,
}

/// What came back.
pub(super) struct Answer {
    /// With which status.
    pub status: StatusCode,
    /// The object, or what S3 says of it.
    pub body: Bytes,
}

impl Objects {
    /// Without a connection yet.
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self { tls: TlsConnector::from(Arc::new(tls::public()?)), kept: None })
    }

    /// A whole object of at most `bytes_max`, asked for again where that may help.
    pub(super) async fn whole(
        &mut self,
        what: &'static str,
        url: &Url,
        headers: &HeaderMap,
        bytes_max: usize,
    ) -> Result<Bytes, Error> {
        let mut attempt = 0;
        loop {
            let answer = self.get(url, headers, bytes_max, WHOLE_WITHIN).await;
            let (why, may_help) = match answer {
                Ok(answer) if answer.status.is_success() => return Ok(answer.body),
                Ok(answer) => (said(&answer), answer.status.is_server_error()),
                Err(why) => (why, true),
            };
            attempt += 1;
            if !may_help || attempt >= ATTEMPTS_MAX {
                return Err(Error::Aws { what, why: format!("{} says {why}", shown(url)) });
            }
            sleep(BACKOFF * 2_u32.pow(attempt - 1)).await;
        }
    }

    /// Asks once. The error says why there is no answer.
    pub(super) async fn get(
        &mut self,
        url: &Url,
        headers: &HeaderMap,
        bytes_max: usize,
        within: Duration,
    ) -> Result<Answer, String> {
        let request = request(Method::GET, url, headers.clone(), Bytes::new())?;
        self.send(url, request, bytes_max, within).await
    }

    /// Puts an object that must not be there yet: the first who does is answered with success, everybody else with 412.
    pub(super) async fn put_new(
        &mut self,
        url: &Url,
        body: Bytes,
        within: Duration,
    ) -> Result<Answer, String> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        let request = request(Method::PUT, url, headers, body)?;
        self.send(url, request, 64 << 10, within).await
    }

    async fn send(
        &mut self,
        url: &Url,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
        within: Duration,
    ) -> Result<Answer, String> {
        let exchange = async {
            let origin = Origin::of(url);
            let mut sender = self.sender(&origin).await?;
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            let body = Limited::new(response.into_body(), bytes_max).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            // Only a connection whose answer was read to its end can take the next request.
            self.kept = Some(Kept { origin, sender });
            Ok::<_, String>(Answer { status, body })
        };
        timeout(within, exchange).await.unwrap_or_else(|_| Err(format!("nothing within {within:?}")))
    }

    /// A connection to `origin`: the one that is kept, or a new one.
    async fn sender(&mut self, origin: &Origin) -> Result<SendRequest<Full<Bytes>>, String> {
        if let Some(mut kept) = self.kept.take().filter(|kept| kept.origin == *origin)
            && kept.sender.ready().await.is_ok()
        {
            return Ok(kept.sender);
        }
        let host = origin.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, origin.port)).await;
        let stream = stream.map_err(|error| format!("connecting to {origin}: {error}"))?;
        // A failure costs only that a request may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let stream = if origin.secure {
            Stream::Tls(Box::new(secure(&self.tls, origin, stream).await.map_err(|error| error.message)?))
        } else {
            Stream::Plain(stream)
        };
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            // What becomes of an exchange is told to the exchange itself.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// A request to the path of `url`, with its host as the signature has it.
fn request(
    method: Method,
    url: &Url,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, String> {
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let request =
        Request::builder().method(method).uri(path).header(USER_AGENT, AGENT).header(HOST, host(url));
    let mut request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// The Host of an address: with a port only where that is not the usual one.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An address as people may see it: what is behind the path is its signature.
pub(super) fn shown(url: &Url) -> String {
    url[..Position::AfterPath].to_owned()
}

/// What S3 answered instead of an object, in short.
pub(super) fn said(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => format!("{} ({code})", answer.status),
        None => answer.status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_sent_and_never_shown() {
        let url = Url::parse("https://b.s3.eu-west-2.amazonaws.com/runs/r%201/board?X-Amz-Signature=s%2Fx")
            .unwrap();
        let sent = request(Method::GET, &url, HeaderMap::new(), Bytes::new()).unwrap();
        assert_eq!(sent.uri(), "/runs/r%201/board?X-Amz-Signature=s%2Fx");
        assert_eq!(sent.headers()[HOST], "b.s3.eu-west-2.amazonaws.com");
        assert_eq!(shown(&url), "https://b.s3.eu-west-2.amazonaws.com/runs/r%201/board");
        let local = Url::parse("http://127.0.0.1:4566/b/k").unwrap();
        assert_eq!(host(&local), "127.0.0.1:4566");
    }

    #[test]
    fn s3_s_own_code_says_more_than_the_status() {
        let answer = |body: &'static str| Answer { status: StatusCode::FORBIDDEN, body: Bytes::from(body) };
        let xml = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        assert_eq!(said(&answer(xml)), "403 Forbidden (AccessDenied)");
        assert_eq!(said(&answer("")), "403 Forbidden");
    }
}
