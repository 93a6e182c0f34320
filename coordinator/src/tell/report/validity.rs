//! Whether the load was the planned load, and how the run was judged.

use doorbuster_model::slo::Budget;
use doorbuster_model::{Histogram, Tally};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::{milliseconds, three_decimals};
use crate::outcome::{self, Outcome, RegionOutcome, ThresholdOutcome};

/// Why the verdict is not `pass`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Reason {
    /// One word: `threshold`, `cdn`, `agent_lost`, `arrivals_late`, `target_unreachable`, …
    pub kind: String,
    /// What was seen and what to do.
    pub message: String,
    /// The region, where it is about one.
    pub region: Option<String>,
    /// Whether it makes the run invalid rather than failed.
    pub invalidates: bool,
}

/// Whether the load was the planned load, all regions together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Validity {
    /// Arrivals that were to start; in the closed model, iterations that started.
    pub arrivals_planned: u64,
    /// Arrivals that started.
    pub arrivals_started: u64,
    /// Arrivals that started over 10 ms after their intended start.
    pub arrivals_late: u64,
    /// Journeys cut off when the run ended.
    pub journeys_cut: u64,
    /// From an intended start to the moment when the engine handled it, in milliseconds.
    pub schedule_lag_ms: ScheduleLag,
    /// Agents that were to take part.
    pub agents_planned: u64,
    /// Agents that were lost, or failed.
    pub agents_lost: u64,
    /// Seconds of an agent that were never reported.
    pub ticks_missing: u64,
    /// How far an agent's clock and the coordinator's are at least apart, in milliseconds: 0 where all may be right.
    pub clock_offset_ms: f64,
    /// The highest CPU use of an agent, in percent of what its workers may use.
    pub cpu_percent_max: f64,
}

/// How far the generator lagged behind its schedule, in milliseconds. `p50` needs 20 samples and `p99` 1,000;
/// `null` otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct ScheduleLag {
    /// Half of the steps were handled within this many milliseconds.
    pub p50: Option<f64>,
    /// 99 % of the steps were handled within this many milliseconds.
    pub p99: Option<f64>,
    /// The exact maximum in milliseconds.
    pub max: Option<f64>,
}

/// A threshold's outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Threshold {
    /// The rule as it was written.
    pub rule: String,
    /// The region that it is about, where it names one.
    pub region: Option<String>,
    /// What was observed, in `unit`; `null` when the sample cannot support the figure.
    pub observed: Option<f64>,
    /// `ms`, `%` or `/s`.
    pub unit: String,
    /// Whether it holds. A figure that the sample cannot support does not.
    pub ok: bool,
}

/// What the run took of its error budget. Exchanges that the run's end cut are neither good nor bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Slo {
    /// The share of exchanges that must be good, 0 to 1: 0.9999.
    pub objective: f64,
    /// Exchanges that did not fail.
    pub good: u64,
    /// Exchanges that came to an end.
    pub total: u64,
    /// (total − good) ÷ (total × (1 − objective)): 1 is the whole budget, more is overspent; `null` without
    /// exchanges or with an objective of 100 %.
    pub budget_spent: Option<f64>,
}

impl Reason {
    pub(in super::super) fn of(reason: &outcome::Reason) -> Self {
        Self {
            kind: reason.kind.to_owned(),
            message: reason.message.clone(),
            region: reason.region.clone(),
            invalidates: reason.invalidates,
        }
    }
}

impl Validity {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let sum = |count: fn(&RegionOutcome) -> u64| outcome.regions.iter().map(count).sum();
        let largest = |value: fn(&RegionOutcome) -> f64| {
            outcome.regions.iter().map(value).map(three_decimals).fold(0.0, f64::max)
        };
        Self {
            arrivals_planned: sum(|region| region.arrivals_planned),
            arrivals_started: sum(|region| region.tally.arrivals.started),
            arrivals_late: sum(|region| region.tally.arrivals.late),
            journeys_cut: sum(|region| region.tally.journeys.values().map(|journeys| journeys.cut).sum()),
            schedule_lag_ms: ScheduleLag::of(&outcome.lag()),
            agents_planned: sum(|region| u64::from(region.agents_planned)),
            agents_lost: sum(|region| u64::from(region.agents_lost)),
            ticks_missing: sum(|region| region.ticks_missing),
            clock_offset_ms: largest(|region| region.clock_offset_ms.abs()),
            cpu_percent_max: largest(|region| region.cpu_percent_max),
        }
    }
}

impl ScheduleLag {
    fn of(lag: &Histogram) -> Self {
        Self {
            p50: lag.quantile_us(500_000).map(milliseconds),
            p99: lag.quantile_us(990_000).map(milliseconds),
            max: lag.max_us().map(milliseconds),
        }
    }
}

impl Threshold {
    pub(super) fn of(threshold: &ThresholdOutcome) -> Self {
        Self {
            rule: threshold.rule.clone(),
            region: threshold.region.clone(),
            observed: threshold.judgement.observed.filter(|observed| observed.is_finite()),
            unit: threshold.judgement.unit.to_owned(),
            ok: threshold.judgement.ok,
        }
    }
}

impl Slo {
    /// `global` is all regions' tallies merged.
    pub(super) fn of(outcome: &Outcome, global: &Tally) -> Self {
        let exchanges = Outcome::exchanges(global);
        let total = exchanges.requests.saturating_sub(exchanges.cut);
        let good = total.saturating_sub(exchanges.errors_total());
        let budget = Budget { objective: outcome.plan.objective, good, total };
        // Parts per billion to percent.
        let objective = outcome.plan.objective.parts_per_billion as f64 / 1e9;
        Self { objective, good, total, budget_spent: budget.spent() }
    }
}
