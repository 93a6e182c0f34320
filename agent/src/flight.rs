//! The sample of an exchange under way, which counts whatever becomes of the exchange.

use std::cell::Cell;
use std::rc::Rc;

use doorbuster_model::cdn::Verb;
use doorbuster_model::cdn::policy::Matched;
use doorbuster_model::sample::Times;
use doorbuster_model::{ErrorClass, Sample};
use http::Method;

use crate::blame::blame;
use crate::client::{Broken, Connection, Lease};
use crate::exchange::Order;
use crate::job::nanoseconds;
use crate::visit::Visitor;

/// The sample of an exchange that the engine takes in hand now.
pub(crate) fn sample_of(visitor: &Visitor, order: &Order<'_>) -> Sample {
    let times = Times { intended_ns: order.intended_ns, handled_ns: order.handled_ns, ..Times::default() };
    let verb = match *order.method {
        Method::GET => Verb::Get,
        Method::HEAD => Verb::Head,
        _ => Verb::Other,
    };
    // As far as the path alone tells; an answer's type may tell more.
    let class = visitor.worker.job.plan.cdn.choose(order.address.matched, Matched::default());
    Sample { verb, class, ..Sample::new(order.key, times) }
}

/// An exchange under way. Dropped before [`Flight::land`], it counts as cut: it was attempted, and perhaps sent.
/// When it was dropped because the plan's grace is over, and had waited longer than that, it counts as a timeout: a
/// target that froze for good must not look like one whose last answers were merely not waited for.
pub(crate) struct Flight<'a> {
    visitor: &'a Visitor,
    /// What is known so far. Whoever wants to know what became of it owns it, so that it takes its room once.
    pub sample: &'a mut Sample,
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
    /// Fills in `sample` from now on.
    pub(crate) fn new(visitor: &'a Visitor, sample: &'a mut Sample) -> Self {
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
    pub(crate) fn land(&mut self, ended_ns: u64) {
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
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        let worker = &self.visitor.worker;
        self.land(worker.clock.now_ns());
        let sample = &mut *self.sample;
        let waited_ns = sample.times.ended_ns.saturating_sub(sample.times.intended_ns);
        let patience = worker.patience.get().filter(|patience| waited_ns >= nanoseconds(*patience));
        if patience.is_some() {
            let message =
                format!("no complete answer within {:.1} s, when the run ended", waited_ns as f64 / 1e9);
            let broken = Broken::new(ErrorClass::Timeout, message);
            blame(worker, sample, &broken);
            let (key, ended_ns) = (sample.key, sample.times.ended_ns);
            let mut tallies = worker.tallies.borrow_mut();
            tallies.at(ended_ns).fail(key.journey, key.step, broken.class, || broken.message);
        } else {
            sample.cut = true;
        }
        worker.tallies.borrow_mut().record(sample);
    }
}
