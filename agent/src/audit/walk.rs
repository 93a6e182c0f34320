//! A shopper's walk to what belongs to it alone: the journey without its pauses and without assets, at the audit's rate.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use doorbuster_journeys::{Fetch, Hop, Next, Shopper, Walk};
use doorbuster_model::Chance;
use doorbuster_model::cdn::audit::{self, Ask, Script, Who};
use doorbuster_model::chance::Purpose;
use url::Url;

use super::fetch::{KEY, Stage, class_of, send};
use crate::address::Address;
use crate::exchange::{Order, Reply};
use crate::page::{Redirected, judge, led, not_allowed, whence};

/// The most requests and pauses of a walk: a journey may go in circles.
const MOVES_MAX: u32 = 500;

/// Lets a shopper walk through the job's journey, and tells the script what was seen on the way.
pub(super) async fn walk(stage: &Stage<'_>, script: &mut Script, shopper: u64) {
    let worker = stage.worker;
    let Some(journey) = worker.journeys.first() else { return };
    let who = Shopper { number: shopper, run: Arc::clone(&worker.run) };
    let mut walker = Walker { stage, script, shopper, walk: Walk::new(Arc::clone(journey), who) };
    let mut chance = Chance::new(worker.job.plan.seed, Purpose::Walk, shopper);
    let mut from: Option<Rc<Address>> = None;
    for _ in 0..MOVES_MAX {
        match walker.walk.next(&mut chance) {
            Next::Think(_) => tokio::task::yield_now().await,
            Next::Fetch(fetch) => from = walker.fetch(&fetch, from.as_ref(), &mut chance).await.or(from),
            Next::Done(_) => {
                if let Some((_, failure)) = walker.walk.take_unsent() {
                    walker.script.stumbled(shopper, &stage.redact(failure.message));
                }
                return;
            }
        }
    }
    let why = format!("the journey had not ended after {MOVES_MAX} requests and pauses");
    walker.script.stumbled(shopper, &why);
}

struct Walker<'a> {
    stage: &'a Stage<'a>,
    script: &'a mut Script,
    shopper: u64,
    walk: Walk,
}

impl Walker<'_> {
    /// One step, with the redirects that it leads to. Where it got to, if the journey takes that.
    async fn fetch(
        &mut self,
        fetch: &Fetch,
        from: Option<&Rc<Address>>,
        chance: &mut Chance,
    ) -> Option<Rc<Address>> {
        let stage = self.stage;
        let worker = stage.worker;
        let mut address = match worker.addresses.of_step(&worker.job, 0, fetch, from) {
            Ok(address) => address,
            Err(message) => {
                self.script.stumbled(self.shopper, &stage.redact(message));
                self.walk.broken();
                return None;
            }
        };
        let visitor = stage.visitor(Who::Shopper(self.shopper));
        let mut redirected: Option<Redirected> = None;
        let mut hops: Vec<Hop> = Vec::new();
        loop {
            let at_ns = self.script.slot(worker.clock.now_ns());
            worker.clock.sleep_until_ns(at_ns).await;
            let order = Order {
                key: KEY,
                intended_ns: at_ns,
                handled_ns: worker.clock.now_ns(),
                method: redirected.as_ref().map_or(&fetch.method, |changed| &changed.method),
                address: &address,
                headers: redirected.as_ref().map_or(&fetch.headers, |changed| &changed.headers),
                body: redirected.as_ref().map_or(&fetch.body, |changed| &changed.body).as_ref(),
                from: whence(redirected.as_ref(), from.filter(|_| fetch.referer)),
                tells_origin: fetch.origin,
                wants_headers: true,
                wants_body: true,
                timeout: fetch.timeout,
                head: Cell::default(),
            };
            let has_planted = self.has_planted(&address.url, order.body);
            let ask = Ask::of_walk(self.shopper, order.method.clone(), address.url.clone(), Vec::new())
                .shown_as(stage.redact(address.whole().to_owned()));
            let (sample, result) = send(visitor, &order).await;
            sample.times.sent_ns.into_iter().for_each(|sent_ns| self.script.sent(sent_ns));
            let ended_ns = sample.times.ended_ns;
            let reply = match result {
                Ok(reply) => reply,
                Err(broken) => {
                    let message = stage.redact(broken.message.clone());
                    self.script.stumbled(self.shopper, &message);
                    let broken = audit::Broken { class: class_of(&broken), message };
                    self.script.walked(ask, has_planted, ended_ns, Err(broken));
                    self.walk.broken();
                    return None;
                }
            };
            let mut answer = stage.answer(&reply, order.method, &address.url, &sample, self.shopper);
            answer.found.clear();
            self.script.walked(ask, has_planted, ended_ns, Ok(answer));
            let next =
                if fetch.follow_redirects { self.leads_on(&order, &reply, hops.len()) } else { Ok(None) };
            let (url, request) = match next {
                Ok(Some(next)) => next,
                Ok(None) => return self.judge(fetch, &reply, &hops, chance, &address).then_some(address),
                Err(why) => {
                    let why = format!("{}: {why}", address.shown());
                    self.script.stumbled(self.shopper, &stage.redact(why));
                    self.walk.broken();
                    return None;
                }
            };
            let location = reply.location.map(String::from).unwrap_or_default();
            hops.push(Hop { status: reply.status, location });
            (address, redirected) = (Rc::new(Address::new(url, &worker.job)), Some(request));
        }
    }

    /// Where an answer leads on, and with what. The error says why it cannot be followed.
    fn leads_on(
        &self,
        order: &Order<'_>,
        reply: &Reply,
        hops: usize,
    ) -> Result<Option<(Url, Redirected)>, String> {
        let next = led(order, order.headers, reply, hops)?;
        if let Some((url, _)) = &next
            && !self.stage.may_go(url)
        {
            return Err(not_allowed(url));
        }
        Ok(next)
    }

    /// Hands an answer to the journey. Whether that takes it.
    fn judge(
        &mut self,
        fetch: &Fetch,
        reply: &Reply,
        hops: &[Hop],
        chance: &mut Chance,
        address: &Address,
    ) -> bool {
        let visitor = self.stage.visitor(Who::Shopper(self.shopper));
        let judged = judge(visitor, fetch, reply, address, hops, &mut self.walk, chance);
        if let Err(failure) = &judged
            && !failure.is_tolerated
        {
            let why = format!("{}: {}", address.shown(), failure.message);
            self.script.stumbled(self.shopper, &self.stage.redact(why));
        }
        judged.is_ok()
    }

    /// Whether a request carries the shopper's own marker.
    fn has_planted(&self, url: &Url, body: Option<&Bytes>) -> bool {
        let mark = self.stage.marks.of_shopper(self.shopper);
        let has_mark = |text: &[u8]| text.windows(mark.len()).any(|window| window == mark.as_bytes());
        has_mark(url.as_str().as_bytes()) || body.is_some_and(|body| has_mark(body))
    }
}
