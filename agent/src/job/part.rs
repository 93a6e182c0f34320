//! The part of a run that is this agent's: from when to when it sends, and when it is over.

use std::time::Duration;

use doorbuster_model::Generation;
use doorbuster_model::generation::DRAIN_MAX;

use super::{Job, nanoseconds};

/// An exchange that waited so long, and at least as long as the plan's grace, when the grace is over, was not cut
/// off too early: it is a timeout.
const PATIENCE_MIN: Duration = Duration::from_secs(1);

impl Job {
    /// Whether the agent has a part of the run in time; otherwise it has all of it.
    pub(crate) fn is_a_part(&self) -> bool {
        self.generation.is_some()
    }

    /// The first second that is reported.
    pub(crate) fn first_second(&self) -> u32 {
        self.generation.map_or(0, |generation| generation.first_second())
    }

    /// The number of the part of the run that is this agent's.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.map_or(0, |generation| generation.number)
    }

    /// From when on anything is sent, in nanoseconds from second 0.
    pub fn begins_ns(&self) -> u64 {
        self.generation.map_or(0, |generation| generation.from_ns)
    }

    /// From when on nothing is started any more.
    pub fn ends_ns(&self) -> u64 {
        // A probe has no end of its own.
        let over_ns = if self.probe.is_some() { u64::MAX } else { self.plan.load.pace.length_ns() };
        self.generation.map_or(over_ns, |generation| generation.to_ns.min(over_ns))
    }

    /// When journeys that are still under way are cut.
    pub fn cut_ns(&self) -> u64 {
        let (length_ns, graceful_ns) = (self.plan.load.pace.length_ns(), nanoseconds(self.plan.graceful));
        match self.generation {
            None => length_ns.saturating_add(graceful_ns),
            // Nobody takes over, and a probe has no grace of its own: whoever handed it over stops it.
            Some(last) if self.probe.is_some() && last.is_last => u64::MAX,
            Some(part) if self.probe.is_some() => part.cut_ns(u64::MAX, graceful_ns),
            Some(part) => part.cut_ns(length_ns, graceful_ns),
        }
    }

    /// How many agents of this place may send at once: those who are relieved drain while the next ones send.
    pub(super) fn at_once(&self) -> u32 {
        let is_alone = |part: &Generation| part.is_last && (part.number == 0 || self.probe.is_some());
        let Some(part) = self.generation.filter(|part| !is_alone(part)) else { return 1 };
        let length_ns = part.to_ns.saturating_sub(part.from_ns).max(1);
        u32::try_from(nanoseconds(DRAIN_MAX).div_ceil(length_ns)).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How long an exchange must have waited to be a timeout, not merely cut, when everybody is sent away because the
    /// plan's grace is over, or the time in which a part of a run drains.
    pub fn patience(&self) -> Duration {
        let drains = self.generation.is_some_and(|generation| !generation.is_last);
        let grace = if drains { self.plan.graceful.min(DRAIN_MAX) } else { self.plan.graceful };
        grace.max(PATIENCE_MIN)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use doorbuster_model::assignment::Secrets;
    use doorbuster_model::{Assignment, Overrides, Segment, Task};

    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    /// A job of 200 s with a grace of 300 s, of which this is the agent's part, in seconds.
    fn job(task: Task, part: Option<(u64, u64, bool)>) -> Job {
        let plan = "name: t\ntarget: \"http://127.0.0.1:1\"\nregions: [london]\njourneys: [browse]\nload: { arrivals: [{ hold: 1/s, for: 200s }] }\ngraceful: 5m\n";
        let generation = part.map(|(from_s, to_s, is_last)| Generation {
            number: 3,
            from_ns: from_s * SECOND_NS,
            to_ns: to_s * SECOND_NS,
            is_last,
        });
        job_of(plan, BTreeMap::new(), task, generation)
    }

    /// A job by this plan and these files, of which this is the agent's part.
    pub(crate) fn job_of(
        plan: &str,
        files: BTreeMap<String, String>,
        task: Task,
        generation: Option<Generation>,
    ) -> Job {
        let assignment = Assignment {
            id: "one".to_owned(),
            run: "friday-7".to_owned(),
            region: "london".to_owned(),
            segment: Segment::whole(),
            agents_here: 0,
            plan: plan.to_owned(),
            overrides: Overrides::default(),
            files: Arc::new(files),
            secrets: Secrets::default(),
            today: 20_780,
            task,
            generation,
            not_after_unix_ms: 0,
        };
        Job::read(&assignment).unwrap()
    }

    /// In seconds: when it begins, starts nothing any more, and is over; and the first second that it tells.
    fn times(job: &Job) -> (u64, u64, u64, u32) {
        let [begins, ends, cut] = [job.begins_ns(), job.ends_ns(), job.cut_ns()].map(|ns| ns / SECOND_NS);
        (begins, ends, cut, job.first_second())
    }

    #[test]
    fn a_load_has_the_times_of_its_part() {
        assert_eq!(times(&job(Task::Load, None)), (0, 200, 500, 0));
        let middle = job(Task::Load, Some((80, 160, false)));
        assert_eq!((times(&middle), middle.generation()), ((80, 160, 250, 80), 3));
        assert_eq!(middle.patience(), DRAIN_MAX, "longer than it drains nobody waits");
        let last = job(Task::Load, Some((160, 200, true)));
        assert_eq!((times(&last), last.patience()), ((160, 200, 500, 160), Duration::from_secs(300)));
        assert_eq!(times(&job(Task::Load, Some((160, 900, true)))).1, 200, "a load ends when it ends");
    }

    #[test]
    fn whoever_drains_sends_beside_those_who_follow() {
        let at_once = |task: Task, part| job(task, part).at_once();
        assert_eq!(at_once(Task::Load, None), 1);
        assert_eq!(at_once(Task::Load, Some((0, 200, true))), 2, "its number is 3: others were before it");
        assert_eq!(at_once(Task::Load, Some((80, 170, false))), 2);
        assert_eq!(at_once(Task::Load, Some((80, 169, false))), 3);
        assert_eq!(at_once(Task::Load, Some((80, 85, false))), 19);
        assert_eq!(at_once(Task::Probe { every_ms: 20_000 }, Some((0, 60, true))), 1);
    }

    #[test]
    fn a_probe_ends_with_its_part_alone() {
        let task = Task::Probe { every_ms: 20_000 };
        assert_eq!(job(task.clone(), None).ends_ns(), u64::MAX);
        // A probe goes on for longer than any load may.
        let far = 400 * 86_400;
        let middle = job(task.clone(), Some((far, far + 60, false)));
        assert_eq!(times(&middle), (far, far + 60, far + 150, 400 * 86_400));
        let last = job(task, Some((far, far + 60, true)));
        assert_eq!((last.ends_ns(), last.cut_ns()), ((far + 60) * SECOND_NS, u64::MAX));
    }

    #[test]
    fn what_one_shopper_does_has_no_parts() {
        let traced = job(Task::Trace { walks: 2 }, Some((80, 160, false)));
        assert_eq!((times(&traced), traced.is_a_part()), ((0, 200, 500, 0), false));
    }
}
