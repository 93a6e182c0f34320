//! What an agent reports.

use crate::Tally;

/// How the generator itself fares. All of it is about the agent's process, not about the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// CPU time used in this second, in thousandths of one core.
    pub cpu_milli: u32,
    /// How many cores the agent's workers may use, in thousandths of a core.
    pub cpu_limit_milli: u32,
    /// Open descriptors.
    pub descriptors: u32,
    /// The most that may be open.
    pub descriptors_max: u32,
    /// Shoppers inside a journey, or (closed model) connected.
    pub shoppers: u32,
    /// Open connections to the target.
    pub connections: u32,
}

/// One second of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Which second since the agreed start, from 0, on the agent's monotonic clock.
    pub second: u32,
    /// What ended in it.
    pub tally: Tally,
    /// How the generator fared.
    pub health: Health,
}

/// Something an agent says. A run is a fold over the streams of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Ready: plan and journeys are read, workers stand by for the agreed start.
    Started {
        /// The agent's wall clock when it said so, in nanoseconds since 1970.
        clock_unix_ns: u64,
        /// The agent's own version.
        version: String,
        /// Threads that will send.
        workers: u32,
        /// The most descriptors that it may open.
        descriptors_max: u32,
    },
    /// One second's figures.
    Tick(Box<Tick>),
    /// Every arrival was started and every journey ended or was cut.
    Finished {
        /// How many ticks were sent: all numbers from 0 up to this.
        ticks: u32,
    },
    /// The agent cannot go on, and why.
    Failed {
        /// What was attempted, on what, why it failed, what to do.
        message: String,
    },
}
