//! How many shoppers a load brings at once, and what they send.

use super::Walk;
use crate::Pace;
use crate::pace::clamp_to_integer;
use crate::plan::{Load, Model};

/// How long an answer is assumed to take, in seconds.
pub const ANSWER_S_ASSUMED: f64 = 0.25;
/// How long a page's assets are assumed to take, in seconds.
pub const PAGE_S_ASSUMED: f64 = 1.0;
/// How many assets a page is assumed to have. Source: HTTP Archive's Web Almanac 2024, "Page Weight": the median desktop page
/// has 71 requests and 2,652 KB.
pub const PAGE_ASSETS_ASSUMED: f64 = 70.0;
/// How large an answer is assumed to be, in bytes. Source: as for [`PAGE_ASSETS_ASSUMED`], one by the other.
pub const ANSWER_BYTES_ASSUMED: f64 = 38_000.0;

/// At how many evenly spaced moments shoppers are counted, besides those where something changes.
const MOMENTS: u64 = 200;

/// What a load comes to as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Crowd {
    /// How many journeys are started; of the closed model, where that depends on the target, `None`.
    pub arrivals: Option<u64>,
    /// How long a shopper thinks on a walk, on average, in seconds.
    pub think_s: f64,
    /// How long answers are assumed to take on a walk, on average, in seconds.
    pub answers_s: f64,
    /// The most shoppers at once.
    pub shoppers_max: u64,
    /// The most walks that begin in a second.
    pub walks_per_s_max: f64,
    /// Requests of a walk, assets included, on average.
    pub requests_per_walk: f64,
    /// All requests.
    pub requests: f64,
    /// The most requests in a second.
    pub requests_per_s_max: f64,
    /// The highest level of the pace, in thousandths, that all this goes with.
    peak_milli: u64,
}

impl Crowd {
    /// What `load` comes to with these journeys.
    ///
    /// Open model: as many shoppers are there as arrived within the time that one stays (Little's law, L = λW, with the
    /// arrivals of the busiest such time instead of a mean rate). Closed model: as many as the plan says, and each begins its
    /// next walk when the last one ended, or when its pacing is over.
    pub fn of(load: &Load, walks: &[Walk]) -> Self {
        let mean = Mean::of(walks);
        let stay_s = mean.think_s + mean.answers_s;
        let pace = &load.pace;
        let peak_milli = pace.peak_milli();
        let peak = peak_milli as f64 / 1e3;
        let (arrivals, shoppers_max, walks_per_s_max, began) = match load.model {
            Model::Open(_) => {
                let arrivals = pace.arrivals();
                (Some(arrivals), present_max(pace, stay_s), peak, arrivals as f64)
            }
            Model::Closed => {
                let cycle_s = stay_s.max(mean.pacing_s).max(ANSWER_S_ASSUMED);
                // The pace's "arrivals" are seconds of shoppers then.
                (None, peak_milli / 1_000, peak / cycle_s, pace.arrivals() as f64 / cycle_s)
            }
        };
        Self {
            arrivals,
            think_s: mean.think_s,
            answers_s: mean.answers_s,
            shoppers_max,
            walks_per_s_max,
            requests_per_walk: mean.requests,
            requests: began * mean.requests,
            requests_per_s_max: walks_per_s_max * mean.requests,
            peak_milli,
        }
    }

    /// How long a shopper stays for a walk, in seconds.
    pub fn stay_s(&self) -> f64 {
        self.think_s + self.answers_s
    }

    /// Which part of its stay a shopper waits for answers: 0 to 1.
    pub fn answering(&self) -> f64 {
        if self.stay_s() > 0.0 { self.answers_s / self.stay_s() } else { 1.0 }
    }

    /// The most bits of answers in a second.
    pub fn bits_per_s_max(&self) -> f64 {
        self.requests_per_s_max * ANSWER_BYTES_ASSUMED * 8.0
    }

    /// For how long in all, in seconds, answers have more bits in a second than this. `pace` is the load's.
    pub fn seconds_over(&self, pace: &Pace, bits_per_s: f64) -> f64 {
        let level_milli = self.peak_milli as f64 * bits_per_s / self.bits_per_s_max().max(1.0);
        let over = |phase: &crate::Phase| {
            let (from, to) = phase.ends();
            let (low, high) = (from.min(to) as f64, from.max(to) as f64);
            let share = if low > level_milli {
                1.0
            } else if high <= level_milli {
                0.0
            } else {
                (high - level_milli) / (high - low)
            };
            share * phase.length_ns as f64 / 1e9
        };
        pace.phases().iter().map(over).sum()
    }
}

/// A walk through the journeys of a plan, on average.
struct Mean {
    think_s: f64,
    answers_s: f64,
    pacing_s: f64,
    requests: f64,
}

impl Mean {
    fn of(walks: &[Walk]) -> Self {
        let total: f64 = walks.iter().map(|walk| f64::from(walk.weight)).sum();
        let mean = |of: fn(&Walk) -> f64| {
            walks.iter().map(|walk| of(walk) * f64::from(walk.weight)).sum::<f64>() / total.max(1.0)
        };
        Self {
            think_s: mean(|walk| walk.think_s),
            answers_s: mean(|walk| walk.requests * ANSWER_S_ASSUMED + walk.pages * PAGE_S_ASSUMED),
            pacing_s: mean(|walk| walk.pacing_s),
            requests: mean(|walk| walk.requests + walk.pages * PAGE_ASSETS_ASSUMED),
        }
    }
}

/// The most arrivals within `stay_s`.
fn present_max(pace: &Pace, stay_s: f64) -> u64 {
    let stay_ns = clamp_to_integer(stay_s * 1e9, u64::MAX);
    let length_ns = pace.length_ns();
    let mut end_ns = 0;
    let ends: Vec<u64> = (pace.phases().iter())
        .map(|phase| {
            end_ns += phase.length_ns;
            end_ns
        })
        .collect();
    let changes = ends.into_iter().flat_map(|end_ns| [end_ns, end_ns.saturating_add(stay_ns)]);
    let moments = changes.chain((0..=MOMENTS).map(|moment| length_ns / MOMENTS * moment));
    let present =
        |at_ns: u64| pace.arrivals_before(at_ns) - pace.arrivals_before(at_ns.saturating_sub(stay_ns));
    moments.map(present).max().unwrap_or(0).max(1)
}
