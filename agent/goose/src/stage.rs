//! What Goose's users share with whoever conducts them: the gate, their seats, the running tally.

mod record;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use doorbuster_agent::{Error, Job, Tallies};
use goose::goose::GooseUser;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::cast::Role;
use crate::client::client;
use crate::gate::Gate;
use crate::hosts::{is_stranger, refusal};
use crate::seat::{Seat, State, Visit, lock};
use crate::tap::tap;

/// The most requests of one transaction that are kept until it ends; a scenario can judge those before them no more.
const KEPT_MAX: usize = 1_000;

/// What is shared.
#[derive(Debug)]
pub(crate) struct Stage {
    /// What is to be done.
    pub job: Arc<Job>,
    /// Where users wait.
    pub gate: Gate,
    roles: Vec<Role>,
    /// The shoppers of each role who have no user yet.
    parts: Mutex<Vec<VecDeque<usize>>>,
    /// By Goose's number of the user.
    seats: Vec<OnceLock<Seat>>,
    seated: AtomicUsize,
    second_0: OnceLock<Instant>,
    /// From second 0 until the books are closed.
    tallies: Mutex<Option<Tallies>>,
    failure: Mutex<Option<Error>>,
    failed: Notify,
}

impl Stage {
    /// A stage for as many shoppers as `parts` has.
    pub(crate) fn new(job: Arc<Job>, roles: Vec<Role>, parts: Vec<VecDeque<usize>>) -> Self {
        let shoppers = parts.iter().map(VecDeque::len).sum();
        Self {
            job,
            gate: Gate::new(shoppers),
            roles,
            parts: Mutex::new(parts),
            seats: (0..shoppers).map(|_| OnceLock::new()).collect(),
            seated: AtomicUsize::new(0),
            second_0: OnceLock::new(),
            tallies: Mutex::new(None),
            failure: Mutex::new(None),
            failed: Notify::new(),
        }
    }

    /// Whether every shopper has a user, who waits at the gate.
    pub(crate) fn is_full(&self) -> bool {
        self.seated.load(SeqCst) == self.seats.len()
    }

    /// The seat of `user`, who plays `role`. Who comes for the first time is given one, and a client. `None` when that
    /// cannot be; the agent fails then.
    pub(crate) fn seat(&self, role: usize, user: &mut GooseUser) -> Option<&Seat> {
        let place = self.seats.get(user.weighted_users_index);
        if let Some(seat) = place.and_then(OnceLock::get) {
            return Some(seat);
        }
        let ordinal = lock(&self.parts).get_mut(role).and_then(VecDeque::pop_front);
        let Some((place, ordinal)) = place.zip(ordinal) else {
            self.fail(Error::Assignment("Goose launched more users than it was told to".to_owned()));
            return None;
        };
        match client(&self.job) {
            Ok(client) => user.client = client,
            Err(why) => {
                self.fail(Error::Assignment(format!("making a user's HTTP client: {why}")));
                return None;
            }
        }
        let (tap, mouth) = tap();
        mouth.give_to(user);
        let seat = place.get_or_init(|| Seat::new(ordinal, role, tap));
        self.seated.fetch_add(1, SeqCst);
        Some(seat)
    }

    /// Second 0 begins at `at`; from now on it is counted.
    pub(crate) fn open(&self, at: Instant, tallies: Tallies) {
        *lock(&self.tallies) = Some(tallies);
        // It is agreed once.
        let _ = self.second_0.set(at);
    }

    /// Nanoseconds since second 0 began; 0 before it.
    pub(crate) fn now_ns(&self) -> u64 {
        let since = self.second_0.get().and_then(|at| Instant::now().checked_duration_since(*at));
        nanoseconds(since.unwrap_or_default())
    }

    /// Hands over the seconds that have passed.
    pub(crate) fn pass(&self) {
        if let Some(tallies) = lock(&self.tallies).as_mut() {
            tallies.shoppers = u32::try_from(self.gate.inside()).unwrap_or(u32::MAX);
            tallies.at(self.now_ns());
        }
    }

    /// The shopper begins an iteration.
    pub(crate) fn begin(&self, seat: &Seat, iteration: usize) {
        let mut state = seat.state();
        state.came = true;
        state.visit = Some(Visit { iteration, calls: 0, failed: false });
        drop(state);
        self.count(|tallies, now_ns| {
            let tally = tallies.at(now_ns);
            // Nothing says when a shopper of a closed model is to come, so there is no lag to count.
            tally.arrivals.started += 1;
            tally.journeys.entry(self.roles[seat.role].journey).or_default().started += 1;
        });
    }

    /// Hears what the shopper requested up to now.
    pub(crate) fn listen(&self, seat: &Seat) {
        let mut state = seat.state();
        state.tap.listen(self.now_ns(), |url| is_stranger(&self.job, url));
        if let Some(url) = state.tap.stranger.take() {
            self.fail(Error::Assignment(refusal(&self.job, &url)));
        }
        if state.tap.over.len() + state.tap.given_up.len() >= KEPT_MAX {
            self.record(seat, &mut state);
        }
    }

    /// A transaction of an iteration is over.
    pub(crate) fn call_ended(&self, seat: &Seat, ok: bool) {
        let mut state = seat.state();
        state.tap.call_ended();
        self.record(seat, &mut state);
        let Some(visit) = state.visit.as_mut() else { return };
        visit.calls += 1;
        visit.failed |= !ok;
        if visit.calls == self.roles[seat.role].calls {
            self.end_visit(seat, &mut state);
        }
    }

    /// A transaction outside of iterations is over: one that a user's coming or going has.
    pub(crate) fn aside_ended(&self, seat: &Seat) {
        let mut state = seat.state();
        state.tap.call_ended();
        self.record(seat, &mut state);
        drop(state);
        self.gate.leave();
    }

    /// If the shopper was in an iteration, that is over: another one begins.
    pub(crate) fn turn(&self, seat: &Seat) {
        self.end_visit(seat, &mut seat.state());
    }

    fn end_visit(&self, seat: &Seat, state: &mut State) {
        let Some(visit) = state.visit.take() else { return };
        self.count(|tallies, now_ns| {
            let journey = self.roles[seat.role].journey;
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
        self.seats.iter().filter_map(OnceLock::get).for_each(|seat| self.listen(seat));
        self.known_failure()
    }

    /// Forgets what was counted and not handed over: the agent fails.
    pub(crate) fn burn_books(&self) {
        *lock(&self.tallies) = None;
    }

    /// Counts what is still under way once all is heard, and hands the last second over. Who had waited for as long as
    /// `patience` met a target that hangs; the others were cut off by the end.
    pub(crate) fn close_books(&self, patience: Option<Duration>) {
        for seat in self.seats.iter().filter_map(OnceLock::get) {
            let mut state = seat.state();
            self.record(seat, &mut state);
            let role = &self.roles[seat.role];
            let cut = state.visit.take().is_some();
            self.count(|tallies, now_ns| {
                for began_ns in state.tap.under_way_ns.drain(..) {
                    let waited_ns = now_ns.saturating_sub(began_ns);
                    let is_overdue = patience.is_some_and(|patience| waited_ns >= nanoseconds(patience));
                    let overdue = is_overdue.then_some("when the run ended");
                    self.record_unanswered(role, began_ns, now_ns, overdue, tallies);
                }
                if cut {
                    tallies.at(now_ns).journeys.entry(role.journey).or_default().cut += 1;
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
