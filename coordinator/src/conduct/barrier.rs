//! The start barrier: a run begins once everybody is ready who begins with it, and the plan says what happens where somebody
//! is not. Nothing starts silently without them.

use doorbuster_model::plan::fleet::WhenMissing;
use tokio::time::{Instant, interval, sleep_until};

use super::seats::Seat;
use super::{Conductor, LEASE_EVERY};
use crate::progress::Progress;

/// Why a run did not begin that was to begin with everybody or not at all.
const NOT_BEGUN: &str = "the run was not begun, as `when_missing: abort` says";

impl Conductor<'_> {
    /// Waits until everybody who begins with the run is ready or lost. False when it is not to begin: somebody stopped it, it
    /// is not to go on without whoever is missing, or nobody is there.
    pub(super) async fn gather(&mut self, progress: &mut Progress) -> bool {
        let mut renew = interval(LEASE_EVERY);
        while self.seats.iter().any(Seat::is_awaited) {
            let late = self.seats.iter().filter_map(Seat::ready_by).min();
            tokio::select! {
                event = self.events.recv() => if let Some((number, event)) = event { self.take(number, event) },
                _ = renew.tick() => self.renew(),
                () = self.signals.asked() => self.interrupted = true,
                () = sleep_until(late.unwrap_or_else(Instant::now)), if late.is_some() => self.find_missing(),
            }
            self.say(progress);
            if self.interrupted || self.given_up.is_some() {
                return false;
            }
        }
        self.say(progress);
        self.given_up.is_none() && self.seats.iter().any(Seat::is_there)
    }

    /// Somebody is not ready in time: what the plan says happens.
    fn find_missing(&mut self) {
        let now = Instant::now();
        let is_late = |seat: &Seat| seat.ready_by().is_some_and(|by| by <= now);
        let late: Vec<usize> = (0..self.seats.len()).filter(|number| is_late(&self.seats[*number])).collect();
        match self.prepared.plan.fleet.when_missing {
            WhenMissing::Wait => {
                late.iter().for_each(|number| self.seats[*number].wait());
                let line = self.awaited();
                self.lines.push(line);
                return;
            }
            WhenMissing::Abort => {
                self.given_up.get_or_insert(NOT_BEGUN);
            }
            WhenMissing::Declare => {}
        }
        late.into_iter().for_each(|number| self.miss(number));
    }

    /// Who is waited for, by region.
    fn awaited(&self) -> String {
        let regions = self.prepared.plan.regions.iter().enumerate();
        let count = |position: usize| {
            let is_here = |seat: &&Seat| seat.is_awaited() && seat.leg.region == position;
            self.seats.iter().filter(is_here).count()
        };
        let missing: Vec<String> = regions
            .map(|(position, region)| (count(position), region))
            .filter(|(count, _)| *count > 0)
            .map(|(count, region)| format!("{count} of {} in {}", region.agents, region.name))
            .collect();
        format!("waiting for agents: {}", missing.join(", "))
    }
}
