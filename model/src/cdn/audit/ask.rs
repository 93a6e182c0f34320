//! Requests of an audit, and in what each differs from a browser's.

use http::header::{ACCEPT_ENCODING, COOKIE, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE};
use http::{HeaderName, HeaderValue, Method};
use url::Url;

use super::address::{in_order, orders, with_tracking, with_unknown};
use super::script::Setting;
use super::subject::Subject;

/// The first byte range that is asked for, in bytes.
pub(super) const RANGE_BYTES: u64 = 100;

/// A way of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// As browsers do: br and gzip, no cookies. Of a private address, by the first shopper.
    Plain,
    /// For the body as it is.
    Identity,
    /// For gzip alone.
    Gzip,
    /// For br alone.
    Brotli,
    /// Whether what came before is still right.
    Conditional,
    /// With a parameter that follows visits.
    Tracking,
    /// With a parameter that nobody knows.
    Unknown,
    /// With the parameters in another order.
    Order,
    /// With a cookie.
    Cookies,
    /// For the head alone.
    Head,
    /// For the first bytes.
    Range,
    /// Without TLS.
    Clear,
    /// By the second shopper.
    Other,
    /// As browsers do, after a while.
    Later,
    /// As browsers do, once nothing that was kept before may be left.
    Expired,
    /// As a journey says.
    Walk,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Nobody in particular: without cookies.
    Nobody,
    /// A shopper with a jar of its own.
    Shopper(u64),
}

/// A request of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// When it is to start, in nanoseconds since the audit did.
    pub at_ns: u64,
    /// Who asks.
    pub who: Who,
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its own headers, over those that every request has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The address as it may be shown, where that is another.
    shown: Option<String>,
    pub(super) way: Way,
    /// The position of what it is about.
    pub(super) subject: usize,
}

/// The counter of handshakes without a request.
pub const HANDSHAKES: &str = "handshakes";

/// What is offered to a server in a handshake without a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// All that is spoken here.
    Anything,
    /// HTTP/1.1 alone.
    Http1,
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.0 at most.
    Tls10,
    /// TLS 1.1 at most.
    Tls11,
}

impl Offer {
    /// All offers, in the order in which they are made.
    pub(super) const ALL: [Self; 5] = [Self::Anything, Self::Http1, Self::Tls12, Self::Tls10, Self::Tls11];

    /// Whether it offers nothing but what must not be spoken any more (RFC 8996).
    pub(super) fn is_old(self) -> bool {
        matches!(self, Self::Tls10 | Self::Tls11)
    }
}

impl Way {
    /// The codings that are asked for.
    fn codings(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Identity | Self::Range => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            _ => "br, gzip",
        })
    }
}

impl Ask {
    /// The request for a subject in a way; `None` where it cannot be asked so. `number` is the subject's position.
    pub(super) fn of(subject: &Subject, way: Way, setting: &Setting, number: usize) -> Option<Self> {
        let tries = subject.of(way).count();
        let fresh = || format!("{}-{tries}", setting.nonce);
        let mut url = subject.url.clone();
        let mut headers = vec![(ACCEPT_ENCODING, way.codings())];
        match way {
            Way::Conditional => headers.push(condition(subject)?),
            Way::Tracking => url = with_tracking(&url, &fresh()),
            Way::Unknown => url = with_unknown(&url, &setting.nonce, tries),
            Way::Order => url = in_order(&url, tries % orders(&url).max(1) + 1)?,
            Way::Cookies => {
                headers.push((COOKIE, HeaderValue::from_str(&format!("visitor={}", fresh())).ok()?));
            }
            Way::Range => {
                let last = RANGE_BYTES - 1;
                headers.push((RANGE, HeaderValue::from_str(&format!("bytes=0-{last}")).ok()?));
            }
            Way::Clear => url.set_scheme("http").ok()?,
            _ => {}
        }
        let who = match way {
            Way::Other => Who::Shopper(2),
            // What a shopper has is for nobody to read on the way.
            Way::Clear => Who::Nobody,
            _ if subject.is_private(setting) => Who::Shopper(1),
            _ => Who::Nobody,
        };
        let method = if way == Way::Head { Method::HEAD } else { Method::GET };
        let shown = subject.shown.clone();
        Some(Self { at_ns: 0, who, method, url, headers, shown, way, subject: number })
    }

    /// A request of a shopper's walk through a journey.
    pub fn of_walk(shopper: u64, method: Method, url: Url, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self {
            at_ns: 0,
            who: Who::Shopper(shopper),
            method,
            url,
            headers,
            shown: None,
            way: Way::Walk,
            subject: usize::MAX,
        }
    }

    /// The same, of whose address no more may be shown than this. What is asked for stays what it is.
    pub fn shown_as(self, shown: String) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// The address as it may be shown.
    pub(super) fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(self.url.as_str())
    }

    /// The same without the query.
    pub(super) fn shown_path(&self) -> &str {
        let shown = self.shown().split(['?', '#']).next().unwrap_or_default();
        let rest = shown.split_once("://").map_or(shown, |(_, rest)| rest);
        rest.find('/').map_or("/", |begin| &rest[begin..])
    }

    /// How the address is to be shown of what is asked for at it later.
    pub(super) fn shown_otherwise(&self) -> Option<String> {
        self.shown.clone()
    }

    /// A header of the request.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known == name).and_then(|(_, value)| value.to_str().ok())
    }
}

/// What a later request asks by whether the last good answer is still right.
fn condition(subject: &Subject) -> Option<(HeaderName, HeaderValue)> {
    let headers = &subject.last_good()?.answer()?.headers;
    let etag = headers.get(http::header::ETAG).map(|etag| (IF_NONE_MATCH, etag.clone()));
    etag.or_else(|| {
        let date = headers.get(http::header::LAST_MODIFIED)?;
        Some((IF_MODIFIED_SINCE, date.clone()))
    })
}
