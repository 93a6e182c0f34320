//! What is due at a post, and when.

use std::time::Duration;

use tokio::time::Instant;

use super::{Begin, Post, State};

/// An agent that has told no second for so long is lost.
pub(super) const HEARD_WITHIN: Duration = Duration::from_secs(15);

/// What is to be done about a post now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Due {
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
    /// When something is due here.
    pub(in crate::probe) fn deadline(&self) -> Option<Instant> {
        let relief = self.relief.as_ref().filter(|relief| !relief.is_ready).map(|relief| relief.ready_by);
        let leaving = self.leaving.iter().map(|leaving| leaving.by);
        let own = [self.own_deadline(), self.ends_at(), self.relieve_at, relief];
        own.into_iter().flatten().chain(leaving).min()
    }

    /// What is due here by `now`.
    pub(in crate::probe) fn due(&self, now: Instant) -> Option<Due> {
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

    /// When the next one's second 0 begins, where whoever is there has an end.
    pub(super) fn next_begin(&self) -> Option<Begin> {
        let (State::Probing { begin, .. } | State::Walked { begin }) = &self.state else { return None };
        let stays = self.terms.stays?;
        let stays_ns = u64::try_from(stays.as_nanos()).unwrap_or(u64::MAX);
        Some(Begin { unix_ns: begin.unix_ns.saturating_add(stays_ns), at: begin.at + stays })
    }

    pub(super) fn ends_at(&self) -> Option<Instant> {
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
