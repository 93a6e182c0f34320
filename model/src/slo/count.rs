//! What is counted of an objective, and whether it burns: how much faster than allowed the budget is spent.
//!
//! A burn rate is the share of failures ÷ (1 − objective). Source: Google, "The Site Reliability Workbook", chapter 5.

use doorbuster_notation::Share;
use serde::{Deserialize, Serialize};

use super::cells::Row;
use super::factor::Factor;

/// A whole in the unit of [`Share`].
const PARTS: u64 = 1_000_000_000;

/// Events of an objective.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// All events.
    pub total: u64,
    /// Events that failed, as is certain.
    pub failed: u64,
    /// Events that failed where only one probe saw it: no failures yet.
    pub suspected: u64,
}

impl Count {
    /// Events that did not fail, as far as is certain.
    pub fn good(&self) -> u64 {
        self.total.saturating_sub(self.failed)
    }

    pub(super) fn of_row([total, failed, suspected]: Row) -> Self {
        Self { total, failed, suspected }
    }

    pub(super) fn row(self) -> Row {
        [self.total, self.failed, self.suspected]
    }

    pub(super) fn include(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.failed = self.failed.saturating_add(other.failed);
        self.suspected = self.suspected.saturating_add(other.suspected);
    }

    pub(super) fn exclude(&mut self, other: Self) {
        self.total = self.total.saturating_sub(other.total);
        self.failed = self.failed.saturating_sub(other.failed);
        self.suspected = self.suspected.saturating_sub(other.suspected);
    }

    /// What certainly failed.
    pub(super) fn certain(self) -> Sum {
        Sum { failed: u128::from(self.failed), total: u128::from(self.total) }
    }

    /// What may have failed.
    pub(super) fn feared(self) -> Sum {
        Sum { failed: u128::from(self.failed) + u128::from(self.suspected), total: u128::from(self.total) }
    }
}

/// Failures and all events of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) failed: u128,
    pub(super) total: u128,
}

impl Sum {
    /// Whether the budget burns at `factor` or faster. Nothing burns where nothing happened.
    pub(super) fn burns(self, objective: Share, factor: Factor) -> bool {
        // failed ÷ total ÷ (allowed ÷ PARTS) ≥ digits ÷ scale, multiplied by all that is divided by.
        let allowed = PARTS.saturating_sub(objective.parts_per_billion);
        let (failed, total) = (PARTS * factor.scale(), factor.digits() * allowed);
        self.total > 0 && product(self.failed, failed) >= product(self.total, total)
    }

    /// The burn rate for people; `None` where nothing happened or nothing is allowed.
    pub(super) fn burn(self, objective: Share) -> Option<f64> {
        let allowed = PARTS.saturating_sub(objective.parts_per_billion);
        let (failed, total) = (self.failed as f64 * PARTS as f64, self.total as f64 * allowed as f64);
        (total > 0.0).then(|| failed / total)
    }
}

/// `wide` × `narrow`, its high part and its low 64 bits: no product is too large.
fn product(wide: u128, narrow: u64) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let low = (wide & LOW) * u128::from(narrow);
    ((wide >> 64) * u128::from(narrow) + (low >> 64), low & LOW)
}

#[cfg(test)]
mod tests {
    use doorbuster_notation::{Share, parse_share};
    use proptest::prelude::*;

    use super::{Sum, product};
    use crate::slo::Factor;

    fn burns(failed: u128, total: u128, factor: &str) -> bool {
        let objective = parse_share("99.99%").unwrap();
        Sum { failed, total }.burns(objective, Factor::parse(factor).unwrap())
    }

    #[test]
    fn the_factor_itself_is_enough() {
        assert!(burns(144, 100_000, "14.4") && !burns(143, 100_000, "14.4"));
        assert!(burns(1, 10_000, "1") && !burns(1, 10_001, "1"));
        assert!(burns(10, 10, "10000") && !burns(9, 10, "10000"));
        assert!(!burns(0, 0, "1") && !burns(0, 5, "0.000001"));
        // In floating point 0.0006 ÷ 0.0001 is 5.999….
        assert!(burns(6, 10_000, "6"));
        assert!(burns(u128::MAX, u128::MAX, "10000") && !burns(u128::MAX / 2, u128::MAX, "5000.0001"));
    }

    #[test]
    fn one_failure_of_three_probes_a_minute_always_burns() {
        let sum = Sum { failed: 1, total: 180 };
        assert_eq!(sum.burn(parse_share("99.99%").unwrap()).map(|burn| burn.round()), Some(56.0));
        assert_eq!(sum.burn(Share { parts_per_billion: 1_000_000_000 }), None);
        assert_eq!(Sum::default().burn(parse_share("99.99%").unwrap()), None);
    }

    proptest! {
        #[test]
        fn products_are_exact(wide in any::<u64>(), narrow in any::<u64>()) {
            let exact = u128::from(wide) * u128::from(narrow);
            prop_assert_eq!(product(u128::from(wide), narrow), (exact >> 64, exact & u128::from(u64::MAX)));
            prop_assert_eq!(product(u128::from(wide) << 64, narrow), (exact, 0), "64 bits further up");
        }
    }
}
