//! How shoppers of a closed model come into a later part of a run: one after the other, as those of the part before it end
//! their last iteration and leave. Together they are as many as the plan says then, not twice as many.

use std::sync::Arc;
use std::time::Duration;

use doorbuster_journeys::Journey;
use doorbuster_model::generation::DRAIN_MAX;
use doorbuster_model::plan::Model;
use doorbuster_model::preflight::{ANSWER_S_ASSUMED, PAGE_S_ASSUMED};
use doorbuster_model::{Generation, Plan};

use super::{Job, nanoseconds};

impl Job {
    /// Closed model: how many shoppers of the whole run are to be in the agent's part of it at `now_ns`, those whose numbers
    /// are below.
    pub fn shoppers_at(&self, now_ns: u64) -> u64 {
        let wanted = self.plan.load.pace.shoppers_at(now_ns);
        entered(wanted, now_ns.saturating_sub(self.begins_ns()), self.entry_ns)
    }

    /// Closed model: when that may next differ: `step_ns` later while shoppers come in and on a ramp.
    pub fn shoppers_change_ns(&self, now_ns: u64, step_ns: u64) -> u64 {
        let change_ns = self.plan.load.pace.shoppers_change_ns(now_ns, step_ns);
        let is_entering = now_ns < self.begins_ns().saturating_add(self.entry_ns);
        if is_entering { change_ns.min(now_ns.saturating_add(step_ns)) } else { change_ns }
    }
}

/// How long it takes until all shoppers of a part of a run have come in: as long as an iteration does on average, which is
/// how long those of the part before take to leave, one after the other. Longer than they may take nobody waits. Nobody is
/// there before the first part.
pub(super) fn entry_ns(plan: &Plan, journeys: &[Arc<Journey>], part: Option<Generation>) -> u64 {
    let has_earlier = part.is_some_and(|part| part.number > 0);
    if !has_earlier || plan.load.model != Model::Closed {
        return 0;
    }
    let iteration = Duration::try_from_secs_f64(iteration_s(plan, journeys)).unwrap_or(DRAIN_MAX);
    nanoseconds(iteration.min(DRAIN_MAX))
}

/// How long an iteration takes on average, in seconds. How fast the target answers is not known here, and assumed as the
/// pre-flight does.
fn iteration_s(plan: &Plan, journeys: &[Arc<Journey>]) -> f64 {
    let (mut sum_s, mut weights) = (0.0, 0.0);
    for (used, journey) in plan.journeys.iter().zip(journeys) {
        let habit = journey.habit();
        let answers_s = habit.requests * ANSWER_S_ASSUMED + habit.pages * PAGE_S_ASSUMED;
        let stay_s = habit.think.as_secs_f64() + answers_s;
        let weight = f64::from(used.weight);
        sum_s += weight * stay_s.max(journey.pacing().as_secs_f64());
        weights += weight;
    }
    if weights > 0.0 { sum_s / weights } else { 0.0 }
}

/// How many of the `wanted` shoppers have come in after `since_ns`, where it takes `entry_ns` until all have: evenly, by
/// their numbers, the first one at once.
fn entered(wanted: u64, since_ns: u64, entry_ns: u64) -> u64 {
    if since_ns >= entry_ns {
        return wanted;
    }
    let before = u128::from(wanted) * u128::from(since_ns) / u128::from(entry_ns);
    u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1).min(wanted)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use doorbuster_model::Task;

    use super::super::part::tests::job_of;
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    /// The job of such a part of a run of 600 s, from 100 s on, with journeys of which each has this head and these steps.
    fn job(load: &str, number: u32, journeys: &[(&str, &str)]) -> Job {
        let names: Vec<String> = (0..journeys.len()).map(|index| format!("j{index}.yaml")).collect();
        let text = |(index, (head, steps)): (usize, &(&str, &str))| {
            format!("journey: j{index}\n{head}steps:\n{steps}")
        };
        let texts = journeys.iter().enumerate().map(text);
        let plan = format!(
            "name: t\ntarget: \"http://127.0.0.1:1\"\nregions: [london]\njourneys: [{}]\nload: {load}\n",
            names.join(", ")
        );
        let files: BTreeMap<String, String> = names.iter().cloned().zip(texts).collect();
        let part = Generation { number, from_ns: 100 * SECOND_NS, to_ns: 200 * SECOND_NS, is_last: false };
        job_of(&plan, files, Task::Load, Some(part))
    }

    const HOLD: &str = "{ shoppers: [{ hold: 1000, for: 600s }] }";
    const THINK: &str = "  - { step: a, get: / }\n  - { think: 15s..24s }\n  - { step: b, get: /b }\n";

    #[test]
    fn a_later_part_fills_as_the_one_before_it_empties() {
        // 19.5 s of thinking, and two answers.
        let job = job(HOLD, 1, &[("", THINK)]);
        assert_eq!(job.entry_ns, 20 * SECOND_NS);
        let at = |after_ms: u64| job.shoppers_at(100 * SECOND_NS + after_ms * 1_000_000);
        assert_eq!([at(0), at(19), at(20), at(10_000), at(19_999)], [1, 1, 2, 501, 1_000]);
        assert_eq!([at(20_000), at(90_000)], [1_000, 1_000]);
        let change = |after_s: u64| job.shoppers_change_ns((100 + after_s) * SECOND_NS, 5) - 100 * SECOND_NS;
        assert_eq!([change(0), change(19), change(20)], [5, 19 * SECOND_NS + 5, 500 * SECOND_NS]);
    }

    #[test]
    fn nobody_waits_in_the_first_part_nor_in_an_open_model() {
        let first = job(HOLD, 0, &[("", THINK)]);
        assert_eq!((first.entry_ns, first.shoppers_at(100 * SECOND_NS)), (0, 1_000));
        assert_eq!(job("{ arrivals: [{ hold: 5/s, for: 600s }] }", 1, &[("", THINK)]).entry_ns, 0);
    }

    #[test]
    fn iterations_are_as_long_as_their_pacing_and_nobody_waits_longer_than_the_others_may_stay() {
        let one = "  - { step: a, get: / }\n";
        assert_eq!(job(HOLD, 2, &[("pacing: 8s\n", one)]).entry_ns, 8 * SECOND_NS);
        let mixed = job(HOLD, 2, &[("pacing: 8s\n", one), ("pacing: 2s\n", one)]);
        assert_eq!(mixed.entry_ns, 5 * SECOND_NS);
        assert_eq!(job(HOLD, 2, &[("pacing: 10m\n", one)]).entry_ns, 90 * SECOND_NS);
    }

    #[test]
    fn each_comes_at_its_own_time() {
        for wanted in [0, 1, 7, 10_000_000] {
            let entered = |since_ns: u64| entered(wanted, since_ns, 7_000);
            let all: Vec<u64> = (0..=7_000).map(entered).collect();
            assert!(all.is_sorted() && all[0] <= 1 && all[7_000] == wanted, "{wanted}");
            let most = all.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(most <= Some(wanted.div_ceil(7_000)), "{wanted}: {most:?}");
        }
    }
}
