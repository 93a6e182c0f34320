//! How durations are distributed.

use doorbuster_model::Histogram;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How durations are distributed, in milliseconds with at most three decimals. A percentile is `null` when fewer
/// than 10 samples lie beyond it; `max` and `mean` are `null` without samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Distribution {
    /// Half of the samples took at most this many milliseconds; needs 20 samples.
    pub p50: Option<f64>,
    /// 90 % of the samples took at most this many milliseconds; needs 100 samples.
    pub p90: Option<f64>,
    /// 95 % of the samples took at most this many milliseconds; needs 200 samples.
    pub p95: Option<f64>,
    /// 99 % of the samples took at most this many milliseconds; needs 1,000 samples.
    pub p99: Option<f64>,
    /// 99.9 % of the samples took at most this many milliseconds; needs 10,000 samples.
    pub p99_9: Option<f64>,
    /// 99.99 % of the samples took at most this many milliseconds; needs 100,000 samples.
    pub p99_99: Option<f64>,
    /// The exact maximum in milliseconds.
    pub max: Option<f64>,
    /// The exact mean in milliseconds, to the microsecond.
    pub mean: Option<f64>,
    /// How many samples there are.
    pub count: u64,
    /// How many samples were over an hour, and count as an hour.
    pub clamped: u64,
}

impl Distribution {
    pub(super) fn of(histogram: &Histogram) -> Self {
        let quantile = |per_million| histogram.quantile_us(per_million).map(milliseconds);
        Self {
            p50: quantile(500_000),
            p90: quantile(900_000),
            p95: quantile(950_000),
            p99: quantile(990_000),
            p99_9: quantile(999_000),
            p99_99: quantile(999_900),
            max: histogram.max_us().map(milliseconds),
            mean: histogram.mean_us().map(|us| us.round() / 1e3),
            count: histogram.total(),
            clamped: histogram.clamped(),
        }
    }
}

/// Whole microseconds as milliseconds: the division gives the number nearest to the decimal one, which is then
/// written with its three decimals at most.
pub(super) fn milliseconds(us: u64) -> f64 {
    us as f64 / 1e3
}

/// A measured number with at most three decimals; what is not finite is 0.
pub(super) fn three_decimals(value: f64) -> f64 {
    if value.is_finite() { (value * 1e3).round() / 1e3 } else { 0.0 }
}

/// `part ÷ whole`; `None` when there is no whole.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
