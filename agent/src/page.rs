//! One step: its request, the redirects that it leads to, and the assets of the page that it shows.

mod assets;
mod counting;
mod redirect;

use std::cell::Cell;
use std::rc::Rc;

use doorbuster_journeys::{Answer, Failure, Fetch, Hop as Passed, Walk};
use doorbuster_model::pace::section_at;
use doorbuster_model::{Chance, ErrorClass, Key, Part};

use crate::address::Address;
use crate::blame::blame;
use crate::client::Broken;
use crate::exchange::{Order, Reply, exchange};
use crate::flight::sample_of;
use crate::trace::{self, Went};
use crate::visit::Visitor;

pub(crate) use assets::Styles;
pub(crate) use redirect::{Redirected, Said, led, location, not_allowed, whence};

/// A step to carry out.
pub(crate) struct Page<'a> {
    /// Who does it.
    pub visitor: &'a Visitor,
    /// The journey's position in the plan.
    pub journey: u16,
    /// When it was to start.
    pub intended_ns: u64,
    /// When the engine takes it in hand.
    pub handled_ns: u64,
}

/// Where a step got to.
pub(crate) struct Landed {
    /// When its last part ended.
    pub ended_ns: u64,
    /// The address of the last answer.
    pub address: Option<Rc<Address>>,
    /// Whether the connection or the answer failed, not the journey's expectation.
    pub broken: bool,
    /// Whether anything was attempted at all.
    pub sent: bool,
    /// Whether time was spent after that end on what came.
    pub looked: bool,
}

impl Landed {
    /// A step that got to no answer, or to none that counts.
    fn nowhere(ended_ns: u64, broken: bool) -> Self {
        Self { ended_ns, address: None, broken, sent: true, looked: false }
    }
}

/// The way that redirects led, and what of the request is left for the next.
struct Way {
    request: Box<Redirected>,
    hops: Vec<Passed>,
}

/// A redirect to follow.
struct Hop {
    address: Rc<Address>,
    request: Box<Redirected>,
}

