//! How often the balancer renewed its cookie, and how often that bound a shopper to another target.

/// Fewer renewals say nothing about a rate.
const RENEWALS_MIN: u64 = 50;

/// A worker's count. The cookie is encrypted, and a balancer may write the same target in another way each time: so what is
/// always another value tells nothing, and only what seldom is one means that a session moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Renewals {
    renewed: u64,
    moved: u64,
}

impl Renewals {
    /// Notes a renewal; whether it sent the shopper to another target, as far as all before tell.
    pub(super) fn note(&mut self, is_moved: bool) -> bool {
        self.renewed += 1;
        self.moved += u64::from(is_moved);
        is_moved && self.renewed >= RENEWALS_MIN && self.moved * 2 < self.renewed
    }
}

#[cfg(test)]
mod tests {
    use super::{RENEWALS_MIN, Renewals};

    /// How many of 1,000 renewals are findings, of which every `one_in`th has another value.
    fn findings(one_in: u64) -> usize {
        let mut renewals = Renewals::default();
        (1..=1_000_u64).filter(|number| renewals.note(number.is_multiple_of(one_in))).count()
    }

    #[test]
    fn only_what_seldom_changes_has_moved() {
        assert_eq!(findings(1), 0, "each value is another: so they tell nothing");
        assert_eq!(findings(2), 0);
        assert_eq!(findings(10), 100 - usize::try_from((RENEWALS_MIN - 1) / 10).unwrap());
        assert_eq!(findings(2_000), 0);
    }
}
