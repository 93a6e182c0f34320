//! The second in which a class's hit ratio was lowest: what a spike does to a cache.

use std::collections::BTreeMap;

use doorbuster_model::cdn::ClassId;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// Fewer look-ups in a second say nothing about its hit ratio.
const LOOKUPS_MIN: u64 = 10;

/// The second with the lowest hit ratio, the first of equals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct LowestSecond {
    /// Seconds since the start.
    pub second: u32,
    /// Hits in it.
    pub hits: u64,
    /// Hits, refresh hits and misses in it; at least 10.
    pub lookups: u64,
    /// hits ÷ lookups, 0 to 1.
    pub hit_ratio: f64,
}

/// The lowest seconds by region, all of them together under `None`, and class.
#[derive(Debug, Default)]
pub(super) struct Lowest(BTreeMap<(Option<usize>, ClassId), LowestSecond>);

impl Lowest {
    /// Those of a run, outside its warm-up.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let mut lowest = Self::default();
        let warmup_s = outcome.plan.warmup.as_secs_f64();
        let after = |second: u32| f64::from(second) >= warmup_s;
        for rows in outcome.timeline.chunk_by(|row, next| row.second == next.second) {
            let Some(second) = rows.first().map(|row| row.second).filter(|second| after(*second)) else {
                continue;
            };
            let mut sums: BTreeMap<ClassId, (u64, u64)> = BTreeMap::new();
            for row in rows {
                for (class, (hits, lookups)) in &row.classes {
                    lowest.look(Some(row.region), *class, second, *hits, *lookups);
                    let sum = sums.entry(*class).or_default();
                    sum.0 += hits;
                    sum.1 += lookups;
                }
            }
            for (class, (hits, lookups)) in sums {
                lowest.look(None, class, second, hits, lookups);
            }
        }
        lowest
    }

    /// The lowest second of a class in the region at a position, or in all of them together.
    pub(super) fn get(&self, region: Option<usize>, class: ClassId) -> Option<LowestSecond> {
        self.0.get(&(region, class)).copied()
    }

    fn look(&mut self, region: Option<usize>, class: ClassId, second: u32, hits: u64, lookups: u64) {
        if lookups < LOOKUPS_MIN {
            return;
        }
        let next = LowestSecond { second, hits, lookups, hit_ratio: hits as f64 / lookups as f64 };
        let known = self.0.entry((region, class)).or_insert(next);
        // hits ÷ lookups, compared without a division.
        if u128::from(hits) * u128::from(known.lookups) < u128::from(known.hits) * u128::from(lookups) {
            *known = next;
        }
    }
}
