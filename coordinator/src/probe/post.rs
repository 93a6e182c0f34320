//! One region's post: who is on it, until when something must have happened, when somebody comes again, and who relieves whom.
//!
//! Where agents stay for a limited time, the next one is launched before that is over, and its second 0 is exactly where the
//! other one's time ends: walks that are due before are the one's, and those that are due then or later the other's. Who is
//! relieved walks to the end of what it had begun.

use std::time::Duration;

use doorbuster_model::generation::DRAIN_MAX;
use doorbuster_wire::ToAgent;
use tokio::time::Instant;

use crate::launch::Agent;

/// An agent that has told no second for so long is lost.
const HEARD_WITHIN: Duration = Duration::from_secs(15);
/// How long an agent that was told to stop may take: the grace of its walks, and some.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long it takes at most until somebody comes again.
const AWAY_MAX: Duration = Duration::from_secs(60);
/// Who probed for so long did well: what goes wrong then is the first failure again.
const WELL_AFTER: Duration = Duration::from_secs(60);
/// How long it takes until somebody else is launched to relieve an agent.
const RELIEF_AGAIN: Duration = Duration::from_secs(1);
/// How far an agent's clock may be from this machine's when it says that its time is over.
const EARLY_MAX: Duration = Duration::from_secs(30);

/// How long agents of a post take, and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// How long one may take to be ready.
    pub ready_within: Duration,
    /// How often one walks each journey.
    pub every: Duration,
    /// How long one stays; `None`: as long as it can.
    pub stays: Option<Duration>,
    /// How long before its end the next one is launched.
    pub ahead: Duration,
}

/// An agent, with the number under which it was launched.
#[derive(Debug)]
pub(super) struct Walker {
    pub number: usize,
    pub agent: Agent,
}

/// When an agent's second 0 begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begin {
    /// In nanoseconds since 1970.
    pub unix_ns: u64,
    /// The same instant on this machine's own clock.
    pub at: Instant,
}

/// One region's post.
#[derive(Debug)]
pub(super) struct Post {
    terms: Terms,
    /// How often in a row an agent was lost.
    failures: u32,
    state: State,
    relief: Option<Relief>,
    /// When somebody is to be launched who relieves whoever is there.
    relieve_at: Option<Instant>,
    leaving: Vec<Leaving>,
}

#[derive(Debug)]
enum State {
    /// Nobody is there until then.
    Away { until: Instant },
    /// Somebody is on the way, and must be ready by then. Who was to relieve another knows already when it begins.
    Launched { walker: Walker, ready_by: Instant, begin: Option<Begin> },
    /// It probes.
    Probing { walker: Walker, begin: Begin, since: Instant, heard_at: Instant },
    /// It has walked whatever was due in its time, and is gone before that is over.
    Walked { begin: Begin },
    /// It was told to stop, and must have ended by then.
    Stopping { walker: Walker, begin: Begin, by: Instant },
    /// Nobody comes any more.
    Over,
}

/// Whoever is to take over.
#[derive(Debug)]
struct Relief {
    walker: Walker,
    begin: Begin,
    ready_by: Instant,
    is_ready: bool,
}

/// Whoever was relieved, and must have ended by then.
#[derive(Debug)]
struct Leaving {
    walker: Walker,
    begin: Begin,
    by: Instant,
}

/// What somebody is to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is on it, or on the way.
    There,
    /// It is to take over.
    Relief,
    /// It was relieved.
    Leaving,
}

/// What is to be done about a post now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Somebody is to be launched.
    Launch,
    /// Its agent is lost, for this reason.
    Lost(String),
    /// Its agent took too long to stop.
    Over,
    /// Somebody is to be launched who takes over from then on.
    Relieve(Begin),
    /// Who is to take over is not ready in time.
    ReliefLate,
    /// Its agent's time is over.
    HandOver,
    /// Somebody who was relieved took too long to leave.
    Left(usize),
}

impl Post {
    /// Nobody was there yet, and somebody is to come at once.
    pub(super) fn new(now: Instant, terms: Terms) -> Self {
        let state = State::Away { until: now };
        Self { terms, failures: 0, state, relief: None, relieve_at: None, leaving: Vec::new() }
    }

    /// What the agent of that number is to this post, if it is one of its.
    pub(super) fn role(&self, number: usize) -> Option<Role> {
        if self.there().is_some_and(|walker| walker.number == number) {
            return Some(Role::There);
        }
        if self.relief.as_ref().is_some_and(|relief| relief.walker.number == number) {
            return Some(Role::Relief);
        }
        let mut leaving = self.leaving.iter();
        leaving.any(|leaving| leaving.walker.number == number).then_some(Role::Leaving)
    }

