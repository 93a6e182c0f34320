//! The sample of an exchange under way, which counts whatever becomes of the exchange.

use std::cell::Cell;
use std::rc::Rc;

use doorbuster_model::cdn::Observation;
use doorbuster_model::sample::Times;
use doorbuster_model::{ErrorClass, Sample};

use crate::client::{Connection, Lease};
use crate::exchange::Order;
use crate::job::nanoseconds;
use crate::visit::Visitor;

/// An exchange under way. Dropped before [`Flight::land`], it counts as cut: it was attempted, and perhaps sent.
/// When it was dropped because the plan's grace is over, and had waited longer than that, it counts as a timeout: a
/// target that froze for good must not look like one whose last answers were merely not waited for.
pub(crate) struct Flight<'a> {
    visitor: &'a Visitor,
    /// What is known so far.
    pub sample: Sample,
    landed: bool,
    sent: Sent,
}

/// Whether a request's head reached the wire.
enum Sent {
    /// Not as far as is known.
    No,
    /// It did.
    Yes,
    /// If this counter of an HTTP/2 connection's written bytes has moved since it stood there.
    If(Rc<Cell<u64>>, u64),
}

impl<'a> Flight<'a> {
    /// The engine took the exchange in hand.
    pub(crate) fn new(visitor: &'a Visitor, order: &Order<'_>) -> Self {
        let sample = Sample {
            key: order.key,
            times: Times { intended_ns: order.intended_ns, handled_ns: order.handled_ns, ..Times::default() },
            opened: None,
            status: None,
            error: None,
            cut: false,
            bytes_wire: 0,
            bytes_decoded: None,
            observation: Observation::begin(order.address.url.path()),
        };
        Self { visitor, sample, landed: false, sent: Sent::No }
    }

    /// The request is given to a connection at `now_ns`.
    pub(crate) fn depart(&mut self, lease: &Lease, now_ns: u64) {
        self.sent = match &lease.connection {
            Connection::Http1(_) => Sent::No,
            Connection::Http2(connection) => {
                let written = connection.written();
                let before = written.get();
                Sent::If(written, before)
            }
        };
        self.sample.times.sent_ns = Some(now_ns);
        self.sample.opened = self.sample.opened.or(lease.opened.as_deref().copied());
    }

    /// The request's head was written.
    pub(crate) fn sent(&mut self) {
        self.sent = Sent::Yes;
    }

    /// Ends at `ended_ns`. What never reached the wire was not sent.
    pub(crate) fn land(&mut self, ended_ns: u64) -> Sample {
        self.landed = true;
        self.sample.times.ended_ns = ended_ns;
        let reached_wire = match &self.sent {
            Sent::No => false,
            Sent::Yes => true,
            Sent::If(written, before) => written.get() > *before,
        };
        if !reached_wire {
            self.sample.times.sent_ns = None;
        }
        self.sample.clone()
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        let worker = &self.visitor.worker;
        let mut sample = self.land(worker.clock.now_ns());
        let waited_ns = sample.times.ended_ns.saturating_sub(sample.times.intended_ns);
        let patience = worker.patience.get().filter(|patience| waited_ns >= nanoseconds(*patience));
        let mut tallies = worker.tallies.borrow_mut();
        if patience.is_some() {
            sample.error = Some(ErrorClass::Timeout);
            let example =
                || format!("no complete answer within {:.1} s, when the run ended", waited_ns as f64 / 1e9);
            tallies.at(sample.times.ended_ns).fail(
                sample.key.journey,
                sample.key.step,
                ErrorClass::Timeout,
                example,
            );
        } else {
            sample.cut = true;
        }
        tallies.record(&sample);
    }
}
