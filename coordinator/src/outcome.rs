//! What a run came to: the fold over all reports, judged. Everything that is told is told from this.

use std::path::PathBuf;

use doorbuster_model::tally::Exchanges;
use doorbuster_model::threshold::{Judgement, Names};
use doorbuster_model::{Histogram, Plan, Tally};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict on a run. Invalid wins over fail, and fail over pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The run was valid and every threshold held.
    Pass,
    /// The run was valid and a threshold did not hold.
    Fail,
    /// The run cannot be judged: the figures are not those of the load that was planned.
    Invalid,
}

impl Verdict {
    /// The word of the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        }
    }

    /// The process's exit code: 0 pass, 1 fail, 3 invalid.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Invalid => 3,
        }
    }
}

/// Why a verdict is not a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The word of the report: `threshold`, `agent_lost`, `arrivals_late`, `target_unreachable`, …
    pub kind: &'static str,
    /// What was seen and what to do.
    pub message: String,
    /// The region, where it is about one.
    pub region: Option<String>,
    /// Whether it makes the run invalid rather than failed.
    pub invalidates: bool,
}

/// The job that a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Job {
    /// `rehearse`
    Rehearse,
    /// `hit`
    Hit,
    /// `gate`
    Gate,
}

impl Job {
    /// The word of the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rehearse => "rehearse",
            Self::Hit => "hit",
            Self::Gate => "gate",
        }
    }
}

/// What a run was.
#[derive(Clone, Debug)]
pub struct Run {
    /// Unique; sent to the target as `X-Doorbuster-Run`.
    pub id: String,
    /// What it was for.
    pub job: Job,
    /// When second 0 began.
    pub started_at: Timestamp,
    /// When the last report came.
    pub finished_at: Timestamp,
}

/// One region's figures.
#[derive(Clone, Debug)]
pub struct RegionOutcome {
    /// Its name.
    pub name: String,
    /// Everything that its agents counted, merged.
    pub tally: Tally,
    /// Arrivals that its agents were to start; in the closed model, iterations that they started.
    pub arrivals_planned: u64,
    /// Agents that were to take part.
    pub agents_planned: u32,
    /// Agents that were lost, or failed.
    pub agents_lost: u32,
    /// Ticks that never came.
    pub ticks_missing: u64,
    /// The largest difference between an agent's clock and the coordinator's, in milliseconds.
    pub clock_offset_ms: f64,
    /// The highest CPU use of an agent, in percent of what its workers may use.
    pub cpu_percent_max: f64,
}

/// One second of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineRow {
    /// Seconds since the start.
    pub second: u32,
    /// Position of the region.
    pub region: usize,
    /// Exchanges that ended.
    pub requests: u64,
    /// Failed ones among them.
    pub errors: u64,
    /// Latency quantiles in microseconds, `None` where the second has too few samples: p50, p95, p99.
    pub quantiles_us: [Option<u64>; 3],
    /// Arrivals that were to start.
    pub arrivals_planned: u64,
    /// Arrivals that started.
    pub arrivals_started: u64,
    /// Answers from the edge's cache.
    pub hits: u64,
    /// Answers from the origin (refresh hits are neither).
    pub misses: u64,
}

/// One threshold's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdOutcome {
    /// The rule as written.
    pub rule: String,
    /// The region that it is about, where it names one.
    pub region: Option<String>,
    /// What was observed, and whether it holds.
    pub judgement: Judgement,
}

/// A run, folded and judged.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it was.
    pub run: Run,
    /// The plan as every agent read it.
    pub plan: Plan,
    /// What positions of regions, journeys, steps and sections are called.
    pub names: Names,
    /// Pass, fail or invalid.
    pub verdict: Verdict,
    /// Why it is not a pass; those that invalidate come first.
    pub reasons: Vec<Reason>,
    /// Per region, in the plan's order.
    pub regions: Vec<RegionOutcome>,
    /// Per second and region, in that order.
    pub timeline: Vec<TimelineRow>,
    /// Per threshold, in the plan's order.
    pub thresholds: Vec<ThresholdOutcome>,
    /// Where the run is kept, once it is.
    pub kept_in: Option<PathBuf>,
}

impl Outcome {
    /// All regions' tallies merged.
    pub fn global(&self) -> Tally {
        let mut sum = Tally::default();
        self.regions.iter().for_each(|region| sum.merge(&region.tally));
        sum
    }

    /// All exchanges of a tally.
    pub fn exchanges(tally: &Tally) -> Exchanges {
        tally.exchanges_where(|_| true)
    }

    /// The schedule lag of all agents.
    pub fn lag(&self) -> Histogram {
        let mut sum = Histogram::new();
        self.regions.iter().for_each(|region| sum.merge(&region.tally.arrivals.lag));
        sum
    }
}
