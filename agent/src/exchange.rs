//! One exchange: a request, its answer, and the sample of it.

use std::borrow::Cow;
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use doorbuster_journeys::{ContentType, Walk};
use doorbuster_model::cdn::Asked;
use doorbuster_model::{ErrorClass, Key, Sample};
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, ORIGIN, REFERER};
use http::{HeaderMap, Method, Request, Version};
use http_body_util::Full;

use crate::address::Address;
use crate::answering::Answering;
use crate::client::body::{Body, BodyError};
use crate::client::http1::{Head, write_head};
use crate::client::http2::Unanswered;
use crate::client::{Broken, ConnectError, Connection, Leasing};
use crate::job::{Job, nanoseconds};
use crate::limit::Limit;
use crate::page::Said;
use crate::trace;
use crate::visit::Visitor;

/// How often a request that never reached its connection is given to another one.
const ATTEMPTS_MAX: u32 = 5;

/// What to send.
pub(crate) struct Order<'a> {
    /// What it counts as.
    pub key: Key,
    /// When it was to start.
    pub intended_ns: u64,
    /// When the engine takes it in hand.
    pub handled_ns: u64,
    /// The method.
    pub method: &'a Method,
    /// Where to.
    pub address: &'a Rc<Address>,
    /// The step's own headers.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// The body.
    pub body: Option<&'a Bytes>,
    /// Where it comes from, to be told in Referer.
    pub from: Whence<'a>,
    /// Whether Origin is sent, too, with all that is no GET or HEAD.
    pub tells_origin: bool,
    /// Whether the answer's headers are to be kept.
    pub wants_headers: bool,
    /// Whether the answer's body is to be kept.
    pub wants_body: bool,
    /// The step's own limit on the whole exchange.
    pub timeout: Option<Duration>,
    /// Its head as it was sent, where somebody watches; boxed because hardly ever anybody does.
    pub head: Cell<Option<Box<trace::Head>>>,
}

/// Where a request comes from.
#[derive(Clone, Copy)]
pub(crate) enum Whence<'a> {
    /// From nowhere that it tells of.
    Nowhere,
    /// From a page.
    Page(&'a Address),
    /// By a redirect, which has left so much to tell.
    Redirect(&'a Said),
}

/// A complete answer.
pub(crate) struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, where they were wanted.
    pub headers: Option<Box<HeaderMap>>,
    /// Its Location.
    pub location: Option<Box<str>>,
    /// How its body is to be read, where that was wanted.
    pub content_type: ContentType,
    /// Its body, decoded, as far as it was wanted.
    pub body: Body,
}

impl Order<'_> {
    /// The limit on the whole exchange.
    fn total(&self, visitor: &Visitor) -> Duration {
        self.timeout.unwrap_or(visitor.worker.job.plan.http.timeouts.total)
    }

    /// The codings that it asks for.
    pub(crate) fn asked(&self, job: &Job) -> Asked {
        match self.headers.iter().find(|(name, _)| *name == ACCEPT_ENCODING) {
            Some((_, value)) => Asked::of(value.to_str().unwrap_or_default()),
            None if self.address.is_target => job.asked,
            None => job.own_asked,
        }
    }

    /// The value of its Cookie header; empty where it has none.
    pub(crate) fn cookies(&self, visitor: &Visitor) -> Vec<u8> {
        if let Some((_, own)) = self.headers.iter().find(|(name, _)| *name == COOKIE) {
            return own.as_bytes().to_vec();
        }
        let mut cookies = Vec::new();
        visitor.write_cookies(self.address, &mut cookies);
        cookies
    }

    /// The values of Referer and Origin.
    pub(crate) fn provenance(&self) -> (Option<&str>, Option<Cow<'_, str>>) {
        match self.from {
            Whence::Nowhere => (None, None),
            Whence::Page(page) => {
                let is_read = matches!(*self.method, Method::GET | Method::HEAD);
                let origin = (self.tells_origin && !is_read).then(|| Cow::Owned(page.ascii_origin()));
                (page.referer(self.address), origin)
            }
            Whence::Redirect(said) => (said.referer.as_deref(), said.origin.as_deref().map(Cow::Borrowed)),
        }
    }
}

impl From<ConnectError> for Broken {
    fn from(error: ConnectError) -> Self {
        Self::new(error.class, error.message).with_own(error.own_fault)
    }
}

impl From<BodyError> for Broken {
    fn from(error: BodyError) -> Self {
        // It is the plan that says how much is read.
        let is_own = matches!(error, BodyError::TooLong(_));
        Self::new(ErrorClass::Body, error.to_string()).with_own(is_own)
    }
}

