//! One region's post: who is on it, until when something must have happened, and when somebody comes again.

use std::time::Duration;

use doorbuster_wire::ToAgent;
use tokio::time::Instant;

use crate::launch::Agent;

/// How long an agent has to say that it is ready.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(10);
/// An agent that has told no second for so long is lost.
pub(super) const HEARD_WITHIN: Duration = Duration::from_secs(15);
/// How long an agent that was told to stop may take: the grace of its walks, and some.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long it takes at most until somebody comes again.
const AWAY_MAX: Duration = Duration::from_secs(60);
/// Who probed for so long did well: what goes wrong then is the first failure again.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// One region's post.
#[derive(Debug)]
pub(super) struct Post {
    /// The number under which its agent was launched last; 0 before the first.
    pub number: usize,
    /// How often in a row an agent was lost.
    failures: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody is there until then.
    Away { until: Instant },
    /// Somebody is on the way, and must be ready by then.
    Launched { agent: Agent, ready_by: Instant },
    /// It probes.
    Probing { agent: Agent, start_unix_ns: u64, since: Instant, heard_at: Instant },
    /// It was told to stop, and must have ended by then.
    Stopping { agent: Agent, start_unix_ns: u64, by: Instant },
    /// Nobody comes any more.
    Over,
}

/// What is to be done about a post now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Somebody is to be launched.
    Launch,
    /// Its agent is lost, for this reason.
    Lost(&'static str),
    /// Its agent took too long to stop.
    Over,
}

impl Post {
    /// Nobody was there yet, and somebody is to come at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { number: 0, failures: 0, state: State::Away { until: now } }
    }

    /// Its agent, if one is there or on the way.
    pub(super) fn agent(&self) -> Option<&Agent> {
        match &self.state {
            State::Launched { agent, .. } | State::Probing { agent, .. } | State::Stopping { agent, .. } => {
                Some(agent)
            }
            State::Away { .. } | State::Over => None,
        }
    }

    /// When its agent's second 0 began, in nanoseconds since 1970, once that is agreed.
    pub(super) fn start_unix_ns(&self) -> Option<u64> {
        match &self.state {
            State::Probing { start_unix_ns, .. } | State::Stopping { start_unix_ns, .. } => {
                Some(*start_unix_ns)
            }
            State::Away { .. } | State::Launched { .. } | State::Over => None,
        }
    }

    /// Whether nobody comes any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether its agent was told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping { .. })
    }

    /// When something is due here.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Away { until } => Some(*until),
            State::Launched { ready_by, .. } => Some(*ready_by),
            State::Probing { heard_at, .. } => Some(*heard_at + HEARD_WITHIN),
            State::Stopping { by, .. } => Some(*by),
            State::Over => None,
        }
    }

    /// What is due here by `now`.
    pub(super) fn due(&self, now: Instant) -> Option<Due> {
        self.deadline().filter(|deadline| *deadline <= now)?;
        Some(match &self.state {
            State::Away { .. } => Due::Launch,
            State::Launched { .. } => Due::Lost("it was not ready within 10 s"),
            State::Probing { .. } => Due::Lost("it has said nothing for 15 s"),
            State::Stopping { .. } | State::Over => Due::Over,
        })
    }

    /// An agent is on the way.
    pub(super) fn launched(&mut self, number: usize, agent: Agent, now: Instant) {
        self.number = number;
        self.state = State::Launched { agent, ready_by: now + READY_WITHIN };
    }

    /// The agent is ready, and is told when second 0 begins. False where nobody waited for that.
    pub(super) fn start(&mut self, start_unix_ns: u64, now: Instant) -> bool {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Launched { agent, .. } => {
                // An agent that is gone has said so, or will.
                let _ = agent.to.send(ToAgent::Start { at_unix_ns: start_unix_ns });
                State::Probing { agent, start_unix_ns, since: now, heard_at: now }
            }
            other => {
                self.state = other;
                return false;
            }
        };
        true
    }

    /// The agent told a second.
    pub(super) fn heard(&mut self, now: Instant) {
        if let State::Probing { heard_at, .. } = &mut self.state {
            *heard_at = now;
        }
    }

    /// The agent is lost. How long it takes until somebody comes again.
    pub(super) fn lose(&mut self, now: Instant) -> Duration {
        if let State::Probing { since, .. } = &self.state
            && now.duration_since(*since) >= WELL_AFTER
        {
            self.failures = 0;
        }
        let away = away(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Away { until: now + away };
        away
    }

    /// Whoever is there is to stop; nobody comes again.
    pub(super) fn stop(&mut self, now: Instant) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Probing { agent, start_unix_ns, .. } => {
                let _ = agent.to.send(ToAgent::Stop);
                State::Stopping { agent, start_unix_ns, by: now + STOP_WITHIN }
            }
            stopping @ State::Stopping { .. } => stopping,
            // Whoever is on the way has nothing to tell yet, and ends with its agent.
            State::Away { .. } | State::Launched { .. } | State::Over => State::Over,
        };
    }

    /// The agent has ended after it was told to, or took too long for that.
    pub(super) fn end(&mut self) {
        self.state = State::Over;
    }
}

/// How long nobody comes after so many failures in a row: a second, then twice as long each time, up to a minute.
fn away(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(6)).min(AWAY_MAX)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn agent() -> (Agent, mpsc::UnboundedReceiver<ToAgent>) {
        let (to, hears) = mpsc::unbounded_channel();
        (Agent { to }, hears)
    }

    #[test]
    fn who_is_lost_again_and_again_comes_ever_later() {
        let waits: Vec<u64> = (0..9).map(|failures| away(failures).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let now = Instant::now();
        let mut post = Post::new(now);
        assert_eq!(post.due(now), Some(Due::Launch));
        for (number, wait) in [(1, 1), (2, 2), (3, 4)] {
            post.launched(number, agent().0, now);
            assert_eq!(post.lose(now), Duration::from_secs(wait));
        }
        post.launched(4, agent().0, now);
        assert!(post.start(7, now));
        assert_eq!(post.lose(now + WELL_AFTER), Duration::from_secs(1), "it had done well meanwhile");
        assert_eq!(post.lose(now + WELL_AFTER), Duration::from_secs(2));
    }

    #[test]
    fn each_state_has_its_patience() {
        let now = Instant::now();
        let mut post = Post::new(now);
        let (agent, mut hears) = agent();
        assert!(!post.start(7, now), "nobody is there");
        post.launched(1, agent, now);
        assert_eq!(post.due(now), None);
        assert!(matches!(post.due(now + READY_WITHIN), Some(Due::Lost(why)) if why.contains("not ready")));
        assert!(post.start(7, now));
        assert_eq!((post.start_unix_ns(), hears.try_recv()), (Some(7), Ok(ToAgent::Start { at_unix_ns: 7 })));
        let later = now + Duration::from_secs(14);
        post.heard(later);
        assert_eq!(post.due(now + HEARD_WITHIN), None);
        assert!(
            matches!(post.due(later + HEARD_WITHIN), Some(Due::Lost(why)) if why.contains("said nothing"))
        );
        post.stop(later);
        assert_eq!((post.is_stopping(), hears.try_recv()), (true, Ok(ToAgent::Stop)));
        assert_eq!(post.due(later + STOP_WITHIN), Some(Due::Over));
        post.stop(later);
        assert!(post.is_stopping() && hears.try_recv().is_err(), "it is told once");
        post.end();
        assert!(post.is_over() && post.deadline().is_none());
    }
}
