//! Which address is cached how: behaviours as data, and the arithmetic of freshness.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, COOKIE, HOST, IF_NONE_MATCH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};

use super::cache::Object;
use super::cookies;
use crate::fault::Switches;

const YEAR: Duration = Duration::from_secs(31_536_000);
const DAY: Duration = Duration::from_secs(86_400);
/// How long CloudFront keeps an error unless told otherwise.
const ERROR_TTL: Duration = Duration::from_secs(10);
/// Statuses that CloudFront keeps as errors.
const ERRORS_KEPT: [u16; 7] = [404, 414, 500, 501, 502, 503, 504];
/// Other statuses that it keeps.
const STATUSES_KEPT: [u16; 3] = [200, 301, 308];

/// What kind of address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A static file.
    Asset,
    /// A page that is the same for everybody. No cookies reach the origin, so that nothing personal comes back.
    Page,
    /// What belongs to one viewer, and is kept by mistake. Cookies are forwarded, and come back.
    Leaked,
}

/// How the edge caches one kind of address.
#[derive(Debug)]
pub(super) struct Policy {
    kind: Kind,
    keyed_by: KeyedBy,
    ttl_min: Duration,
    ttl_max: Duration,
    ttl_default: Duration,
}

/// What of an address is in the key, and hence reaches the origin.
#[derive(Clone, Copy, Debug)]
enum KeyedBy {
    Path,
    /// Host, path, and those parameters by which pages differ ([`PARAMETERS`]).
    HostPathParameters,
    HostPathQuery,
}

/// The parameters by which pages differ, in the order in which they stand in the key. Whatever else a viewer
/// adds (what follows visits from a newsletter, say) makes no other copy, and neither does its order.
const PARAMETERS: [&str; 2] = ["page", "q"];

/// Versioned files: the name says it all.
static ASSETS: Policy = Policy {
    kind: Kind::Asset,
    keyed_by: KeyedBy::Path,
    ttl_min: Duration::ZERO,
    ttl_max: YEAR,
    ttl_default: DAY,
};
/// Pages that are the same for everybody.
static PAGES: Policy = Policy {
    kind: Kind::Page,
    keyed_by: KeyedBy::HostPathParameters,
    ttl_min: Duration::ZERO,
    ttl_max: DAY,
    ttl_default: Duration::from_secs(300),
};
/// The mistake behind `api-cached` and `cart-leaked`: a minimum TTL above zero keeps even what says
/// `no-store`, and the cookies that make it personal are not in the key.
static LEAKED: Policy = Policy {
    kind: Kind::Leaked,
    keyed_by: KeyedBy::HostPathQuery,
    ttl_min: Duration::from_secs(60),
    ttl_max: DAY,
    ttl_default: Duration::from_secs(60),
};

