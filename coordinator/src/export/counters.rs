//! What objectives' events came to since this process began: figures that only grow.

use std::collections::BTreeMap;

use doorbuster_model::slo::{Count, Scope};

/// An objective's events in a scope, since counting began. An event that is confirmed to have failed moves from the good
/// ones to the failed ones; `suspected` are those that ever were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    /// The objective's text.
    pub objective: String,
    /// Whose events.
    pub scope: Scope,
    /// The events.
    pub count: Count,
}

/// The same as counters that never fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Risen {
    /// All events.
    pub total: u64,
    /// The good ones. A failure that is confirmed after its event was told as good is taken from the good events that
    /// follow.
    pub good: u64,
    /// The failed ones.
    pub failed: u64,
    /// Those that ever were suspected.
    pub suspected: u64,
}

impl Risen {
    /// What came since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            good: self.good.saturating_sub(earlier.good),
            failed: self.failed.saturating_sub(earlier.failed),
            suspected: self.suspected.saturating_sub(earlier.suspected),
        }
    }
}

/// Every objective's counters, by objective and scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters(BTreeMap<(String, Scope), Risen>);

impl Counters {
    /// Takes what was counted by now. A figure that is lower than the last one changes nothing: whoever reads counters
    /// takes one that falls for a restart, and would count all of it again.
    pub(crate) fn raise(&mut self, counted: &[Counter]) {
        for Counter { objective, scope, count } in counted {
            let risen = self.0.entry((objective.clone(), scope.clone())).or_default();
            risen.total = risen.total.max(count.total);
            risen.failed = risen.failed.max(count.failed);
            risen.suspected = risen.suspected.max(count.suspected);
            risen.good = risen.good.max(count.total.saturating_sub(count.failed));
        }
    }

    /// Every counter: objective, scope, figures.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Scope, &Risen)> {
        self.0.iter().map(|((objective, scope), risen)| (objective.as_str(), scope, risen))
    }

    /// What an objective's events in a scope came to.
    pub(crate) fn of(&self, objective: &str, scope: &Scope) -> Risen {
        self.0.get(&(objective.to_owned(), scope.clone())).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(total: u64, failed: u64, suspected: u64) -> Counter {
        let count = Count { total, failed, suspected };
        Counter { objective: "availability 99.9%".to_owned(), scope: Scope::Global, count }
    }

    #[test]
    fn a_late_confirmation_is_taken_from_the_good_events_that_follow() {
        let mut counters = Counters::default();
        let steps = [
            // (counted, good by now): the tenth event fails, is suspected, then confirmed while nothing else comes.
            (counter(9, 0, 0), 9),
            (counter(10, 0, 1), 10),
            (counter(10, 1, 1), 10),
            (counter(11, 1, 1), 10),
            (counter(13, 1, 1), 12),
        ];
        for (counted, good) in steps {
            counters.raise(std::slice::from_ref(&counted));
            let risen = counters.of("availability 99.9%", &Scope::Global);
            assert_eq!((risen.good, risen.total), (good, counted.count.total), "{counted:?}");
        }
    }

    #[test]
    fn nothing_falls() {
        let mut counters = Counters::default();
        counters.raise(&[counter(10, 2, 3)]);
        let before = counters.clone();
        counters.raise(&[counter(4, 0, 0)]);
        assert_eq!(counters, before);
        counters.raise(&[counter(11, 2, 3)]);
        let scope = Scope::Global;
        let since = counters.of("availability 99.9%", &scope).since(&before.of("availability 99.9%", &scope));
        assert_eq!(since, Risen { total: 1, good: 1, failed: 0, suspected: 0 });
        assert_eq!(counters.iter().count(), 1);
    }
}