impl Page<'_> {
    /// Carries the step out and tells `walk` what came of it.
    pub(crate) async fn fetch(
        self,
        fetch: Box<Fetch>,
        from: Option<&Rc<Address>>,
        walk: &mut Walk,
        chance: &mut Chance,
    ) -> Landed {
        let visitor = self.visitor;
        let worker = &visitor.worker;
        let addresses = &worker.addresses;
        let mut address = match addresses.of_step(&worker.job, self.journey.into(), &fetch, from) {
            Ok(address) => address,
            Err(message) => {
                self.refuse(self.key(fetch.name, Part::Main, self.intended_ns), message);
                walk.broken();
                return Landed { sent: false, ..Landed::nowhere(worker.clock.now_ns(), true) };
            }
        };
        // Boxed: few requests are led anywhere.
        let mut way: Option<Box<Way>> = None;
        let (mut intended_ns, mut handled_ns) = (self.intended_ns, self.handled_ns);
        let (page, mut ended_ns, is_good) = loop {
            let part = if way.is_none() { Part::Main } else { Part::Hop };
            let redirected = way.as_ref().map(|way| &*way.request);
            let is_traced = worker.job.traces > 0;
            let order = Order {
                key: self.key(fetch.name, part, intended_ns),
                intended_ns,
                handled_ns,
                method: redirected.map_or(&fetch.method, |changed| &changed.method),
                address: &address,
                headers: redirected.map_or(&fetch.headers, |changed| &changed.headers),
                body: redirected.map_or(&fetch.body, |changed| &changed.body).as_ref(),
                from: whence(redirected, from.filter(|_| fetch.referer)),
                tells_origin: fetch.origin,
                wants_headers: fetch.wants_headers || is_traced,
                wants_body: fetch.wants_body || is_traced,
                timeout: fetch.timeout,
                head: Cell::default(),
            };
            let until_found = fetch.until_found.then_some(&*walk);
            let mut sample = sample_of(visitor, &order);
            let result = exchange(visitor, &order, &mut sample, &visitor.limit, until_found).await;
            let reply = match result {
                Ok(reply) => reply,
                Err(broken) => {
                    self.fail(&sample, &order, &broken);
                    trace::note(visitor, &order, &sample, &Went::Broke(&broken), walk);
                    walk.broken();
                    return Landed::nowhere(sample.times.ended_ns, true);
                }
            };
            match self.hop(&fetch, &order, &reply, passed(&way).len()) {
                Ok(Some(Hop { address: next, request })) => {
                    trace::note(visitor, &order, &sample, &Went::Answered(&reply, None), walk);
                    self.record_redirect(&sample);
                    let location = reply.location.map(String::from).unwrap_or_default();
                    let mut hops = way.map(|way| way.hops).unwrap_or_default();
                    hops.push(Passed { status: reply.status, location });
                    (intended_ns, handled_ns) = (sample.times.ended_ns, sample.times.ended_ns);
                    (address, way) = (next, Some(Box::new(Way { request, hops })));
                }
                Ok(None) => {
                    let failure = judge(visitor, &fetch, &reply, &address, passed(&way), walk, chance).err();
                    let is_good = failure.is_none();
                    trace::note(visitor, &order, &sample, &Went::Answered(&reply, failure.as_ref()), walk);
                    self.record(&mut sample, &order, walk, failure);
                    let page = Some(reply).filter(|_| fetch.assets && sample.error.is_none());
                    break (page, sample.times.ended_ns, is_good);
                }
                Err(message) => {
                    let broken = Broken::new(ErrorClass::Status, message);
                    blame(worker, &mut sample, &broken);
                    self.fail(&sample, &order, &broken);
                    trace::note(visitor, &order, &sample, &Went::Broke(&broken), walk);
                    walk.broken();
                    return Landed::nowhere(worker.clock.now_ns(), false);
                }
            }
        };
        if let Some(reply) = page {
            // Boxed: only pages have assets, and only while they load.
            ended_ns = Box::pin(self.assets(&fetch, walk, reply, &address, ended_ns)).await;
        }
        // A page that was not what it was to be is not gone on from.
        let address = Some(address).filter(|_| is_good);
        let looked = fetch.wants_body || fetch.wants_headers;
        Landed { ended_ns, address, broken: false, sent: true, looked }
    }

    fn key(&self, name: usize, part: Part, intended_ns: u64) -> Key {
        let section = section_at(&self.visitor.worker.job.sections, intended_ns);
        Key { journey: self.journey, step: narrow(name), part, section: narrow(section) }
    }

    /// `text` without the journey's secrets.
    fn redacted(&self, text: String) -> String {
        match self.visitor.worker.journeys.get(usize::from(self.journey)) {
            Some(journey) => journey.redact(text),
            None => text,
        }
    }

    /// The redirect to follow, if any. The error says why one cannot be followed.
    fn hop(
        &self,
        fetch: &Fetch,
        order: &Order<'_>,
        reply: &Reply,
        hops: usize,
    ) -> Result<Option<Hop>, String> {
        if !fetch.follow_redirects {
            return Ok(None);
        }
        let Some((url, request)) = led(order, order.headers, reply, hops)? else { return Ok(None) };
        let job = &self.visitor.worker.job;
        if !job.plan.may_load(&url) {
            return Err(not_allowed(&url));
        }
        Ok(Some(Hop { address: Rc::new(Address::new(url, job)), request: Box::new(request) }))
    }
}

/// Hands an answer to the journey of `walk`, as `visitor` got it.
///
/// # Errors
/// What the journey does not accept of it.
pub(crate) fn judge(
    visitor: &Visitor,
    fetch: &Fetch,
    reply: &Reply,
    address: &Address,
    hops: &[Passed],
    walk: &mut Walk,
    chance: &mut Chance,
) -> Result<(), Failure> {
    let cookies = if fetch.wants_cookies { visitor.cookies_for(address) } else { String::new() };
    let answer = Answer {
        status: reply.status,
        headers: reply.headers.as_deref().unwrap_or(&visitor.worker.no_headers),
        content_type: reply.content_type,
        url: &address.url,
        hops,
        cookies: &cookies,
        body: &reply.body.kept,
        cut: reply.body.cut,
    };
    walk.answer(&answer, chance)
}

/// The redirects that led somewhere.
fn passed(way: &Option<Box<Way>>) -> &[Passed] {
    way.as_ref().map_or(&[][..], |way| &way.hops)
}

/// Positions of steps and sections: journeys and plans are limited far below 2^16.
fn narrow(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}
