//! Audits of an edge that is pretended, right and with one fault each.

mod age_alone;
mod bodies;
mod clear;
mod limits;
mod many_caches;
mod orders;
mod pages;
mod patience;
mod rate;
mod secrets;
mod shoppers;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;
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
    let declared = Policy::read("policy.yaml", "cdn: { provider: cloudfront }\n").unwrap();
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

#[test]
fn a_right_edge_keeps_every_promise() {
    let mut script = Script::new(setting(false), &[page()]);
    let starts = carry_out(&mut script, &mut Edge::default());
    let lines: Vec<String> = script.proofs().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "private never-kept pass: no hit among 7 answers to 2 shoppers",
            "private says-so pass: private, no-store",
            "static kept pass: 2 of 2 hit by fetch 2",
            "static lifetime pass: 365d",
            "static age pass: from 0 to 3 s within 3 s",
            "static expires not-applicable: 365d is too long to wait for",
            "static revalidates pass: 304",
            "static tracking pass: a hit with ?utm_source=…",
            "static unknown pass: a hit with an unknown parameter",
            "static order not-applicable: no address with several parameters was found",
            "static cookies pass: a hit with a cookie",
            "static vary pass: Vary: Accept-Encoding",
            "static sets-cookies pass: none",
            "static compressed pass: 1 of 1 texts",
            "static savings pass: 75 % of 4000 bytes of text, promised > 60%",
            "static encodings pass: 3 of 3 the same",
            "static head pass: the same",
            "static ranges pass: 206: 100 of 4000 bytes",
            "html kept pass: 2 of 2 hit by fetch 2",
            "html lifetime pass: 5m",
            "html age pass: from 0 to 3 s within 3 s",
            "html expires not-applicable: not waited for: --patient waits 5m",
            "html revalidates pass: 304",
            "html tracking pass: a hit with ?utm_source=…",
            "html unknown pass: a hit with an unknown parameter",
            "html order pass: a hit with another order",
            "html cookies pass: a hit with a cookie",
            "html vary pass: Vary: Accept-Encoding",
            "html sets-cookies pass: none",
            "html compressed pass: 2 of 2 texts",
            "html encodings pass: 6 of 6 the same",
            "html head pass: the same",
            "html ranges not-applicable: no parts are offered",
            "edge near pass: LHR50",
            "edge shares-nothing not-applicable: nothing was entered that would be recognised; see --journey",
            "edge errors pass: 404, gone after 10 s",
            "edge https not-applicable: the target is spoken to without TLS",
            "edge transport not-applicable: the target is spoken to without TLS",
        ]
    );
    assert!(starts.len() <= 60, "{} requests", starts.len());
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 100_000_000), "10 a second at most");
    assert!(starts.last().unwrap() / SECOND_NS <= 13, "it does not wait for longer than it must");
}

