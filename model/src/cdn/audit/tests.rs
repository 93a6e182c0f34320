//! Audits of an edge that is pretended, right and with one fault each.

mod age_alone;
mod bodies;
mod clear;
mod hostile;
mod limits;
mod many_caches;
mod orders;
mod pages;
mod patience;
mod promises;
mod rate;
mod secrets;
mod shoppers;
mod site;
mod transport;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::*;
use crate::cdn::Policy;

const SECOND_NS: u64 = 1_000_000_000;
const YEAR_S: u64 = 31_536_000;

/// A CloudFront before a shop of two pages, three files and a cart.
#[derive(Default)]
struct Edge {
    fault: &'static str,
    /// When each copy was stored.
    copies: BTreeMap<String, u64>,
    requests: u64,
}

/// What the origin has at an address.
struct Content {
    status: u16,
    kind: &'static str,
    cache_control: &'static str,
    bytes: u64,
    /// For how long the edge keeps it, in seconds.
    kept_s: u64,
}

impl Edge {
    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn content(&self, path: &str) -> Content {
        let content = |status, kind, cache_control, bytes, kept_s| Content {
            status,
            kind,
            cache_control,
            bytes,
            kept_s,
        };
        let year = "public, max-age=31536000, immutable";
        match path {
            "/" | "/search" if self.is("html-year") => content(200, "text/html", year, 5_000, YEAR_S),
            "/" | "/search" if self.is("no-store-html") => content(200, "text/html", "no-store", 5_000, 0),
            "/" | "/search" if self.is("short-ttl") => {
                content(200, "text/html", "public, max-age=5", 5_000, 5)
            }
            "/" | "/search" => content(200, "text/html", "public, max-age=300", 5_000, 300),
            "/a.css" => content(200, "text/css", year, 4_000, YEAR_S),
            "/b.css" => content(200, "text/css", year, 4_000, YEAR_S),
            "/pic.png" => content(200, "image/png", year, 2_000, YEAR_S),
            "/cart" if self.is("cart-cached") => content(200, "text/html", "private, no-store", 1_500, 60),
            "/cart" if self.is("cart-public") => content(200, "text/html", "max-age=60", 1_500, 0),
            "/cart" => content(200, "text/html", "private, no-store", 1_500, 0),
            _ if self.is("error-ttl") => content(404, "text/html", "public, max-age=10", 900, 3_600),
            _ => content(404, "text/html", "public, max-age=10", 900, 10),
        }
    }

    /// What a copy is kept under.
    fn key(&self, ask: &Ask) -> String {
        let mut pairs: Vec<String> =
            ask.url.query().unwrap_or_default().split('&').map(str::to_owned).collect();
        if !self.is("query-key") {
            let is_unknown = |pair: &str| pair.starts_with("unknown-") && !self.is("unknown-key");
            pairs.retain(|pair| !pair.starts_with("utm_") && !is_unknown(pair));
        }
        if !self.is("order-key") {
            pairs.sort();
        }
        let cookie = if self.is("cookie-key") { header(ask, "cookie").unwrap_or_default() } else { "" };
        let cache = if self.is("many-caches") { self.requests % 3 } else { 0 };
        format!("{} {} {cookie} {cache}", ask.url.path(), pairs.join("&"))
    }

    fn answer(&mut self, ask: &Ask, now_ns: u64) -> Result<Answer, Broken> {
        self.requests += 1;
        let path = ask.url.path();
        let content = self.content(path);
        let key = self.key(ask);
        let age_s = self.copies.get(&key).map(|stored_ns| (now_ns - stored_ns) / SECOND_NS);
        let age_s = age_s.filter(|age_s| *age_s < content.kept_s && !self.is("cold-cache"));
        if age_s.is_none() && content.kept_s > 0 {
            self.copies.insert(key, now_ns);
        }
        let cache = match (age_s, content.status) {
            (_, 404) => "Error",
            (Some(_), _) => "Hit",
            (None, _) => "Miss",
        };
        if self.is("challenge") && self.requests.is_multiple_of(5) {
            return Ok(Answer {
                status: 202,
                headers: headers(&[("x-cache", "Error from cloudfront"), ("x-amzn-waf-action", "challenge")]),
                ..Answer::default()
            });
        }
        let mut lines: Vec<(&str, String)> = vec![
            ("content-type", content.kind.to_owned()),
            ("cache-control", content.cache_control.to_owned()),
            ("x-cache", format!("{cache} from cloudfront")),
            ("x-amz-cf-pop", if self.is("wrong-edge") { "LAX50-P3" } else { "LHR50-P2" }.to_owned()),
        ];
        if self.is("no-lifetime") && content.kept_s > 0 {
            lines.remove(1);
        }
        if self.is("stale-html") && path == "/" {
            lines.push(("age", "3600".to_owned()));
        } else if let Some(age_s) = age_s {
            lines.push(("age", age_s.to_string()));
        }
        if self.is("age-leaked") && path == "/cart" {
            lines.push(("age", "7".to_owned()));
        }
        self.cookies(path, age_s.is_some(), &mut lines);
        if ask.method == Method::HEAD && self.is("head-lies") {
            lines.push(("content-length", "0".to_owned()));
            return Ok(Answer { status: 200, headers: owned(&lines), ..Answer::default() });
        }
        let asks = header(ask, "if-none-match") == Some("\"1\"");
        let answer = self.body(ask, &content, &mut lines);
        if content.status == 200 && content.kept_s > 0 {
            lines.push(("etag", "\"1\"".to_owned()));
            if asks && !self.is("no-304") {
                let status = 304;
                return Ok(Answer { status, headers: owned(&lines), ..Answer::default() });
            }
        }
        Ok(Answer { headers: owned(&lines), ..answer })
    }

