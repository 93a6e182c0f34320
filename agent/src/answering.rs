//! An answer as it comes: measured, looked at, held to the policy, and kept as far as somebody wants it.

mod judging;
mod types;

use std::time::Duration;

use doorbuster_journeys::{ContentType, Walk};
use doorbuster_model::cdn::Says;
use doorbuster_model::{ErrorClass, Sample};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::blame::blame;
use crate::client::body::BodyCount;
use crate::client::{Broken, HeadLines, Header, Lease, Receiver};
use crate::enough::Enough;
use crate::exchange::{Order, Reply};
use crate::flight::Flight;
use crate::job::nanoseconds;
use crate::limit::Limit;
use crate::page::location;
use crate::visit::Visitor;

pub(crate) use self::types::Types;

/// A limit that is met so much later than it was to be was waited for by somebody who was late himself.
const LATE_NS: u64 = 100_000_000;

/// An exchange whose answer is waited for.
pub(crate) struct Answering<'a> {
    /// Its sample.
    pub flight: Flight<'a>,
    visitor: &'a Visitor,
    order: &'a Order<'a>,
    limit: &'a Limit,
    /// When the exchange must be over.
    ends_ns: u64,
    /// When the last part of the answer came, once somebody asked.
    came_ns: Option<u64>,
    headers: Option<Box<HeaderMap>>,
    location: Option<Box<str>>,
    content_type: ContentType,
    /// Whether it is a page, by its type.
    is_page: bool,
    /// Whether the balancer's cookie has another value than before, where the answer renews it.
    renewal: Option<bool>,
    /// Whether the policy applies to it, once its head is complete.
    is_of_policy: bool,
    body: Option<BodyCount>,
    /// Tells when nothing more of the body is wanted, where a step reads only so far; boxed because few do.
    enough: Option<Box<Enough<'a>>>,
    /// The rest of the body is not read.
    is_enough: bool,
}

impl<'a> Answering<'a> {
    /// Begins now; at `ends_ns` it must be over. Where there is a walk, the answer is read until that has enough.
    pub(crate) fn new(
        visitor: &'a Visitor,
        order: &'a Order<'a>,
        sample: &'a mut Sample,
        limit: &'a Limit,
        ends_ns: u64,
        until_found: Option<&'a Walk>,
    ) -> Self {
        Self {
            flight: Flight::new(visitor, sample),
            visitor,
            order,
            limit,
            ends_ns,
            came_ns: None,
            headers: None,
            location: None,
            content_type: ContentType::default(),
            is_page: false,
            renewal: None,
            is_of_policy: false,
            body: None,
            enough: until_found.map(|walk| Box::new(Enough::new(walk))),
            is_enough: false,
        }
    }

    /// The request is given to a connection now: from here on, the answer's head is waited for.
    pub(crate) fn depart(&mut self, lease: &Lease) {
        let now_ns = self.visitor.worker.clock.now_ns();
        self.flight.depart(lease, now_ns);
        self.limit.until(self.head_ends_ns(now_ns));
    }

    /// When the answer's head must be there to a request that was sent at `sent_ns`.
    fn head_ends_ns(&self, sent_ns: u64) -> u64 {
        let first_byte = self.visitor.worker.job.plan.http.timeouts.first_byte;
        self.ends_ns.min(sent_ns.saturating_add(nanoseconds(first_byte)))
    }

    /// The connection did not take the request: another one is waited for, as long as the exchange may last.
    pub(crate) fn stay(&mut self) {
        self.flight.sample.times.sent_ns = None;
        self.limit.until(self.ends_ns);
    }

    /// What is wrong when the limit came first.
    pub(crate) fn overdue(&self, total: Duration) -> Broken {
        let worker = &self.visitor.worker;
        let now_ns = worker.clock.now_ns();
        let sent_ns = self.flight.sample.times.sent_ns;
        let waits_for_head = sent_ns.filter(|_| self.flight.sample.status.is_none());
        let due_ns = waits_for_head.map_or(self.ends_ns, |sent_ns| self.head_ends_ns(sent_ns));
        let message = if waits_for_head.is_some() && now_ns < self.ends_ns {
            format!("no answer within {:?}", worker.job.plan.http.timeouts.first_byte)
        } else {
            format!("no complete answer within {total:?}")
        };
        let waits_for_place = sent_ns.is_none() && !worker.has_place();
        let is_own = waits_for_place || now_ns.saturating_sub(due_ns) > LATE_NS;
        Broken::new(ErrorClass::Timeout, message).with_own(is_own)
    }

