//! The client that letters are sent with: one POST, no redirects, bounds on everything.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::retry;
use serde::Serialize;
use url::Url;

use super::answer::{NotDelivered, judge};
use super::secret::{Secret, without};
use crate::{Error, tls};

/// How much of an answer is read.
const BODY_BYTES_MAX: usize = 4 << 10;

/// What is sent to a receiver. It cannot be shown: its body may hold secrets.
pub(super) struct Request {
    /// Where to.
    pub(super) url: Url,
    /// Beside those that HTTP itself needs.
    pub(super) headers: Vec<(&'static str, String)>,
    /// As it is sent.
    pub(super) body: String,
    /// What must not be shown, though an answer may quote it.
    pub(super) secrets: Vec<Secret>,
    /// Whether an answer's body says that what it refuses will pass.
    pub(super) is_passing: fn(&str) -> bool,
}

impl Request {
    /// A JSON document.
    ///
    /// # Errors
    /// That it cannot be written, which no retry mends.
    pub(super) fn json(url: Url, document: &impl Serialize) -> Result<Self, NotDelivered> {
        let body = serde_json::to_string(document)
            .map_err(|error| NotDelivered::Refused(format!("this cannot be written as JSON: {error}")))?;
        Ok(Self {
            url,
            headers: vec![("content-type", "application/json".to_owned())],
            body,
            secrets: Vec::new(),
            is_passing: |_| false,
        })
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Name, TCP and TLS together.
    pub(super) connect: Duration,
    /// From the beginning to the end of the answer.
    pub(super) whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(15) }
    }
}

/// The client. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    limits: Limits,
}

impl Client {
    /// A client that goes through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    ///
    /// # Errors
    /// [`Error::System`] when TLS cannot be set up.
    pub(crate) fn new() -> Result<Self, Error> {
        Self::with(Limits::default(), reqwest::Client::builder())
    }

    /// A client that goes through no proxy, whatever the environment says.
    #[cfg(test)]
    pub(super) fn direct(limits: Limits) -> Self {
        Self::with(limits, reqwest::Client::builder().no_proxy()).unwrap()
    }

    fn with(limits: Limits, builder: reqwest::ClientBuilder) -> Result<Self, Error> {
        let fail = |source| Error::System { what: "setting up TLS for alerts", source };
        let http = builder
            .tls_backend_preconfigured(tls::client().map_err(|error| fail(std::io::Error::other(error)))?)
            .user_agent(concat!("Doorbuster/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .timeout(limits.whole)
            .redirect(Policy::none())
            // Letters have attempts of their own.
            .retry(retry::never())
            // Letters are rare, so a connection that was kept would mostly be a stale one.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| fail(std::io::Error::other(error)))?;
        Ok(Self { http, limits })
    }

    /// Sends a request once. The status of its answer, when it was taken.
    ///
    /// # Errors
    /// Why it was not taken, and whether another attempt is worth it.
    pub(super) async fn post(&self, request: Request) -> Result<u16, NotDelivered> {
        let Request { url, headers, body, secrets, is_passing } = request;
        let mut post = self.http.post(url);
        for (name, value) in headers {
            post = post.header(name, value);
        }
        let mut answer = match post.body(body).send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.broken(error, &secrets)),
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = without(&secrets, &beginning(&mut answer).await);
        Err(judge(status.as_u16(), retry_after.as_deref(), &body, is_passing(&body)))
    }

    /// Why there is no answer. Addresses are left out, because they may be secrets.
    fn broken(&self, error: reqwest::Error, secrets: &[Secret]) -> NotDelivered {
        if error.is_builder() {
            return NotDelivered::Refused(
                "this cannot be sent: a header holds what no header may".to_owned(),
            );
        }
        if error.is_timeout() {
            let (what, limit) = if error.is_connect() {
                ("connecting", self.limits.connect)
            } else {
                ("sending and its answer", self.limits.whole)
            };
            return NotDelivered::passing(format!("{what} took over {limit:?}"));
        }
        let error = error.without_url();
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        NotDelivered::passing(without(secrets, &innermost.to_string()))
    }
}

/// What is read of a body, as far as it comes.
async fn beginning(answer: &mut reqwest::Response) -> String {
    let mut read = Vec::new();
    while read.len() < BODY_BYTES_MAX {
        let Ok(Some(chunk)) = answer.chunk().await else { break };
        let room = BODY_BYTES_MAX - read.len();
        read.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    String::from_utf8_lossy(&read).into_owned()
}
