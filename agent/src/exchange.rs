//! One exchange: a request, its answer, and the sample of it.

use std::time::Duration;

use bytes::Bytes;
use doorbuster_journeys::assets;
use doorbuster_model::cdn::Observation;
use doorbuster_model::{ErrorClass, Key, Sample};
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Method, Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::timeout;
use url::Url;

use crate::client::body::{Body, BodyCount, BodyError};
use crate::client::{ConnectError, Lease, Origin, Sent};
use crate::flight::Flight;
use crate::visit::Visitor;

/// How often a request that never reached its connection is given to another one.
const ATTEMPTS_MAX: u32 = 5;
/// The most Set-Cookie lines of an answer that are looked at.
const COOKIE_LINES_MAX: usize = 100;

/// What to send.
pub(crate) struct Order<'a> {
    /// What it counts as.
    pub key: Key,
    /// When it was to start.
    pub intended_ns: u64,
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: &'a Url,
    /// The step's own headers.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// The body.
    pub body: Option<Bytes>,
    /// Whether the answer's body is to be kept.
    pub wants_body: bool,
    /// The step's own limit on the whole exchange.
    pub timeout: Option<Duration>,
}

/// A complete answer.
pub(crate) struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decoded, as far as it was wanted.
    pub body: Body,
}

/// Why there is no complete answer.
pub(crate) struct Broken {
    /// The class of the error.
    pub class: ErrorClass,
    /// What went wrong, without method and URL.
    pub message: String,
}

impl Broken {
    fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

impl From<ConnectError> for Broken {
    fn from(error: ConnectError) -> Self {
        Self::new(error.class, error.message)
    }
}

impl From<BodyError> for Broken {
    fn from(error: BodyError) -> Self {
        Self::new(ErrorClass::Body, error.to_string())
    }
}

/// Carries an exchange out. The sample is complete but for the journey's judgement, and not recorded yet.
pub(crate) async fn exchange(visitor: &Visitor, order: &Order<'_>) -> (Sample, Result<Reply, Broken>) {
    let mut flight = Flight::new(visitor, order);
    let limit = order.timeout.unwrap_or(visitor.worker.job.plan.http.timeouts.total);
    let result = match timeout(limit, attempt(visitor, order, &mut flight)).await {
        Ok(result) => result,
        Err(_) => Err(Broken::new(ErrorClass::Timeout, format!("no complete answer within {limit:?}"))),
    };
    if let Err(broken) = &result {
        flight.sample.error = Some(broken.class);
    }
    (flight.land(), result)
}

async fn attempt(visitor: &Visitor, order: &Order<'_>, flight: &mut Flight<'_>) -> Result<Reply, Broken> {
    let worker = &visitor.worker;
    let origin = Origin::of(order.url);
    let first_byte = worker.job.plan.http.timeouts.first_byte;
    let mut attempts = 0;
    let (lease, response) = loop {
        attempts += 1;
        let mut lease = visitor.pool.lease(worker, &origin).await?;
        let request = request(visitor, order, &lease)?;
        flight.depart(&lease);
        match timeout(first_byte, lease.connection.send(request)).await {
            Err(_) => {
                return Err(Broken::new(ErrorClass::Timeout, format!("no answer within {first_byte:?}")));
            }
            Ok(Ok(response)) => break (lease, response),
            Ok(Err(Sent::No)) if attempts < ATTEMPTS_MAX => {}
            Ok(Err(Sent::No)) => {
                return Err(Broken::new(ErrorClass::Reset, "connections close before they can be used"));
            }
            Ok(Err(Sent::Failed(error))) => return Err(classify(&error)),
        }
    };
    let now_ns = worker.clock.now_ns();
    let status = response.status().as_u16();
    let observation = Observation::of(order.url.path(), response.headers());
    let sample = &mut flight.sample;
    sample.times.first_byte_ns = Some(now_ns);
    (sample.status, sample.observation) = (Some(status), observation);
    let (head, incoming) = response.into_parts();
    keep_cookies(visitor, order.url, &head.headers);
    let body = body(visitor, order, &head.headers, incoming, flight).await?;
    lease.give_back();
    Ok(Reply { status, headers: head.headers, body })
}

/// Reads a body to its end.
async fn body(
    visitor: &Visitor,
    order: &Order<'_>,
    headers: &HeaderMap,
    mut incoming: Incoming,
    flight: &mut Flight<'_>,
) -> Result<Body, Broken> {
    let wanted = order.wants_body && order.method != Method::HEAD;
    let worker = &visitor.worker;
    let sampled = || worker.sampling.borrow_mut().takes(worker.clock.now_ns());
    let mut count = BodyCount::begin(headers, wanted, worker.job.plan.http.max_body, sampled);
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| {
            Broken::new(ErrorClass::Body, format!("the body broke off: {}", reason(&error)))
        })?;
        if let Some(data) = frame.data_ref() {
            let taken = count.take(data);
            flight.sample.bytes_wire = count.wire;
            taken?;
        }
    }
    let body = count.end()?;
    flight.sample.bytes_decoded = body.decoded;
    Ok(body)
}