    /// The answer, once it is complete, or as far as it is wanted.
    pub(crate) fn reply(&mut self) -> Result<Reply, Broken> {
        let (body, seen) = match self.body.take() {
            Some(body) if self.is_enough => {
                let now_ns = self.now_ns();
                let mut tallies = self.visitor.worker.tallies.borrow_mut();
                tallies.at(now_ns).count("bodies_read_in_part", 1);
                body.leave()
            }
            Some(body) => match body.end() {
                Ok(ended) => ended,
                Err((error, seen)) => {
                    self.find_leak(&seen);
                    return Err(error.into());
                }
            },
            None => return Err(Broken::reset("it ended without an answer")),
        };
        self.flight.sample.bytes_decoded = body.decoded;
        self.judge_body(&seen);
        self.judge_form(&seen, body.decoded);
        Ok(Reply {
            status: self.flight.sample.status.unwrap_or(0),
            headers: self.headers.take(),
            location: self.location.take(),
            content_type: self.content_type,
            body,
        })
    }

    /// Ends: when the last part of the answer came, or now.
    pub(crate) fn land(&mut self, result: &Result<Reply, Broken>) {
        if let Err(broken) = result {
            blame(&self.visitor.worker, self.flight.sample, broken);
            self.came_ns = None;
            // A body that is never complete shows what belongs to others all the same.
            if let Some(mut body) = self.body.take() {
                self.find_leak(&body.seen());
            }
        }
        let ended_ns = self.now_ns();
        self.flight.land(ended_ns);
        self.count_planted(ended_ns);
    }

    /// When the last part of the answer came; now, if none did.
    fn now_ns(&mut self) -> u64 {
        let clock = &self.visitor.worker.clock;
        *self.came_ns.get_or_insert_with(|| clock.now_ns())
    }

    fn body(&mut self) -> Result<&mut BodyCount, Broken> {
        self.body.as_mut().ok_or_else(|| Broken::protocol("a body without a head"))
    }
}

impl Receiver for Answering<'_> {
    fn sent(&mut self) {
        self.flight.sent();
    }

    fn came(&mut self) {
        // One look at the clock serves for all that comes at once.
        self.came_ns = None;
    }

    fn status(&mut self, status: u16) {
        self.flight.sample.status = Some(status);
    }

    #[inline]
    fn header(&mut self, header: Header, name: &[u8], value: &[u8]) {
        match header {
            Header::ContentType => {
                let worker = &self.visitor.worker;
                let policy = &worker.job.plan.cdn;
                let meaning = worker.types.borrow_mut().meaning(policy, value);
                let sample = &mut *self.flight.sample;
                sample.head.kind = meaning.kind;
                sample.class = policy.choose(self.order.address.matched, meaning.matched);
                self.is_page = meaning.is_page;
                // Only who looks at the body asks how it is to be read.
                if self.order.wants_body {
                    self.content_type = ContentType::of(value);
                }
            }
            Header::Location => {
                if self.location.is_none() {
                    self.location = Some(location(value));
                }
            }
            Header::Connection | Header::ContentLength | Header::TransferEncoding => {}
            Header::SetCookie => {
                self.flight.sample.head.header(name, value);
                // Before its cookies are taken, so that it is compared with what was sent.
                self.renewal = self.renewal.or_else(|| self.visitor.renewal(value, self.order.address));
            }
            Header::Other => self.flight.sample.head.header(name, value),
        }
        if self.order.wants_headers
            && let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            self.headers.get_or_insert_default().append(name, value);
        }
    }

    fn head_ends(&mut self, lines: HeadLines<'_>) {
        let now_ns = self.now_ns();
        self.flight.sample.times.first_byte_ns = Some(now_ns);
        self.limit.until(self.ends_ns);
        // Before its cookies are taken, so that evidence shows those that were sent.
        self.judge_head(lines, now_ns);
        self.begin_body(lines, now_ns);
        let says = self.flight.sample.head.says;
        if says.any(Says::SETS_COOKIE) || says.any(Says::SETS_STICKY) {
            self.keep_cookies(lines);
        }
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if !self.only_counts() {
            // What came has come: decoding it does not make it later.
            self.now_ns();
        }
        let body = self.body()?;
        let taken = body.take(bytes);
        let wire = body.wire;
        self.flight.sample.bytes_wire = wire;
        Ok(taken?)
    }

    fn only_counts(&self) -> bool {
        self.body.as_ref().is_some_and(BodyCount::only_counts)
    }

    fn skipped(&mut self, bytes: u64) -> Result<(), Broken> {
        let body = self.body()?;
        let taken = body.skip(bytes);
        let wire = body.wire;
        self.flight.sample.bytes_wire = wire;
        Ok(taken?)
    }

    fn has_enough(&mut self) -> bool {
        let (Some(enough), Some(body)) = (&mut self.enough, &mut self.body) else { return false };
        let status = self.flight.sample.status.unwrap_or(0);
        self.is_enough = enough.is_in(status, self.content_type, body.kept());
        self.is_enough
    }
}
