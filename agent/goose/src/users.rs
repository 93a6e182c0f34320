//! What Goose's users share with whoever conducts them: the gate, what is known of each, the running tally.

mod record;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use doorbuster_agent::{Epoch, Error, Job, Tallies};
use goose::goose::GooseUser;
use tokio::sync::Notify;

use crate::allocation::CountedJourney;
use crate::client::client;
use crate::gate::Gate;
use crate::hosts::{is_stranger, refusal};
use crate::listener::listener;
use crate::user::{State, User, Visit, lock};

/// The most requests of one transaction that are kept until it ends; a scenario can judge those before them no more.
const KEPT_MAX: usize = 1_000;

/// What is shared.
#[derive(Debug)]
pub(crate) struct Users {
    /// What is to be done.
    pub job: Arc<Job>,
    /// Where users wait.
    pub gate: Gate,
    journeys: Vec<CountedJourney>,
    /// The shoppers of each journey who have no user yet.
    ordinals: Mutex<Vec<VecDeque<usize>>>,
    /// By Goose's number of the user.
    all: Vec<OnceLock<User>>,
    launched: AtomicUsize,
    epoch: OnceLock<Epoch>,
    /// From second 0 until all is counted.
    tallies: Mutex<Option<Tallies>>,
    failure: Mutex<Option<Error>>,
    failed: Notify,
}

impl Users {
    /// As many users as there are ordinals.
    pub(crate) fn new(job: Arc<Job>, journeys: Vec<CountedJourney>, ordinals: Vec<VecDeque<usize>>) -> Self {
        let shoppers = ordinals.iter().map(VecDeque::len).sum();
        Self {
            job,
            gate: Gate::new(shoppers),
            journeys,
            ordinals: Mutex::new(ordinals),
            all: (0..shoppers).map(|_| OnceLock::new()).collect(),
            launched: AtomicUsize::new(0),
            epoch: OnceLock::new(),
            tallies: Mutex::new(None),
            failure: Mutex::new(None),
            failed: Notify::new(),
        }
    }

    /// Whether every shopper has a user, who waits at the gate.
    pub(crate) fn are_launched(&self) -> bool {
        self.launched.load(SeqCst) == self.all.len()
    }

    /// What is known of `goose_user`, whose scenario is the one of `journey`. Who comes for the first time is given an
    /// ordinal, senders and a client. `None` when that cannot be; the agent fails then.
    pub(crate) fn user(&self, journey: usize, goose_user: &mut GooseUser) -> Option<&User> {
        let place = self.all.get(goose_user.weighted_users_index);
        if let Some(user) = place.and_then(OnceLock::get) {
            return Some(user);
        }
        let ordinal = lock(&self.ordinals).get_mut(journey).and_then(VecDeque::pop_front);
        let Some((place, ordinal)) = place.zip(ordinal) else {
            self.fail(Error::Assignment("Goose launched more users than it was told to".to_owned()));
            return None;
        };
        match client(&self.job) {
            Ok(client) => goose_user.client = client,
            Err(why) => {
                self.fail(Error::Assignment(format!("making a user's HTTP client: {why}")));
                return None;
            }
        }
        let (listener, senders) = listener();
        senders.give_to(goose_user);
        let user = place.get_or_init(|| User::new(ordinal, journey, listener));
        self.launched.fetch_add(1, SeqCst);
        Some(user)
    }

    /// Second 0 is known; from now on it is counted.
    pub(crate) fn open(&self, epoch: Epoch, tallies: Tallies) {
        *lock(&self.tallies) = Some(tallies);
        // It is agreed once.
        let _ = self.epoch.set(epoch);
    }

    /// Nanoseconds since second 0 began; 0 before it.
    pub(crate) fn now_ns(&self) -> u64 {
        self.epoch.get().map_or(0, Epoch::now_ns)
    }

    /// Hands over the seconds that have passed.
    pub(crate) fn pass(&self) {
        if let Some(tallies) = lock(&self.tallies).as_mut() {
            tallies.shoppers = u32::try_from(self.gate.inside()).unwrap_or(u32::MAX);
            tallies.at(self.now_ns());
        }
    }

    /// The shopper begins an iteration.
    pub(crate) fn begin(&self, user: &User, iteration: usize) {
        let mut state = user.state();
        state.came = true;
        state.visit = Some(Visit { iteration, calls: 0, failed: false });
        drop(state);
        self.count(|tallies, now_ns| {
            let tally = tallies.at(now_ns);
            // Nothing says when a shopper of a closed model is to come, so there is no lag to count.
            tally.arrivals.started += 1;
            tally.journeys.entry(self.journeys[user.journey].position).or_default().started += 1;
        });
    }

