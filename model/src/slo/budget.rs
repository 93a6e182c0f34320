//! What an objective allows to fail, and how much of that did.

use doorbuster_notation::Share;

/// What an objective made of a count of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The share of events that must be good.
    pub objective: Share,
    /// Events that were good.
    pub good: u64,
    /// All events.
    pub total: u64,
}

impl Budget {
    /// The share of the error budget that is spent: failures ÷ (total × (1 − objective)). 1.0 is all of it, more
    /// is overspent. `None` without events, or with an objective of 100 %, which has no budget.
    /// Source: Google, "The Site Reliability Workbook", chapter 5.
    pub fn spent(&self) -> Option<f64> {
        let allowed = u128::from(self.total) * u128::from(1_000_000_000 - self.objective.parts_per_billion);
        let failed = u128::from(self.total.saturating_sub(self.good)) * 1_000_000_000;
        (allowed > 0).then(|| failed as f64 / allowed as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use doorbuster_notation::parse_share;

    #[test]
    fn the_budget_of_four_nines() {
        let objective = parse_share("99.99%").unwrap();
        let spent = |good, total| Budget { objective, good, total }.spent();
        assert_eq!(spent(10_000, 10_000), Some(0.0));
        assert_eq!(spent(9_999, 10_000), Some(1.0));
        assert_eq!(spent(9_998, 10_000), Some(2.0));
        assert_eq!(spent(0, 0), None);
    }
}
