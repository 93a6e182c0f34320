//! An answer on its way to the viewer, and the headers by which an edge is known.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, SERVER,
    SET_COOKIE, VIA,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::identity::{self, Identity};
use crate::chance::Dice;

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_AMZ_CF_POP: HeaderName = HeaderName::from_static("x-amz-cf-pop");
const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");
const X_AMZN_WAF_ACTION: HeaderName = HeaderName::from_static("x-amzn-waf-action");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What would prove, in a browser, that it is one.
const CHALLENGE_PAGE: &[u8] = b"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title></title></head>\
    <body><div id=\"challenge-container\"></div><noscript><h1>JavaScript is disabled</h1></noscript></body></html>\n";

/// What the cache had to do with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheResult {
    /// It was there, or somebody else was fetching it.
    Hit,
    /// The origin said that what had expired is still right.
    RefreshHit,
    /// The origin gave it.
    Miss,
    /// Nobody gave it.
    Error,
}

/// Status, headers and body, and how it was come by.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    // None: the answer shows no trace of an edge.
    provenance: Option<Provenance>,
}

#[derive(Clone, Copy, Debug)]
struct Provenance {
    result: CacheResult,
    age: Option<Duration>,
    upstream: Option<Duration>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Answer {
        Answer { status, headers, body, provenance: None }
    }

    /// Says how the answer was come by: its age where it was kept, the origin's time where it was asked.
    pub(super) fn cached(
        mut self,
        result: CacheResult,
        age: Option<Duration>,
        upstream: Option<Duration>,
    ) -> Answer {
        // What the edge itself says to a wrong range was never kept.
        let age = age.filter(|_| self.status != StatusCode::RANGE_NOT_SATISFIABLE);
        self.provenance = Some(Provenance { result, age, upstream });
        self
    }

    /// Adds cookies of the origin's.
    pub(super) fn with_cookies(mut self, cookies: &[HeaderValue]) -> Answer {
        for cookie in cookies {
            self.headers.append(SET_COOKIE, cookie.clone());
        }
        self
    }

    /// As an origin answers a HEAD that nobody thought of: another page, and none.
    pub(super) fn without_content(mut self) -> Answer {
        self.headers.remove(ETAG);
        self.headers.remove(CONTENT_ENCODING);
        self.body = Bytes::new();
        self
    }

    /// The firewall's answer to a viewer that it does not trust yet: a script for those that show pages, and
    /// nothing at all for others.
    /// <https://docs.aws.amazon.com/waf/latest/APIReference/API_ChallengeAction.html>
    pub(super) fn challenge(viewer: &HeaderMap) -> Answer {
        let shows_pages = viewer
            .get_all(ACCEPT)
            .iter()
            .any(|accepted| accepted.to_str().is_ok_and(|accepted| accepted.contains("text/html")));
        let mut answer = Answer::edge_error(StatusCode::ACCEPTED);
        answer.body = if shows_pages { Bytes::from_static(CHALLENGE_PAGE) } else { Bytes::new() };
        answer.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, max-age=0"));
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
        answer.headers.insert(X_AMZN_WAF_ACTION, HeaderValue::from_static("challenge"));
        answer
    }

    /// The edge's own page where it has nothing better.
    pub(super) fn edge_error(status: StatusCode) -> Answer {
        let mut answer = Answer::notice(status, HeaderValue::from_static("CloudFront"));
        answer.provenance = Some(Provenance { result: CacheResult::Error, age: None, upstream: None });
        answer
    }

