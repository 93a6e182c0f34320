//! Who covers which leg of a run: launched in time, ready in time, over in time.

use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::plan::fleet::WhenMissing;
use jiff::Timestamp;
use tokio::time::Instant;

use super::Conductor;
use crate::Error;
use crate::fold::Ended;
use crate::launch::Agent;
use crate::prepare::Leg;

/// How long after the end of load and grace the last report may come.
const REPORT_WITHIN: Duration = Duration::from_secs(20);
/// Who is to relieve another and is not ready so long after its time is lost: everything that was due meanwhile would be sent
/// at once, which is a load that nobody asked for.
const RELIEF_LATE_MAX: Duration = Duration::from_secs(2);
/// From so long after its time on, a relief leaves a hole in the load that a person would see.
const RELIEF_LATE: Duration = Duration::from_millis(100);
/// An agent that is handed its assignment so long after it should have been ready refuses it. Clocks differ.
const HANDED_LATE_MAX: Duration = Duration::from_secs(60);

/// One leg, and who covers it.
#[derive(Debug)]
pub(super) struct Seat {
    /// What is to be covered.
    pub leg: Leg,
    state: State,
    /// How many of those who were launched here could not go on before the run began.
    refused: usize,
}

#[derive(Debug)]
enum State {
    /// Nobody was launched yet.
    Away,
    /// Whoever was launched could not go on, and somebody else is launched then: the run waits for it.
    Refused { again_at: Instant },
    /// Somebody is on the way, and must be ready by then, if there is such a time.
    Launched { agent: Agent, ready_by: Option<Instant> },
    /// It waits for its time, or works.
    There { agent: Agent },
    /// It has ended. Dropping an agent closes its input, which ends whatever it still does.
    Over,
}

/// What is to be done about a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Somebody is to be launched.
    Launch,
    /// Whoever was launched is not ready.
    Missing,
    /// Whoever is there has not told everything.
    Unfinished,
}

/// When a run is where, once second 0 is agreed.
#[derive(Debug)]
pub(super) struct Course {
    /// Second 0.
    pub start: Instant,
    /// The same as agents are told it.
    pub at_unix_ns: u64,
    length_ns: u64,
    graceful_ns: u64,
    /// When everybody must have ended, once the run is being stopped.
    stop_by: Option<Instant>,
}

impl Course {
    pub(super) fn new(plan: &Plan, start: Instant, at_unix_ns: u64) -> Self {
        let graceful_ns = u64::try_from(plan.graceful.as_nanos()).unwrap_or(u64::MAX);
        Self { start, at_unix_ns, length_ns: plan.load.pace.length_ns(), graceful_ns, stop_by: None }
    }

    /// The run is being stopped.
    pub(super) fn stop(&mut self, now: Instant) {
        self.stop_by.get_or_insert(now + REPORT_WITHIN);
    }

    /// Whether a leg is to relieve another, and its time has not come.
    pub(super) fn is_ahead(&self, leg: &Leg, now: Instant) -> bool {
        leg.begins_ns() > 0 && now < self.start + Duration::from_nanos(leg.begins_ns())
    }

    /// How much too late somebody comes who is ready `now` to relieve another; `None` where that is in time.
    pub(super) fn relief_late(&self, leg: &Leg, now: Instant) -> Option<Duration> {
        let late = now.saturating_duration_since(self.start + Duration::from_nanos(leg.begins_ns()));
        (leg.begins_ns() > 0 && late > RELIEF_LATE).then_some(late)
    }

    /// When somebody is launched who is to be there in time, `ahead` of it.
    fn launch_at(&self, leg: &Leg, ahead: Duration) -> Instant {
        self.start + Duration::from_nanos(leg.begins_ns()).saturating_sub(ahead)
    }

