//! A shopper's visit: one walk through one journey.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use doorbuster_journeys::{Ending, FailureKind, Journey, Next, Shopper, Walk};
use doorbuster_model::cdn::STICKY_COOKIE;
use doorbuster_model::chance::{Purpose, pick_weighted};
use doorbuster_model::plan::{Connections, Model};
use doorbuster_model::{Chance, ErrorClass};

use crate::address::Address;
use crate::cache::Cache;
use crate::client::Pool;
use crate::cookies::Cookies;
use crate::job::nanoseconds;
use crate::limit::Limit;
use crate::page::Page;
use crate::probe;
use crate::worker::Worker;

/// Who thinks for longer than this lets go of what only exchanges need.
const REST_NS: u64 = 1_000_000_000;

/// One shopper's browser: cookies, connections, and assets that it keeps.
pub(crate) struct Visitor {
    /// The worker that it lives on.
    pub worker: Rc<Worker>,
    /// The shopper's number, unique within the run.
    pub number: u64,
    /// The limit on what it waits for.
    pub limit: Limit,
    own_pool: Pool,
    cookies: Cookies,
    /// The assets, once it keeps any: most shoppers have no such thing.
    cache: Cell<Option<Box<Cache>>>,
}

impl Visitor {
    /// A shopper without cookies, who has never been here.
    pub(crate) fn new(worker: &Rc<Worker>, number: u64) -> Self {
        Self {
            worker: Rc::clone(worker),
            number,
            limit: Limit::default(),
            own_pool: Pool::of_browser(),
            cookies: Cookies::default(),
            cache: Cell::new(None),
        }
    }

    /// Its connections: its own, or those that all arrivals share.
    pub(crate) fn pool(&self) -> &Pool {
        self.worker.shared.as_ref().unwrap_or(&self.own_pool)
    }

    /// Sleeps. Connections of its own that the target closes meanwhile are closed on this side, too.
    async fn rest_until_ns(&self, until_ns: u64) {
        let mut sleep = pin!(self.worker.clock.sleep_until_ns(until_ns));
        poll_fn(|context| {
            self.own_pool.poll_close_closed(context);
            sleep.as_mut().poll(context)
        })
        .await;
    }

    /// Forgets every cookie and every asset, as if another shopper came.
    pub(crate) fn forget(&self) {
        self.cookies.forget();
        self.cache.set(None);
    }

    /// Does something with the assets that the shopper keeps.
    pub(crate) fn with_cache<T>(&self, work: impl FnOnce(&mut Cache) -> T) -> T {
        let mut cache = self.cache.take().unwrap_or_default();
        let done = work(&mut cache);
        self.cache.set(Some(cache));
        done
    }

    /// Appends the value of the Cookie header for `address`: the plan's own
    /// cookies, then the shopper's. Nothing where there is none to send.
    pub(crate) fn write_cookies(&self, address: &Address, out: &mut Vec<u8>) {
        if let Some(own) = self.worker.job.cookie.as_ref().filter(|_| address.is_target) {
            out.extend_from_slice(own.as_bytes());
        }
        self.cookies.write(&address.url, out);
    }

    /// The value of the Cookie header for `address` as the shopper alone makes it.
    pub(crate) fn cookies_for(&self, address: &Address) -> String {
        let mut line = Vec::new();
        self.cookies.write(&address.url, &mut line);
        String::from_utf8(line).unwrap_or_default()
    }

    /// Whether this Set-Cookie line of an answer from `address` gives the balancer's cookie another value than before; `None`
    /// where it is about another cookie, or the shopper has none yet.
    pub(crate) fn renewal(&self, line: &[u8], address: &Address) -> Option<bool> {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b'=')?);
        if name.trim_ascii() != STICKY_COOKIE.as_bytes() {
            return None;
        }
        let value = std::str::from_utf8(value).ok()?.split(';').next()?.strip_prefix('=')?.trim();
        self.cookies.differs(STICKY_COOKIE, value, &address.url)
    }

    /// Takes a Set-Cookie line of an answer from `address`. Lines that a browser refuses are refused here too; those
    /// over its limits are counted.
    pub(crate) fn keep_cookie(&self, line: &str, address: &Address) {
        if !self.cookies.keep(line, &address.url, &self.worker.scopes) {
            self.refuse_cookie();
        }
    }

    /// Counts a Set-Cookie line that is over a limit.
    pub(crate) fn refuse_cookie(&self) {
        self.worker.tallies.borrow_mut().current().count("cookies_refused", 1);
    }
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visited {
    /// As the journey says.
    Completed,
    /// By an answer that the journey does not accept.
    Failed,
    /// Because the target could not be reached or broke off, or a step could not be sent at all.
    Broken,
    /// In whatever way, without having sent anything.
    Unsent,
    /// There is no data left for this shopper, who does not come again.
    Gone,
}