    /// The answer to whoever wants bytes beyond the last.
    pub(super) fn beyond(size_bytes: usize) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(size) = HeaderValue::from_str(&format!("bytes */{size_bytes}")) {
            headers.insert(CONTENT_RANGE, size);
        }
        Answer::new(StatusCode::RANGE_NOT_SATISFIABLE, headers, Bytes::new())
    }

    /// The balancer's own page: it looks like nothing that the edge or the shop would send.
    pub(super) fn from_balancer(status: StatusCode) -> Answer {
        Answer::notice(status, HeaderValue::from_static("awselb/2.0"))
    }

    fn notice(status: StatusCode, server: HeaderValue) -> Answer {
        let body =
            format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
        let mut headers = HeaderMap::new();
        headers.insert(SERVER, server);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Answer::new(status, headers, Bytes::from(body))
    }

    /// The whole answer. `elapsed` is since the request arrived.
    pub(super) fn into_response(
        mut self,
        identity: &Identity,
        dice: &Dice,
        elapsed: Duration,
        is_head: bool,
    ) -> Response<Full<Bytes>> {
        if let Some(provenance) = self.provenance {
            provenance.tell(&mut self.headers, self.status, identity, dice, elapsed);
        }
        if self.status != StatusCode::NOT_MODIFIED {
            // Of a HEAD that the origin answered, only the origin knows the length.
            let length = HeaderValue::from(self.body.len());
            self.headers.entry(CONTENT_LENGTH).or_insert(length);
        }
        let body = if is_head { Bytes::new() } else { self.body };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }
}

impl Provenance {
    /// Adds the headers of an edge.
    fn tell(
        self,
        headers: &mut HeaderMap,
        status: StatusCode,
        identity: &Identity,
        dice: &Dice,
        elapsed: Duration,
    ) {
        // An error is told as one, also where it came out of the cache.
        let is_error = status.is_client_error() || status.is_server_error();
        headers.insert(X_CACHE, if is_error { CacheResult::Error } else { self.result }.header());
        headers.insert(VIA, identity.via.clone());
        headers.insert(X_AMZ_CF_POP, identity.pop.clone());
        if let Some(age) = self.age {
            headers.insert(AGE, HeaderValue::from(age.as_secs()));
        }
        let request_id = identity::request_id(dice);
        if let Ok(timing) = HeaderValue::from_str(&self.server_timing(identity, &request_id, elapsed)) {
            headers.insert(SERVER_TIMING, timing);
        }
        if let Ok(request_id) = HeaderValue::from_str(&request_id) {
            headers.insert(X_AMZ_CF_ID, request_id);
        }
    }

    /// The metrics of CloudFront's `Server-Timing`.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html#server-timing-header>
    fn server_timing(self, identity: &Identity, request_id: &str, elapsed: Duration) -> String {
        let mut timing = String::with_capacity(192);
        let is_hit = matches!(self.result, CacheResult::Hit | CacheResult::RefreshHit);
        timing.push_str(if is_hit { "cdn-cache-hit" } else { "cdn-cache-miss" });
        if self.result == CacheResult::RefreshHit {
            timing.push_str(",cdn-cache-refresh");
        }
        // Writing to a string cannot fail.
        let _ = write!(timing, ",cdn-pop;desc=\"{}\",cdn-rid;desc=\"{request_id}\"", identity.pop_name);
        if is_hit {
            timing.push_str(",cdn-hit-layer;desc=\"EDGE\"");
        }
        if let Some(upstream) = self.upstream {
            // The connection to the origin is kept open: nothing to resolve or to connect.
            let _ = write!(
                timing,
                ",cdn-upstream-layer;desc=\"EDGE\",cdn-upstream-dns;dur=0,cdn-upstream-connect;dur=0\
                 ,cdn-upstream-fbl;dur={}",
                upstream.as_millis()
            );
        }
        let _ = write!(timing, ",cdn-downstream-fbl;dur={}", elapsed.as_millis());
        timing
    }
}

impl CacheResult {
    fn header(self) -> HeaderValue {
        match self {
            CacheResult::Hit => HeaderValue::from_static("Hit from cloudfront"),
            CacheResult::RefreshHit => HeaderValue::from_static("RefreshHit from cloudfront"),
            CacheResult::Miss => HeaderValue::from_static("Miss from cloudfront"),
            CacheResult::Error => HeaderValue::from_static("Error from cloudfront"),
        }
    }
}