    /// When whoever covers a leg must have told everything.
    fn told_by(&self, leg: &Leg) -> Instant {
        let cut_ns = match leg.generation {
            Some(generation) => generation.cut_ns(self.length_ns, self.graceful_ns),
            None => self.length_ns.saturating_add(self.graceful_ns),
        };
        let by = self.start + Duration::from_nanos(cut_ns) + REPORT_WITHIN;
        self.stop_by.map_or(by, |stop_by| by.min(stop_by))
    }
}

impl Seat {
    /// A leg for which nobody was launched yet.
    pub(super) fn new(leg: Leg) -> Self {
        Self { leg, state: State::Away, refused: 0 }
    }

    /// Its agent, if one is there or on the way.
    pub(super) fn agent(&self) -> Option<&Agent> {
        match &self.state {
            State::Launched { agent, .. } | State::There { agent } => Some(agent),
            State::Away | State::Refused { .. } | State::Over => None,
        }
    }

    /// Whether somebody was launched who is not ready yet, or is to be launched instead.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.state, State::Launched { .. } | State::Refused { .. })
    }

    /// Whether somebody is ready, or works.
    pub(super) fn is_there(&self) -> bool {
        matches!(self.state, State::There { .. })
    }

    /// By when whoever is on the way must be ready.
    pub(super) fn ready_by(&self) -> Option<Instant> {
        match &self.state {
            State::Launched { ready_by, .. } => *ready_by,
            State::Away | State::Refused { .. } | State::There { .. } | State::Over => None,
        }
    }

    /// When somebody else is to be launched, where whoever was could not go on.
    pub(super) fn again_at(&self) -> Option<Instant> {
        match &self.state {
            State::Refused { again_at } => Some(*again_at),
            State::Away | State::Launched { .. } | State::There { .. } | State::Over => None,
        }
    }

    /// Whoever was launched cannot go on; how often that has happened so far decides when somebody else is.
    pub(super) fn refuse(&mut self, again_at: impl FnOnce(u32) -> Instant) {
        let again_at = again_at(u32::try_from(self.refused).unwrap_or(u32::MAX));
        self.refused += 1;
        self.state = State::Refused { again_at };
    }

    /// Whoever is on the way is waited for, however long it takes.
    pub(super) fn wait(&mut self) {
        if let State::Launched { ready_by, .. } = &mut self.state {
            *ready_by = None;
        }
    }

    /// Whoever was on the way is ready. False where nobody waited for it.
    pub(super) fn ready(&mut self) -> bool {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Launched { agent, .. } => {
                self.state = State::There { agent };
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    /// Nobody is there any more, and nobody comes.
    pub(super) fn end(&mut self) {
        self.state = State::Over;
    }

    /// Somebody is on the way, and must be ready by then.
    pub(super) fn launched(&mut self, agent: Agent, ready_by: Option<Instant>) {
        self.state = State::Launched { agent, ready_by };
    }

    /// What is due here next, and when.
    fn due(&self, course: &Course, ahead: Duration) -> Option<(Instant, Due)> {
        match &self.state {
            State::Away => Some((course.launch_at(&self.leg, ahead), Due::Launch)),
            State::Launched { ready_by, .. } => {
                let told_by = course.told_by(&self.leg);
                Some((ready_by.map_or(told_by, |ready_by| ready_by.min(told_by)), Due::Missing))
            }
            State::There { .. } => Some((course.told_by(&self.leg), Due::Unfinished)),
            // That is over before second 0 is agreed.
            State::Refused { .. } | State::Over => None,
        }
    }
}

impl Conductor<'_> {
    /// Launches everybody who begins with the run.
    pub(super) fn launch_first(&mut self) -> Result<(), Error> {
        for number in 0..self.seats.len() {
            if self.seats[number].leg.begins_ns() == 0 {
                self.launch(number)?;
            }
        }
        Ok(())
    }

    /// When something is due next.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let numbers = 0..self.seats.len();
        numbers.filter_map(|number| self.due(number)).map(|(at, _)| at).min()
    }

    /// Does what is due by now.
    pub(super) fn act(&mut self) {
        let now = Instant::now();
        for number in 0..self.seats.len() {
            let Some((_, due)) = self.due(number).filter(|(at, _)| *at <= now) else { continue };
            match due {
                // Whoever comes next is launched all the same, when its time comes.
                Due::Launch => {
                    if let Err(error) = self.launch(number) {
                        self.end(number, Ended::Lost(error.to_string()));
                    }
                }
                Due::Missing => self.miss(number),
                Due::Unfinished => self.end(number, Ended::Lost("it did not finish in time".to_owned())),
            }
        }
    }

    /// Whoever is on the way there is lost, because it is not ready.
    pub(super) fn miss(&mut self, number: usize) {
        let within = self.ready_within(&self.seats[number].leg);
        self.end(number, Ended::Lost(format!("it was not ready within {within:?}")));
    }

    fn due(&self, number: usize) -> Option<(Instant, Due)> {
        let (course, seat) = (self.course.as_ref()?, &self.seats[number]);
        seat.due(course, self.launchers.launch_ahead(seat.leg.region))
    }

    /// Launches somebody for a leg: under an id of its own each time, so that nobody takes it for a duplicate.
    pub(super) fn launch(&mut self, number: usize) -> Result<(), Error> {
        let Seat { leg, refused, .. } = &self.seats[number];
        let within = self.ready_within(leg);
        let mut assignment = self.prepared.assignment(self.run, leg);
        if !self.is_patient(leg) {
            let not_after = (Timestamp::now() + within + HANDED_LATE_MAX).as_millisecond();
            assignment.not_after_unix_ms = u64::try_from(not_after).unwrap_or(0);
        }
        if *refused > 0 {
            assignment.id = format!("{}.{refused}", assignment.id);
        }
        let tag = number + refused * self.seats.len();
        let agent = self.launchers.launch(tag, leg.region, assignment, self.sender.clone())?;
        self.seats[number].launched(agent, Some(Instant::now() + within));
        Ok(())
    }

    /// Whose seat it is that events are tagged with; `None` where whoever that was has no seat any more.
    pub(super) fn seated(&self, tag: usize) -> Option<usize> {
        let seats = self.seats.len();
        let (number, refused) = (tag.checked_rem(seats)?, tag.checked_div(seats)?);
        (self.seats[number].refused == refused).then_some(number)
    }

    /// How long whoever is launched for a leg may take to be ready.
    fn ready_within(&self, leg: &Leg) -> Duration {
        let by = self.prepared.plan.regions.get(leg.region).map(|region| region.launch).unwrap_or_default();
        let within = self.prepared.plan.fleet.ready_within(by);
        if leg.begins_ns() == 0 {
            return within;
        }
        within.min(self.launchers.launch_ahead(leg.region) + RELIEF_LATE_MAX)
    }

    /// Whether a leg waits for its agent as long as that takes: the first, where the plan says so.
    fn is_patient(&self, leg: &Leg) -> bool {
        leg.begins_ns() == 0 && self.prepared.plan.fleet.when_missing == WhenMissing::Wait
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::generation::generations;
    use doorbuster_model::{Generation, Segment};
    use tokio::sync::mpsc;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn leg(generation: Option<Generation>) -> Leg {
        Leg { place: 0, region: 0, segment: Segment::whole(), generation }
    }

    /// A run of 200 s with a grace of 10 s.
    fn course(start: Instant) -> Course {
        let ns = |seconds: u64| seconds * 1_000_000_000;
        Course { start, at_unix_ns: 7, length_ns: ns(200), graceful_ns: ns(10), stop_by: None }
    }

    fn legs() -> Vec<Leg> {
        generations(200_000_000_000, Some(80 * SECOND)).into_iter().map(|part| leg(Some(part))).collect()
    }

    #[test]
    fn each_leg_is_begun_ahead_of_its_time_and_over_once_it_has_drained() {
        let start = Instant::now();
        let course = course(start);
        let since = |at: Instant| at.duration_since(start).as_secs();
        let legs = legs();
        let launched: Vec<u64> = legs.iter().map(|leg| since(course.launch_at(leg, 20 * SECOND))).collect();
        assert_eq!(launched, [0, 60, 140]);
        assert_eq!(since(course.launch_at(&legs[1], 300 * SECOND)), 0, "not before the run");
        let told: Vec<u64> = legs.iter().map(|leg| since(course.told_by(leg))).collect();
        assert_eq!(told, [80 + 90 + 20, 230, 230], "the drain ends with the grace at the latest");
        assert_eq!(since(course.told_by(&leg(None))), 230);
    }

    #[test]
    fn a_stop_bounds_everything_and_needs_nobody_who_has_not_begun() {
        let start = Instant::now();
        let mut course = course(start);
        let now = start + 100 * SECOND;
        let ahead: Vec<bool> = legs().iter().map(|leg| course.is_ahead(leg, now)).collect();
        assert_eq!(ahead, [false, false, true]);
        assert!(!course.is_ahead(&leg(None), start - SECOND), "who begins with the run is told to stop");
        course.stop(now);
        course.stop(now + SECOND);
        assert!(legs().iter().all(|leg| course.told_by(leg) == now + 20 * SECOND));
    }

    #[test]
    fn who_relieves_another_is_late_where_a_hole_is_to_be_seen() {
        let start = Instant::now();
        let course = course(start);
        let millis = Duration::from_millis;
        let late = |leg: &Leg, at: Duration| course.relief_late(leg, start + at);
        let relief = &legs()[1];
        for in_time in [Duration::ZERO, 77 * SECOND, 80 * SECOND, millis(80_100)] {
            assert_eq!(late(relief, in_time), None, "{in_time:?}");
        }
        assert_eq!(late(relief, millis(80_101)), Some(millis(101)));
        assert_eq!(late(relief, millis(81_500)), Some(millis(1_500)));
        assert_eq!(late(&legs()[0], SECOND), None, "who begins with the run is waited for");
        assert_eq!(late(&leg(None), SECOND), None);
    }

    #[test]
    fn each_state_has_its_patience() {
        let start = Instant::now();
        let course = course(start);
        let mut seat = Seat::new(legs().remove(1));
        assert_eq!(seat.due(&course, 3 * SECOND), Some((start + 77 * SECOND, Due::Launch)));
        assert!(!seat.ready() && seat.agent().is_none(), "nobody is there");
        let (to, _hears) = mpsc::unbounded_channel();
        seat.launched(Agent::here(to), Some(start + 87 * SECOND));
        assert_eq!(seat.due(&course, SECOND), Some((start + 87 * SECOND, Due::Missing)));
        assert!(seat.is_awaited() && seat.agent().is_some());
        seat.wait();
        assert_eq!((seat.ready_by(), seat.is_awaited()), (None, true));
        assert!(seat.ready());
        assert!(seat.is_there() && !seat.ready());
        assert_eq!(seat.due(&course, SECOND), Some((start + 230 * SECOND, Due::Unfinished)));
        seat.end();
        assert_eq!((seat.due(&course, SECOND), seat.agent().is_none()), (None, true));
    }

    #[test]
    fn who_is_refused_is_followed_by_somebody_else() {
        let now = Instant::now();
        let mut seat = Seat::new(leg(None));
        let (to, _hears) = mpsc::unbounded_channel();
        seat.launched(Agent::here(to), Some(now + SECOND));
        seat.refuse(|refused| now + SECOND * (refused + 1));
        assert_eq!((seat.again_at(), seat.ready_by(), seat.refused), (Some(now + SECOND), None, 1));
        assert!(seat.is_awaited() && seat.agent().is_none() && !seat.is_there());
        seat.refuse(|refused| now + SECOND * (refused + 1));
        assert_eq!((seat.again_at(), seat.refused), (Some(now + 2 * SECOND), 2));
    }
}
