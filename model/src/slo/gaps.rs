//! Stretches of time without data: they are no good time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most stretches that are remembered; the earliest are forgotten first.
const GAPS_MAX: usize = 100;

/// From when to when, in unix seconds.
pub(super) type Stretch = (i64, i64);

/// Stretches, in order and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gaps {
    stretches: VecDeque<Stretch>,
}

impl Gaps {
    /// Notes a stretch that ends no earlier than those before.
    pub(super) fn push(&mut self, from_s: i64, to_s: i64) {
        let (mut from_s, mut to_s) = (from_s, to_s);
        while let Some((earlier_from_s, earlier_to_s)) = self.stretches.back().copied()
            && earlier_to_s >= from_s
        {
            (from_s, to_s) = (from_s.min(earlier_from_s), to_s.max(earlier_to_s));
            self.stretches.pop_back();
        }
        self.stretches.push_back((from_s, to_s));
        if self.stretches.len() > GAPS_MAX {
            self.stretches.pop_front();
        }
    }

    /// Forgets what lies in the future: the clock went back.
    pub(super) fn step_back(&mut self, now_s: i64) {
        self.stretches.retain(|(from_s, _)| *from_s < now_s);
        if let Some((_, to_s)) = self.stretches.back_mut() {
            *to_s = now_s.min(*to_s);
        }
    }

    /// The stretches within `after_s` to `until_s`, with one that still goes on since `open_s`.
    pub(super) fn within(&self, after_s: i64, until_s: i64, open_s: Option<i64>) -> Vec<Stretch> {
        let mut all = self.clone();
        if let Some(open_s) = open_s {
            all.push(open_s, until_s);
        }
        let cut = |(from_s, to_s): Stretch| (from_s.max(after_s), to_s.min(until_s));
        all.stretches.into_iter().map(cut).filter(|(from_s, to_s)| from_s < to_s).collect()
    }

    /// About how much memory this takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.stretches.capacity() * size_of::<Stretch>()
    }
}

/// What lies in both, which are in order and apart.
pub(super) fn common(ours: &[Stretch], theirs: &[Stretch]) -> Vec<Stretch> {
    let pairs =
        ours.iter().flat_map(|one| theirs.iter().map(move |other| (one.0.max(other.0), one.1.min(other.1))));
    pairs.filter(|(from_s, to_s)| from_s < to_s).collect()
}

/// How long they are together.
pub(super) fn seconds(stretches: &[Stretch]) -> u64 {
    stretches.iter().map(|(from_s, to_s)| to_s.abs_diff(*from_s)).sum()
}

#[cfg(test)]
mod tests {
    use super::{Gaps, common, seconds};

    #[test]
    fn stretches_that_touch_are_one() {
        let mut gaps = Gaps::default();
        for (from_s, to_s) in [(0, 10), (50, 60), (60, 70), (55, 90), (200, 210)] {
            gaps.push(from_s, to_s);
        }
        assert_eq!(gaps.within(5, 205, None), [(5, 10), (50, 90), (200, 205)]);
        assert_eq!(gaps.within(5, 300, Some(250)), [(5, 10), (50, 90), (200, 210), (250, 300)]);
        assert_eq!(seconds(&gaps.within(0, 300, Some(208))), 10 + 40 + 100);
        gaps.step_back(80);
        gaps.push(100, 110);
        assert_eq!(gaps.within(0, 300, None), [(0, 10), (50, 80), (100, 110)]);
        (0..1_000).for_each(|n| gaps.push(1_000 + 20 * n, 1_010 + 20 * n));
        assert_eq!(gaps.within(0, 100_000, None).len(), 100);
    }

    #[test]
    fn what_is_common_lies_in_both() {
        assert_eq!(common(&[(0, 10), (20, 30)], &[(5, 25), (28, 40)]), [(5, 10), (20, 25), (28, 30)]);
        assert!(common(&[(0, 10)], &[(10, 20)]).is_empty());
    }
}
