//! An agent's exact share of arrival and shopper indices.

/// The positions of a repeating cycle that belong to one agent (or one worker of it).
///
/// Index `n` belongs to the segment when `n mod cycle` is one of its slots. Segments made together by
/// [`split_weighted`] or [`Segment::split`] never overlap, and together they are everything: so the union of all
/// agents' shares is exactly the plan, at every instant, by arithmetic alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    cycle: u64,
    slots: Vec<u64>,
}

impl Segment {
    /// Everything.
    pub fn whole() -> Self {
        Self { cycle: 1, slots: vec![0] }
    }

    /// A segment from its parts, as they come over the wire.
    /// `None` unless the slots rise, are below `cycle`, and `cycle` is between 1 and 2^32.
    pub fn try_new(cycle: u64, slots: Vec<u64>) -> Option<Self> {
        let rising = slots.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = slots.last().is_none_or(|last| *last < cycle);
        (rising && inside && (1..=1 << 32).contains(&cycle)).then_some(Self { cycle, slots })
    }

    /// Length of the repeating cycle.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// The positions of the cycle that belong to this segment, rising.
    pub fn slots(&self) -> &[u64] {
        &self.slots
    }

    /// Whether global index `n` belongs to this segment.
    pub fn contains(&self, n: u64) -> bool {
        self.slots.binary_search(&(n % self.cycle)).is_ok()
    }

    /// The global index of this segment's `ordinal`th member (from 0), `None` when the segment is empty or the
    /// index does not fit.
    pub fn nth(&self, ordinal: u64) -> Option<u64> {
        let count = self.slots.len() as u64;
        let (round, position) = (ordinal.checked_div(count)?, ordinal % count);
        let slot = self.slots[usize::try_from(position).ok()?];
        round.checked_mul(self.cycle)?.checked_add(slot)
    }

    /// How many of the indices `0..total` belong to this segment.
    pub fn count_below(&self, total: u64) -> u64 {
        let within = total % self.cycle;
        let partial = self.slots.partition_point(|slot| *slot < within) as u64;
        (total / self.cycle) * self.slots.len() as u64 + partial
    }

    /// This segment dealt out to `parts` workers in turn. `parts` of 0 counts as 1.
    pub fn split(&self, parts: u32) -> Vec<Self> {
        let parts = u64::from(parts.max(1));
        let cycle = self.cycle * parts;
        let mut dealt = vec![Vec::new(); usize::try_from(parts).unwrap_or(1)];
        let members =
            (0..parts).flat_map(|round| self.slots.iter().map(move |slot| round * self.cycle + slot));
        let hands = dealt.len();
        for (ordinal, slot) in members.enumerate() {
            dealt[ordinal % hands].push(slot);
        }
        dealt.into_iter().map(|slots| Self { cycle, slots }).collect()
    }
}

/// Deals a cycle out by weight, spread as evenly as can be (smooth weighted round robin, as nginx's upstream
/// module does it): weights 2, 1, 1 give the cycle `0 1 2 0`. A weight of 0 gives an empty segment; when all are
/// 0, all count as 1. The cycle's length is the sum of the weights after division by their greatest common divisor.
pub fn split_weighted(weights: &[u32]) -> Vec<Segment> {
    let divisor = weights.iter().fold(0, |a, b| gcd(a, *b)).max(1);
    let mut weights: Vec<i64> = weights.iter().map(|weight| i64::from(weight / divisor)).collect();
    if weights.iter().all(|weight| *weight == 0) {
        weights.fill(1);
    }
    let total: i64 = weights.iter().sum();
    let cycle = u64::try_from(total).unwrap_or(1).max(1);
    let mut credit = vec![0_i64; weights.len()];
    let mut slots = vec![Vec::new(); weights.len()];
    for slot in 0..cycle {
        for (credit, weight) in credit.iter_mut().zip(&weights) {
            *credit += weight;
        }
        let richest = (0..credit.len()).max_by_key(|agent| (credit[*agent], std::cmp::Reverse(*agent)));
        if let Some(agent) = richest {
            credit[agent] -= total;
            slots[agent].push(slot);
        }
    }
    slots.into_iter().map(|slots| Segment { cycle, slots }).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Segment, split_weighted};

    #[test]
    fn shares_are_spread_evenly() {
        let segments = split_weighted(&[2, 1, 1]);
        assert_eq!(segments[0].slots(), [0, 3]);
        assert_eq!(split_weighted(&[50, 50])[0].cycle(), 2);
        assert_eq!(split_weighted(&[0, 0])[1].slots(), [1]);
    }

    #[test]
    fn parts_from_the_wire_are_checked() {
        assert!(Segment::try_new(4, vec![0, 3]).is_some());
        assert!(Segment::try_new(4, vec![3, 0]).is_none());
        assert!(Segment::try_new(4, vec![4]).is_none());
        assert!(Segment::try_new(0, vec![]).is_none());
    }

    proptest! {
        #[test]
        fn the_union_of_all_shares_is_everything_once(
            weights in prop::collection::vec(0_u32..40, 1..9),
            workers in 1_u32..5,
            total in 0_u64..3_000,
        ) {
            let shares: Vec<Segment> =
                split_weighted(&weights).iter().flat_map(|segment| segment.split(workers)).collect();
            for n in 0..total {
                prop_assert_eq!(shares.iter().filter(|share| share.contains(n)).count(), 1, "index {}", n);
            }
            let counted: u64 = shares.iter().map(|share| share.count_below(total)).sum();
            prop_assert_eq!(counted, total);
            for share in &shares {
                let members: Vec<u64> = (0..share.count_below(total)).map(|k| share.nth(k).unwrap()).collect();
                let expected: Vec<u64> = (0..total).filter(|n| share.contains(*n)).collect();
                prop_assert_eq!(members, expected);
            }
        }
    }
}