#[test]
fn every_fault_breaks_its_promise_and_no_other_fails() {
    const NONE: &[&str] = &[];
    for (fault, class, promise, rule, also) in [
        ("cart-cached", "private", "never-kept", "private-hit", NONE),
        ("age-leaked", "private", "never-kept", "private-age", &[]),
        ("cart-public", "private", "says-so", "private-cacheable", &[]),
        ("cold-cache", "html", "kept", "hit-ratio", &["static kept"]),
        ("no-store-html", "html", "lifetime", "caching-forbidden", &["html kept"]),
        ("html-year", "html", "lifetime", "lifetime-differs", &[]),
        ("short-ttl", "html", "lifetime", "lifetime-differs", &[]),
        ("no-lifetime", "html", "lifetime", "lifetime-unsaid", &["static lifetime"]),
        ("stale-html", "html", "age", "age-past-lifetime", &[]),
        ("no-304", "html", "revalidates", "never-revalidates", &["static revalidates"]),
        ("query-key", "html", "tracking", "fragmented", &["static tracking"]),
        ("cookie-key", "html", "cookies", "varies-on-cookie", &["static cookies"]),
        ("vary-cookie", "html", "cookies", "varies-on-cookie", &[]),
        ("vary-agent", "html", "vary", "varies-on-user-agent", &[]),
        ("no-vary", "html", "vary", "vary-encoding-missing", &["static vary"]),
        ("session-cached", "html", "sets-cookies", "cookie-from-cache", &[]),
        ("cookie-sent", "html", "sets-cookies", "cookie-on-cacheable", &[]),
        ("sticky-cached", "html", "sets-cookies", "sticky-from-cache", &[]),
        ("no-compression", "html", "compressed", "not-compressed", &["static compressed", "static savings"]),
        ("images-compressed", "static", "compressed", "compressed-image", &[]),
        ("double-gzip", "static", "compressed", "compressed-twice", &[]),
        ("forced-gzip", "html", "encodings", "encoding-not-asked", &["static encodings"]),
        ("broken-brotli", "static", "encodings", "encodings-differ", &[]),
        ("weak-compression", "static", "savings", "savings", &[]),
        ("weak-gzip", "static", "savings", "savings", &[]),
        ("head-lies", "html", "head", "head-differs", &["static head"]),
        ("no-range", "static", "ranges", "ranges-ignored", &[]),
        ("wrong-edge", "", "near", "other-region", &[]),
        ("error-ttl", "", "errors", "error-cached", &[]),
        ("challenge", "", "challenges", "challenge-as-page", &[]),
    ] {
        let proofs = audit(fault, setting(true));
        let all: Vec<String> = proofs.iter().map(line).collect();
        let found = proofs.iter().find(|proof| proof.class == class && proof.promise == promise);
        let found = found.unwrap_or_else(|| panic!("{fault}: {all:#?}"));
        assert_eq!(found.rule, rule, "{fault}: {all:#?}");
        assert!(matches!(found.ruling, Ruling::Fail | Ruling::Warn), "{fault}: {all:#?}");
        assert!(!found.remedy.is_empty() && found.evidence.is_some(), "{fault}");
        // A challenge in place of a page spoils whatever that page was to prove.
        let others = proofs.iter().filter(|_| fault != "challenge").filter(|proof| {
            matches!(proof.ruling, Ruling::Fail | Ruling::Warn)
                && (proof.class != class || proof.promise != promise)
        });
        for other in others {
            let name = format!("{} {}", other.class, other.promise);
            assert!(also.contains(&name.as_str()), "{fault} also breaks {}: {all:#?}", line(other));
        }
    }
}

#[test]
fn what_nobody_declared_warns_unless_it_is_critical() {
    for (fault, class, promise, declared, default) in [
        ("cart-cached", "private", "never-kept", Ruling::Fail, Ruling::Fail),
        ("cold-cache", "static", "kept", Ruling::Fail, Ruling::Warn),
        ("broken-brotli", "static", "encodings", Ruling::Fail, Ruling::Warn),
        ("no-304", "static", "revalidates", Ruling::Warn, Ruling::Warn),
    ] {
        for (is_declared, ruling) in [(true, declared), (false, default)] {
            let proofs = audit(fault, setting(is_declared));
            let found = proofs.iter().find(|proof| proof.class == class && proof.promise == promise).unwrap();
            assert_eq!(found.ruling, ruling, "{fault}, declared: {is_declared}");
        }
    }
}

#[test]
fn many_caches_are_no_fault() {
    for is_declared in [true, false] {
        let proofs = audit("many-caches", setting(is_declared));
        for proof in &proofs {
            assert!(!matches!(proof.ruling, Ruling::Fail | Ruling::Warn), "{}", line(proof));
        }
        let kept = proofs.iter().find(|proof| proof.promise == "kept").unwrap();
        assert_eq!(kept.ruling, Ruling::Pass, "{}", line(kept));
    }
}