    /// Everybody who is there, on the way, or leaving.
    pub(super) fn agents(&self) -> impl Iterator<Item = &Agent> {
        let relief = self.relief.iter().map(|relief| &relief.walker);
        let leaving = self.leaving.iter().map(|leaving| &leaving.walker);
        self.there().into_iter().chain(relief).chain(leaving).map(|walker| &walker.agent)
    }

    /// When that agent's second 0 began, in nanoseconds since 1970, once that is agreed.
    pub(super) fn start_unix_ns(&self, number: usize) -> Option<u64> {
        let begin = match (self.role(number)?, &self.state) {
            (Role::There, State::Probing { begin, .. } | State::Stopping { begin, .. }) => *begin,
            (Role::There, _) => return None,
            (Role::Relief, _) => self.relief.as_ref().filter(|relief| relief.is_ready)?.begin,
            (Role::Leaving, _) => self.leaving.iter().find(|leaving| leaving.walker.number == number)?.begin,
        };
        Some(begin.unix_ns)
    }

    /// Whether nobody comes any more, and nobody is there.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over) && self.leaving.is_empty()
    }

    /// Whether its agent was told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping { .. })
    }

    /// When something is due here.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let relief = self.relief.as_ref().filter(|relief| !relief.is_ready).map(|relief| relief.ready_by);
        let leaving = self.leaving.iter().map(|leaving| leaving.by);
        let own = [self.own_deadline(), self.ends_at(), self.relieve_at, relief];
        own.into_iter().flatten().chain(leaving).min()
    }

    /// What is due here by `now`.
    pub(super) fn due(&self, now: Instant) -> Option<Due> {
        let is_past = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if let Some(leaving) = self.leaving.iter().find(|leaving| leaving.by <= now) {
            return Some(Due::Left(leaving.walker.number));
        }
        if is_past(self.ends_at()) {
            return Some(Due::HandOver);
        }
        if is_past(self.own_deadline()) {
            return Some(self.own_due());
        }
        if self.relief.as_ref().is_some_and(|relief| !relief.is_ready && relief.ready_by <= now) {
            return Some(Due::ReliefLate);
        }
        let next = self.next_begin().filter(|_| is_past(self.relieve_at));
        next.map(Due::Relieve)
    }

    /// An agent is on the way.
    pub(super) fn launched(&mut self, walker: Walker, now: Instant) {
        self.state = State::Launched { walker, ready_by: now + self.terms.ready_within, begin: None };
    }

    /// The agent is ready, and is told when second 0 begins: `begin`, unless that was agreed before. False where nobody
    /// waited for it.
    pub(super) fn start(&mut self, begin: Begin, now: Instant) -> bool {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Launched { walker, begin: agreed, .. } => {
                let begin = agreed.unwrap_or(begin);
                tell(&walker, ToAgent::Start { at_unix_ns: begin.unix_ns });
                self.probe(walker, begin, now);
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    /// The agent told a second.
    pub(super) fn heard(&mut self, now: Instant) {
        if let State::Probing { heard_at, .. } = &mut self.state {
            *heard_at = now;
        }
    }

    /// The agent is lost. How long it takes until somebody comes again, who takes over from whoever was to relieve it, too.
    pub(super) fn lose(&mut self, now: Instant) -> Duration {
        if let State::Probing { since, .. } = &self.state
            && now.duration_since(*since) >= WELL_AFTER
        {
            self.failures = 0;
        }
        let away = away(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Away { until: now + away };
        (self.relief, self.relieve_at) = (None, None);
        away
    }

    /// Somebody is on the way who takes over at `begin`.
    pub(super) fn relieve(&mut self, walker: Walker, begin: Begin, now: Instant) {
        self.relieve_at = None;
        let ready_by = now + self.terms.ready_within;
        self.relief = Some(Relief { walker, begin, ready_by, is_ready: false });
    }

    /// Whoever takes over is ready, and is told when its second 0 begins.
    pub(super) fn relief_ready(&mut self) {
        if let Some(relief) = self.relief.as_mut().filter(|relief| !relief.is_ready) {
            relief.is_ready = true;
            tell(&relief.walker, ToAgent::Start { at_unix_ns: relief.begin.unix_ns });
        }
    }

    /// Whoever was to take over is lost; somebody else is launched soon.
    pub(super) fn lose_relief(&mut self, now: Instant) {
        self.relief = None;
        self.relieve_at = Some(now + RELIEF_AGAIN);
    }

    /// The agent says that it has walked whatever was due in its time. False where that cannot be: it has no end, or one that
    /// is so far off that walks are due before.
    pub(super) fn walked(&mut self, now: Instant) -> bool {
        let latest = now + self.terms.every + EARLY_MAX;
        let is_at_end = self.ends_at().is_some_and(|ends_at| ends_at <= latest);
        if let State::Probing { begin, .. } = &self.state
            && is_at_end
        {
            self.state = State::Walked { begin: *begin };
        }
        is_at_end
    }

    /// The agent's time is over: it leaves, and whoever was to relieve it is there, or on the way. False when nobody is.
    pub(super) fn hand_over(&mut self, now: Instant) -> bool {
        let Some(next) = self.next_begin() else { return false };
        match std::mem::replace(&mut self.state, State::Away { until: now }) {
            State::Probing { walker, begin, .. } => {
                let by = next.at.max(now) + DRAIN_MAX + STOP_WITHIN;
                self.leaving.push(Leaving { walker, begin, by });
            }
            State::Walked { .. } => {}
            other => {
                self.state = other;
                return false;
            }
        }
        // It has stayed as long as it should.
        self.failures = 0;
        self.relieve_at = None;
        match self.relief.take() {
            Some(Relief { walker, begin, is_ready: true, .. }) => self.probe(walker, begin, now),
            Some(Relief { walker, begin, ready_by, .. }) => {
                self.state = State::Launched { walker, ready_by, begin: Some(begin) };
            }
            None => return false,
        }
        true
    }

    /// Somebody who was relieved has ended, or is given up.
    pub(super) fn left(&mut self, number: usize) {
        self.leaving.retain(|leaving| leaving.walker.number != number);
    }

    /// Whoever is there is to stop; nobody comes again.
    pub(super) fn stop(&mut self, now: Instant) {
        let by = now + STOP_WITHIN;
        (self.relief, self.relieve_at) = (None, None);
        for leaving in &mut self.leaving {
            tell(&leaving.walker, ToAgent::Stop);
            leaving.by = leaving.by.min(by);
        }
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Probing { walker, begin, .. } => {
                tell(&walker, ToAgent::Stop);
                State::Stopping { walker, begin, by }
            }
            stopping @ State::Stopping { .. } => stopping,
            // Whoever is on the way has nothing to tell yet, and ends with its agent.
            State::Away { .. } | State::Launched { .. } | State::Walked { .. } | State::Over => State::Over,
        };
    }

    /// The agent has ended after it was told to, or took too long for that.
    pub(super) fn end(&mut self) {
        self.state = State::Over;
    }

    fn probe(&mut self, walker: Walker, begin: Begin, now: Instant) {
        self.state = State::Probing { walker, begin, since: now, heard_at: now.max(begin.at) };
        self.relieve_at = self.ends_at().map(|ends_at| ends_at.checked_sub(self.terms.ahead).unwrap_or(now));
    }

    /// Whoever is on the post, or on the way.
    fn there(&self) -> Option<&Walker> {
        match &self.state {
            State::Launched { walker, .. }
            | State::Probing { walker, .. }
            | State::Stopping { walker, .. } => Some(walker),
            State::Away { .. } | State::Walked { .. } | State::Over => None,
        }
    }

    /// When the next one's second 0 begins, where whoever is there has an end.
    fn next_begin(&self) -> Option<Begin> {
        let (State::Probing { begin, .. } | State::Walked { begin }) = &self.state else { return None };
        let stays = self.terms.stays?;
        let stays_ns = u64::try_from(stays.as_nanos()).unwrap_or(u64::MAX);
        Some(Begin { unix_ns: begin.unix_ns.saturating_add(stays_ns), at: begin.at + stays })
    }

    fn ends_at(&self) -> Option<Instant> {
        self.next_begin().map(|next| next.at)
    }

    /// By when whoever is there must have done something.
    fn own_deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Away { until } => Some(*until),
            State::Launched { ready_by, .. } => Some(*ready_by),
            State::Probing { heard_at, .. } => Some(*heard_at + HEARD_WITHIN),
            State::Stopping { by, .. } => Some(*by),
            State::Walked { .. } | State::Over => None,
        }
    }

    /// What it means that it has not.
    fn own_due(&self) -> Due {
        match &self.state {
            State::Away { .. } => Due::Launch,
            State::Launched { .. } => {
                Due::Lost(format!("it was not ready within {} s", self.terms.ready_within.as_secs()))
            }
            State::Probing { .. } => {
                Due::Lost(format!("it has said nothing for {} s", HEARD_WITHIN.as_secs()))
            }
            State::Stopping { .. } | State::Walked { .. } | State::Over => Due::Over,
        }
    }
}

/// An agent that is gone has said so, or will.
fn tell(walker: &Walker, message: ToAgent) {
    let _ = walker.agent.to.send(message);
}

/// How long nobody comes after so many failures in a row: a second, then twice as long each time, up to a minute.
fn away(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(6)).min(AWAY_MAX)
}

#[cfg(test)]
#[path = "post/tests.rs"]
mod tests;
