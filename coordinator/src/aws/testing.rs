//! What stands in for AWS in tests: a bucket, identities, JSON calls, and functions that stream their responses in real
//! frames.
//!
//! It is strict where others that stand in are not: conditional writes are enforced, and responses come as slowly, and as cut
//! up, as a test wants them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::config::Credentials;
use aws_sdk_lambda::primitives::event_stream::{Header, HeaderValue, Message};
use aws_smithy_eventstream::frame::write_message_to;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use url::form_urlencoded;

use super::bucket::Bucket;
use super::http::{self, Http, between, unescaped};

pub(crate) use crate::export::testing::free_port;

/// The account that everything here belongs to.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The most keys on a page, as on AWS.
const PAGE: usize = 1_000;

/// A configuration with credentials that mean nothing.
pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    let settings = super::settings("eu-west-1", Some(endpoint), 3).credentials_provider(credentials);
    Box::pin(settings.load()).await
}

/// Sends a request as one without credentials does: status and body of its answer.
pub(crate) async fn sent(method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, Vec<u8>) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = http::Request { method, url: url.to_owned(), headers, body: body.as_bytes().to_vec() };
    let answer = Http::new().send(&request).await.unwrap();
    (answer.status, answer.body)
}

/// The objects of the bucket, by their keys.
pub(crate) type Objects = BTreeMap<String, Vec<u8>>;

/// What a function does when it is invoked.
pub(crate) type Function = Box<dyn Fn(Invoked) -> Play + Send + Sync>;

/// An invocation.
#[derive(Clone, Debug)]
pub(crate) struct Invoked {
    /// How often one was invoked before.
    pub(crate) earlier: usize,
    /// The function's name.
    pub(crate) function: String,
    /// What it was handed.
    pub(crate) payload: Vec<u8>,
    /// Whether its response was asked for as a whole.
    pub(crate) is_whole: bool,
}

/// How an invocation goes.
pub(crate) enum Play {
    /// It is refused, with this status and error.
    Refused(u16, &'static str),
    /// It streams; bytes are those of the answer's body.
    Streams(Vec<Step>),
    /// It answers at the end, with a payload and the kind of error where it is one.
    Answers(Vec<Step>, Vec<u8>, Option<&'static str>),
}

/// A step of an invocation.
pub(crate) enum Step {
    /// Bytes of the response.
    Bytes(Vec<u8>),
    /// A pause.
    Wait(Duration),
    /// An object is written.
    Put(String, Vec<u8>),
    /// It waits until objects are so.
    Until(Box<dyn Fn(&Objects) -> bool + Send>),
    /// The connection breaks.
    Break,
}

/// What stands in for AWS. It ends with its owner.
pub(crate) struct Cloud {
    pub(crate) endpoint: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    objects: Mutex<Objects>,
    asked: Mutex<Vec<String>>,
    /// Beginnings of requests, and the statuses that the next of them are answered with.
    refusals: Mutex<Vec<(String, Vec<u16>)>>,
    function: Mutex<Option<Arc<Function>>>,
    invoked: Mutex<usize>,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { endpoint, state, task }
    }

    /// Its bucket, under a name of its own.
    pub(crate) async fn bucket(&self) -> Bucket {
        Bucket::new(&config(&self.endpoint).await, Some(&self.endpoint), "fleet")
    }

    /// Keeps an object.
    pub(crate) fn keep(&self, key: &str, bytes: &[u8]) {
        self.state.objects.lock().unwrap().insert(key.to_owned(), bytes.to_vec());
    }

    /// All objects.
    pub(crate) fn objects(&self) -> Objects {
        self.state.objects.lock().unwrap().clone()
    }

    /// How many requests began so, by method and path.
    pub(crate) fn asked(&self, begin: &str) -> usize {
        self.state.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(begin)).count()
    }

    /// Answers the next requests that begin so with these statuses.
    pub(crate) fn refuse(&self, begin: &str, statuses: &[u16]) {
        let mut statuses = statuses.to_vec();
        statuses.reverse();
        self.state.refusals.lock().unwrap().push((begin.to_owned(), statuses));
    }

