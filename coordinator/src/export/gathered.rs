//! What agents counted, added up since this process began. Its size depends on the plan and never on time.

use std::collections::BTreeMap;

use doorbuster_model::tally::{Journeys, Part};
use doorbuster_model::{ErrorClass, Health, Histogram, Tally, Tick};

/// The most steps, each in each region, that are told apart. What is beyond counts under the journey and step `other`.
pub(crate) const STEPS_MAX: usize = 500;
/// The most bounds of a latency histogram.
const BOUNDS_MAX: usize = 32;
/// Bounds that serve any shop, in microseconds: 5 ms to 60 s.
const BOUNDS_US: [u64; 13] = [
    5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
    30_000_000, 60_000_000,
];
/// Bounds of the schedule lag: a generator that is well stays below the first few.
const LAG_BOUNDS_US: [u64; 9] = [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000];

/// The upper bounds of a classic histogram's buckets, rising, in microseconds. They stay what they are: counters whose
/// buckets move cannot be compared with what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds(Vec<u64>);

impl Bounds {
    /// Bounds for latencies; among them the limits that objectives name, so that their share can be read off exactly.
    pub(crate) fn of_latency(limits_ns: impl IntoIterator<Item = u64>) -> Self {
        let mut limits: Vec<u64> = limits_ns.into_iter().map(|limit_ns| limit_ns / 1_000).collect();
        limits.retain(|limit_us| !BOUNDS_US.contains(limit_us));
        limits.sort_unstable();
        limits.dedup();
        limits.truncate(BOUNDS_MAX - BOUNDS_US.len());
        limits.extend(BOUNDS_US);
        limits.sort_unstable();
        Self(limits)
    }

    fn of_lag() -> Self {
        Self(LAG_BOUNDS_US.to_vec())
    }

    /// The bounds, rising.
    pub(crate) fn iter_us(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

/// Durations as a classic histogram holds them: how many are at or below each bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// How many are at or below each bound; empty while nothing was counted.
    at_most: Vec<u64>,
    /// All of them.
    pub total: u64,
    /// Their sum in microseconds.
    pub sum_us: u128,
}

impl Buckets {
    /// Adds durations. A bound is met to the histogram's own resolution, three significant digits.
    fn add(&mut self, histogram: &Histogram, bounds: &Bounds) {
        if histogram.total() == 0 {
            return;
        }
        self.at_most.resize(bounds.0.len(), 0);
        for (at_most, bound_us) in self.at_most.iter_mut().zip(&bounds.0) {
            *at_most += histogram.total() - histogram.count_above_us(*bound_us);
        }
        self.total += histogram.total();
        self.sum_us += histogram.sum_us();
    }

    /// How many are at or below the bound of this position.
    pub(crate) fn at_most(&self, bound: usize) -> u64 {
        self.at_most.get(bound).copied().unwrap_or(0)
    }
}

/// Which step in which region, by their positions; `None` stands for those that are not told apart.
pub(crate) type StepKey = (usize, Option<(u16, u16)>);

/// A step's exchanges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StepFigures {
    /// Exchanges attempted, assets and redirects included.
    pub requests: u64,
    /// Failed ones among them, by class.
    pub errors: [u64; ErrorClass::ALL.len()],
    /// The step's own requests: complete good answers, and timeouts at the time waited.
    pub latency: Buckets,
}

/// A region's arrivals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegionFigures {
    /// Started.
    pub started: u64,
    /// Started late.
    pub late: u64,
    /// How late.
    pub lag: Buckets,
}

/// Everything that agents counted, and how they fare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// The bounds of latencies.
    pub bounds: Bounds,
    /// The bounds of the schedule lag.
    pub lag_bounds: Bounds,
    /// By step.
    pub steps: BTreeMap<StepKey, StepFigures>,
    /// By region and journey.
    pub journeys: BTreeMap<(usize, u16), Journeys>,
    /// By region.
    pub regions: BTreeMap<usize, RegionFigures>,
    /// The last health of each agent, with its region.
    pub agents: BTreeMap<usize, (usize, Health)>,
}

impl Gathered {
    /// Nothing yet. `limits_ns` are the limits of objectives about latency.
    pub(crate) fn new(limits_ns: impl IntoIterator<Item = u64>) -> Self {
        Self {
            bounds: Bounds::of_latency(limits_ns),
            lag_bounds: Bounds::of_lag(),
            steps: BTreeMap::new(),
            journeys: BTreeMap::new(),
            regions: BTreeMap::new(),
            agents: BTreeMap::new(),
        }
    }

