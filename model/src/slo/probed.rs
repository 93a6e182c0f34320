//! What a probe found out, as far as objectives need it.

use serde::{Deserialize, Serialize};

/// One probe: a journey that was walked through once, from one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// From where.
    pub region: String,
    /// The journey's name.
    pub journey: String,
    /// When it began, in unix seconds.
    pub at_s: i64,
    /// The steps that were reached, in order.
    pub steps: Vec<ProbedStep>,
    /// Whether the whole journey was good.
    pub is_good: bool,
}

/// A step of a probe. One that was not reached does not appear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbedStep {
    /// Its name.
    pub step: String,
    /// Whether its answer came and was as expected.
    pub is_good: bool,
    /// How long its answer took, in nanoseconds; none where no answer came.
    pub latency_ns: Option<u64>,
}
