//! What happened when: phases and seconds.

use doorbuster_model::Tally;
use doorbuster_model::plan::Model;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::milliseconds;
use super::figures::per_second;
use super::sums::{caching_by, exchanges_by};
use super::{Caching, Distribution};
use crate::outcome::{self, Outcome};

/// What a phase of the load came to, all regions together. An exchange belongs to the phase of its intended start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Phase {
    /// The plan's name for it, or its kind.
    pub name: String,
    /// `hold`, `ramp`, `step` or `spike`.
    pub kind: String,
    /// Where it begins, in seconds since the start.
    pub from_s: f64,
    /// Where it ends, exclusive, in seconds since the start.
    pub to_s: f64,
    /// Whether it lies in the warm-up: measured and shown, outside thresholds.
    pub warmup: bool,
    /// Arrivals that were to start; `null` in the closed model.
    pub arrivals_planned: Option<u64>,
    /// Exchanges attempted.
    pub requests: u64,
    /// Exchanges per second of the phase's length.
    pub requests_per_s: Option<f64>,
    /// Failed exchanges.
    pub errors: u64,
    /// Exchanges given up because the run ended.
    pub cut: u64,
    /// From the intended start to the end of the answer, in milliseconds.
    pub latency_ms: Distribution,
    /// From the actual send to the end of the answer, in milliseconds.
    pub service_ms: Distribution,
    /// What the edge did for content that may be cached: all classes but those with `cached: never`.
    pub caching: Caching,
}

/// One second of one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct TimelineRow {
    /// Seconds since the start.
    pub second: u32,
    /// The region's name.
    pub region: String,
    /// Exchanges that ended in it.
    pub requests: u64,
    /// Failed ones among them.
    pub errors: u64,
    /// Half of the second's exchanges took at most this many milliseconds.
    pub p50: Option<f64>,
    /// 95 % of the second's exchanges took at most this many milliseconds.
    pub p95: Option<f64>,
    /// 99 % of the second's exchanges took at most this many milliseconds.
    pub p99: Option<f64>,
    /// Arrivals that were to start.
    pub arrivals_planned: u64,
    /// Arrivals that started.
    pub arrivals_started: u64,
    /// Answers from the edge's cache.
    pub hits: u64,
    /// Answers from the origin; refresh hits are neither.
    pub misses: u64,
}

impl TimelineRow {
    pub(super) fn of(row: &outcome::TimelineRow, outcome: &Outcome) -> Self {
        let [p50, p95, p99] = row.quantiles_us.map(|us| us.map(milliseconds));
        let region = outcome.regions.get(row.region);
        Self {
            second: row.second,
            region: region.map_or_else(|| format!("region {}", row.region), |region| region.name.clone()),
            requests: row.requests,
            errors: row.errors,
            p50,
            p95,
            p99,
            arrivals_planned: row.arrivals_planned,
            arrivals_started: row.arrivals_started,
            hits: row.hits,
            misses: row.misses,
        }
    }
}

/// How long the load lasted in seconds: the plan's length, or what was reached of it when the run ended early.
pub(super) fn load_seconds(outcome: &Outcome) -> f64 {
    let elapsed_s = outcome.run.finished_at.duration_since(outcome.run.started_at).as_secs_f64();
    seconds(outcome.plan.load.pace.length_ns()).min(elapsed_s)
}

/// What each section came to. `global` is all regions' tallies merged.
pub(super) fn phases(outcome: &Outcome, global: &Tally) -> Vec<Phase> {
    let mut exchanges = exchanges_by(global, |key| key.section);
    let names = &outcome.names;
    let mut caching = caching_by(global, |place| (names.is_private(place.class), place.section));
    let pace = &outcome.plan.load.pace;
    let open = matches!(outcome.plan.load.model, Model::Open(_));
    let phase = |(position, section): (u16, &doorbuster_model::pace::Section)| {
        let exchanges = exchanges.remove(&position).unwrap_or_default();
        let planned = || pace.arrivals_before(section.to_ns) - pace.arrivals_before(section.from_ns);
        Phase {
            name: section.name.clone(),
            kind: section.kind.word().to_owned(),
            from_s: seconds(section.from_ns),
            to_s: seconds(section.to_ns),
            warmup: section.warmup,
            arrivals_planned: open.then(planned),
            requests: exchanges.requests,
            requests_per_s: per_second(exchanges.requests, seconds(section.to_ns - section.from_ns)),
            errors: exchanges.errors_total(),
            cut: exchanges.cut,
            latency_ms: Distribution::of(&exchanges.latency),
            service_ms: Distribution::of(&exchanges.service),
            caching: Caching::of(&caching.remove(&(false, position)).unwrap_or_default()),
        }
    };
    (0_u16..).zip(&outcome.names.sections).map(phase).collect()
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
