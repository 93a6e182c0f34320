//! An answer as it comes: measured, looked at, and kept as far as somebody wants it.

use std::time::Duration;

use doorbuster_journeys::{ContentType, Walk};
use doorbuster_model::{ErrorClass, Sample};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::client::body::{BodyCount, Coding};
use crate::client::{Broken, Header, Lease, Receiver};
use crate::enough::Enough;
use crate::exchange::{Order, Reply};
use crate::flight::Flight;
use crate::job::nanoseconds;
use crate::limit::Limit;
use crate::page::location;
use crate::visit::Visitor;

/// The most Set-Cookie lines of an answer that are looked at.
const COOKIE_LINES_MAX: u32 = 100;

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
    coding: Coding,
    cookie_lines: u32,
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
        limit: &'a Limit,
        ends_ns: u64,
        until_found: Option<&'a Walk>,
    ) -> Self {
        Self {
            flight: Flight::new(visitor, order),
            visitor,
            order,
            limit,
            ends_ns,
            came_ns: None,
            headers: None,
            location: None,
            content_type: ContentType::default(),
            coding: Coding::Identity,
            cookie_lines: 0,
            body: None,
            enough: until_found.map(|walk| Box::new(Enough::new(walk))),
            is_enough: false,
        }
    }

    /// The request is given to a connection now: from here on, the answer's head is waited for.
    pub(crate) fn depart(&mut self, lease: &Lease) {
        let now_ns = self.visitor.worker.clock.now_ns();
        self.flight.depart(lease, now_ns);
        let first_byte = self.visitor.worker.job.plan.http.timeouts.first_byte;
        self.limit.until(self.ends_ns.min(now_ns.saturating_add(nanoseconds(first_byte))));
    }

    /// The connection did not take the request: another one is waited for, as long as the exchange may last.
    pub(crate) fn stay(&mut self) {
        self.flight.sample.times.sent_ns = None;
        self.limit.until(self.ends_ns);
    }

    /// What is wrong when the limit came first.
    pub(crate) fn overdue(&self, total: Duration) -> Broken {
        let first_byte = self.visitor.worker.job.plan.http.timeouts.first_byte;
        let waits = self.flight.sample.times.sent_ns.is_some() && self.flight.sample.status.is_none();
        let message = if waits && self.visitor.worker.clock.now_ns() < self.ends_ns {
            format!("no answer within {first_byte:?}")
        } else {
            format!("no complete answer within {total:?}")
        };
        Broken::new(ErrorClass::Timeout, message)
    }

    /// The answer, once it is complete, or as far as it is wanted.
    pub(crate) fn reply(&mut self) -> Result<Reply, Broken> {
        let body = match self.body.take() {
            Some(body) if self.is_enough => {
                let now_ns = self.now_ns();
                let mut tallies = self.visitor.worker.tallies.borrow_mut();
                tallies.at(now_ns).count("bodies_read_in_part", 1);
                body.leave()
            }
            Some(body) => body.end()?,
            None => return Err(Broken::reset("it ended without an answer")),
        };
        self.flight.sample.bytes_decoded = body.decoded;
        Ok(Reply {
            status: self.flight.sample.status.unwrap_or(0),
            headers: self.headers.take(),
            location: self.location.take(),
            content_type: self.content_type,
            body,
        })
    }

    /// Ends: when the last part of the answer came, or now.
    pub(crate) fn land(&mut self, result: &Result<Reply, Broken>) -> Sample {
        if let Err(broken) = result {
            self.flight.sample.error = Some(broken.class);
            self.came_ns = None;
        }
        let ended_ns = self.now_ns();
        self.flight.land(ended_ns)
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
            Header::Age | Header::XCache | Header::WafAction => {
                self.flight.sample.observation.header(name, value);
            }
            Header::ContentType => {
                self.flight.sample.observation.header(name, value);
                // Only who looks at the body asks how it is to be read.
                if self.order.wants_body {
                    self.content_type = ContentType::of(value);
                }
            }
            Header::ContentEncoding => {
                self.flight.sample.observation.header(name, value);
                self.coding = Coding::of(value);
            }
            Header::Location if self.location.is_none() => {
                self.location = Some(location(value));
            }
            Header::SetCookie => {
                self.cookie_lines = self.cookie_lines.saturating_add(1);
                if self.cookie_lines > COOKIE_LINES_MAX {
                    self.visitor.refuse_cookie();
                } else if let Ok(line) = std::str::from_utf8(value) {
                    self.visitor.keep_cookie(line, self.order.address);
                }
            }
            _ => {}
        }
        if self.order.wants_headers
            && let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            self.headers.get_or_insert_default().append(name, value);
        }
    }

    fn head_ends(&mut self) {
        let now_ns = self.now_ns();
        let worker = &self.visitor.worker;
        self.flight.sample.times.first_byte_ns = Some(now_ns);
        self.limit.until(self.ends_ns);
        let sampled = || worker.sampling.borrow_mut().takes(now_ns);
        let limit = worker.job.plan.http.max_body;
        self.body = Some(BodyCount::begin(self.coding, self.order.wants_body, limit, sampled));
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
