//! What an agent reports.

use crate::cdn::audit::Proof;
use crate::cdn::{Finding, FindingKey};
use crate::sample::{ConnectTimes, Times};
use crate::{ErrorClass, Key, Tally};

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

/// What a journey left for later audits: an order's number for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The journey's position in the plan.
    pub journey: u16,
    /// The marker's name in the journey.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One exchange in full, as a trace shows it. Secrets are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What it counts as.
    pub key: Key,
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The request's headers as they were sent.
    pub request_headers: Vec<(String, String)>,
    /// The request's body, at most [`Exchange::BODY_BYTES_MAX`].
    pub request_body: Vec<u8>,
    /// The answer's status; `None` when no head came, or when nothing was sent because the shopper had kept the asset: then
    /// there is no problem either.
    pub status: Option<u16>,
    /// The answer's headers.
    pub headers: Vec<(String, String)>,
    /// The answer's body, decoded, at most [`Exchange::BODY_BYTES_MAX`]; of an asset nothing.
    pub body: Vec<u8>,
    /// When its parts happened.
    pub times: Times,
    /// Set where this exchange opened its connection.
    pub opened: Option<ConnectTimes>,
    /// Body bytes as they came over the wire.
    pub bytes_wire: u64,
    /// What was wrong; empty when nothing was.
    pub problem: String,
    /// The journey goes on in spite of it.
    pub is_tolerated: bool,
    /// The variables that have a value now; none with an asset, which changes none.
    pub values: Vec<(String, String)>,
}

impl Exchange {
    /// How much of a body is shown.
    pub const BODY_BYTES_MAX: usize = 256 * 1_024;
}

/// How one walk of a probe went: one journey, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The journey's position in the plan.
    pub journey: u16,
    /// When it was to begin: nanoseconds since second 0, on the agent's monotonic clock.
    pub began_ns: u64,
    /// Whether the journey went as it is to go, to its end.
    pub is_good: bool,
    /// The steps that were reached, in their order; of a step that was tried again, how that ended.
    pub steps: Vec<ProbedStep>,
}

impl Probed {
    /// The most steps that are told of a walk.
    pub const STEPS_MAX: usize = 100;
}

/// How a step of a probe's walk went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbedStep {
    /// What it counts as: its position, as [`Key::step`] has it.
    pub step: u16,
    /// Why it failed, if it did.
    pub failure: Option<ProbeFailure>,
    /// From its intended start to the end of its answer, redirects included; `None` where nothing could be sent.
    pub latency_ns: Option<u64>,
    /// From its intended start to the end of its page's last asset, where it is a page and is complete.
    pub page_ns: Option<u64>,
}

/// Why a step of a probe's walk failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeFailure {
    /// What kind of failure it is.
    pub class: ErrorClass,
    /// What was attempted, on what, why it failed; without secrets.
    pub problem: String,
}

impl ProbeFailure {
    /// How much is told of a problem, in characters.
    pub const PROBLEM_CHARS_MAX: usize = 300;

    /// A failure whose problem is cut to its limit.
    pub fn new(class: ErrorClass, problem: &str) -> Self {
        Self { class, problem: problem.chars().take(Self::PROBLEM_CHARS_MAX).collect() }
    }
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
    /// What journeys left for audits, as it was left.
    Markers {
        /// The second in which they were left.
        second: u32,
        /// At most 1,000 of each worker.
        markers: Vec<Marker>,
    },
    /// Where answers broke what the edge has promised, as far as one answer can. Those of several workers, and of several
    /// seconds, are merged by whoever reads them ([`crate::cdn::Findings`]).
    Findings {
        /// The second in which they were found.
        second: u32,
        /// At most [`crate::cdn::FINDINGS_PER_SECOND_MAX`] of each worker, the gravest first.
        findings: Vec<(FindingKey, Finding)>,
        /// How many more there were.
        not_kept: u64,
    },
    /// An exchange of a trace.
    Exchange(Box<Exchange>),
    /// What an audit found out about one promise.
    Proof(Box<Proof>),
    /// How walks of a probe went, as they ended.
    Probed(Vec<Probed>),
    /// Every arrival was started and every journey ended or was cut.
    Finished {
        /// How many ticks were sent: of so many seconds, from the first of its assignment on, without a gap.
        ticks: u32,
    },
    /// The agent cannot go on, and why.
    Failed {
        /// What was attempted, on what, why it failed, what to do.
        message: String,
    },
}
