//! What an answer is held to, as soon as it can be: by its head while that is there to be shown, then by its body.

use std::cell::LazyCell;

use doorbuster_model::cdn::{ContentKind, Encoding, Evidence, FindingKey, Head, Rule, Verb};

use super::Answering;
use crate::client::body::{BodyCount, Seen};
use crate::client::{HeadLines, Header, Heads};
use crate::contract::{Compared, Form, Judged, Request, is_private, is_unclassified, observed};
use crate::evidence::{of_body, of_head, shown_path};

/// The most Set-Cookie lines of an answer that are looked at.
const COOKIE_LINES_MAX: usize = 100;

impl Answering<'_> {
    /// Judges an answer by its head.
    pub(super) fn judge_head(&mut self, lines: HeadLines<'_>, now_ns: u64) {
        let (visitor, order) = (self.visitor, self.order);
        let worker = &visitor.worker;
        let renewal = self.renewal;
        let asked = order.asked(&worker.job);
        let cookies = || order.cookies(visitor);
        let shopper = visitor.number;
        let request =
            Request { shopper, now_ns, address: order.address, asked, cookies: &cookies, renewal, lines };
        let judged = worker.contract.borrow_mut().judge(&worker.job, &request, self.flight.sample);
        let Judged { broken, is_of_policy, not_watched } = judged;
        self.is_of_policy = is_of_policy;
        if not_watched > 0 {
            worker.tallies.borrow_mut().at(now_ns).count("cdn_not_watched", not_watched);
        }
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
    pub(super) fn judge_body(&mut self, seen: &Seen) {
        self.find_leak(seen);
        let now_ns = self.now_ns();
        let worker = &self.visitor.worker;
        let whole = observed(self.flight.sample, self.order.asked(&worker.job));
        // Of what was left early nobody knows the size.
        self.flight.sample.is_text = !self.is_enough && whole.is_compressible();
        if !self.is_of_policy {
            return;
        }
        let sample = &*self.flight.sample;
        // What says so itself was found by its head.
        let is_packed = seen.is_packed && sample.head.encoding != Encoding::Several;
        if is_packed && sample.head.kind == ContentKind::Text {
            let (rule, note) = match sample.head.encoding {
                Encoding::Identity => (Rule::EncodingUnsaid, "the body is a gzip file"),
                _ => (Rule::CompressedTwice, "what was decoded is a gzip file again"),
            };
            self.find(rule, note, seen, now_ns);
        }
        if is_unclassified(sample) {
            let path = shown_path(self.visitor, self.order);
            worker.tallies.borrow_mut().at(now_ns).note_unclassified(&path);
        }
    }

    /// A body that was looked through may show what another shopper entered, whether it ever was complete or not.
    pub(super) fn find_leak(&mut self, seen: &Seen) {
        if let Some(foreign) = seen.foreign {
            let now_ns = self.now_ns();
            let note = format!("shopper {foreign} is shown to shopper {}", self.visitor.number);
            self.find(Rule::MarkerLeaked, &note, seen, now_ns);
        }
    }

    /// Notes which rule a body breaks.
    fn find(&self, rule: Rule, note: &str, seen: &Seen, now_ns: u64) {
        let sample = &*self.flight.sample;
        let key = FindingKey { rule, class: sample.class, pop: sample.head.pop };
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        let heads = seen.search.as_ref().map(|search| &search.heads);
        tallies.find(key, now_ns, || of_body(self.visitor, self.order, sample, note, heads));
    }

    /// Whether the body can be compared with what its address gives in other codings: that of a file whose address is
    /// another whenever it changes.
    fn is_comparable(&self) -> bool {
        let sample = &*self.flight.sample;
        let class = self.visitor.worker.job.plan.cdn.class(sample.class);
        let is_text = matches!(sample.head.kind, ContentKind::Text | ContentKind::Compressible);
        let is_file = class.is_some_and(|class| class.is_versioned) && is_text;
        let is_whole = sample.status == Some(200) && sample.verb == Verb::Get;
        let is_known = matches!(sample.head.encoding, Encoding::Identity | Encoding::Gzip | Encoding::Brotli);
        self.is_of_policy && is_file && is_whole && is_known
    }

    /// Compares a body, where that is due, with what its address gave in another coding.
    pub(super) fn judge_form(&mut self, seen: &Seen, decoded: Option<u64>) {
        let (Some(hash), Some(bytes)) = (seen.hash, decoded) else { return };
        let now_ns = self.now_ns();
        let worker = &self.visitor.worker;
        let form = Form { encoding: self.flight.sample.head.encoding, bytes, hash };
        let compared = worker.contract.borrow_mut().compare(self.order.address, form);
        match compared {
            Compared::Same => {}
            Compared::NoRoom => worker.tallies.borrow_mut().at(now_ns).count("cdn_not_watched", 1),
            Compared::Differs(other) => {
                let (one, another) = (form.encoding.word(), other.encoding.word());
                let note = format!("{bytes} bytes as {one}, and others as {another}, {} bytes", other.bytes);
                self.find(Rule::EncodingsDiffer, &note, seen, now_ns);
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
    pub(super) fn begin_body(&mut self, lines: HeadLines<'_>, now_ns: u64) {
        let (encoding, wanted) = (self.flight.sample.head.encoding, self.order.wants_body);
        let (visitor, worker) = (self.visitor, &self.visitor.worker);
        let (takes_part, is_comparable) = (takes_part(&self.flight.sample.head), self.is_comparable());
        // Comparing costs as much as decoding does.
        let is_drawn = (takes_part || is_comparable) && worker.sampling.borrow_mut().takes(now_ns);
        let is_sampled = takes_part && is_drawn;
        self.flight.sample.is_sampled = is_sampled;
        let is_read = match encoding {
            Encoding::Identity => true,
            Encoding::Gzip | Encoding::Brotli => wanted || is_sampled,
            _ => false,
        };
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
        if is_comparable && is_drawn {
            search.get_or_insert_default().hash();
        }
        if let Some(search) = &mut search {
            search.heads = Heads::of(self.order.cookies(visitor), lines);
        }
        let limit = worker.job.plan.http.max_body;
        self.body = Some(BodyCount::begin(encoding, wanted, limit, search, is_sampled));
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

/// Whether an answer is one of those of which a sample is decoded, to know what compression saves: text however it came and
/// whoever wants it, so that all of it weighs the same; and whatever is encoded, which may be encoded twice.
fn takes_part(head: &Head) -> bool {
    head.kind == ContentKind::Text || matches!(head.encoding, Encoding::Gzip | Encoding::Brotli)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_takes_part_however_it_came() {
        for (kind, encoding, is) in [
            ("text/css", "br", true),
            ("text/css", "", true),
            ("text/html; charset=utf-8", "zstd", true),
            ("image/png", "gzip", true),
            ("image/png", "", false),
            ("", "", false),
        ] {
            let lines = [(&b"Content-Type"[..], kind), (&b"Content-Encoding"[..], encoding)];
            let head = Head::of(lines.map(|(name, value)| (name, value.as_bytes())));
            assert_eq!(takes_part(&head), is, "{kind} {encoding}");
        }
    }
}
