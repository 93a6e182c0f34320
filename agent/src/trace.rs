//! A trace: one shopper, walk after walk, and every exchange in full.

use std::rc::Rc;

use doorbuster_journeys::{Failure, Walk};
use doorbuster_model::plan::Cookies;
use doorbuster_model::report::Exchange;
use doorbuster_model::sample::Times;
use doorbuster_model::{Key, Part, Sample};

use crate::address::Address;
use crate::client::Broken;
use crate::crowd::Crowd;
use crate::exchange::{Order, Reply, request_head};
use crate::visit::{Visitor, visit};
use crate::worker::Worker;

/// Walks as often as the assignment says.
pub(crate) async fn run(worker: &Rc<Worker>, crowd: &Rc<Crowd>) {
    let _present = crowd.enter(worker);
    let visitor = Visitor::new(worker, 0);
    // A host that nobody named gets one walk a second, as the check of the plan has it.
    let apart_ns = if worker.job.plan.may_load(&worker.job.target) { 0 } else { 1_000_000_000 };
    for number in 0..worker.job.traces {
        worker.clock.sleep_until_ns(u64::from(number) * apart_ns).await;
        let now_ns = worker.clock.now_ns();
        visit(&visitor, u64::from(number), now_ns, now_ns).await;
        if worker.job.plan.load.cookies == Cookies::PerIteration {
            visitor.forget();
        }
    }
}

/// The headers of a request.
pub(crate) struct Head(Vec<(String, String)>);

/// Keeps the head of a request that is sent now, where somebody watches: once its answer has set cookies, it would be
/// another one.
pub(crate) fn keep_head(visitor: &Visitor, order: &Order<'_>) {
    if visitor.worker.job.traces > 0 {
        order.head.set(Some(Box::new(Head(request_head(visitor, order)))));
    }
}

/// How an exchange of a trace went.
pub(crate) enum Went<'a> {
    /// An answer came; what the journey did not accept of it.
    Answered(&'a Reply, Option<&'a Failure>),
    /// None did.
    Broke(&'a Broken),
}

/// Keeps an exchange for the one who watches, where somebody does. Of an asset, neither body nor values are shown.
pub(crate) fn note(visitor: &Visitor, order: &Order<'_>, sample: &Sample, went: &Went<'_>, walk: &Walk) {
    if visitor.worker.job.traces == 0 {
        return;
    }
    let is_asset = order.key.part == Part::Asset;
    let (headers, body, problem, is_tolerated) = match went {
        Went::Broke(broken) => (Vec::new(), Vec::new(), walk.redact(broken.message.clone()), false),
        Went::Answered(reply, failure) => {
            let headers = reply.headers.iter().flat_map(|headers| headers.iter());
            let headers =
                headers.map(|(name, value)| (name.to_string(), walk.redact(lossy(value.as_bytes()))));
            let problem = failure.map(|failure| failure.message.clone()).unwrap_or_default();
            let is_tolerated = failure.is_some_and(|failure| failure.is_tolerated);
            let body: &[u8] = if is_asset { &[] } else { &reply.body.kept };
            (headers.collect(), shown_body(&reply.content_type.text(body), walk), problem, is_tolerated)
        }
    };
    let shown = |(name, value): (String, String)| (name, walk.redact(value));
    let values = if is_asset { Vec::new() } else { walk.shown_values() };
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
    // What never got as far as a connection is shown as it would have been sent.
    let head = order.head.take().map_or_else(|| request_head(visitor, order), |head| head.0);
    let exchange = Exchange {
        key: sample.key,
        method: order.method.to_string(),
        url: walk.redact(order.address.whole().to_owned()),
        request_headers: head.into_iter().map(shown).collect(),
        request_body: shown_body(order.body.map_or(&[][..], |body| &body[..]), walk),
        status: sample.status,
        headers,
        body,
        times: sample.times,
        opened: sample.opened,
        bytes_wire: sample.bytes_wire,
        problem,
        is_tolerated,
        values: values.collect(),
    };
    visitor.worker.tallies.borrow_mut().trace(exchange);
}

/// Keeps for the one who watches that an asset was not asked for at `now_ns`, because the shopper had it.
pub(crate) fn note_kept(visitor: &Visitor, key: Key, address: &Address, now_ns: u64, walk: &Walk) {
    if visitor.worker.job.traces == 0 {
        return;
    }
    let times = Times { intended_ns: now_ns, handled_ns: now_ns, ended_ns: now_ns, ..Times::default() };
    let exchange = Exchange {
        key,
        method: "GET".to_owned(),
        url: walk.redact(address.whole().to_owned()),
        request_headers: Vec::new(),
        request_body: Vec::new(),
        status: None,
        headers: Vec::new(),
        body: Vec::new(),
        times,
        opened: None,
        bytes_wire: 0,
        problem: String::new(),
        is_tolerated: false,
        values: Vec::new(),
    };
    visitor.worker.tallies.borrow_mut().trace(exchange);
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A body as far as it is shown, without secrets.
fn shown_body(bytes: &[u8], walk: &Walk) -> Vec<u8> {
    let mut shown = walk.redact(lossy(bytes)).into_bytes();
    shown.truncate(Exchange::BODY_BYTES_MAX);
    shown
}
