//! Who probes when: the walks of all regions and journeys, spread over the interval.

use crate::Chance;
use crate::chance::Purpose;

/// When whose walk is due. Intervals are multiples of their length since 1970, so that who begins anew keeps to the same
/// times; within each, every region walks every journey once.
///
/// All walks of an interval are equally far apart. So are, as nearly as that leaves room for, those of one region, and the
/// walks of one journey from all regions: a fault is seen soon by somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rota {
    every_ns: u64,
    regions: u64,
    journeys: u64,
    /// How much later everything is, so that plans of different seeds do not all begin at the full minute.
    shift_ns: u64,
}

impl Rota {
    /// The rota of a plan with so many regions and journeys, none of which count as one.
    pub fn new(every_ms: u64, regions: usize, journeys: usize, seed: u64) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX).max(1);
        let every_ns = every_ms.max(1).saturating_mul(1_000_000);
        let shift_ns = Chance::new(seed, Purpose::Probe, 0).below(every_ns);
        Self { every_ns, regions: count(regions), journeys: count(journeys), shift_ns }
    }

    /// How long an interval is, in nanoseconds.
    pub fn every_ns(&self) -> u64 {
        self.every_ns
    }

    /// How many walks an interval has.
    fn walks(&self) -> u64 {
        self.regions.saturating_mul(self.journeys)
    }

    /// The place of a walk among those of its interval.
    ///
    /// A step to the next journey is `regions` places, one to the next region `journeys`: each alone goes evenly around.
    /// Both together come to the same place as often as their greatest common divisor says, unless every further block of
    /// regions is one place ahead.
    fn place(&self, region: usize, journey: usize) -> u64 {
        let region = u64::try_from(region).unwrap_or(0) % self.regions;
        let journey = u64::try_from(journey).unwrap_or(0) % self.journeys;
        let block = region / (self.regions / gcd(self.regions, self.journeys));
        (region * self.journeys + journey * self.regions + block) % self.walks()
    }

    /// How long after the beginning of each interval a region walks a journey (by their positions), in nanoseconds.
    pub fn offset_ns(&self, region: usize, journey: usize) -> u64 {
        let walks = u128::from(self.walks());
        let spread = u128::from(self.place(region, journey)) * u128::from(self.every_ns) / walks;
        let offset = (spread + u128::from(self.shift_ns)) % u128::from(self.every_ns);
        // It is below the interval, which fits.
        u64::try_from(offset).unwrap_or(0)
    }

    /// When the walk of an interval is due: nanoseconds since 1970.
    pub fn due_unix_ns(&self, region: usize, journey: usize, interval: u64) -> u64 {
        interval.saturating_mul(self.every_ns).saturating_add(self.offset_ns(region, journey))
    }

    /// The first interval whose walk is due at `unix_ns` or later.
    pub fn interval_from(&self, region: usize, journey: usize, unix_ns: u64) -> u64 {
        unix_ns.saturating_sub(self.offset_ns(region, journey)).div_ceil(self.every_ns)
    }

    /// The number of a walk: no two of a rota share one, and who begins anew gives none twice.
    pub fn number(&self, region: usize, journey: usize, interval: u64) -> u64 {
        interval.saturating_mul(self.walks()).saturating_add(self.place(region, journey))
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Rota;

    /// The offsets of these walks within the interval, rising.
    fn offsets(rota: &Rota, walks: impl IntoIterator<Item = (usize, usize)>) -> Vec<u64> {
        let mut offsets: Vec<u64> =
            walks.into_iter().map(|(region, journey)| rota.offset_ns(region, journey)).collect();
        offsets.sort_unstable();
        offsets
    }

    /// The shortest and the longest time between two of them, around the interval.
    fn gaps(rota: &Rota, offsets: &[u64]) -> (u64, u64) {
        let around = offsets[0] + rota.every_ns();
        let next = offsets[1..].iter().chain([&around]);
        let gaps: Vec<u64> = offsets.iter().zip(next).map(|(one, next)| next - one).collect();
        (*gaps.iter().min().unwrap(), *gaps.iter().max().unwrap())
    }

    #[test]
    fn three_regions_and_two_journeys_share_twenty_seconds() {
        let rota = Rota::new(20_000, 3, 2, 1);
        let all = offsets(&rota, (0..3).flat_map(|region| [(region, 0), (region, 1)]));
        let (shortest, longest) = gaps(&rota, &all);
        assert!(longest - shortest <= 1 && shortest == 3_333_333_333, "{all:?}");
        for journey in 0..2 {
            let (shortest, longest) = gaps(&rota, &offsets(&rota, (0..3).map(|region| (region, journey))));
            assert!(longest - shortest <= 2, "regions walk a journey in turn: {shortest} {longest}");
        }
        for region in 0..3 {
            let (shortest, longest) = gaps(&rota, &offsets(&rota, [(region, 0), (region, 1)]));
            assert!(longest - shortest <= 2, "a region walks its journeys in turn: {shortest} {longest}");
        }
    }

    #[test]
    fn who_begins_anew_keeps_to_the_same_times() {
        let rota = Rota::new(20_000, 3, 2, 7);
        let now = 1_795_000_000_123_456_789;
        let first = rota.interval_from(1, 1, now);
        let due = rota.due_unix_ns(1, 1, first);
        assert!(due >= now && due - now < rota.every_ns());
        for later in [now + 1, due - 1, due] {
            assert_eq!(rota.interval_from(1, 1, later), first, "{later}");
        }
        assert_eq!(rota.interval_from(1, 1, due + 1), first + 1);
        assert_eq!(rota.due_unix_ns(1, 1, first + 1) - due, rota.every_ns());
        assert_ne!(rota.offset_ns(1, 1), Rota::new(20_000, 3, 2, 8).offset_ns(1, 1), "another seed");
        assert_eq!(Rota::new(1_000, 0, 0, 7).number(0, 0, 5), 5);
    }

    proptest! {
        #[test]
        fn walks_are_evenly_apart_and_none_shares_a_place(
            regions in 1_usize..9,
            journeys in 1_usize..9,
            every_ms in 1_000_u64..100_000,
            seed in any::<u64>(),
        ) {
            let rota = Rota::new(every_ms, regions, journeys, seed);
            let walks: Vec<(usize, usize)> =
                (0..regions).flat_map(|region| (0..journeys).map(move |journey| (region, journey))).collect();
            let mut numbers: Vec<u64> =
                (3..5).flat_map(|interval| walks.iter().map(move |(r, j)| rota.number(*r, *j, interval))).collect();
            numbers.sort_unstable();
            let first = 3 * walks.len() as u64;
            prop_assert_eq!(&numbers, &(first..first + 2 * walks.len() as u64).collect::<Vec<_>>());
            let (shortest, longest) = gaps(&rota, &offsets(&rota, walks.iter().copied()));
            prop_assert!(longest - shortest <= 1, "{} {}", shortest, longest);
            // Within one region, journeys go exactly around; regions of a journey by a few places.
            let every_ns = rota.every_ns();
            for region in 0..regions {
                let (_, longest) = gaps(&rota, &offsets(&rota, (0..journeys).map(|journey| (region, journey))));
                prop_assert!(longest <= every_ns / journeys as u64 + 2, "region {}: {}", region, longest);
            }
            let place_ns = every_ns / walks.len() as u64 + 1;
            for journey in 0..journeys {
                let (_, longest) = gaps(&rota, &offsets(&rota, (0..regions).map(|region| (region, journey))));
                let most = every_ns / regions as u64 + regions.min(journeys) as u64 * place_ns;
                prop_assert!(longest <= most, "journey {}: {} {}", journey, longest, most);
            }
        }
    }
}
