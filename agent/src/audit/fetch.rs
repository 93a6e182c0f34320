//! One request of an audit, and what is kept of its answer: never the body.

use std::cell::Cell;
use std::rc::Rc;

use doorbuster_model::cdn::audit::{self, Answer, Ask, Who};
use doorbuster_model::cdn::{ContentKind, MarkSearch, Marks};
use doorbuster_model::{ErrorClass, Key, Part, Sample};
use http::header::{CONTENT_TYPE, COOKIE, DATE, HeaderName, HeaderValue, LAST_MODIFIED};
use http::{HeaderMap, Method};
use url::Url;

use super::{SHOPPERS, discover};
use crate::address::Address;
use crate::client::Broken;
use crate::client::body::is_gzip;
use crate::exchange::{Order, Reply, Whence, exchange};
use crate::flight::sample_of;
use crate::visit::Visitor;
use crate::worker::Worker;

/// What all requests of an audit count as.
pub(super) const KEY: Key = Key { journey: 0, step: 0, part: Part::Main, section: 0 };
/// Stands for whoever is no shopper, and so has no marker.
const NO_SHOPPER: u64 = u64::MAX;

/// Who asks in an audit: each with connections and a jar of its own.
pub(super) struct Stage<'a> {
    pub(super) worker: &'a Rc<Worker>,
    pub(super) marks: Marks,
    nobody: Visitor,
    shoppers: [Visitor; SHOPPERS.len()],
}

/// What came of a request.
pub(super) struct Fetched {
    /// When it went onto the wire, if it did.
    pub(super) sent_ns: Option<u64>,
    /// When it ended.
    pub(super) ended_ns: u64,
    /// Its answer, or why there is none.
    pub(super) result: Result<Answer, audit::Broken>,
}

impl<'a> Stage<'a> {
    /// Nobody has asked anything yet.
    pub(super) fn new(worker: &'a Rc<Worker>) -> Self {
        let shoppers = SHOPPERS.map(|number| Visitor::new(worker, number));
        Self { worker, marks: Marks::of(&worker.run.id), nobody: Visitor::new(worker, NO_SHOPPER), shoppers }
    }

    /// Who it is.
    pub(super) fn visitor(&self, who: Who) -> &Visitor {
        let number = match who {
            Who::Shopper(number) => SHOPPERS.iter().position(|known| *known == number),
            Who::Nobody => None,
        };
        number.and_then(|number| self.shoppers.get(number)).unwrap_or(&self.nobody)
    }

    /// Whether a request may go to `url`: where the plan may send to, or to the target's host in another way, which is the
    /// same host to whoever allows it.
    pub(super) fn may_go(&self, url: &Url) -> bool {
        let job = &self.worker.job;
        let is_web = matches!(url.scheme(), "http" | "https");
        is_web && (url.host_str() == job.target.host_str() || job.may_go(url))
    }

    /// `text` without the journey's secrets.
    pub(super) fn redact(&self, text: String) -> String {
        redacted(self.worker, text)
    }

    /// Sends a request of the script.
    pub(super) async fn fetch(&self, ask: &Ask) -> Fetched {
        if !self.may_go(&ask.url) {
            let host = ask.url.host_str().unwrap_or("");
            let message = format!("{host} is another host; name it with --allow-host to ask it");
            let broken = audit::Broken { class: ErrorClass::Expectation, message };
            return Fetched { sent_ns: None, ended_ns: self.worker.clock.now_ns(), result: Err(broken) };
        }
        let visitor = self.visitor(ask.who);
        if ask.who == Who::Nobody {
            visitor.forget();
        }
        let address = Rc::new(Address::new(ask.url.clone(), &self.worker.job));
        let headers = with_gate(&ask.headers, &address, self.worker.job.cookie.as_ref());
        let order = Order {
            key: KEY,
            intended_ns: ask.at_ns,
            handled_ns: self.worker.clock.now_ns(),
            method: &ask.method,
            address: &address,
            headers: &headers,
            body: None,
            from: Whence::Nowhere,
            tells_origin: false,
            wants_headers: true,
            wants_body: true,
            timeout: None,
            head: Cell::default(),
        };
        let (sample, result) = send(visitor, &order).await;
        let result = match result {
            Ok(reply) => Ok(self.answer(&reply, &ask.method, &ask.url, &sample, number_of(ask.who))),
            Err(broken) => {
                let class = class_of(&broken);
                Err(audit::Broken { class, message: self.redact(broken.message) })
            }
        };
        Fetched { sent_ns: sample.times.sent_ns, ended_ns: sample.times.ended_ns, result }
    }

    /// What is kept of an answer that `shopper` got.
    pub(super) fn answer(
        &self,
        reply: &Reply,
        method: &Method,
        url: &Url,
        sample: &Sample,
        shopper: u64,
    ) -> Answer {
        let headers = reply.headers.as_deref().map(|headers| self.shown(headers)).unwrap_or_default();
        let body = &reply.body.kept;
        let is_whole = *method == Method::GET && reply.body.decoded.is_some() && !reply.body.cut;
        let mut search = MarkSearch::new(shopper);
        search.look(&self.marks, body);
        let is_page = *method == Method::GET && reply.status == 200;
        Answer {
            status: reply.status,
            bytes_wire: sample.bytes_wire,
            bytes_decoded: reply.body.decoded,
            sha256: if is_whole { sha256(body) } else { None },
            is_packed_inside: is_text(&headers) && is_gzip(body),
            unmodified_s: unmodified_s(&headers),
            foreign_mark: search.foreign(),
            found: if is_page { discover::found(self, reply, url) } else { Vec::new() },
            headers,
        }
    }