    fn cookies(&self, path: &str, is_hit: bool, lines: &mut Vec<(&str, String)>) {
        let is_page = path == "/";
        if is_page && (self.is("session-cached") || (self.is("cookie-sent") && !is_hit)) {
            lines.push(("set-cookie", "sid=0123456789abcdef; Path=/".to_owned()));
        }
        if path == "/cart" || (is_page && self.is("sticky-cached")) {
            lines.push(("set-cookie", "AWSALB=abc; Path=/".to_owned()));
        }
        if is_page && self.is("vary-cookie") {
            lines.push(("vary", "Cookie".to_owned()));
        }
        if is_page && self.is("vary-agent") {
            lines.push(("vary", "User-Agent".to_owned()));
        }
    }

    /// The body in the coding that is asked for, as CloudFront compresses.
    fn body(&self, ask: &Ask, content: &Content, lines: &mut Vec<(&str, String)>) -> Answer {
        let path = ask.url.path();
        let mut sha256 = [0; 32];
        sha256[..path.len().min(32)].copy_from_slice(&path.as_bytes()[..path.len().min(32)]);
        let mut answer = Answer {
            status: content.status,
            bytes_wire: content.bytes,
            bytes_decoded: Some(content.bytes),
            sha256: Some(sha256),
            found: found(&ask.url),
            ..Answer::default()
        };
        let is_css = content.kind == "text/css";
        if is_css {
            lines.push(("accept-ranges", "bytes".to_owned()));
        }
        if header(ask, "range").is_some() && is_css && !self.is("no-range") {
            lines.push(("content-range", format!("bytes 0-99/{}", content.bytes)));
            return Answer { status: 206, bytes_wire: 100, bytes_decoded: Some(100), ..answer };
        }
        let is_text = content.kind != "image/png";
        let packs = content.kept_s > 0 && content.bytes >= 1_000 && !self.is("no-compression");
        if !packs || (!is_text && !self.is("images-compressed")) {
            return answer;
        }
        if !self.is("no-vary") {
            lines.push(("vary", "Accept-Encoding".to_owned()));
        }
        let asked = header(ask, "accept-encoding").unwrap_or_default();
        let coding = match asked {
            _ if self.is("forced-gzip") => "gzip",
            // What browsers get; br alone would save enough.
            "br, gzip" if self.is("weak-gzip") => "gzip",
            asked if asked.contains("br") => "br",
            "gzip" => "gzip",
            _ => return answer,
        };
        lines.push(("content-encoding", coding.to_owned()));
        let is_weak = self.is("weak-compression") || (self.is("weak-gzip") && coding == "gzip");
        answer.bytes_wire = if is_weak { content.bytes } else { content.bytes / 4 };
        if is_css && self.is("broken-brotli") && coding == "br" {
            answer.sha256 = Some([7; 32]);
        }
        answer.is_packed_inside = is_css && self.is("double-gzip");
        if ask.method == Method::HEAD {
            (answer.bytes_wire, answer.bytes_decoded, answer.sha256) = (0, Some(0), None);
        }
        answer
    }
}

/// What the first page names.
fn found(asked: &Url) -> Vec<Found> {
    if asked.path() != "/" {
        return Vec::new();
    }
    let url = |path: &str| asked.join(path).unwrap();
    vec![
        Found::Asset(url("/a.css")),
        Found::Asset(url("/b.css")),
        Found::Asset(url("/pic.png")),
        Found::Link(url("/cart")),
        Found::Link(url("/cart/add")),
        Found::Link(url("/about")),
        Found::Link(url("/search?q=a&page=2")),
    ]
}

fn page() -> Url {
    Url::parse("http://shop.test/").unwrap()
}

fn header<'a>(ask: &'a Ask, name: &str) -> Option<&'a str> {
    let mut headers = ask.headers.iter();
    headers.find(|(known, _)| known.as_str() == name).map(|(_, value)| value.to_str().unwrap())
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn owned(lines: &[(&str, String)]) -> HeaderMap {
    headers(&lines.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
}

fn setting(is_declared: bool) -> Setting {
    let declared = "cdn: { provider: cloudfront, edges: { london: [LHR] } }\n";
    let declared = Policy::read("policy.yaml", declared).unwrap();
    Setting {
        policy: if is_declared { declared } else { Policy::default() },
        region: "london".to_owned(),
        rate_milli: 10_000,
        is_patient: false,
        nonce: "n1".to_owned(),
    }
}

/// Carries an audit out; returns when each request started.
fn carry_out(script: &mut Script, edge: &mut Edge) -> Vec<u64> {
    let (mut now_ns, mut starts) = (0, Vec::new());
    while let Some(next) = script.next(now_ns) {
        assert!(starts.len() < 500, "it ends");
        match next {
            Next::Fetch(ask) => {
                assert!(ask.at_ns >= now_ns);
                starts.push(ask.at_ns);
                now_ns = ask.at_ns + 5_000_000;
                let result = edge.answer(&ask, now_ns);
                script.answer(*ask, now_ns, result);
            }
            Next::Offer { offer, at_ns, .. } => {
                starts.push(at_ns);
                let offered = Offered { tls: "TLS 1.3".to_owned(), http: "h2".to_owned() };
                script.offered(offer, Ok(offered));
            }
        }
    }
    starts
}

fn audit(fault: &'static str, setting: Setting) -> Vec<Proof> {
    let mut script = Script::new(setting, &[page()]);
    carry_out(&mut script, &mut Edge { fault, ..Edge::default() });
    script.proofs()
}

/// `class promise ruling: observed`
fn line(proof: &Proof) -> String {
    let class = if proof.class.is_empty() { "edge" } else { &proof.class };
    format!("{class} {} {}: {}", proof.promise, proof.ruling.word(), proof.observed)
}
