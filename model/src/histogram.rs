//! A sparse histogram with HdrHistogram's layout.

/// The largest value that is told apart: one hour in microseconds. Larger ones are clamped and counted.
pub const VALUE_MAX_US: u64 = 3_600_000_000;
/// Bits of a sub-bucket: 2,048 steps give three significant digits.
const SUB_BUCKET_BITS: u32 = 11;
const SUB_BUCKETS_HALF: u64 = 1 << (SUB_BUCKET_BITS - 1);

/// Counts of durations in whole microseconds, 1 µs to 1 h, to three significant digits.
///
/// The buckets are those of HdrHistogram (lowest 1, highest 3,600,000,000, 3 digits), held sparsely: one second of
/// one step fills some dozen of the 23,221 buckets, and a merge touches only those. Exact count, sum, minimum and
/// maximum are kept beside them. [`Histogram::merge`] is associative and commutative.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    buckets: Vec<(u16, u64)>,
    total: u64,
    sum_us: u128,
    max_us: u64,
    clamped: u64,
    /// How far the last bucket's index lay above its place: where buckets stand without a gap, as those of most
    /// values do, the next one's does too, and nothing must be searched.
    shift: u16,
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        let counts =
            |histogram: &Self| (histogram.total, histogram.sum_us, histogram.max_us, histogram.clamped);
        counts(self) == counts(other) && self.buckets == other.buckets
    }
}

impl Eq for Histogram {}