    /// Hears what the shopper requested up to now.
    pub(crate) fn listen(&self, user: &User) {
        let mut state = user.state();
        state.listener.listen(self.now_ns(), |url| is_stranger(&self.job, url));
        if let Some(url) = state.listener.stranger.take() {
            self.fail(Error::Assignment(refusal(&self.job, &url)));
        }
        if state.listener.over.len() + state.listener.given_up.len() >= KEPT_MAX {
            self.record(user, &mut state);
        }
    }

    /// A transaction of an iteration is over.
    pub(crate) fn call_ended(&self, user: &User, ok: bool) {
        let mut state = user.state();
        state.listener.call_ended();
        self.record(user, &mut state);
        let Some(visit) = state.visit.as_mut() else { return };
        visit.calls += 1;
        visit.failed |= !ok;
        if visit.calls == self.journeys[user.journey].calls {
            self.end_visit(user, &mut state);
        }
    }

    /// A transaction outside of iterations is over: one that a user's coming or going has.
    pub(crate) fn aside_ended(&self, user: &User) {
        let mut state = user.state();
        state.listener.call_ended();
        self.record(user, &mut state);
        drop(state);
        self.gate.leave();
    }

    /// If the shopper was in an iteration, that is over: another one begins.
    pub(crate) fn turn(&self, user: &User) {
        self.end_visit(user, &mut user.state());
    }

    fn end_visit(&self, user: &User, state: &mut State) {
        let Some(visit) = state.visit.take() else { return };
        self.count(|tallies, now_ns| {
            let journey = self.journeys[user.journey].position;
            let counts = tallies.at(now_ns).journeys.entry(journey).or_default();
            if visit.failed {
                counts.failed += 1;
            } else {
                counts.completed += 1;
            }
        });
        self.gate.leave();
    }

    fn count(&self, note: impl FnOnce(&mut Tallies, u64)) {
        let now_ns = self.now_ns();
        if let Some(tallies) = lock(&self.tallies).as_mut() {
            note(tallies, now_ns);
        }
    }

    /// The agent is to fail, as soon as may be. The first reason counts.
    pub(crate) fn fail(&self, error: Error) {
        lock(&self.failure).get_or_insert(error);
        self.failed.notify_one();
    }

    /// Returns once something failed, with why.
    pub(crate) async fn failure(&self) -> Error {
        loop {
            if let Some(error) = self.known_failure() {
                return error;
            }
            self.failed.notified().await;
        }
    }

    /// Why the agent is to fail, if it is.
    fn known_failure(&self) -> Option<Error> {
        lock(&self.failure).take()
    }

    /// Hears what everybody requested, now that all of them have gone. Returns why the agent is to fail, if it is.
    pub(crate) fn last_heard(&self) -> Option<Error> {
        self.all.iter().filter_map(OnceLock::get).for_each(|user| self.listen(user));
        self.known_failure()
    }

    /// Forgets what was counted and not handed over: the agent fails.
    pub(crate) fn discard(&self) {
        *lock(&self.tallies) = None;
    }

    /// Counts what is still under way once all is heard, and hands the last second over. Who had waited for as long as
    /// `patience` met a target that hangs; the others were cut off by the end.
    pub(crate) fn finish(&self, patience: Option<Duration>) {
        for user in self.all.iter().filter_map(OnceLock::get) {
            let mut state = user.state();
            self.record(user, &mut state);
            let journey = &self.journeys[user.journey];
            let cut = state.visit.take().is_some();
            self.count(|tallies, now_ns| {
                for began_ns in state.listener.under_way_ns.drain(..) {
                    let waited_ns = now_ns.saturating_sub(began_ns);
                    let is_overdue = patience.is_some_and(|patience| waited_ns >= nanoseconds(patience));
                    let overdue = is_overdue.then_some("when the run ended");
                    self.record_unanswered(journey, began_ns, now_ns, overdue, tallies);
                }
                if cut {
                    tallies.at(now_ns).journeys.entry(journey.position).or_default().cut += 1;
                }
            });
        }
        if let Some(mut tallies) = lock(&self.tallies).take() {
            tallies.shoppers = 0;
            tallies.finish();
        }
    }
}

/// A duration in nanoseconds; 2^64 of them are 584 years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
