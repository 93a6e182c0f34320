//! What an answer is held to, as soon as it can be: by its head while that is there to be shown, then by its body.

use std::cell::LazyCell;

use doorbuster_model::cdn::{ContentKind, Encoding, Evidence, FindingKey, Rule, Says, Verb};

use super::Answering;
use crate::client::body::{BodyCount, Coding, Seen};
use crate::client::{HeadLines, Header};
use crate::contract::{Compared, Form, Judged, Request, is_private, is_unclassified, observed};
use crate::evidence::{of_body, of_head};

/// The most Set-Cookie lines of an answer that are looked at.
const COOKIE_LINES_MAX: usize = 100;

impl Answering<'_> {
    /// Judges an answer by its head.
    pub(super) fn judge_head(&mut self, lines: HeadLines<'_>, now_ns: u64) {
        let (visitor, order) = (self.visitor, self.order);
        let worker = &visitor.worker;
        let mut renewal = None;
        if self.flight.sample.head.says.any(Says::SETS_STICKY) {
            lines.each(|name, value| {
                if Header::of(name) == Header::SetCookie {
                    renewal = renewal.or_else(|| visitor.renewal(value, order.address));
                }
            });
        }
        let asked = order.asked(&worker.job);
        let cookies = || order.cookies(visitor);
        let request = Request { address: order.address, asked, cookies: &cookies, renewal };
        let judged = worker.contract.borrow_mut().judge(&worker.job, &request, self.flight.sample);
        let Judged { broken, is_of_policy } = judged;
        self.is_of_policy = is_of_policy;
        if broken.is_empty() {
            return;
        }
        let sample = &*self.flight.sample;
        // One for all: it is the same answer.
        let proof = LazyCell::new(|| of_head(visitor, order, sample, lines));
        let mut tallies = worker.tallies.borrow_mut();
        for rule in broken.iter() {
            let key = FindingKey { rule, class: sample.class, pop: sample.head.pop };
            tallies.find(key, now_ns, || Evidence::clone(&proof));
        }
    }

    /// Judges an answer by its body, which is complete, or there as far as it is wanted.
    pub(super) fn judge_body(&mut self, seen: Seen) {
        let now_ns = self.now_ns();
        let (visitor, order) = (self.visitor, self.order);
        let worker = &visitor.worker;
        let whole = observed(self.flight.sample, order.asked(&worker.job));
        self.flight.sample.is_text = whole.is_text(&worker.job.plan.cdn);
        let sample = &*self.flight.sample;
        let find = |rule: Rule, note: &str| {
            let key = FindingKey { rule, class: sample.class, pop: sample.head.pop };
            let mut tallies = worker.tallies.borrow_mut();
            tallies.find(key, now_ns, || of_body(visitor, order, sample, note));
        };
        if let Some(foreign) = seen.foreign {
            find(Rule::MarkerLeaked, &format!("shopper {foreign} is shown to shopper {}", visitor.number));
        }
        if !self.is_of_policy {
            return;
        }
        // What says so itself was found by its head.
        let is_packed = seen.is_packed && sample.head.encoding != Encoding::Several;
        if is_packed && sample.head.kind == ContentKind::Text {
            find(Rule::CompressedTwice, "what was decoded is a gzip file again");
        }
        if is_unclassified(sample) {
            worker.tallies.borrow_mut().at(now_ns).note_unclassified(order.address.url.path());
        }
    }

    /// Whether the body is to be compared with what its address gives in other codings: that of a file whose address is
    /// another whenever it changes. A sample of them, since it costs as much as decoding.
    fn is_compared(&mut self) -> bool {
        let sample = &*self.flight.sample;
        let class = self.visitor.worker.job.plan.cdn.class(sample.class);
        let is_text = matches!(sample.head.kind, ContentKind::Text | ContentKind::Compressible);
        let is_file = class.is_some_and(|class| class.is_versioned) && is_text;
        let is_whole = sample.status == Some(200) && sample.verb == Verb::Get;
        self.is_of_policy && is_file && is_whole && self.coding != Coding::Other && self.is_sampled()
    }

    /// Compares a body, where that is due, with what its address gave in another coding.
    pub(super) fn judge_form(&mut self, seen: Seen, decoded: Option<u64>) {
        let (Some(hash), Some(bytes)) = (seen.hash, decoded) else { return };
        let now_ns = self.now_ns();
        let (visitor, order, sample) = (self.visitor, self.order, &*self.flight.sample);
        let worker = &visitor.worker;
        let form = Form { encoding: sample.head.encoding, bytes, hash };
        let compared = worker.contract.borrow_mut().compare(order.address, form);
        match compared {
            Compared::Same => {}
            Compared::NoRoom => worker.tallies.borrow_mut().at(now_ns).count("files_not_compared", 1),
            Compared::Differs(other) => {
                let (one, another) = (form.encoding.word(), other.encoding.word());
                let note = format!("{bytes} bytes as {one}, and others as {another}, {} bytes", other.bytes);
                let rule = Rule::EncodingsDiffer;
                let key = FindingKey { rule, class: sample.class, pop: sample.head.pop };
                let proof = || of_body(visitor, order, sample, &note);
                worker.tallies.borrow_mut().find(key, now_ns, proof);
            }
        }
    }

    /// Takes the answer's cookies.
    pub(super) fn keep_cookies(&self, lines: HeadLines<'_>) {
        let mut left = COOKIE_LINES_MAX;
        lines.each(|name, value| {
            if Header::of(name) != Header::SetCookie {
                return;
            }
            if left == 0 {
                self.visitor.refuse_cookie();
            } else if let Ok(line) = std::str::from_utf8(value) {
                left -= 1;
                self.visitor.keep_cookie(line, self.order.address);
            }
        });
    }

    /// Begins the body, which is looked through where that is due.
    pub(super) fn begin_body(&mut self, now_ns: u64) {
        let (coding, wanted, is_compared) = (self.coding, self.order.wants_body, self.is_compared());
        let is_sampled = !wanted && matches!(coding, Coding::Gzip | Coding::Brotli) && self.is_sampled();
        let is_read = coding == Coding::Identity || is_sampled || (wanted && coding != Coding::Other);
        let (visitor, worker) = (self.visitor, &self.visitor.worker);
        let is_private = is_private(&worker.job.plan.cdn, self.flight.sample);
        let is_page = self.is_page && is_read && !is_private;
        let mut search = match self.flight.sample.status {
            // They have no body.
            Some(204 | 304) => None,
            _ => worker.contract.borrow_mut().search(is_private, is_page, visitor.number),
        };
        if search.is_some() && is_page {
            worker.tallies.borrow_mut().at(now_ns).count("html_searched", 1);
        }
        if is_compared {
            search.get_or_insert_default().hash();
        }
        let limit = worker.job.plan.http.max_body;
        self.body = Some(BodyCount::begin(coding, wanted, limit, search, is_sampled));
    }

    /// Counts what was sent with the shopper's marker in it.
    pub(super) fn count_planted(&self, ended_ns: u64) {
        let (Some(body), Some(_)) = (self.order.body, self.flight.sample.times.sent_ns) else { return };
        let worker = &self.visitor.worker;
        if worker.contract.borrow().marks().is_some_and(|marks| marks.are_in(body)) {
            worker.tallies.borrow_mut().at(ended_ns).count("markers_planted", 1);
        }
    }
}
