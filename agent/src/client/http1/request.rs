//! The head of a request as HTTP/1.1 writes it.

use std::io::Write;
use std::ops::Range;

use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, REFERER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Headers that many requests share, as lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    text: Vec<u8>,
    each: Vec<(HeaderName, Range<usize>)>,
}

impl Lines {
    /// The lines of all `headers` but Cookie, which goes together with a shopper's own.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut lines = Self::default();
        for (name, value) in headers.iter().filter(|(name, _)| *name != COOKIE) {
            let from = lines.text.len();
            write_line(&mut lines.text, name, value);
            lines.each.push((name.clone(), from..lines.text.len()));
        }
        lines
    }

    /// Appends all lines but those that `own` replaces.
    fn write(&self, out: &mut Vec<u8>, own: &[(HeaderName, HeaderValue)]) {
        if own.is_empty() {
            out.extend_from_slice(&self.text);
            return;
        }
        for (name, range) in &self.each {
            if !own.iter().any(|(replaced, _)| replaced == name) {
                out.extend_from_slice(&self.text[range.clone()]);
            }
        }
    }
}

/// A request's head.
pub(crate) struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query, or a whole URL for a proxy.
    pub target: &'a str,
    /// The value of Host.
    pub authority: &'a str,
    /// Headers that many requests share.
    pub lines: &'a Lines,
    /// The request's own headers, which replace shared ones.
    pub own: &'a [(HeaderName, HeaderValue)],
    /// The value of Cookie; empty for none.
    pub cookies: &'a [u8],
    /// The value of Referer.
    pub referer: Option<&'a str>,
    /// The value of Origin.
    pub origin: Option<&'a str>,
    /// How long the body is, where there is one.
    pub body_bytes: Option<usize>,
}

/// Appends a head with its empty line.
pub(crate) fn write_head(out: &mut Vec<u8>, head: &Head<'_>) {
    for part in [head.method.as_str(), " ", head.target, " HTTP/1.1\r\nhost: ", head.authority, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    head.lines.write(out, head.own);
    let has_own = |name: &HeaderName| head.own.iter().any(|(own, _)| own == name);
    if !head.cookies.is_empty() && !has_own(&COOKIE) {
        out.extend_from_slice(b"cookie: ");
        out.extend_from_slice(head.cookies);
        out.extend_from_slice(b"\r\n");
    }
    for (name, value) in [(REFERER, head.referer), (ORIGIN, head.origin)] {
        if let Some(value) = value.filter(|_| !has_own(&name)) {
            for part in [name.as_str(), ": ", value, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
    if head.body_bytes.is_some() && !has_own(&CONTENT_TYPE) {
        out.extend_from_slice(b"content-type: application/octet-stream\r\n");
    }
    head.own.iter().for_each(|(name, value)| write_line(out, name, value));
    // RFC 9110, section 8.6: methods that may carry a body say that there is none.
    let needs_length = !matches!(*head.method, Method::GET | Method::HEAD);
    if let Some(bytes) = head.body_bytes.or(needs_length.then_some(0)) {
        // Writing to a vector does not fail.
        let _ = write!(out, "content-length: {bytes}\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_line(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}