/// The bucket of a value in microseconds (0 to [`VALUE_MAX_US`]).
fn index_of(value_us: u64) -> u16 {
    let magnitude = u64::BITS - (value_us | ((1 << SUB_BUCKET_BITS) - 1)).leading_zeros() - SUB_BUCKET_BITS;
    let sub_bucket = value_us >> magnitude;
    let index = (u64::from(magnitude) + 1) * SUB_BUCKETS_HALF + sub_bucket - SUB_BUCKETS_HALF;
    // Proof that it fits: VALUE_MAX_US is below 2^32, so magnitude ≤ 21 and index < 23 × 1,024.
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// The highest value of a bucket, and so of every value that is counted in it.
fn highest_of(index: u16) -> u64 {
    let (magnitude, sub_bucket) = parts_of(index);
    ((sub_bucket + 1) << magnitude) - 1
}

/// The lowest value of a bucket.
fn lowest_of(index: u16) -> u64 {
    let (magnitude, sub_bucket) = parts_of(index);
    sub_bucket << magnitude
}

fn parts_of(index: u16) -> (u64, u64) {
    let index = u64::from(index);
    if index < 2 * SUB_BUCKETS_HALF {
        return (0, index);
    }
    (index / SUB_BUCKETS_HALF - 1, index % SUB_BUCKETS_HALF + SUB_BUCKETS_HALF)
}

impl Histogram {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one value in microseconds. Values over [`VALUE_MAX_US`] count as that, and in [`Self::clamped`].
    pub fn record_us(&mut self, value_us: u64) {
        if value_us > VALUE_MAX_US {
            self.clamped += 1;
        }
        let value_us = value_us.min(VALUE_MAX_US);
        self.add(index_of(value_us), 1);
        self.total += 1;
        self.sum_us += u128::from(value_us);
        self.max_us = self.max_us.max(value_us);
    }

    fn add(&mut self, index: u16, count: u64) {
        if let Some(bucket) = self.buckets.get_mut(usize::from(index.wrapping_sub(self.shift)))
            && bucket.0 == index
        {
            bucket.1 += count;
            return;
        }
        let position = match self.buckets.binary_search_by_key(&index, |bucket| bucket.0) {
            Ok(position) => {
                self.buckets[position].1 += count;
                position
            }
            Err(position) => {
                self.buckets.insert(position, (index, count));
                position
            }
        };
        self.shift = index.wrapping_sub(u16::try_from(position).unwrap_or(u16::MAX));
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        if other.total == 0 {
            return;
        }
        if self.total == 0 {
            self.clone_from(other);
            return;
        }
        self.add_all(&other.buckets);
        self.total += other.total;
        self.sum_us += other.sum_us;
        self.max_us = self.max_us.max(other.max_us);
        self.clamped += other.clamped;
    }

    /// Adds rising buckets, from the last to the first, so that every one moves at most once and in place.
    fn add_all(&mut self, theirs: &[(u16, u64)]) {
        let mut known = self.buckets.iter().peekable();
        let is_new = |bucket: &&(u16, u64)| {
            while known.next_if(|mine| mine.0 < bucket.0).is_some() {}
            known.peek().is_none_or(|mine| mine.0 != bucket.0)
        };
        let new = theirs.iter().filter(is_new).count();
        let mut mine = self.buckets.len();
        self.buckets.resize(mine + new, (0, 0));
        let mut place = self.buckets.len();
        for (index, count) in theirs.iter().rev() {
            while mine > 0 && self.buckets[mine - 1].0 > *index {
                (mine, place) = (mine - 1, place - 1);
                self.buckets[place] = self.buckets[mine];
            }
            place -= 1;
            if mine > 0 && self.buckets[mine - 1].0 == *index {
                mine -= 1;
                self.buckets[place] = (*index, self.buckets[mine].1 + count);
            } else {
                self.buckets[place] = (*index, *count);
            }
        }
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many values lay over [`VALUE_MAX_US`].
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// The exact sum of the counted values, in microseconds.
    pub fn sum_us(&self) -> u128 {
        self.sum_us
    }

    /// The exact maximum in microseconds; `None` when nothing was counted.
    pub fn max_us(&self) -> Option<u64> {
        (self.total > 0).then_some(self.max_us)
    }

    /// The exact mean in microseconds; `None` when nothing was counted.
    pub fn mean_us(&self) -> Option<f64> {
        (self.total > 0).then(|| self.sum_us as f64 / self.total as f64)
    }

    /// How many counted values are above `value_us`, to the resolution of the buckets.
    pub fn count_above_us(&self, value_us: u64) -> u64 {
        let index = index_of(value_us.min(VALUE_MAX_US));
        let first = self.buckets.partition_point(|bucket| bucket.0 <= index);
        self.buckets[first..].iter().map(|bucket| bucket.1).sum()
    }

    /// The value in microseconds that the share `quantile_per_million` of all values is equal to or below, as
    /// HdrHistogram defines it (the highest value of the bucket), never above the exact maximum.
    ///
    /// `None` when fewer than 10 values lie beyond it, because such a figure is noise: p50 needs 20 values, p99
    /// 1,000, p99.99 100,000.
    pub fn quantile_us(&self, quantile_per_million: u32) -> Option<u64> {
        let quantile = u128::from(quantile_per_million.min(1_000_000));
        let beyond = u128::from(self.total) * (1_000_000 - quantile);
        if beyond < 10 * 1_000_000 {
            return None;
        }
        let rank = (u128::from(self.total) * quantile).div_ceil(1_000_000).max(1);
        let mut counted: u128 = 0;
        for (index, count) in &self.buckets {
            counted += u128::from(*count);
            if counted >= rank {
                return Some(highest_of(*index).min(self.max_us));
            }
        }
        self.max_us()
    }

    /// The buckets that are not empty, as (index, count), rising.
    pub fn buckets(&self) -> &[(u16, u64)] {
        &self.buckets
    }

    /// (lowest value of the bucket in microseconds, count), rising: what other histogram formats are made from.
    pub fn values_us(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.buckets.iter().map(|(index, count)| (lowest_of(*index), *count))
    }

    /// (lowest and highest value of the bucket in microseconds, count), rising: for formats that want a value within the
    /// precision with which it was counted.
    pub fn spans_us(&self) -> impl Iterator<Item = ((u64, u64), u64)> + '_ {
        self.buckets.iter().map(|(index, count)| ((lowest_of(*index), highest_of(*index)), *count))
    }

    /// A histogram from its parts, as they come over the wire: rising bucket indices with counts above 0, and a sum, a
    /// maximum and what was clamped of no more than those counted. `None` when they are not such.
    pub fn try_from_parts(buckets: Vec<(u16, u64)>, sum_us: u128, max_us: u64, clamped: u64) -> Option<Self> {
        let (mut total, mut above) = (0_u64, 0);
        for (index, count) in &buckets {
            if *index < above || *count == 0 {
                return None;
            }
            above = index.checked_add(1)?;
            total = total.checked_add(*count)?;
        }
        let is_counted = clamped <= total && (total > 0 || (sum_us == 0 && max_us == 0));
        (is_counted && above <= index_of(VALUE_MAX_US) + 1 && max_us <= VALUE_MAX_US).then_some(Self {
            buckets,
            total,
            sum_us,
            max_us,
            clamped,
            shift: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Histogram, VALUE_MAX_US};

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|value| histogram.record_us(*value));
        histogram
    }

    #[test]
    fn a_percentile_without_ten_values_beyond_it_is_none() {
        let histogram = of(&vec![5; 999]);
        assert_eq!(histogram.quantile_us(990_000), None);
        let histogram = of(&vec![5; 1_000]);
        assert_eq!(histogram.quantile_us(990_000), Some(5));
        assert_eq!(histogram.quantile_us(999_900), None);
        assert_eq!(of(&[1; 19]).quantile_us(500_000), None);
        assert_eq!(of(&[1; 20]).quantile_us(500_000), Some(1));
    }

    #[test]
    fn values_beyond_an_hour_are_clamped_and_counted() {
        let histogram = of(&[1, VALUE_MAX_US + 1, u64::MAX]);
        assert_eq!((histogram.clamped(), histogram.max_us(), histogram.total()), (2, Some(VALUE_MAX_US), 3));
    }

    #[test]
    fn a_bucket_spans_the_values_that_are_counted_in_it() {
        let spans: Vec<((u64, u64), u64)> = of(&[7, 2_047, 2_048, 2_049, 1_000_000]).spans_us().collect();
        let expected = [((7, 7), 1), ((2_047, 2_047), 1), ((2_048, 2_049), 2), ((999_936, 1_000_447), 1)];
        assert_eq!(spans, expected);
    }

    #[test]
    fn parts_that_cannot_be_are_refused() {
        assert!(Histogram::try_from_parts(vec![(5, 1), (5, 1)], 10, 5, 0).is_none());
        assert!(Histogram::try_from_parts(vec![(60_000, 1)], 10, 5, 0).is_none());
        assert!(Histogram::try_from_parts(vec![(5, 0)], 10, 5, 0).is_none());
        // Of nothing there is no sum, no maximum and nothing to clamp, and of one no two.
        assert_eq!(Histogram::try_from_parts(Vec::new(), 0, 0, 0), Some(Histogram::new()));
        for (buckets, sum_us, max_us, clamped) in
            [(vec![], 10, 0, 0), (vec![], 0, 5, 0), (vec![], 0, 0, 1), (vec![(5, 1)], 5, 5, 2)]
        {
            assert!(Histogram::try_from_parts(buckets, sum_us, max_us, clamped).is_none());
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_library(values in prop::collection::vec(0_u64..=VALUE_MAX_US, 1..400)) {
            let ours = of(&values);
            let mut theirs = hdrhistogram::Histogram::<u64>::new_with_bounds(1, VALUE_MAX_US, 3).unwrap();
            for value in &values { theirs.record(*value).unwrap(); }
            for quantile in [0, 100_000, 500_000, 900_000, 990_000, 999_000] {
                if let Some(value) = ours.quantile_us(quantile) {
                    let expected = theirs.value_at_quantile(f64::from(quantile) / 1e6).min(ours.max_us().unwrap());
                    let expected = if quantile == 0 { value } else { expected };
                    prop_assert_eq!(value, expected, "quantile {}", quantile);
                }
            }
            let recorded: Vec<(u64, u64)> =
                theirs.iter_recorded().map(|value| (theirs.lowest_equivalent(value.value_iterated_to()), value.count_at_value())).collect();
            prop_assert_eq!(ours.values_us().collect::<Vec<_>>(), recorded);
        }

        #[test]
        fn merging_is_associative_and_commutative(
            a in prop::collection::vec(0_u64..VALUE_MAX_US * 2, 0..60),
            b in prop::collection::vec(0_u64..5_000, 0..60),
            c in prop::collection::vec(0_u64..VALUE_MAX_US, 0..60),
        ) {
            let (a, b, c) = (of(&a), of(&b), of(&c));
            let mut left = a.clone(); left.merge(&b); left.merge(&c);
            let mut right = c.clone(); right.merge(&b);
            let mut swapped = right.clone(); swapped.merge(&a);
            prop_assert_eq!(&left, &swapped);
            let mut nested = b.clone(); nested.merge(&c);
            let mut outer = a.clone(); outer.merge(&nested);
            prop_assert_eq!(left, outer);
        }
    }
}