#[test]
fn a_patient_audit_waits_for_the_lifetime() {
    let patient = || Setting { is_patient: true, ..setting(true) };
    let mut script = Script::new(patient(), &[page()]);
    let starts = carry_out(&mut script, &mut Edge::default());
    let seconds = starts.last().unwrap() / SECOND_NS;
    assert!((300..310).contains(&seconds), "{seconds} s");
    assert_eq!(Script::waits_s(&patient().policy, true), 300);
    assert_eq!(Script::waits_s(&patient().policy, false), 10);
    let expires = |proofs: &[Proof]| {
        let found = proofs.iter().find(|proof| proof.class == "html" && proof.promise == "expires");
        found.map(line).unwrap()
    };
    assert_eq!(expires(&script.proofs()), "html expires pass: fetched anew after 5m");
    let never = audit("html-year", patient());
    assert_eq!(expires(&never), "html expires fail: Age 302 s, promised 5m");
}

#[test]
fn a_cart_with_another_s_marker_is_a_leak() {
    let mut script = Script::new(setting(false), &[page()]);
    let cart = page().join("/cart").unwrap();
    for shopper in [1, 2] {
        let at_ns = script.slot(0);
        let ask = Ask::of_walk(shopper, Method::GET, cart.clone(), Vec::new());
        let mut answer = Edge::default().answer(&ask, at_ns).unwrap();
        answer.foreign_mark = (shopper == 2).then_some(1);
        script.walked(ask, true, at_ns, Ok(answer));
    }
    carry_out(&mut script, &mut Edge::default());
    let proofs = script.proofs();
    let leak = proofs.iter().find(|proof| proof.promise == "shares-nothing").unwrap();
    assert_eq!((leak.ruling, leak.rule.as_str()), (Ruling::Fail, "marker-leaked"));
    assert_eq!(leak.observed, "shows what shopper 1 entered");

    let mut right = Script::new(setting(false), &[page()]);
    let ask = Ask::of_walk(1, Method::GET, cart, Vec::new());
    let answer = Edge::default().answer(&ask, 0);
    right.walked(ask, true, 0, answer);
    carry_out(&mut right, &mut Edge::default());
    let proofs = right.proofs();
    let shares = proofs.iter().find(|proof| proof.promise == "shares-nothing").unwrap();
    assert_eq!(shares.ruling, Ruling::Pass, "{}", line(shares));
}

#[test]
fn a_page_that_leads_on_is_followed_on_its_host() {
    for (location, follows) in [
        ("/", true),
        ("http://shop.test/", true),
        ("https://other.test/", false),
        ("ftp://shop.test/", false),
    ] {
        let start = page().join("/start").unwrap();
        let mut script = Script::new(setting(false), &[start]);
        let mut edge = Edge::default();
        let (mut now_ns, mut asked) = (0, Vec::new());
        while let Some(Next::Fetch(ask)) = script.next(now_ns) {
            asked.push(ask.url.path().to_owned());
            now_ns = ask.at_ns;
            let result = if ask.url.path() == "/start" {
                let lines = [("location", location), ("x-cache", "Miss from cloudfront")];
                Ok(Answer { status: 301, headers: headers(&lines), ..Answer::default() })
            } else {
                edge.answer(&ask, now_ns)
            };
            script.answer(*ask, now_ns, result);
        }
        assert_eq!(asked.contains(&"/".to_owned()), follows, "{location}");
        assert!(asked.iter().filter(|path| *path == "/start").count() <= 2, "{location}: {asked:?}");
    }
}

#[test]
fn tls_is_offered_and_plain_http_asked_for_where_the_target_has_tls() {
    let secure = Url::parse("https://shop.test/").unwrap();
    let mut script = Script::new(setting(false), &[secure]);
    let (mut now_ns, mut offers, mut clear) = (0, Vec::new(), 0);
    let mut edge = Edge::default();
    while let Some(next) = script.next(now_ns) {
        match next {
            Next::Offer { offer, url, at_ns } => {
                assert_eq!(url.as_str(), "https://shop.test/");
                now_ns = at_ns;
                offers.push(offer);
                let tls = if offer == Offer::Tls12 { "TLS 1.2" } else { "TLS 1.3" };
                let http = if offer == Offer::Http1 { "http/1.1" } else { "h2" };
                script.offered(offer, Ok(Offered { tls: tls.to_owned(), http: http.to_owned() }));
            }
            Next::Fetch(ask) => {
                now_ns = ask.at_ns;
                let result = if ask.url.scheme() == "http" {
                    clear += 1;
                    let lines = [("location", "https://shop.test/")];
                    Ok(Answer { status: 301, headers: headers(&lines), ..Answer::default() })
                } else {
                    edge.answer(&ask, now_ns)
                };
                script.answer(*ask, now_ns, result);
            }
        }
    }
    assert_eq!((offers, clear), (vec![Offer::Anything, Offer::Http1, Offer::Tls12], 1));
    let proofs = script.proofs();
    let of = |promise: &str| line(proofs.iter().find(|proof| proof.promise == promise).unwrap());
    assert_eq!(of("transport"), "edge transport pass: TLS 1.3, TLS 1.2; h2, http/1.1");
    assert_eq!(of("https"), "edge https pass: 301 to https");
}

