//! What a stranger gets: one request at a time, so far apart that all agents together stay below what anybody may be sent.

use std::cell::Cell;

use doorbuster_model::target::STRANGER_REQUESTS_PER_SECOND_MAX;

use crate::clock::Clock;

const SECOND_NS: u64 = 1_000_000_000;

/// The turns in which an agent's requests are sent.
pub(crate) struct Turns {
    gap_ns: u64,
    next_ns: Cell<u64>,
}

impl Turns {
    /// The turns of one of `agents` agents that send to the same server. Up to ten of them never send more than 10 requests
    /// in any second together: each has a whole number of them to itself. More of them keep to it on average.
    pub(crate) fn new(agents: u32) -> Self {
        let agents = u64::from(agents.max(1));
        let gap_ns = match STRANGER_REQUESTS_PER_SECOND_MAX / agents {
            0 => SECOND_NS * agents / STRANGER_REQUESTS_PER_SECOND_MAX,
            own => SECOND_NS.div_ceil(own),
        };
        // A timer may be late, and the next on time: a little further apart, they are still far enough apart then.
        Self { gap_ns: gap_ns + gap_ns / 50, next_ns: Cell::new(0) }
    }

    /// Waits for the next turn; returns when it came, in nanoseconds since second 0. Who asks first goes first.
    pub(crate) async fn take(&self, clock: &Clock) -> u64 {
        let turn_ns = clock.now_ns().max(self.next_ns.get());
        self.next_ns.set(turn_ns.saturating_add(self.gap_ns));
        clock.sleep_until_ns(turn_ns).await;
        clock.now_ns()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::{SECOND_NS, Turns};
    use crate::clock::Clock;

    #[test]
    fn all_agents_together_stay_below_what_anybody_may_be_sent() {
        for agents in 1..=10_u32 {
            let gap_ns = Turns::new(agents).gap_ns;
            // The most that fit into a second that begins with one.
            let most = SECOND_NS.div_ceil(gap_ns) * u64::from(agents);
            assert!(most <= 10, "{agents} agents: {most}");
        }
        assert_eq!(Turns::new(30).gap_ns, 3_060_000_000);
        assert_eq!(Turns::new(0).gap_ns, Turns::new(1).gap_ns);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_apart_however_many_wait_and_unused_ones_are_gone() {
        let clock = Clock::new(Instant::now()).unwrap();
        let ring = clock.ring();
        let turns = Turns::new(1);
        let taken = async {
            let together = futures_util::future::join_all((0..4).map(|_| turns.take(&clock))).await;
            sleep(Duration::from_secs(5)).await;
            let late = [turns.take(&clock).await, turns.take(&clock).await];
            (together, late)
        };
        let (together, late) = tokio::select! {
            taken = taken => taken,
            () = ring => unreachable!(),
        };
        for turns in [&together[..], &late[..]] {
            assert!(turns.windows(2).all(|pair| pair[1] - pair[0] >= 100_000_000), "{turns:?}");
        }
        assert!(late[0] >= together[3] + 4 * SECOND_NS, "nobody may make up for what was not sent");
    }
}
