//! Where a redirect leads, and what of the request goes there: RFC 9110, section 15.4, and the Fetch standard
//! ("HTTP-redirect fetch"), as Chromium keeps them when a page is opened. Recordings of it are held against this.

use std::borrow::Cow;
use std::fmt::Write;
use std::rc::Rc;

use bytes::Bytes;
use http::Method;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE,
    COOKIE, HeaderName, HeaderValue, ORIGIN, PROXY_AUTHORIZATION,
};
use url::Url;

use crate::address::{Address, shown_in_referer, without_query};
use crate::client::Origin;
use crate::exchange::{Order, Reply, Whence};

/// The most redirects that are followed: what browsers follow.
const HOPS_MAX: usize = 19;
/// What describes a body, and goes with it.
const OF_A_BODY: [HeaderName; 5] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE];
/// Credentials, which are for those to whom they were given.
const OF_A_HOST: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// What a request said of where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its Referer.
    pub referer: Option<String>,
    /// Its Origin.
    pub origin: Option<String>,
}

/// A request that was answered.
struct Sent<'a> {
    method: &'a Method,
    url: &'a Url,
    headers: &'a [(HeaderName, HeaderValue)],
    body: Option<&'a Bytes>,
    said: Said,
}

/// What is left of a request that is led on.
#[derive(Clone, Debug)]
pub(crate) struct Redirected {
    pub(crate) method: Method,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) said: Said,
}

/// Whether an answer with this status leads on, if it says where.
fn leads_on(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Where an answer leads after so many redirects, and what of the request goes there, whose own headers these are.
/// The error says why it cannot be followed.
pub(crate) fn led(
    order: &Order<'_>,
    headers: &[(HeaderName, HeaderValue)],
    reply: &Reply,
    hops: usize,
) -> Result<Option<(Url, Redirected)>, String> {
    if !leads_on(reply.status) {
        return Ok(None);
    }
    let (referer, origin) = order.provenance();
    let sent = Sent {
        method: order.method,
        url: &order.address.url,
        headers,
        body: order.body,
        said: Said { referer: referer.map(str::to_owned), origin: origin.map(Cow::into_owned) },
    };
    let location = reply.location.as_deref();
    let led = follow(&sent, reply.status, location)?;
    if led.is_some() && hops >= HOPS_MAX {
        let last = without_query(location.unwrap_or_default());
        return Err(format!("over {HOPS_MAX} redirects, the last to {last}"));
    }
    Ok(led)
}

/// Why a redirect to `url` is not followed, which leads to a host that nobody named.
pub(crate) fn not_allowed(url: &Url) -> String {
    let host = url.host_str().unwrap_or("");
    format!("redirected to {host}; name it with --allow-host to have redirects to it followed")
}

/// Where a request comes from that a redirect led here, or a page.
pub(crate) fn whence<'a>(redirected: Option<&'a Redirected>, page: Option<&'a Rc<Address>>) -> Whence<'a> {
    match (redirected, page) {
        (Some(redirected), _) => Whence::Redirect(&redirected.said),
        (None, Some(page)) => Whence::Page(page),
        (None, None) => Whence::Nowhere,
    }
}

/// Where an answer with this status and Location leads whoever sent the request, and with what. `None` where it leads
/// nowhere else.
///
/// # Errors
/// Why nobody can go there.
fn follow(sent: &Sent<'_>, status: u16, location: Option<&str>) -> Result<Option<(Url, Redirected)>, String> {
    let Some(location) = location.filter(|location| leads_on(status) && !location.is_empty()) else {
        return Ok(None);
    };
    let url = sent.url.join(&slashes(location));
    let shown = without_query(location);
    let mut url = url.map_err(|why| format!("redirected to \"{shown}\", which is no address: {why}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("redirected to \"{shown}\", which is neither http nor https"));
    }
    if url.fragment().is_none() {
        url.set_fragment(sent.url.fragment());
    }
    // 303 makes a GET of anything, and 301 and 302 make one of a POST.
    let becomes_get = match status {
        303 => !matches!(*sent.method, Method::GET | Method::HEAD),
        301 | 302 => *sent.method == Method::POST,
        _ => false,
    };
    let is_elsewhere = Origin::of(sent.url) != Origin::of(&url);
    let is_left = |name: &HeaderName| {
        let goes = becomes_get && (OF_A_BODY.contains(name) || *name == ORIGIN);
        !(goes || (is_elsewhere && OF_A_HOST.contains(name)))
    };
    let mut headers = sent.headers.to_vec();
    headers.retain(|(name, _)| is_left(name));
    let mut origin = sent.said.origin.clone().filter(|_| !becomes_get);
    if is_elsewhere {
        // Nobody is to be told by whom somebody else was led here.
        let own = headers.iter_mut().filter(|(name, _)| *name == ORIGIN);
        own.for_each(|(_, value)| *value = HeaderValue::from_static("null"));
        origin = origin.map(|_| "null".to_owned());
    }
    let said = Said { referer: referer(sent.said.referer.as_deref(), &url), origin };
    let method = if becomes_get { Method::GET } else { sent.method.clone() };
    let body = sent.body.cloned().filter(|_| !becomes_get);
    Ok(Some((url, Redirected { method, headers, body, said })))
}