    /// The headers of an answer without the journey's secrets.
    fn shown(&self, headers: &HeaderMap) -> HeaderMap {
        let shown = |value: &HeaderValue| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = self.redact(text.to_string());
            // What holds none stays what it is, to the byte: later requests ask by it.
            if shown == text {
                return value.clone();
            }
            HeaderValue::try_from(shown).unwrap_or(HeaderValue::from_static(""))
        };
        headers.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
    }
}

fn redacted(worker: &Worker, text: String) -> String {
    match worker.journeys.first() {
        Some(journey) => journey.redact(text),
        None => text,
    }
}

/// Sends a request and counts it.
pub(super) async fn send(visitor: &Visitor, order: &Order<'_>) -> (Sample, Result<Reply, Broken>) {
    let mut sample = sample_of(visitor, order);
    let result = exchange(visitor, order, &mut sample, &visitor.limit, None).await;
    let mut tallies = visitor.worker.tallies.borrow_mut();
    tallies.record(&sample);
    if let Err(broken) = &result {
        let example = || {
            let example = format!("{} {}: {}", order.method, order.address.shown(), broken.message);
            redacted(&visitor.worker, example)
        };
        tallies.at(sample.times.ended_ns).fail(KEY.journey, KEY.step, broken.class, example);
    }
    drop(tallies);
    (sample, result)
}

/// The class of an error as an audit is told it: that this side reads no further is no fault of the body's.
pub(super) fn class_of(broken: &Broken) -> ErrorClass {
    if broken.is_own && broken.class == ErrorClass::Body { ErrorClass::Expectation } else { broken.class }
}

/// The number whose marker may stand in what somebody is shown.
fn number_of(who: Who) -> u64 {
    match who {
        Who::Shopper(number) => number,
        Who::Nobody => NO_SHOPPER,
    }
}

/// A request's own headers. Where it has a Cookie, the plan's own goes with it, which is a way past a gate.
fn with_gate(
    headers: &[(HeaderName, HeaderValue)],
    address: &Address,
    gate: Option<&HeaderValue>,
) -> Vec<(HeaderName, HeaderValue)> {
    let gate = gate.filter(|_| address.is_target);
    let joined = |value: &HeaderValue| {
        let parts = [gate?.as_bytes(), value.as_bytes()];
        HeaderValue::from_bytes(&parts.join(&b"; "[..])).ok()
    };
    let header = |(name, value): &(HeaderName, HeaderValue)| {
        let value = if *name == COOKIE { joined(value) } else { None }.unwrap_or_else(|| value.clone());
        (name.clone(), value)
    };
    headers.iter().map(header).collect()
}

/// The SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> Option<[u8; 32]> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().try_into().ok()
}

/// For how many seconds something had not been modified when it was sent.
fn unmodified_s(headers: &HeaderMap) -> Option<u64> {
    let date = |name: HeaderName| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    Some(date(DATE)?.duration_since(date(LAST_MODIFIED)?).ok()?.as_secs())
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| ContentKind::of(kind.as_bytes()) == ContentKind::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let hash = sha256(b"abc").unwrap();
        assert_eq!((hash[0], hash[1], hash[31]), (0xba, 0x78, 0xad));
    }

    #[test]
    fn how_long_something_has_not_been_modified_is_told_by_its_own_dates() {
        let of = |date: &'static str, modified: &'static str| {
            let dates = [(DATE, date), (LAST_MODIFIED, modified)];
            unmodified_s(
                &dates.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect(),
            )
        };
        let noon = "Fri, 27 Nov 2026 12:00:00 GMT";
        assert_eq!(of(noon, "Fri, 27 Nov 2026 11:58:30 GMT"), Some(90));
        assert_eq!((of(noon, noon), of(noon, "yesterday")), (Some(0), None));
        assert_eq!(of("Fri, 27 Nov 2026 11:59:00 GMT", noon), None, "what was modified after it was sent");
        assert_eq!(unmodified_s(&HeaderMap::new()), None);
    }

    #[test]
    fn a_body_that_is_too_long_to_be_read_is_not_one_that_cannot_be() {
        let broken = Broken::new(ErrorClass::Body, "over the limit");
        assert_eq!(class_of(&broken), ErrorClass::Body);
        assert_eq!(class_of(&broken.with_own(true)), ErrorClass::Expectation);
        let late = Broken::new(ErrorClass::Timeout, "late").with_own(true);
        assert_eq!(class_of(&late), ErrorClass::Timeout);
    }

    #[test]
    fn text_that_is_gzip_is_told_from_a_file_that_is() {
        let headers =
            |kind: &'static str| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        assert!(is_text(&headers("text/css; charset=utf-8")) && !is_text(&headers("application/gzip")));
        assert!(!is_text(&HeaderMap::new()));
    }
}