    /// What functions do from now on.
    pub(crate) fn function(&self, function: impl Fn(Invoked) -> Play + Send + Sync + 'static) {
        let function: Function = Box::new(function);
        *self.state.function.lock().unwrap() = Some(Arc::new(function));
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cloud").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A chunk of a function's response as it travels.
pub(crate) fn chunk(payload: &[u8]) -> Vec<u8> {
    event("PayloadChunk", "application/octet-stream", payload.to_vec())
}

/// The end of a function's response as it travels.
pub(crate) fn complete(error: Option<(&str, &str)>) -> Vec<u8> {
    let told = match error {
        Some((code, details)) => json!({ "ErrorCode": code, "ErrorDetails": details }),
        None => json!({}),
    };
    event("InvokeComplete", "application/json", told.to_string().into_bytes())
}

/// Source: Amazon, "Event stream encoding" (Smithy specification, `application/vnd.amazon.eventstream`).
fn event(kind: &'static str, content_type: &'static str, payload: Vec<u8>) -> Vec<u8> {
    let text = |value: &'static str| HeaderValue::String(value.into());
    let message = Message::new(payload)
        .add_header(Header::new(":message-type", text("event")))
        .add_header(Header::new(":event-type", text(kind)))
        .add_header(Header::new(":content-type", text(content_type)));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(answer(state, request).await) }
            });
            // A connection that a test broke is no news.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.unwrap().to_vec();
    let path = decoded(head.uri.path());
    let begin = format!("{} {path}", head.method);
    state.asked.lock().unwrap().push(begin.clone());
    if let Some(status) = state.refusal(&begin) {
        return error(status, "AccessDenied", "not here");
    }
    let query: Vec<(String, String)> =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if !is_signed(&head.headers, &query) {
        return error(403, "AccessDenied", "a signature, or a header that it covers, is missing");
    }
    let parts: Vec<&str> = path.trim_start_matches('/').splitn(2, '/').collect();
    match parts[..] {
        [_, rest] if rest.starts_with("functions/") => state.invoke(rest, body),
        [_, "account-settings"] => {
            let limit = json!({ "ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": 900 });
            Response::new(Body::from(json!({ "AccountLimit": limit }).to_string()))
        }
        [""] => service(&head.headers, &body),
        [_] | [_, ""] => listed_or_removed(&state, &head.method, &query, &body),
        [_, key] => object(&state, &head.method, &head.headers, key, body),
        _ => error(400, "InvalidURI", "what is this?"),
    }
}

impl State {
    fn refusal(&self, begin: &str) -> Option<u16> {
        let mut refusals = self.refusals.lock().unwrap();
        refusals.iter_mut().find_map(
            |(refused, statuses)| {
                if begin.starts_with(refused.as_str()) { statuses.pop() } else { None }
            },
        )
    }

    fn invoke(self: &Arc<Self>, path: &str, payload: Vec<u8>) -> Response<Body> {
        let function = path.split('/').nth(1).unwrap().to_owned();
        let is_whole = path.ends_with("/invocations");
        let earlier = {
            let mut invoked = self.invoked.lock().unwrap();
            *invoked += 1;
            *invoked - 1
        };
        let play = self.function.lock().unwrap().clone().expect("a test says what its functions do");
        match (*play)(Invoked { earlier, function, payload, is_whole }) {
            Play::Refused(status, code) => Response::builder()
                .status(status)
                .header("x-amzn-errortype", code)
                .body(Body::from(json!({ "Type": "User", "message": "in its own words" }).to_string()))
                .unwrap(),
            Play::Streams(steps) => Response::builder()
                .header("content-type", "application/vnd.amazon.eventstream")
                .body(played(Arc::clone(self), steps))
                .unwrap(),
            Play::Answers(mut steps, payload, function_error) => {
                steps.push(Step::Bytes(payload));
                let mut response = Response::builder();
                if let Some(kind) = function_error {
                    response = response.header("x-amz-function-error", kind);
                }
                response.body(played(Arc::clone(self), steps)).unwrap()
            }
        }
    }
}