impl Policy {
    /// How that path is cached, or none where it belongs to one viewer.
    pub(super) fn of(path: &str, switches: &Switches) -> Option<&'static Policy> {
        let first = path.split('/').nth(1).unwrap_or_default();
        match first {
            "static" => Some(&ASSETS),
            "api" => switches.api_cached.then_some(&LEAKED),
            "cart" | "checkout" => switches.cart_leaked.then_some(&LEAKED),
            "boutique" | "graphql" | "healthz" => None,
            _ => Some(&PAGES),
        }
    }

    /// What the answer is kept under.
    pub(super) fn key(&self, parts: &Parts, switches: &Switches) -> String {
        let address = self.address(&parts.uri, switches);
        let mut key = match self.keyed_by {
            KeyedBy::Path => address.into_owned(),
            KeyedBy::HostPathParameters | KeyedBy::HostPathQuery => [host(parts), &*address].concat(),
        };
        if switches.cookie_key && self.kind != Kind::Leaked {
            for cookie in parts.headers.get_all(COOKIE) {
                key.push('\n');
                key.push_str(cookie.to_str().unwrap_or_default());
            }
        }
        if self.kind == Kind::Page {
            cookies::mark(&mut key, switches);
        }
        key
    }

    /// As much of an address as reaches the origin.
    fn address<'a>(&self, uri: &'a Uri, switches: &Switches) -> Cow<'a, str> {
        let whole = || Cow::Borrowed(uri.path_and_query().map_or("/", |address| address.as_str()));
        match self.keyed_by {
            _ if switches.query_key => whole(),
            KeyedBy::Path => Cow::Borrowed(uri.path()),
            KeyedBy::HostPathParameters => with_parameters(uri),
            KeyedBy::HostPathQuery => whole(),
        }
    }

    /// The request to the origin: with nothing of the viewer's that is not in the key, save where
    /// cookies are forwarded; conditional where an expired answer is at hand.
    pub(super) fn forward(
        &self,
        parts: &Parts,
        stale: Option<&Object>,
        switches: &Switches,
    ) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        // A part of an address that was read before can be read again.
        let address = self.address(&parts.uri, switches);
        *request.uri_mut() = address.parse().unwrap_or(Uri::from_static("/"));
        if let Ok(host) = HeaderValue::from_str(host(parts)) {
            request.headers_mut().insert(HOST, host);
        }
        if self.kind == Kind::Leaked || switches.cookie_key || cookies::are_forwarded(switches) {
            for cookie in parts.headers.get_all(COOKIE) {
                request.headers_mut().append(COOKIE, cookie.clone());
            }
        }
        let known = stale.filter(|_| !switches.no_304);
        if let Some(etag) = known.and_then(|object| object.payload.etag()) {
            request.headers_mut().insert(IF_NONE_MATCH, etag.clone());
        }
        request
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether nothing of this kind is kept at all, because a fault has it say so.
    pub(super) fn keeps_nothing(&self, switches: &Switches) -> bool {
        self.kind == Kind::Page && switches.no_store_html
    }

    /// How long an answer of the origin stays fresh; zero: it is not kept.
    pub(super) fn ttl(&self, status: StatusCode, headers: &HeaderMap, switches: &Switches) -> Duration {
        if ERRORS_KEPT.contains(&status.as_u16()) {
            return ERROR_TTL;
        }
        if !STATUSES_KEPT.contains(&status.as_u16()) || self.keeps_nothing(switches) {
            return Duration::ZERO;
        }
        let directives = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let asked = directives.map_or(self.ttl_default, asked_ttl);
        asked.clamp(self.ttl_min, self.ttl_max)
    }

    /// How long what is kept counts as fresh under the faults that are on now, whichever were on before.
    pub(super) fn fresh_for(&self, object: &Object, switches: &Switches) -> Duration {
        let status = object.payload.status();
        let is_page = self.kind == Kind::Page;
        let fresh_for = if ERRORS_KEPT.contains(&status.as_u16()) {
            object.ttl.max(switches.error_ttl)
        } else if self.older_by(status, switches).is_some() {
            Duration::MAX
        } else if is_page && switches.html_year {
            // The lesser of what it says and what the edge may.
            object.ttl.max(self.ttl_max)
        } else if switches.no_lifetime && self.kind != Kind::Leaked {
            object.ttl.min(self.ttl_default)
        } else {
            object.ttl
        };
        switches.ttl_max.map_or(fresh_for, |ttl_max| ttl_max.min(fresh_for))
    }

    /// By how much an answer is older than this edge's copy of it, where a fault has pages outlive their lifetime.
    pub(super) fn older_by(&self, status: StatusCode, switches: &Switches) -> Option<Duration> {
        switches.stale_html.filter(|_| self.kind == Kind::Page && status == StatusCode::OK)
    }
}

/// The path with the parameters by which pages differ, as a function on viewers' requests would write it.
fn with_parameters(uri: &Uri) -> Cow<'_, str> {
    let Some(query) = uri.query() else { return Cow::Borrowed(uri.path()) };
    let mut address = String::with_capacity(uri.path().len() + query.len() + 1);
    address.push_str(uri.path());
    let mut mark = '?';
    for name in PARAMETERS {
        for pair in query.split('&').filter(|pair| pair.split('=').next() == Some(name)) {
            address.push(mark);
            address.push_str(pair);
            mark = '&';
        }
    }
    Cow::Owned(address)
}

/// What a `Cache-Control` asks of a shared cache: `s-maxage`, else `max-age`, else nothing.
fn asked_ttl(cache_control: &str) -> Duration {
    let directives = || cache_control.split(',').map(str::trim);
    let forbidden =
        |name: &str| ["no-store", "private", "no-cache"].iter().any(|word| name.eq_ignore_ascii_case(word));
    if directives().any(forbidden) {
        return Duration::ZERO;
    }
    let seconds = |name: &str| {
        let mut pairs = directives().filter_map(|directive| directive.split_once('='));
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.parse().ok()
    };
    seconds("s-maxage").or_else(|| seconds("max-age")).map_or(Duration::ZERO, Duration::from_secs)
}

/// The host that the viewer asked: from the address in HTTP/2, from the header in HTTP/1.
fn host(parts: &Parts) -> &str {
    let from_header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    parts.uri.authority().map(|authority| authority.as_str()).or_else(from_header).unwrap_or_default()
}

