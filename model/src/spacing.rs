//! How arrivals are spaced: evenly, or as people come, at random.

use crate::Pace;
use crate::chance::{Chance, Purpose};
use rand_core::Rng;

/// How arrivals are spaced in the open model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spacing {
    /// Each at its exact share of the rate.
    #[default]
    Even,
    /// Within each second at random. Given how many arrivals a second has, those of a Poisson process are
    /// independent and uniform over it, and that is how they are drawn: gaps are exponential and bursts are
    /// real, while each second's count, and so the run's total, stay exactly what the plan says.
    Poisson,
}

const SLOT_NS: u64 = 1_000_000_000;

/// When arrivals come: a pace and a spacing. Any arrival can be asked for; neighbours are cheap.
#[derive(Clone, Debug)]
pub struct Schedule {
    pace: Pace,
    spacing: Spacing,
    seed: u64,
    slot: Slot,
}

/// The arrivals of one second: index of the first, and their times, rising.
#[derive(Clone, Debug, Default)]
struct Slot {
    first: u64,
    times_ns: Vec<u64>,
}

impl Schedule {
    /// The schedule of `pace` with `spacing`; `seed` draws the random one.
    pub fn new(pace: Pace, spacing: Spacing, seed: u64) -> Self {
        Self { pace, spacing, seed, slot: Slot::default() }
    }

    /// When arrival `n` (global index, from 0) is due, in nanoseconds from the start; `None` past the last.
    /// Never falls as `n` rises, and stays inside the second that even spacing gives it.
    pub fn arrival_ns(&mut self, n: u64) -> Option<u64> {
        let even_ns = self.pace.arrival_ns(n)?;
        if self.spacing == Spacing::Even {
            return Some(even_ns);
        }
        let cached = n.checked_sub(self.slot.first).and_then(|offset| usize::try_from(offset).ok());
        if cached.is_none_or(|offset| offset >= self.slot.times_ns.len()) {
            self.slot = self.draw(even_ns / SLOT_NS * SLOT_NS);
        }
        let offset = usize::try_from(n.checked_sub(self.slot.first)?).ok()?;
        self.slot.times_ns.get(offset).copied()
    }

    /// How many arrivals of the whole run are due before `t_ns`: the index of the first that is due then or later.
    pub fn arrivals_before(&mut self, t_ns: u64) -> u64 {
        if self.spacing == Spacing::Even || t_ns >= self.pace.length_ns() {
            return self.pace.arrivals_before(t_ns);
        }
        // Random ones stay inside their second, so that those of the seconds before are all before it.
        self.slot = self.draw(t_ns / SLOT_NS * SLOT_NS);
        self.slot.first + self.slot.times_ns.partition_point(|due_ns| *due_ns < t_ns) as u64
    }

    fn draw(&self, start_ns: u64) -> Slot {
        let end_ns = (start_ns + SLOT_NS).min(self.pace.length_ns());
        let (first, last) = (self.pace.arrivals_before(start_ns), self.pace.arrivals_before(end_ns));
        let width = u128::from(end_ns - start_ns);
        let mut times_ns: Vec<u64> = (first..last)
            .map(|n| {
                let draw = u128::from(Chance::new(self.seed, Purpose::Spacing, n).next_u64());
                start_ns + u64::try_from((draw * width) >> 64).unwrap_or(0)
            })
            .collect();
        times_ns.sort_unstable();
        Slot { first, times_ns }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Schedule, Spacing};
    use crate::pace::{Kind, Pace, Phase, Shape};

    fn steady(rate_milli: u64, seconds: u64) -> Pace {
        let length_ns = seconds * 1_000_000_000;
        Pace::try_new(vec![Phase {
            name: "p".into(),
            kind: Kind::Hold,
            shape: Shape::Flat(rate_milli),
            length_ns,
        }])
        .unwrap()
    }

    #[test]
    fn poisson_arrivals_keep_the_count_rise_and_are_the_same_from_anywhere() {
        let mut forward = Schedule::new(steady(200_000, 5), Spacing::Poisson, 7);
        let times: Vec<u64> = (0..1_000).map(|n| forward.arrival_ns(n).unwrap()).collect();
        assert!(times.is_sorted());
        assert_eq!(forward.arrival_ns(1_000), None);
        let mut backward = Schedule::new(steady(200_000, 5), Spacing::Poisson, 7);
        for n in (0..1_000).rev() {
            assert_eq!(backward.arrival_ns(n), Some(times[usize::try_from(n).unwrap()]));
        }
    }

    proptest! {
        #[test]
        fn as_many_are_due_before_a_time_as_the_schedule_says_one_by_one(
            rate_milli in 1_u64..50_000,
            to_milli in 0_u64..50_000,
            length_ns in 1_u64..7_000_000_000,
            at in prop::collection::vec(0_u64..8_000_000_000, 1..8),
            seed in any::<u64>(),
        ) {
            let phase = Phase {
                name: "p".into(),
                kind: Kind::Ramp,
                shape: Shape::Line(rate_milli, to_milli),
                length_ns,
            };
            let pace = Pace::try_new(vec![phase]).unwrap();
            for spacing in [Spacing::Even, Spacing::Poisson] {
                let mut schedule = Schedule::new(pace.clone(), spacing, seed);
                let due: Vec<u64> = (0..).map_while(|n| schedule.arrival_ns(n)).collect();
                for at_ns in at.iter().copied().chain([0, 1_000_000_000, 2_000_000_000, length_ns, u64::MAX]) {
                    let before = due.iter().filter(|due_ns| **due_ns < at_ns).count() as u64;
                    prop_assert_eq!(schedule.arrivals_before(at_ns), before, "{:?} {}", spacing, at_ns);
                }
            }
        }
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let mut schedule = Schedule::new(steady(1_000_000, 20), Spacing::Poisson, 3);
        let times: Vec<u64> = (0..20_000).map(|n| schedule.arrival_ns(n).unwrap()).collect();
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let over_mean = gaps.iter().filter(|gap| **gap > mean).count() as f64 / gaps.len() as f64;
        // An exponential gap exceeds its mean with probability 1/e.
        assert!((over_mean - (-1.0_f64).exp()).abs() < 0.015, "{over_mean}");
    }
}