/// A body that comes as steps say.
fn played(state: Arc<State>, steps: Vec<Step>) -> Body {
    let begin = Some((state, steps.into_iter()));
    Body::from_stream(futures_util::stream::unfold(begin, |left| async move {
        let (state, mut steps) = left?;
        loop {
            match steps.next()? {
                Step::Bytes(bytes) => return Some((Ok(Bytes::from(bytes)), Some((state, steps)))),
                Step::Wait(pause) => sleep(pause).await,
                Step::Put(key, bytes) => drop(state.objects.lock().unwrap().insert(key, bytes)),
                Step::Until(is_met) => {
                    while !state.meets(&*is_met) {
                        sleep(Duration::from_millis(10)).await;
                    }
                }
                Step::Break => return Some((Err(io::Error::other("broken off")), None)),
            }
        }
    }))
}

impl State {
    fn meets(&self, is_met: &(dyn Fn(&Objects) -> bool + Send)) -> bool {
        is_met(&self.objects.lock().unwrap())
    }
}

/// Whether a request has a signature, and every header that an address was signed with.
fn is_signed(headers: &HeaderMap, query: &[(String, String)]) -> bool {
    let signed = query.iter().find(|(name, _)| name == "X-Amz-SignedHeaders");
    match signed {
        Some((_, names)) => {
            let has = |name: &str| headers.contains_key(name);
            names.split(';').all(has) && query.iter().any(|(name, _)| name == "X-Amz-Signature")
        }
        None => headers.contains_key("authorization"),
    }
}

/// What is asked by POST of `/`: identities by a form, all else by JSON.
fn service(headers: &HeaderMap, body: &[u8]) -> Response<Body> {
    match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => {
            let asked: Value = serde_json::from_slice(body).unwrap();
            Response::new(Body::from(json!({ "target": target, "asked": asked }).to_string()))
        }
        None => {
            assert_eq!(body, b"Action=GetCallerIdentity&Version=2011-06-15");
            let told =
                format!("<GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult>");
            Response::new(Body::from(told))
        }
    }
}

fn listed_or_removed(
    state: &State,
    method: &axum::http::Method,
    query: &[(String, String)],
    body: &[u8],
) -> Response<Body> {
    let mut objects = state.objects.lock().unwrap();
    let value = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if method == axum::http::Method::POST && value("delete").is_some() {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let keys: Vec<&str> =
            text.split("<Object>").skip(1).map(|each| between(each, "Key").unwrap()).collect();
        assert!(keys.len() <= PAGE, "{} at once", keys.len());
        for key in keys {
            objects.remove(&unescaped(key));
        }
        return Response::new(Body::from("<DeleteResult></DeleteResult>"));
    }
    let (prefix, after) =
        (value("prefix").unwrap_or_default(), value("continuation-token").unwrap_or_default());
    let mut keys: Vec<&String> =
        objects.keys().filter(|key| key.starts_with(prefix) && key.as_str() > after).collect();
    let is_more = keys.len() > PAGE;
    keys.truncate(PAGE);
    let escaped = |key: &str| key.replace('&', "&amp;");
    let listed: String =
        keys.iter().map(|key| format!("<Contents><Key>{}</Key></Contents>", escaped(key))).collect();
    let next = keys.last().filter(|_| is_more);
    let next = next.map(|key| format!("<NextContinuationToken>{key}</NextContinuationToken>"));
    let next = next.unwrap_or_default();
    Response::new(Body::from(format!("<ListBucketResult>{listed}{next}</ListBucketResult>")))
}

fn object(
    state: &State,
    method: &axum::http::Method,
    headers: &HeaderMap,
    key: &str,
    body: Vec<u8>,
) -> Response<Body> {
    let mut objects = state.objects.lock().unwrap();
    match method.as_str() {
        "PUT" if headers.contains_key("if-none-match") && objects.contains_key(key) => {
            error(412, "PreconditionFailed", "it is there")
        }
        "PUT" => {
            objects.insert(key.to_owned(), body);
            Response::new(Body::empty())
        }
        "GET" => match objects.get(key) {
            Some(bytes) => Response::new(Body::from(bytes.clone())),
            None => error(404, "NoSuchKey", "it is not there"),
        },
        "DELETE" => {
            objects.remove(key);
            Response::builder().status(204).body(Body::empty()).unwrap()
        }
        _ => error(405, "MethodNotAllowed", "how?"),
    }
}

fn error(status: u16, code: &str, message: &str) -> Response<Body> {
    let told = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Response::builder().status(status).body(Body::from(told)).unwrap()
}

/// A path as it is meant.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
