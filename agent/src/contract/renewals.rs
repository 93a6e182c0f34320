//! Which values of the balancer's cookie name a target, and so when a shopper was sent to another one.

use std::collections::HashSet;

/// The most values that are remembered: far more than there are targets.
const VALUES_MAX: usize = 256;

/// One worker's knowledge. The cookie is encrypted, and a balancer may write the same target in another way each time: such
/// values never come again and tell nothing. One that does come again, to whomever, names a target; who gets it in the place
/// of another was moved, however often that happens.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    values: HashSet<u32>,
    /// Whether any came again in the place of another.
    recurs: bool,
}

impl Renewals {
    /// Notes the value that a shopper is bound by, and whether it is another one than before; `None` where the shopper was
    /// not bound. Whether that sent the shopper to another target; `None` where there is no room to remember the value. Once
    /// none of so many came again, there is nothing to find out.
    pub(super) fn note(&mut self, value: u32, is_another: Option<bool>) -> Option<bool> {
        if is_another == Some(false) {
            return Some(false);
        }
        let is_full = self.values.len() >= VALUES_MAX;
        if is_full && !self.recurs {
            return Some(false);
        }
        if self.values.contains(&value) {
            self.recurs = true;
            return Some(is_another == Some(true));
        }
        if is_full {
            return None;
        }
        self.values.insert(value);
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{Renewals, VALUES_MAX};

    /// How many of 1,000 renewals of ten shoppers by four targets are moves, where every `one_in`th is to the next target.
    fn moves(one_in: u32) -> usize {
        let mut renewals = Renewals::default();
        let mut bound = [None; 10];
        let moved = (1..=1_000_u32).filter(|number| {
            let own = &mut bound[usize::try_from(*number).unwrap() % 10];
            let before: Option<u32> = *own;
            let target = match before {
                None => number % 4,
                Some(target) if number.is_multiple_of(one_in) => (target + 1) % 4,
                Some(target) => target,
            };
            *own = Some(target);
            renewals.note(target, before.map(|before| before != target)) == Some(true)
        });
        moved.count()
    }

    #[test]
    fn each_change_to_a_target_that_is_known_is_a_move() {
        assert_eq!(moves(2_000), 0, "who stays is not moved");
        assert_eq!(moves(7), 141, "seldom");
        assert_eq!(moves(1), 990, "always: the session is quite lost");
    }

    #[test]
    fn values_that_never_come_again_tell_nothing() {
        let mut renewals = Renewals::default();
        assert!((0..10_000).all(|value| renewals.note(value, Some(true)) == Some(false)));
        assert_eq!(renewals.values.len(), VALUES_MAX, "and are bounded");
        assert_eq!(renewals.note(5, Some(true)), Some(false), "nor does one that is the same by chance");
    }

    #[test]
    fn more_targets_than_there_is_room_for_are_told() {
        let mut renewals = Renewals::default();
        renewals.note(0, None);
        assert_eq!(renewals.note(0, Some(true)), Some(true));
        let not_watched = (1..1_000).filter(|value| renewals.note(*value, Some(true)).is_none()).count();
        assert_eq!(not_watched, 1_000 - VALUES_MAX);
    }

    #[test]
    fn a_value_names_a_target_once_it_comes_again() {
        let mut renewals = Renewals::default();
        assert_eq!(renewals.note(1, None), Some(false));
        assert_eq!(renewals.note(2, Some(true)), Some(false), "nobody had it before");
        assert_eq!(renewals.note(1, Some(true)), Some(true), "back to the first");
        assert_eq!(renewals.note(1, Some(false)), Some(false));
        assert_eq!(renewals.note(2, None), Some(false), "who was not bound is not moved");
    }
}
