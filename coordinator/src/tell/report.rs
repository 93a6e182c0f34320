//! The JSON report `doorbuster.report/1`: what programs read of a run.
//!
//! Every key is always present. What was not measured, or what the sample cannot support, is `null`; a table without
//! rows is empty. Durations are milliseconds with at most three decimals, sizes bytes, ratios 0 to 1.

mod caching;
mod cdn;
mod distribution;
mod exchanges;
mod failures;
mod figures;
mod findings;
mod lowest;
mod steps;
mod sums;
mod times;
mod validity;

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outcome::{self, Outcome, Verdict};

pub(crate) use caching::Caching;
pub(crate) use cdn::{Cdn, ClassCaching};
pub(crate) use distribution::Distribution;
pub(crate) use exchanges::Exchanges;
pub(crate) use failures::Failure;
pub(crate) use figures::Figures;
pub(crate) use findings::Finding;
pub(crate) use steps::Step;
pub(crate) use times::{Phase, TimelineRow};
pub(crate) use validity::{Reason, Slo, Threshold, Validity};

/// The value of `schema`.
pub(crate) const SCHEMA: &str = "doorbuster.report/1";

/// The report on a run. Durations are milliseconds with at most three decimals, sizes bytes, ratios 0 to 1. `null`
/// stands for what was not measured, or what the sample cannot support: a percentile with fewer than 10 samples
/// beyond it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Report {
    /// Always `doorbuster.report/1`. Within this version keys are added, never renamed or removed.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub schema: String,
    /// What the run was.
    pub run: Run,
    /// `pass`, `fail` or `invalid`. Invalid wins over fail, and fail over pass.
    pub verdict: Verdict,
    /// Why the verdict is not `pass`; those that invalidate come first.
    pub reasons: Vec<Reason>,
    /// Whether the load was the planned load.
    pub validity: Validity,
    /// All regions together; percentiles come from merged histograms.
    pub global: Figures,
    /// Per region by its name, in the plan's order.
    pub regions: IndexMap<String, Figures>,
    /// Per phase of the load, in order; a phase that the end of the warm-up cuts is two rows.
    pub phases: Vec<Phase>,
    /// Per second and region, in that order.
    pub timeline: Vec<TimelineRow>,
    /// What the edge did, and what it broke.
    pub cdn: Cdn,
    /// Per threshold, in the plan's order.
    pub thresholds: Vec<Threshold>,
    /// What the run took of its error budget.
    pub slo: Slo,
    /// Failures by region, journey, step and class with an example each, the most frequent first; at most 500.
    pub failures: Vec<Failure>,
    /// How many rows `failures` leaves off.
    pub failures_left_off: u64,
}

/// What the run was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Run {
    /// Unique; sent to the target as `X-Doorbuster-Run`.
    pub id: String,
    /// The plan's name.
    pub name: String,
    /// `rehearse`, `hit` or `gate`.
    pub job: outcome::Job,
    /// When second 0 began: RFC 3339, UTC.
    pub started_at: String,
    /// When the last report came: RFC 3339, UTC.
    pub finished_at: String,
    /// What everything random followed from.
    pub seed: u64,
    /// Where the load went: a URL; `null` where each region has its own.
    pub target: Option<String>,
    /// The version of Doorbuster.
    pub doorbuster: String,
}

/// The report on an outcome.
pub(crate) fn report(outcome: &Outcome) -> Report {
    let global = outcome.global();
    let seconds = times::load_seconds(outcome);
    let figures = |tally: &_| Figures::of(tally, &outcome.names, seconds);
    let (failures, failures_left_off) = failures::failures(outcome);
    Report {
        schema: SCHEMA.to_owned(),
        run: Run::of(outcome),
        verdict: outcome.verdict,
        reasons: outcome.reasons.iter().map(Reason::of).collect(),
        validity: Validity::of(outcome),
        global: figures(&global),
        regions: outcome.regions.iter().map(|region| (region.name.clone(), figures(&region.tally))).collect(),
        phases: times::phases(outcome, &global),
        timeline: outcome.timeline.iter().map(|row| TimelineRow::of(row, outcome)).collect(),
        cdn: Cdn::of(outcome, &global),
        thresholds: outcome.thresholds.iter().map(Threshold::of).collect(),
        slo: Slo::of(outcome, &global),
        failures,
        failures_left_off,
    }
}

impl Run {
    fn of(outcome: &Outcome) -> Self {
        let run = &outcome.run;
        Self {
            id: run.id.clone(),
            name: outcome.plan.name.clone(),
            job: run.job,
            started_at: run.started_at.to_string(),
            finished_at: run.finished_at.to_string(),
            seed: outcome.plan.seed,
            target: outcome.plan.target.as_ref().map(ToString::to_string),
            doorbuster: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