/// Counts a journey as cut unless it ended.
struct Underway<'a> {
    worker: &'a Worker,
    journey: u16,
    ended: bool,
}

impl<'a> Underway<'a> {
    fn new(worker: &'a Worker, journey: u16, lag_ns: u64, now_ns: u64) -> Self {
        let mut tallies = worker.tallies.borrow_mut();
        tallies.shoppers += 1;
        let tally = tallies.at(now_ns);
        tally.record_lag(lag_ns, true);
        tally.journeys.entry(journey).or_default().started += 1;
        Self { worker, journey, ended: false }
    }

    fn end(mut self, ending: Ending, now_ns: u64) {
        self.ended = true;
        let mut tallies = self.worker.tallies.borrow_mut();
        let counts = tallies.at(now_ns).journeys.entry(self.journey).or_default();
        match ending {
            Ending::Completed => counts.completed += 1,
            Ending::Failed => counts.failed += 1,
            Ending::Abandoned => counts.abandoned += 1,
            Ending::OutOfData => {
                counts.abandoned += 1;
                tallies.at(now_ns).count("shoppers_without_data", 1);
            }
        }
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let mut tallies = self.worker.tallies.borrow_mut();
        tallies.shoppers -= 1;
        if !self.ended {
            tallies.at(self.worker.clock.now_ns()).journeys.entry(self.journey).or_default().cut += 1;
        }
    }
}

/// One walk through the journey that `index` falls on. `begun_ns` is when the first step was to start, and it is now
/// `now_ns`. Returns how it ended, and when.
pub(crate) fn visit(
    visitor: &Visitor,
    index: u64,
    begun_ns: u64,
    now_ns: u64,
) -> impl Future<Output = (Visited, u64)> {
    let worker = &*visitor.worker;
    let position = pick_weighted(worker.job.plan.seed, index, &worker.job.weights);
    walk_through(visitor, (position, Arc::clone(&worker.journeys[position])), index, begun_ns, now_ns)
}

/// As [`visit`], through the journey at this position in the plan, which is handed over as it is to be walked.
///
/// No `async fn`: what that is called with takes room as long as it runs, and there are half a million of these.
pub(crate) fn walk_through(
    visitor: &Visitor,
    (position, journey): (usize, Arc<Journey>),
    index: u64,
    begun_ns: u64,
    mut now_ns: u64,
) -> impl Future<Output = (Visited, u64)> {
    let worker = &*visitor.worker;
    let shopper = Shopper { number: visitor.number, run: Arc::clone(&worker.run) };
    let mut walk = Walk::new(journey, shopper);
    let journey = u16::try_from(position).unwrap_or(u16::MAX);
    let underway = Underway::new(worker, journey, now_ns.saturating_sub(begun_ns), now_ns);
    let mut chance = Chance::new(worker.job.plan.seed, Purpose::Walk, index);
    let mut from: Option<Rc<Address>> = None;
    let mut intended_ns = begun_ns;
    let (mut first, mut sent, mut broken, mut yields) = (true, false, false, false);
    async move {
        loop {
            if std::mem::take(&mut yields) {
                tokio::task::yield_now().await;
            }
            match walk.next(&mut chance) {
                Next::Think(pause) => {
                    intended_ns = intended_ns.saturating_add(nanoseconds(pause));
                    if intended_ns.saturating_sub(now_ns) > REST_NS {
                        visitor.limit.rest();
                    }
                    // A pause that is over lets the others have their turn all the same.
                    yields = intended_ns <= now_ns;
                    visitor.rest_until_ns(intended_ns).await;
                    now_ns = visitor.worker.clock.now_ns();
                }
                Next::Fetch(fetch) => {
                    if !std::mem::take(&mut first) {
                        let lag_ns = now_ns.saturating_sub(intended_ns);
                        visitor.worker.tallies.borrow_mut().at(now_ns).record_lag(lag_ns, false);
                    }
                    if let Some(turns) = &visitor.worker.turns {
                        // Until its turn it is this side that waits, not the target.
                        let turn_ns = turns.next_ns(now_ns);
                        intended_ns += turn_ns - now_ns;
                        now_ns = turn_ns;
                        visitor.rest_until_ns(now_ns).await;
                    }
                    probe::begin(visitor, walk.is_tried_again());
                    let page = Page { visitor, journey, intended_ns, handled_ns: now_ns };
                    // Boxed: a shopper that thinks is to be small, and most shoppers think.
                    let landed = Box::pin(page.fetch(fetch, from.as_ref(), &mut walk, &mut chance)).await;
                    broken = landed.broken;
                    sent |= landed.sent;
                    yields = !landed.sent;
                    intended_ns = landed.ended_ns;
                    // What it cost to look through the answer is this side's own: it shows as lag of the next step.
                    now_ns = if landed.looked { visitor.worker.clock.now_ns() } else { landed.ended_ns };
                    from = landed.address.or(from);
                    if visitor.worker.job.plan.load.connections == Connections::PerPage {
                        visitor.pool().close_idle();
                    }
                }
                Next::Done(ending) => {
                    broken |= note_unsent(visitor, journey, &mut walk);
                    underway.end(ending, now_ns);
                    if ending != Ending::OutOfData
                        && let Some(again_ns) = again_ns(&visitor.worker, &walk, begun_ns, now_ns)
                    {
                        visitor.limit.rest();
                        // Boxed: most journeys have no pacing.
                        Box::pin(visitor.rest_until_ns(again_ns)).await;
                        now_ns = visitor.worker.clock.now_ns();
                    }
                    let visited = match ending {
                        Ending::OutOfData => Visited::Gone,
                        _ if !sent => Visited::Unsent,
                        Ending::Completed | Ending::Abandoned => Visited::Completed,
                        Ending::Failed if broken => Visited::Broken,
                        Ending::Failed => Visited::Failed,
                    };
                    return (visited, now_ns);
                }
            }
        }
    }
}