    /// Takes a second of an agent in a region, both by their positions.
    pub(crate) fn tick(&mut self, region: usize, agent: usize, tick: &Tick) {
        self.agents.insert(agent, (region, tick.health));
        self.count(region, &tick.tally);
    }

    /// Forgets how an agent fares that is gone. What it counted stays.
    pub(crate) fn gone(&mut self, agent: usize) {
        self.agents.remove(&agent);
    }

    fn count(&mut self, region: usize, tally: &Tally) {
        for (key, exchanges) in &tally.exchanges {
            let known = (region, Some((key.journey, key.step)));
            let has_room = self.steps.len() < STEPS_MAX || self.steps.contains_key(&known);
            let figures = self.steps.entry(if has_room { known } else { (region, None) }).or_default();
            figures.requests += exchanges.requests;
            for (mine, theirs) in figures.errors.iter_mut().zip(exchanges.errors) {
                *mine += theirs;
            }
            if key.part == Part::Main {
                figures.latency.add(&exchanges.latency, &self.bounds);
            }
        }
        for (journey, journeys) in &tally.journeys {
            self.journeys.entry((region, *journey)).or_default().merge(journeys);
        }
        let figures = self.regions.entry(region).or_default();
        figures.started += tally.arrivals.started;
        figures.late += tally.arrivals.late;
        figures.lag.add(&tally.arrivals.lag, &self.lag_bounds);
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::sample::Times;
    use doorbuster_model::{Key, Sample};

    use super::*;

    fn key(journey: u16, step: u16, part: Part) -> Key {
        Key { journey, step, part, section: 0 }
    }

    fn sample(key: Key, latency_us: u64, error: Option<ErrorClass>) -> Sample {
        let ended_ns = latency_us * 1_000;
        let times = Times { sent_ns: Some(0), first_byte_ns: Some(0), ended_ns, ..Times::default() };
        Sample { error, status: Some(200), ..Sample::new(key, times) }
    }

    #[test]
    fn bounds_hold_the_limits_of_objectives_once() {
        let bounds = Bounds::of_latency([200_000_000, 250_000_000, 200_000_000]);
        assert_eq!(bounds.0.len(), BOUNDS_US.len() + 1);
        assert!(bounds.0.is_sorted() && bounds.0.contains(&200_000));
        let many = Bounds::of_latency((1..100).map(|limit| limit * 1_000_000));
        assert_eq!(many.0.len(), BOUNDS_MAX);
        assert!(BOUNDS_US.iter().all(|bound| many.0.contains(bound)), "the usual ones always are there");
    }

    #[test]
    fn seconds_add_up_and_latencies_are_those_of_main_requests() {
        let mut gathered = Gathered::new([200_000_000]);
        let mut tick = Tick::default();
        tick.tally.record(&sample(key(0, 0, Part::Main), 150_000, None));
        tick.tally.record(&sample(key(0, 0, Part::Main), 220_000, None));
        tick.tally.record(&sample(key(0, 0, Part::Asset), 1_000, Some(ErrorClass::Status)));
        tick.tally.record_lag(700_000, true);
        gathered.tick(1, 4, &tick);
        gathered.tick(1, 4, &tick);
        let figures = &gathered.steps[&(1, Some((0, 0)))];
        assert_eq!((figures.requests, figures.errors[ErrorClass::Status as usize]), (6, 2));
        let position = |bound_us| gathered.bounds.0.iter().position(|bound| *bound == bound_us).unwrap();
        let at_most = |bound_us| figures.latency.at_most(position(bound_us));
        assert_eq!((at_most(100_000), at_most(200_000), at_most(250_000)), (0, 2, 4));
        assert_eq!((figures.latency.total, figures.latency.sum_us), (4, 740_000));
        let region = &gathered.regions[&1];
        assert_eq!((region.started, region.lag.at_most(0), region.lag.at_most(1)), (2, 0, 2));
    }

    #[test]
    fn its_size_does_not_grow_with_time_nor_without_bound() {
        let mut gathered = Gathered::new([]);
        for step in 0..1_000 {
            let mut tick = Tick::default();
            tick.tally.record(&sample(key(0, step, Part::Main), 1_000, None));
            gathered.tick(0, 0, &tick);
            gathered.tick(0, 0, &tick);
        }
        assert_eq!(gathered.steps.len(), STEPS_MAX + 1);
        assert_eq!(gathered.steps[&(0, None)].requests, 1_000, "two of each that had no room");
        assert_eq!(gathered.steps[&(0, Some((0, 499)))].requests, 2);
        assert_eq!(gathered.agents.len(), 1);
        gathered.gone(0);
        assert!(gathered.agents.is_empty());
    }
}
