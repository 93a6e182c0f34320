//! What failed, with an example of each.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::steps::label_at;
use crate::outcome::Outcome;

/// The most rows of `failures`.
pub(crate) const FAILURES_TOLD_MAX: usize = 500;

/// A kind of failure in a region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Failure {
    /// The region's name.
    pub region: String,
    /// The journey's name.
    pub journey: String,
    /// The step's name within the journey.
    pub step: String,
    /// The class, one of the keys of `errors_by_class`.
    pub class: String,
    /// How often it came.
    pub count: u64,
    /// The first message: what was attempted, on what, why it failed.
    pub example: String,
}

/// The failures of all regions, the most frequent first, and how many rows were left off.
pub(super) fn failures(outcome: &Outcome) -> (Vec<Failure>, u64) {
    let mut rows: Vec<Failure> = Vec::new();
    for region in &outcome.regions {
        for ((journey, step, class), failures) in &region.tally.failures {
            let (journey, step) = label_at(&outcome.names, *journey, *step);
            rows.push(Failure {
                region: region.name.clone(),
                journey,
                step,
                class: class.word().to_owned(),
                count: failures.count,
                example: failures.example.clone(),
            });
        }
    }
    // The sort is stable: rows of equal count keep the order of regions, journeys, steps and classes.
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    let left_off = rows.len().saturating_sub(FAILURES_TOLD_MAX) as u64;
    rows.truncate(FAILURES_TOLD_MAX);
    (rows, left_off)
}