/// Carries an exchange out, within `limit`, which is set anew for it. Where `until_found` is given, the answer is read
/// only until that walk has enough. `sample` is complete then but for the journey's judgement, and not recorded yet; where
/// the exchange is given up, it is recorded.
pub(crate) fn exchange<'a>(
    visitor: &'a Visitor,
    order: &'a Order<'a>,
    sample: &'a mut Sample,
    limit: &'a Limit,
    until_found: Option<&'a Walk>,
) -> impl Future<Output = Result<Reply, Broken>> + 'a {
    // Not an `async fn`, which would keep its arguments twice.
    let ends_ns = order.handled_ns.saturating_add(nanoseconds(order.total(visitor)));
    limit.until(ends_ns);
    let mut answering = Answering::new(visitor, order, sample, limit, ends_ns, until_found);
    async move {
        let done = {
            let attempt = pin!(attempt(visitor, order, &mut answering));
            limit.keep(&visitor.worker.clock, attempt).await
        };
        let result = match done {
            Some(result) => result.and_then(|()| answering.reply()),
            None => Err(answering.overdue(order.total(visitor))),
        };
        answering.land(&result);
        result
    }
}

async fn attempt(visitor: &Visitor, order: &Order<'_>, answering: &mut Answering<'_>) -> Result<(), Broken> {
    let worker = &visitor.worker;
    for _ in 0..ATTEMPTS_MAX {
        let mut lease = match visitor.pool().lease(worker, &order.address.origin) {
            Leasing::Now(lease) => lease,
            Leasing::Later(lease) => lease.await?,
        };
        answering.depart(&lease);
        trace::keep_head(visitor, order);
        match &mut lease.connection {
            Connection::Http1(connection) => {
                let sent = {
                    let mut out = worker.out.borrow_mut();
                    let head_bytes = write_request(&mut out, visitor, order);
                    connection.send(&out, head_bytes)
                };
                // Nothing was written: another connection may take it.
                let Ok(sent) = sent else {
                    answering.stay();
                    continue;
                };
                if sent {
                    answering.flight.sent();
                }
                let to_head = *order.method == Method::HEAD;
                if connection.receive(to_head, answering, &worker.scratch).await? {
                    lease.give_back();
                }
                return Ok(());
            }
            Connection::Http2(connection) => {
                let request = http2_request(visitor, order)?;
                // Boxed: what hyper needs for an exchange is not to be part of every shopper.
                match Box::pin(connection.exchange(request, answering)).await {
                    Ok(()) => return Ok(()),
                    Err(Unanswered::Unsent) => answering.stay(),
                    Err(Unanswered::Broken(broken)) => return Err(broken),
                }
            }
        }
    }
    Err(Broken::new(ErrorClass::Reset, "connections close before they can be used"))
}

/// Writes a request of HTTP/1.1; how long its head is.
fn write_request(out: &mut Vec<u8>, visitor: &Visitor, order: &Order<'_>) -> usize {
    let job = &visitor.worker.job;
    let address = order.address;
    let by_proxy = visitor.worker.connector.is_proxied() && !address.origin.secure;
    let mut cookies = Vec::new();
    visitor.write_cookies(address, &mut cookies);
    out.clear();
    let (referer, origin) = order.provenance();
    let head = Head {
        method: order.method,
        target: if by_proxy { address.whole() } else { address.path_and_query() },
        authority: address.authority(),
        lines: if address.is_target { &job.lines } else { &job.own_lines },
        own: order.headers,
        cookies: &cookies,
        referer,
        origin: origin.as_deref(),
        body_bytes: order.body.map(Bytes::len),
    };
    write_head(out, &head);
    let head_bytes = out.len();
    if let Some(body) = order.body {
        out.extend_from_slice(body);
    }
    head_bytes
}

/// The headers of a request as HTTP/1.1 writes them.
pub(crate) fn request_head(visitor: &Visitor, order: &Order<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let head_bytes = write_request(&mut out, visitor, order);
    let head = String::from_utf8_lossy(&out[..head_bytes]).into_owned();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn http2_request(visitor: &Visitor, order: &Order<'_>) -> Result<Request<Full<Bytes>>, Broken> {
    let fail =
        |why: &dyn std::fmt::Display| Broken::new(ErrorClass::Protocol, format!("it cannot be sent: {why}"));
    let job = &visitor.worker.job;
    let mut request = Request::builder()
        .method(order.method.clone())
        .uri(order.address.whole())
        .version(Version::HTTP_2)
        .body(Full::new(order.body.cloned().unwrap_or_default()))
        .map_err(|why| fail(&why))?;
    let headers = request.headers_mut();
    headers.clone_from(if order.address.is_target { &job.headers } else { &job.own_headers });
    if order.body.is_some() && !order.headers.iter().any(|(name, _)| *name == CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    let mut cookies = Vec::new();
    visitor.write_cookies(order.address, &mut cookies);
    if !cookies.is_empty() {
        headers.insert(COOKIE, HeaderValue::from_bytes(&cookies).map_err(|why| fail(&why))?);
    }
    let (referer, origin) = order.provenance();
    for (name, value) in [(REFERER, referer), (ORIGIN, origin.as_deref())] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).map_err(|why| fail(&why))?);
        }
    }
    for (name, value) in order.headers {
        headers.insert(name.clone(), value.clone());
    }
    Ok(request)
}