fn request(visitor: &Visitor, order: &Order<'_>, lease: &Lease) -> Result<Request<Full<Bytes>>, Broken> {
    let fail =
        |why: &dyn std::fmt::Display| Broken::new(ErrorClass::Protocol, format!("it cannot be sent: {why}"));
    let job = &visitor.worker.job;
    let http2 = lease.connection.is_http2();
    let by_proxy = visitor.worker.connector.is_proxied() && order.url.scheme() == "http";
    let whole = http2 || by_proxy;
    let uri = if whole {
        &order.url[..url::Position::AfterQuery]
    } else {
        &order.url[url::Position::BeforePath..url::Position::AfterQuery]
    };
    let mut request = Request::builder()
        .method(order.method.clone())
        .uri(uri)
        .version(if http2 { Version::HTTP_2 } else { Version::HTTP_11 })
        .body(Full::new(order.body.clone().unwrap_or_default()))
        .map_err(|why| fail(&why))?;
    let headers = request.headers_mut();
    // Basic authentication and the plan's own headers are for the target's host alone.
    let at_home = order.url.host_str() == job.target.host_str();
    headers.clone_from(if at_home { &job.headers } else { &job.own_headers });
    if !http2 {
        let authority = &order.url[url::Position::BeforeHost..url::Position::AfterPort];
        headers.insert(HOST, HeaderValue::from_str(authority).map_err(|why| fail(&why))?);
    }
    if order.body.is_some() && !order.headers.iter().any(|(name, _)| *name == CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    let cookies = visitor.cookies(order.url);
    if !cookies.is_empty() {
        // A cookie of the plan (a way past staging's gate) goes before the shopper's own.
        let own = headers.get(COOKIE).and_then(|value| value.to_str().ok());
        let cookies = own.map_or_else(|| cookies.clone(), |own| format!("{own}; {cookies}"));
        headers.insert(COOKIE, HeaderValue::from_str(&cookies).map_err(|why| fail(&why))?);
    }
    for (name, value) in order.headers {
        headers.insert(name.clone(), value.clone());
    }
    Ok(request)
}

fn keep_cookies(visitor: &Visitor, url: &Url, headers: &HeaderMap) {
    for line in headers.get_all(SET_COOKIE).iter().take(COOKIE_LINES_MAX) {
        if let Ok(line) = line.to_str() {
            visitor.keep_cookie(line, url);
        }
    }
}

/// The class of a failure that hyper saw.
fn classify(error: &hyper::Error) -> Broken {
    let class =
        if error.is_parse() || error.is_parse_too_large() { ErrorClass::Protocol } else { ErrorClass::Reset };
    let what = if class == ErrorClass::Protocol {
        "the answer is not HTTP as it should be"
    } else {
        "the connection broke"
    };
    Broken::new(class, format!("{what}: {}", reason(error)))
}

/// hyper's message with its cause, where that says more.
fn reason(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The assets of a page that may be fetched, and how many belong to hosts that may not.
pub(crate) fn assets_of(visitor: &Visitor, html: &[u8], base: &Url) -> (Vec<Url>, u64) {
    let all = assets::discover(html, base);
    let count = all.len();
    let wanted: Vec<Url> = all.into_iter().filter(|url| visitor.worker.job.may_go(url)).collect();
    let others = (count - wanted.len()) as u64;
    (wanted, others)
}