/// Takes out what was meant for the next hop only.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    for name in [CONNECTION, KEEP_ALIVE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{ASSETS, LEAKED, PAGES, Policy};
    use crate::edge::cache::Object;
    use crate::edge::payload::Payload;
    use crate::fault::Switches;
    use bytes::Bytes;
    use http::header::CACHE_CONTROL;
    use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn ttl_s(policy: &Policy, status: u16, cache_control: Option<&'static str>) -> u64 {
        let mut headers = HeaderMap::new();
        if let Some(value) = cache_control {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        policy.ttl(StatusCode::from_u16(status).unwrap(), &headers, &Switches::default()).as_secs()
    }

    #[test]
    fn freshness_follows_the_origin_within_the_policy() {
        assert_eq!(ttl_s(&PAGES, 200, Some("public, max-age=300")), 300);
        assert_eq!(ttl_s(&PAGES, 200, Some("Max-Age=5, S-MaxAge=7")), 7);
        assert_eq!(ttl_s(&PAGES, 200, Some("private, no-store")), 0);
        assert_eq!(ttl_s(&PAGES, 200, Some("no-cache, max-age=300")), 0);
        assert_eq!(ttl_s(&PAGES, 200, Some("public")), 0);
        assert_eq!(ttl_s(&PAGES, 200, None), 300);
        assert_eq!(ttl_s(&ASSETS, 200, Some("max-age=99999999999")), 31_536_000);
        assert_eq!(ttl_s(&LEAKED, 200, Some("private, no-store")), 60);
        assert_eq!((ttl_s(&PAGES, 404, None), ttl_s(&PAGES, 503, Some("no-store"))), (10, 10));
        assert_eq!((ttl_s(&PAGES, 303, Some("max-age=9")), ttl_s(&LEAKED, 422, None)), (0, 0));
    }

    #[test]
    fn faults_concern_what_was_kept_before_them_too() {
        let fresh_s = |policy: &Policy, status: u16, ttl_s: u64, switches: &Switches| {
            let ttl = Duration::from_secs(ttl_s);
            let answer = Response::builder().status(status).body(Bytes::new()).unwrap();
            let payload = Arc::new(Payload::new(answer, policy, ttl));
            policy.fresh_for(&Object { payload, stored: Instant::now(), ttl }, switches).as_secs()
        };
        let none = Switches::default();
        assert_eq!((fresh_s(&PAGES, 200, 300, &none), fresh_s(&ASSETS, 404, 10, &none)), (300, 10));
        let year = Switches { html_year: true, ..none };
        assert_eq!((fresh_s(&PAGES, 200, 300, &year), fresh_s(&ASSETS, 200, 300, &year)), (86_400, 300));
        let stale = Switches { stale_html: Some(Duration::ZERO), ..none };
        assert_eq!((fresh_s(&PAGES, 200, 300, &stale), fresh_s(&PAGES, 404, 10, &stale)), (u64::MAX, 10));
        let unsaid = Switches { no_lifetime: true, ..none };
        assert_eq!(
            (fresh_s(&PAGES, 200, 300, &unsaid), fresh_s(&ASSETS, 200, 9_999_999, &unsaid)),
            (300, 86_400)
        );
        let errors = Switches { error_ttl: Duration::from_secs(3_600), ..none };
        assert_eq!((fresh_s(&PAGES, 404, 10, &errors), fresh_s(&PAGES, 200, 300, &errors)), (3_600, 300));
        let both = Switches { ttl_max: Some(Duration::from_secs(5)), ..errors };
        assert_eq!((fresh_s(&PAGES, 404, 10, &both), fresh_s(&PAGES, 200, 300, &both)), (5, 5));
    }

    #[test]
    fn a_page_that_says_no_store_is_not_kept_but_what_is_not_there_is() {
        let switches = Switches { no_store_html: true, ..Switches::default() };
        let ttl = |policy: &Policy, status| policy.ttl(status, &HeaderMap::new(), &switches);
        assert!(ttl(&PAGES, StatusCode::OK).is_zero() && !ttl(&ASSETS, StatusCode::OK).is_zero());
        assert_eq!(ttl(&PAGES, StatusCode::NOT_FOUND).as_secs(), 10);
    }

    #[test]
    fn personal_addresses_are_cached_by_mistake_only() {
        let none = Switches::default();
        for path in ["/cart", "/cart/add", "/checkout/payment", "/api/cart", "/api/products", "/healthz"] {
            assert!(Policy::of(path, &none).is_none(), "{path}");
        }
        for path in ["/boutique", "/boutique/", "/boutique/p/1", "/boutique/cart", "/graphql"] {
            let all = Switches { cart_leaked: true, api_cached: true, ..none };
            assert!(Policy::of(path, &none).is_none() && Policy::of(path, &all).is_none(), "{path}");
        }
        for path in ["/", "/c/tents", "/p/1", "/search", "/static/x/style.css", "/cartoons", "/boutiques"] {
            assert!(Policy::of(path, &none).is_some(), "{path}");
        }
        let leaked = Switches { cart_leaked: true, ..none };
        assert!(Policy::of("/cart", &leaked).is_some() && Policy::of("/api/cart", &leaked).is_none());
        let cached = Switches { api_cached: true, ..none };
        assert!(Policy::of("/cart", &cached).is_none() && Policy::of("/api/cart", &cached).is_some());
        assert!(Policy::of("/healthz", &cached).is_none());
    }

    #[test]
    fn keys_hold_what_tells_answers_apart() {
        let key = |policy: &Policy, uri: &str| {
            let (parts, ()) = Request::get(uri).header("host", "shop").body(()).unwrap().into_parts();
            policy.key(&parts, &Switches::default())
        };
        assert_eq!(key(&PAGES, "/search?q=a&b"), "shop/search?q=a");
        assert_eq!(key(&PAGES, "/c/tents?utm_source=x&page=2&q=%26&page"), "shop/c/tents?page=2&page&q=%26");
        assert_eq!(key(&PAGES, "/p/1?gclid=1&qq=2&Q=3"), key(&PAGES, "/p/1"));
        assert_eq!(key(&LEAKED, "/api/products?category=tents&x"), "shop/api/products?category=tents&x");
        assert_eq!(key(&PAGES, "http://other:1/search?q=a"), "other:1/search?q=a");
        assert_eq!(key(&ASSETS, "/static/x/style.css?v=3"), "/static/x/style.css");
    }

    #[test]
    fn only_leaking_policies_forward_cookies() {
        let (parts, ()) =
            Request::get("/c/tents?x&page=2").header("cookie", "sid=1").body(()).unwrap().into_parts();
        let forward = |policy: &Policy| policy.forward(&parts, None, &Switches::default());
        assert!(forward(&PAGES).headers().get("cookie").is_none());
        assert!(forward(&LEAKED).headers().get("cookie").is_some());
        assert_eq!(forward(&PAGES).uri(), "/c/tents?page=2");
        assert_eq!(forward(&ASSETS).uri(), "/c/tents");
    }

    #[test]
    fn what_a_fault_puts_into_the_key_reaches_the_origin() {
        let get = |uri: &str, cookie: &'static str| {
            let request = Request::get(uri).header("host", "shop").header("cookie", cookie);
            request.body(()).unwrap().into_parts().0
        };
        let queries = Switches { query_key: true, ..Switches::default() };
        let asset = get("/static/x/a.css?v=1", "sid=1");
        assert_eq!(ASSETS.key(&asset, &queries), "/static/x/a.css?v=1");
        assert_eq!(ASSETS.forward(&asset, None, &queries).uri(), "/static/x/a.css?v=1");
        assert_eq!(PAGES.key(&get("/p/1?b&a", "sid=1"), &queries), "shop/p/1?b&a");

        let cookies = Switches { cookie_key: true, ..Switches::default() };
        let key = |policy: &Policy, cookie| policy.key(&get("/p/1", cookie), &cookies);
        assert_ne!(key(&PAGES, "sid=1"), key(&PAGES, "sid=2"));
        assert_ne!(key(&ASSETS, "sid=1"), key(&ASSETS, "sid=2"));
        assert_eq!(key(&LEAKED, "sid=1"), key(&LEAKED, "sid=2"), "that is another fault");
        assert_eq!(PAGES.forward(&asset, None, &cookies).headers()["cookie"], "sid=1");
    }

    #[test]
    fn pages_with_cookies_are_not_those_without() {
        let (parts, ()) = Request::get("/p/1").body(()).unwrap().into_parts();
        let none = Switches::default();
        for switches in [
            Switches { session_cached: true, ..none },
            Switches { sticky_cached: true, ..none },
            Switches { cookie_sent: true, ..none },
        ] {
            assert_ne!(PAGES.key(&parts, &switches), PAGES.key(&parts, &none));
            assert_eq!(ASSETS.key(&parts, &switches), ASSETS.key(&parts, &none));
        }
    }
}