/// `///host/path` as `//host/path`: any number of slashes begins a host (URL Standard, "special authority ignore slashes
/// state"), which `Url` knows of two alone.
fn slashes(location: &str) -> Cow<'_, str> {
    let rest = location.trim_start_matches(['/', '\\']);
    if location.len() - rest.len() > 2 { Cow::Owned(format!("//{rest}")) } else { Cow::Borrowed(location) }
}

/// What is left of a Referer: what was left out before is not told again.
fn referer(before: Option<&str>, to: &Url) -> Option<String> {
    let page = Url::parse(before?).ok()?;
    let (from, to) = (Origin::of(&page), Origin::of(to));
    shown_in_referer(&page, from == to, from.secure && !to.secure).map(str::to_owned)
}

/// The text of a Location. Bytes that are no UTF-8 are escaped, as browsers do.
pub(crate) fn location(value: &[u8]) -> Box<str> {
    if let Ok(text) = std::str::from_utf8(value) {
        return text.into();
    }
    let mut text = String::with_capacity(value.len() + 16);
    for byte in value {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use url::Position;

    use super::*;

    /// What Chromium does with redirects: made by `journeys/tests/record/record.mjs`.
    const RECORDINGS: &str = include_str!("../../../journeys/tests/recordings/redirects.json");
    /// Where another way is gone than Chromium goes, and why.
    const DIFFERENCES: &[(&str, &str)] = &[(
        "304 GET",
        "an answer that nobody asked for is judged like any other, while a browser stays where it was",
    )];
    const FORM: &str = "application/x-www-form-urlencoded";

    fn text(value: &Value) -> &str {
        value.as_str().unwrap_or_default()
    }

    fn line(method: &str, url: &str, has_body: bool, content_type: &str, said: [&str; 2]) -> String {
        let [referer, origin] = said;
        format!("{method} {url} body: {has_body} [{content_type}] referer: {referer} origin: {origin}\n")
    }

    /// The requests that followed the first, and where that ended: nowhere, if the page before stayed.
    fn by_chromium(case: &Value, page: &str) -> String {
        let requests = case["follow_ups"].as_array().unwrap().iter();
        let mut lines: String = requests
            .map(|request| {
                let said = [text(&request["referer"]), text(&request["origin"])];
                let has_body = request["has_body"].as_bool().unwrap();
                line(
                    text(&request["method"]),
                    text(&request["url"]),
                    has_body,
                    text(&request["content_type"]),
                    said,
                )
            })
            .collect();
        let landed = text(&case["landed"]);
        let is_nowhere = landed == page || landed.starts_with("chrome-error:");
        lines.push_str(if is_nowhere { "nowhere" } else { landed });
        lines
    }

    fn by_doorbuster(case: &Value, page: &Url) -> String {
        let is_get = case["method"] == "GET";
        let mut url = page.join(text(&case["action"])).unwrap();
        let mut request = Redirected {
            method: if is_get { Method::GET } else { Method::POST },
            headers: Vec::new(),
            body: None,
            said: Said { referer: Some(page.to_string()), origin: None },
        };
        if is_get {
            url.set_query(Some("q=lamp"));
        } else {
            request.headers.push((CONTENT_TYPE, HeaderValue::from_static(FORM)));
            request.body = Some(Bytes::from_static(b"q=lamp"));
            request.said.origin = Some(page.origin().ascii_serialization());
        }
        let mut lines = String::new();
        for hop in case["hops"].as_array().unwrap() {
            let status = u16::try_from(hop[0].as_u64().unwrap()).unwrap();
            let Redirected { method, headers, body, said } = request.clone();
            let sent = Sent { method: &method, url: &url, headers: &headers, body: body.as_ref(), said };
            match follow(&sent, status, hop[1].as_str()) {
                Ok(Some((next, redirected))) => (url, request) = (next, redirected),
                Ok(None) => break,
                Err(_) => return lines + "nowhere",
            }
            let content_type = request.headers.iter().find(|(name, _)| *name == CONTENT_TYPE);
            let content_type = content_type.map_or("", |(_, value)| value.to_str().unwrap());
            let said =
                [&request.said.referer, &request.said.origin].map(|said| said.as_deref().unwrap_or(""));
            let shown = &url[..Position::AfterQuery];
            lines.push_str(&line(request.method.as_str(), shown, request.body.is_some(), content_type, said));
        }
        lines + url.as_str()
    }

    #[test]
    fn redirects_are_followed_as_chromium_follows_them() {
        let recordings: Value = serde_json::from_str(RECORDINGS).unwrap();
        let page = Url::parse(text(&recordings["page"])).unwrap();
        let cases = recordings["cases"].as_array().unwrap();
        assert!(cases.len() >= 50, "there are only {} cases", cases.len());
        let (mut wrong, mut known) = (Vec::new(), Vec::new());
        for case in cases {
            let (expected, found) = (by_chromium(case, page.as_str()), by_doorbuster(case, &page));
            if expected != found {
                match DIFFERENCES.iter().find(|(name, _)| *name == text(&case["name"])) {
                    Some(difference) => known.push(*difference),
                    None => wrong.push(format!(
                        "{}\n--- Chromium\n{expected}\n--- Doorbuster\n{found}\n",
                        case["name"]
                    )),
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        let stale: Vec<_> = DIFFERENCES.iter().filter(|difference| !known.contains(*difference)).collect();
        assert!(stale.is_empty(), "these differ no more: {stale:?}");
    }

    /// A request with headers of its own, answered by a redirect: method, headers and Referer of the next.
    fn led(method: &Method, from: &str, status: u16, to: &str) -> (Method, String, bool, Option<String>) {
        let headers = [
            ("accept", "a/b"),
            ("authorization", "secret"),
            ("content-disposition", "inline"),
            ("content-type", "text/xml"),
            ("cookie", "a=1"),
            ("origin", "http://shop.test"),
        ];
        let headers =
            headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let (url, body) = (Url::parse(from).unwrap(), Bytes::from_static(b"<a/>"));
        let said = Said { referer: Some("https://shop.test/page?q=1".to_owned()), origin: None };
        let sent = Sent { method, url: &url, headers: &headers, body: Some(&body), said };
        let (_, next) = follow(&sent, status, Some(to)).unwrap().unwrap();
        let shown =
            |(name, value): &(HeaderName, HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        let headers: Vec<String> = next.headers.iter().map(shown).collect();
        (next.method, headers.join(", "), next.body.is_some(), next.said.referer)
    }

    #[test]
    fn what_a_journey_says_itself_goes_where_a_browser_would_let_it_go() {
        let shop = "https://shop.test/a";
        let referer = |text: &str| Some(text.to_owned());
        let all = "accept: a/b, authorization: secret, content-disposition: inline, content-type: text/xml, cookie: a=1, origin: http://shop.test";
        let within = referer("https://shop.test/page?q=1");
        assert_eq!(led(&Method::PUT, shop, 302, "/b"), (Method::PUT, all.to_owned(), true, within.clone()));
        let bare = "accept: a/b, authorization: secret, content-disposition: inline, cookie: a=1";
        assert_eq!(led(&Method::PUT, shop, 303, "/b"), (Method::GET, bare.to_owned(), false, within.clone()));
        assert_eq!(led(&Method::POST, shop, 301, "/b").0, Method::GET);
        assert_eq!(led(&Method::HEAD, shop, 303, "/b"), (Method::HEAD, all.to_owned(), true, within));
        let elsewhere = "accept: a/b, content-disposition: inline, content-type: text/xml, origin: null";
        let origin = referer("https://shop.test/");
        for to in ["https://other.test/", "https://shop.test:8443/"] {
            let expected = (Method::POST, elsewhere.to_owned(), true, origin.clone());
            assert_eq!(led(&Method::POST, shop, 307, to), expected, "{to}");
        }
        let expected = (Method::POST, elsewhere.to_owned(), true, None);
        assert_eq!(
            led(&Method::POST, shop, 307, "http://shop.test/"),
            expected,
            "nothing is told in the clear"
        );
    }

    #[test]
    fn messages_show_no_queries() {
        let url = Url::parse("https://shop.test/").unwrap();
        let said = Said { referer: None, origin: None };
        let sent = Sent { method: &Method::GET, url: &url, headers: &[], body: None, said };
        for (location, expected) in [
            (
                "http://[x/?token=a#b",
                "redirected to \"http://[x/\", which is no address: invalid IPv6 address",
            ),
            ("app://x/y?token=a", "redirected to \"app://x/y\", which is neither http nor https"),
            ("app:x#token=a", "redirected to \"app:x\", which is neither http nor https"),
        ] {
            assert_eq!(follow(&sent, 302, Some(location)).unwrap_err(), expected);
        }
    }

    #[test]
    fn locations_are_text_whatever_their_bytes() {
        assert_eq!(&*location("/café".as_bytes()), "/café");
        assert_eq!(&*location(b"/caf\xe9?\xff"), "/caf%E9?%FF");
    }
}
