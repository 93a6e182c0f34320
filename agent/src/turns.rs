//! What a stranger gets: one request at a time, so far apart that all agents together stay below what anybody may be sent.

use std::cell::Cell;

use doorbuster_model::target::STRANGER_REQUESTS_PER_SECOND_MAX;

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

    /// When it is the turn of somebody who is ready at `ready_ns`, in nanoseconds since second 0. Who asks first goes first.
    pub(crate) fn next_ns(&self, ready_ns: u64) -> u64 {
        let turn_ns = ready_ns.max(self.next_ns.get());
        self.next_ns.set(turn_ns.saturating_add(self.gap_ns));
        turn_ns
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND_NS, Turns};

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

    #[test]
    fn turns_are_apart_however_many_wait_and_unused_ones_are_gone() {
        let turns = Turns::new(1);
        let together: Vec<u64> = (0..4).map(|_| turns.next_ns(7)).collect();
        assert_eq!(together, [7, 102_000_007, 204_000_007, 306_000_007]);
        assert_eq!(turns.next_ns(5 * SECOND_NS), 5 * SECOND_NS);
        assert_eq!(turns.next_ns(5 * SECOND_NS), 5_102_000_000, "nobody makes up for what was not sent");
    }
}