/// When a shopper of a closed model comes again who came at `begun_ns`, if that is not yet. Nobody does once the agent's
/// part of the load is over.
fn again_ns(worker: &Worker, walk: &Walk, begun_ns: u64, now_ns: u64) -> Option<u64> {
    let load = &worker.job.plan.load;
    let paced_ns = begun_ns.saturating_add(nanoseconds(walk.journey().pacing()));
    let again_ns = paced_ns.min(worker.job.ends_ns());
    (again_ns > now_ns && load.model == Model::Closed).then_some(again_ns)
}

/// Notes a step whose request could not be written from its values, and whether there was one.
fn note_unsent(visitor: &Visitor, journey: u16, walk: &mut Walk) -> bool {
    let Some((step, failure)) = walk.take_unsent() else { return false };
    let step = u16::try_from(step).unwrap_or(u16::MAX);
    let is_said = failure.kind == FailureKind::Said;
    probe::note_unsent(visitor, step, is_said, &failure.message);
    let worker = &visitor.worker;
    let mut tallies = worker.tallies.borrow_mut();
    let tally = tallies.at(worker.clock.now_ns());
    if !is_said {
        tally.count("steps_not_sent", 1);
    }
    tally.fail(journey, step, ErrorClass::Expectation, || failure.message);
    !is_said
}

#[cfg(test)]
mod tests {
    use doorbuster_journeys::{Fetch, Walk};
    use doorbuster_model::Chance;

    use std::rc::Rc;

    use super::{Visitor, visit};
    use crate::address::Address;
    use crate::page::Page;

    /// The size of what a function returns, which is not called.
    fn size_of_result<A, T>(_: impl FnOnce(A) -> T) -> usize {
        size_of::<T>()
    }

    #[test]
    fn a_shopper_is_small() {
        type Arguments<'a> = (Page<'a>, Box<Fetch>, Option<&'a Rc<Address>>, &'a mut Walk, &'a mut Chance);
        let thinking = size_of_result(|visitor: &Visitor| visit(visitor, 0, 0, 0));
        assert!(thinking <= 320 && size_of::<Visitor>() <= 112, "{thinking} bytes");
        let exchanging = size_of_result(|(page, fetch, base, walk, chance): Arguments<'_>| {
            page.fetch(fetch, base, walk, chance)
        });
        // What the allocator serves from a thread's own store: up to 1,032 bytes (glibc's tcache).
        assert!(exchanging <= 1_024, "{exchanging} bytes");
    }
}
