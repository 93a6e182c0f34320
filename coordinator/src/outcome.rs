//! What a run came to: the fold over all reports, judged. Everything that is told is told from this.

use std::collections::BTreeMap;
use std::path::PathBuf;

use doorbuster_model::cdn::{ClassId, Evidence, Pop, Rule, Severity};
use doorbuster_model::tally::Exchanges;
use doorbuster_model::threshold::{Judgement, Names};
use doorbuster_model::{Histogram, Plan, Tally};
use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict on a run. Invalid wins over fail, and fail over pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The run was valid, every threshold held, and so did what the edge has promised.
    Pass,
    /// The run was valid, and a threshold or a promise of the edge did not hold.
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
pub(crate) struct Reason {
    /// The word of the report: `threshold`, `cdn`, `agent_lost`, `arrivals_late`, `target_unreachable`, …
    pub(crate) kind: &'static str,
    /// What was seen and what to do.
    pub(crate) message: String,
    /// The region, where it is about one.
    pub(crate) region: Option<String>,
    /// Whether it makes the run invalid rather than failed.
    pub(crate) invalidates: bool,
}

/// The job that a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Job {
    /// `rehearse`
    Rehearse,
    /// `hit`
    Hit,
    /// `gate`
    Gate,
}

impl Job {
    /// The word of the report.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Rehearse => "rehearse",
            Self::Hit => "hit",
            Self::Gate => "gate",
        }
    }
}

/// What a run was.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Unique; sent to the target as `X-Doorbuster-Run`.
    pub(crate) id: String,
    /// What it was for.
    pub(crate) job: Job,
    /// When second 0 began.
    pub(crate) started_at: Timestamp,
    /// When the last report came.
    pub(crate) finished_at: Timestamp,
}

/// One region's figures.
#[derive(Clone, Debug)]
pub(crate) struct RegionOutcome {
    /// Its name.
    pub(crate) name: String,
    /// Everything that its agents counted, merged.
    pub(crate) tally: Tally,
    /// Arrivals that its agents were to start; in the closed model, iterations that they started.
    pub(crate) arrivals_planned: u64,
    /// Agents that were to take part.
    pub(crate) agents_planned: u32,
    /// Agents that were lost, or failed.
    pub(crate) agents_lost: u32,
    /// Ticks that never came.
    pub(crate) ticks_missing: u64,
    /// How far an agent's clock and the coordinator's are at least apart, in milliseconds: the most of its agents.
    pub(crate) clock_offset_ms: f64,
    /// The highest CPU use of an agent, in percent of what its workers may use.
    pub(crate) cpu_percent_max: f64,
}

/// One second of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TimelineRow {
    /// Seconds since the start.
    pub(crate) second: u32,
    /// Position of the region.
    pub(crate) region: usize,
    /// Exchanges that ended.
    pub(crate) requests: u64,
    /// Failed ones among them.
    pub(crate) errors: u64,
    /// Latency quantiles in microseconds, `None` where the second has too few samples: p50, p95, p99.
    pub(crate) quantiles_us: [Option<u64>; 3],
    /// Arrivals that were to start.
    pub(crate) arrivals_planned: u64,
    /// Arrivals that started.
    pub(crate) arrivals_started: u64,
    /// Answers from the edge's cache.
    pub(crate) hits: u64,
    /// Answers from the origin (refresh hits are neither).
    pub(crate) misses: u64,
    /// Hits and look-ups of content that may be cached: what a person wants to see.
    pub(crate) cacheable: (u64, u64),
    /// Hits and look-ups by class of content, of those that were looked up.
    pub(crate) classes: BTreeMap<ClassId, (u64, u64)>,
}

/// A promise of the edge that does not hold in a region, or holds but for a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule that is broken.
    pub(crate) rule: Rule,
    /// How grave it is, under the plan's policy.
    pub(crate) severity: Severity,
    /// The region's name.
    pub(crate) region: String,
    /// The name of the class of content.
    pub(crate) class: String,
    /// The edge location, where it is told, and where it is about one.
    pub(crate) pop: Option<Pop>,
    /// How many answers it is about.
    pub(crate) count: u64,
    /// When first and when last, in nanoseconds since the start; `None` where it is judged over the whole run.
    pub(crate) seen_ns: Option<(u64, u64)>,
    /// The proof; of what is judged over the whole run, a note alone.
    pub(crate) evidence: Evidence,
}

/// One threshold's outcome.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ThresholdOutcome {
    /// The rule as written.
    pub(crate) rule: String,
    /// The region that it is about, where it names one.
    pub(crate) region: Option<String>,
    /// What was observed, and whether it holds.
    pub(crate) judgement: Judgement,
}

/// A run, folded and judged.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// What it was.
    pub(crate) run: Run,
    /// The plan as every agent read it.
    pub(crate) plan: Plan,
    /// What positions of regions, journeys, steps and sections are called.
    pub(crate) names: Names,
    /// Pass, fail or invalid.
    pub(crate) verdict: Verdict,
    /// Why it is not a pass; those that invalidate come first.
    pub(crate) reasons: Vec<Reason>,
    /// Per region, in the plan's order.
    pub(crate) regions: Vec<RegionOutcome>,
    /// Per second and region, in that order.
    pub(crate) timeline: Vec<TimelineRow>,
    /// Per threshold, in the plan's order.
    pub(crate) thresholds: Vec<ThresholdOutcome>,
    /// Promises of the edge that are broken, the gravest first.
    pub(crate) findings: Vec<Finding>,
    /// How many more there was no room for.
    pub(crate) findings_not_kept: u64,
    /// Where the run is kept, once it is.
    pub(crate) kept_in: Option<PathBuf>,
}

impl Outcome {
    /// All regions' tallies merged.
    pub(crate) fn global(&self) -> Tally {
        let mut sum = Tally::default();
        self.regions.iter().for_each(|region| sum.merge(&region.tally));
        sum
    }

    /// All exchanges of a tally.
    pub(crate) fn exchanges(tally: &Tally) -> Exchanges {
        tally.exchanges_where(|_| true)
    }

    /// The schedule lag of all agents.
    pub(crate) fn lag(&self) -> Histogram {
        let mut sum = Histogram::new();
        self.regions.iter().for_each(|region| sum.merge(&region.tally.arrivals.lag));
        sum
    }
}
