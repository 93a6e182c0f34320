//! The Runtime API of AWS Lambda: what is the next invocation, and what is the answer to it.
//!
//! Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes" and "Response streaming in custom
//! runtimes". Each call has a connection of its own: it goes to this machine, twice an invocation.

use std::error::Error as StdError;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, TRAILER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use super::reply::{ERROR_BODY, ERROR_TYPE, Said};
use crate::Error;

/// The longest payload: AWS allows 6 MB.
const PAYLOAD_BYTES_MAX: usize = 8 << 20;
const VERSION: &str = "2018-06-01";
const MODE: &str = "lambda-runtime-function-response-mode";
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const JSON: &str = "application/json";

/// Where invocations come from.
pub(super) struct Runtime {
    /// Host and port, as AWS says them.
    address: String,
}

/// What the function was invoked with.
pub(super) struct Invoked {
    /// The invocation's id.
    pub id: String,
    /// When it is over at the latest, in milliseconds since 1970.
    pub deadline_unix_ms: u64,
    /// What is to be done.
    pub payload: Bytes,
}

impl Runtime {
    /// The one at `address`, a host and a port.
    pub(super) fn new(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// The next invocation, however long that takes: meanwhile AWS may hold this process still.
    pub(super) async fn next(&self) -> Result<Invoked, Error> {
        let fail = |why: String| Error::Aws { what: "asking for the next invocation", why };
        let request =
            self.request(Method::GET, "invocation/next", HeaderMap::new(), Full::<Bytes>::default());
        let response = self.send(request.map_err(fail)?).await.map_err(fail)?;
        if !response.status().is_success() {
            return Err(fail(response.status().to_string()));
        }
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let id = text(REQUEST_ID).ok_or_else(|| fail(format!("it has no {REQUEST_ID}")))?.to_owned();
        let deadline = text(DEADLINE).and_then(|text| text.parse().ok());
        let deadline_unix_ms = deadline.ok_or_else(|| fail(format!("it has no {DEADLINE}")))?;
        let payload = Limited::new(response.into_body(), PAYLOAD_BYTES_MAX).collect().await;
        let payload = payload.map_err(|error| fail(error.to_string()))?.to_bytes();
        Ok(Invoked { id, deadline_unix_ms, payload })
    }

    /// Answers with what an agent says, until it has said all: while it says it, or all at once.
    pub(super) async fn respond(&self, id: &str, said: Said, is_whole: bool) -> Result<(), Error> {
        if is_whole {
            return self.respond_json(id, said.whole().await).await;
        }
        let mut headers = HeaderMap::new();
        headers.insert(MODE, HeaderValue::from_static("streaming"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.append(TRAILER, HeaderValue::from_static(ERROR_TYPE));
        headers.append(TRAILER, HeaderValue::from_static(ERROR_BODY));
        self.post(&format!("invocation/{id}/response"), headers, said).await
    }

    /// Answers with JSON.
    pub(super) async fn respond_json(&self, id: &str, json: String) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        self.post(&format!("invocation/{id}/response"), headers, Full::new(Bytes::from(json))).await
    }

    /// Answers that nothing could be done, and why.
    pub(super) async fn fail(&self, id: &str, kind: &'static str, why: &str) -> Result<(), Error> {
        self.error(&format!("invocation/{id}/error"), kind, why).await
    }

    /// Says why there will be no answers at all.
    pub(super) async fn fail_to_begin(&self, kind: &'static str, why: &str) -> Result<(), Error> {
        self.error("init/error", kind, why).await
    }

    async fn error(&self, path: &str, kind: &'static str, why: &str) -> Result<(), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
        let body = json!({ "errorType": kind, "errorMessage": why, "stackTrace": [] }).to_string();
        self.post(path, headers, Full::new(Bytes::from(body))).await
    }

    async fn post<B>(&self, path: &str, headers: HeaderMap, body: B) -> Result<(), Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let fail = |why: String| Error::Aws { what: "answering an invocation", why };
        let request = self.request(Method::POST, path, headers, body).map_err(fail)?;
        let response = self.send(request).await.map_err(fail)?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(fail(status.to_string())) }
    }

    fn request<B>(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: B,
    ) -> Result<Request<B>, String> {
        let agent = concat!("Doorbuster/", env!("CARGO_PKG_VERSION"));
        let request = Request::builder().method(method).uri(format!("/{VERSION}/runtime/{path}"));
        let request = request.header(HOST, &self.address).header(USER_AGENT, agent).body(body);
        let mut request = request.map_err(|error| error.to_string())?;
        request.headers_mut().extend(headers);
        Ok(request)
    }

    async fn send<B>(&self, request: Request<B>) -> Result<Response<Incoming>, String>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let stream = TcpStream::connect(&self.address).await;
        let stream = stream.map_err(|error| format!("connecting to {}: {error}", self.address))?;
        let (mut sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            // What becomes of an exchange is told to the exchange itself.
            let _ = connection.await;
        });
        sender.send_request(request).await.map_err(|error| error.to_string())
    }
}
