//! A shopper's visit: one walk through one journey, and the crowd of those under way.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use cookie_store::CookieStore;
use doorbuster_journeys::{Ending, Next, Shopper, Walk};
use doorbuster_model::chance::{Purpose, pick_weighted};
use doorbuster_model::plan::Connections;
use doorbuster_model::{Chance, ErrorClass};
use tokio::task::JoinSet;
use url::Url;

use crate::client::Pool;
use crate::job::nanoseconds;
use crate::page::Page;
use crate::worker::Worker;

/// The longest Set-Cookie line that is taken, as browsers have it (RFC 6265, section 6.1).
const COOKIE_BYTES_MAX: usize = 4_096;
/// The most cookies that a shopper keeps: what a browser keeps for one site.
const COOKIES_MAX: usize = 180;

/// One shopper's browser: cookies and connections.
pub(crate) struct Visitor {
    /// The worker that it lives on.
    pub worker: Rc<Worker>,
    /// Its connections.
    pub pool: Rc<Pool>,
    cookies: RefCell<Option<Box<CookieStore>>>,
}

impl Visitor {
    /// A shopper without cookies.
    pub(crate) fn new(worker: &Rc<Worker>) -> Self {
        Self { worker: Rc::clone(worker), pool: worker.pool(), cookies: RefCell::new(None) }
    }

    /// Forgets every cookie.
    pub(crate) fn forget_cookies(&self) {
        *self.cookies.borrow_mut() = None;
    }

    /// The value of the Cookie header for `url`; empty when there is none to send.
    pub(crate) fn cookies(&self, url: &Url) -> String {
        let store = self.cookies.borrow();
        let Some(store) = &*store else { return String::new() };
        let pairs: Vec<String> =
            store.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Takes a Set-Cookie line of an answer from `url`. Lines that a browser refuses are refused here too; those
    /// over its limits are counted.
    pub(crate) fn keep_cookie(&self, line: &str, url: &Url) {
        let mut store = self.cookies.borrow_mut();
        let store = store.get_or_insert_with(Box::default);
        if line.len() > COOKIE_BYTES_MAX || store.iter_any().count() >= COOKIES_MAX {
            self.worker.tallies.borrow_mut().current().count("cookies_refused", 1);
            return;
        }
        let _ = store.parse(line, url);
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
}

/// Counts a journey as cut unless it ended.
struct Underway<'a> {
    worker: &'a Worker,
    journey: u16,
    ended: bool,
}

impl<'a> Underway<'a> {
    fn new(worker: &'a Worker, journey: u16) -> Self {
        let mut tallies = worker.tallies.borrow_mut();
        tallies.shoppers += 1;
        tallies.at(worker.clock.now_ns()).journeys.entry(journey).or_default().started += 1;
        Self { worker, journey, ended: false }
    }

    fn end(mut self, ending: Ending) {
        self.ended = true;
        let mut tallies = self.worker.tallies.borrow_mut();
        let counts = tallies.at(self.worker.clock.now_ns()).journeys.entry(self.journey).or_default();
        match ending {
            Ending::Completed => counts.completed += 1,
            Ending::Failed => counts.failed += 1,
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

/// One walk through the journey that `index` falls on. `number` is the shopper's; `intended_ns` is when the first
/// step was to start.
pub(crate) async fn visit(visitor: &Visitor, number: u64, index: u64, intended_ns: u64) -> Visited {
    let worker = &*visitor.worker;
    let job = &worker.job;
    let mut lag_ns = worker.clock.now_ns().saturating_sub(intended_ns);
    worker.tallies.borrow_mut().at(worker.clock.now_ns()).record_lag(lag_ns, true);
    let position = pick_weighted(job.plan.seed, index, &job.weights);
    let journey = u16::try_from(position).unwrap_or(u16::MAX);
    let underway = Underway::new(worker, journey);
    let mut walk =
        Walk::new(Arc::clone(&job.journeys[position]), Shopper { number, run: Arc::clone(&job.run) });
    let mut chance = Chance::new(job.plan.seed, Purpose::Walk, index);
    let mut base = job.target.clone();
    let mut intended_ns = intended_ns;
    let (mut first, mut broken) = (true, false);
    loop {
        match walk.next(&mut chance) {
            Next::Think(pause) => {
                intended_ns = intended_ns.saturating_add(nanoseconds(pause));
                worker.clock.sleep_until_ns(intended_ns).await;
            }
            Next::Fetch(fetch) => {
                if !std::mem::take(&mut first) {
                    let now_ns = worker.clock.now_ns();
                    lag_ns = now_ns.saturating_sub(intended_ns);
                    worker.tallies.borrow_mut().at(now_ns).record_lag(lag_ns, false);
                }
                let page = Page { visitor, journey, intended_ns };
                let landed = page.fetch(&fetch, &base, &mut walk, &mut chance).await;
                broken |= landed.broken;
                intended_ns = landed.ended_ns;
                if let Some(url) = landed.url {
                    base = url;
                }
                if job.plan.load.connections == Connections::PerPage {
                    visitor.pool.close_idle();
                }
            }
            Next::Done(ending) => {
                broken |= note_unsent(worker, journey, &mut walk);
                underway.end(ending);
                return match ending {
                    Ending::Completed => Visited::Completed,
                    Ending::Failed if broken => Visited::Broken,
                    Ending::Failed => Visited::Failed,
                };
            }
        }
    }
}

/// Notes a step whose request could not be written from its values, and whether there was one.
fn note_unsent(worker: &Worker, journey: u16, walk: &mut Walk) -> bool {
    let Some((step, failure)) = walk.take_unsent() else { return false };
    let step = u16::try_from(step).unwrap_or(u16::MAX);
    let mut tallies = worker.tallies.borrow_mut();
    let tally = tallies.at(worker.clock.now_ns());
    tally.count("steps_not_sent", 1);
    tally.fail(journey, step, ErrorClass::Expectation, || failure.message);
    true
}

/// The most shoppers that a worker holds at once; arrivals beyond are not started, and counted.
const SHOPPERS_MAX: usize = 500_000;

/// All shoppers of a worker.
pub(crate) struct Crowd {
    worker: Rc<Worker>,
    shoppers: JoinSet<()>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new(worker: Rc<Worker>) -> Self {
        Self { worker, shoppers: JoinSet::new() }
    }

    /// Lets a shopper in.
    pub(crate) fn admit(&mut self, shopper: impl Future<Output = ()> + 'static) {
        while self.shoppers.try_join_next().is_some() {}
        if self.shoppers.len() >= SHOPPERS_MAX {
            self.worker.tallies.borrow_mut().current().count("arrivals_not_started", 1);
            return;
        }
        self.shoppers.spawn_local(shopper);
    }

    /// Waits until everybody has left.
    pub(crate) async fn drain(&mut self) {
        while self.shoppers.join_next().await.is_some() {}
    }

    /// Sends everybody away: what they were doing is counted as cut.
    pub(crate) async fn cut(&mut self) {
        self.shoppers.shutdown().await;
    }
}