#[test]
fn where_nothing_answers_or_tells_of_an_edge_nothing_is_judged() {
    let mut script = Script::new(setting(false), &[page()]);
    let mut now_ns = 0;
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        now_ns = ask.at_ns;
        let broken = Broken { class: crate::ErrorClass::Connect, message: "refused".to_owned() };
        script.answer(*ask, now_ns, Err(broken));
    }
    let lines: Vec<String> = script.proofs().iter().map(line).collect();
    assert_eq!(lines, ["edge page not-applicable: refused", "edge provider info: nothing answered"]);
    let mut plain = Script::new(setting(false), &[page()]);
    let mut now_ns = 0;
    while let Some(Next::Fetch(ask)) = plain.next(now_ns) {
        now_ns = ask.at_ns;
        plain.answer(*ask, now_ns, Ok(Answer { status: 200, ..Answer::default() }));
    }
    let proofs = plain.proofs();
    assert!(proofs.len() == 1 && proofs[0].observed.contains("--policy"), "{proofs:#?}");
}

/// Heads that an edge might send, and some that it should not.
const HEADS: [&[(&str, &str)]; 6] = [
    &[("x-cache", "Hit from cloudfront"), ("age", "5"), ("content-type", "text/html"), ("etag", "W/\"1\"")],
    &[("x-cache", "Miss from cloudfront"), ("content-type", "text/css"), ("accept-ranges", "bytes")],
    &[("location", "/elsewhere"), ("x-cache", "Redirect from cloudfront")],
    &[("location", "http://[::"), ("age", "-1"), ("content-range", "bytes 0-99/x"), ("vary", "*")],
    &[("content-encoding", "br, gzip"), ("cache-control", "max-age=99999999999"), ("etag", "")],
    &[],
];

proptest! {
    #[test]
    fn whatever_comes_an_audit_ends_within_its_rate(
        came in prop::collection::vec(
            (prop::sample::select(vec![200_u16, 202, 206, 301, 304, 404, 503, 999]), 0_usize..7, 0_u64..9_000),
            1..30,
        ),
        is_patient in any::<bool>(),
        is_declared in any::<bool>(),
    ) {
        let mut script = Script::new(Setting { is_patient, ..setting(is_declared) }, &[page()]);
        let (mut now_ns, mut starts) = (0, Vec::new());
        while let Some(Next::Fetch(ask)) = script.next(now_ns) {
            let (status, head, bytes) = came[starts.len() % came.len()];
            starts.push(ask.at_ns);
            prop_assert!(starts.len() < 500);
            now_ns = ask.at_ns + bytes * 1_000_000;
            let result = match HEADS.get(head) {
                Some(lines) => Ok(Answer {
                    status,
                    headers: headers(lines),
                    bytes_wire: bytes,
                    bytes_decoded: Some(bytes * 2),
                    sha256: Some([u8::try_from(bytes % 3).unwrap(); 32]),
                    found: found(&ask.url),
                    ..Answer::default()
                }),
                None => Err(Broken { class: crate::ErrorClass::Body, message: "it broke off".to_owned() }),
            };
            script.answer(*ask, now_ns, result);
        }
        prop_assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 100_000_000));
        for proof in script.proofs() {
            prop_assert_eq!(proof.rule.is_empty(), proof.remedy.is_empty());
        }
    }
}
