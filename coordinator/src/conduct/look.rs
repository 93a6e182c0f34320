//! What is done once a second: seconds that are complete, ticks that are missing, the abort rule.

use std::time::Duration;

use doorbuster_model::threshold::Judgement;
use tokio::time::Instant;

use super::{Conductor, Noted};
use crate::fold::Ended;
use crate::progress::Progress;

/// A tick that has not come so long after its second is missing.
const TICK_WITHIN: Duration = Duration::from_secs(5);

impl Conductor<'_> {
    /// Completes seconds, shows them, notes missing ticks, and whether the abort rule is met.
    pub(super) fn look(&mut self, progress: &mut Progress) {
        let Some(start) = self.course.as_ref().map(|course| course.start) else { return };
        self.note_missing(start);
        let judged = self.fold.complete(false);
        self.hand_over();
        progress.second(start.elapsed(), &self.fold);
        self.judge(&judged);
    }

    /// Hands the seconds that are complete to whoever listens.
    pub(super) fn hand_over(&mut self) {
        for (second, tallies) in self.fold.take_seconds() {
            for (region, tally) in tallies.into_iter().enumerate() {
                (self.listener)(Noted::Second { region, second, tally: Box::new(tally) });
            }
        }
    }

    /// Ticks that should have come by now. Of whoever tells everything at the end, none should; seconds wait for it until
    /// then, as they do for everybody.
    fn note_missing(&mut self, start: Instant) {
        let due =
            Instant::now().checked_duration_since(start + TICK_WITHIN).map_or(0, |since| since.as_secs());
        let launchers = self.launchers;
        let at_work = self.fold.agents.iter_mut().filter(|agent| agent.ended == Ended::Not);
        for agent in at_work.filter(|agent| !launchers.reports_whole(agent.region)) {
            agent.ticks_missing = agent.ticks_missing.max(due.saturating_sub(u64::from(agent.next_second)));
        }
    }

    fn judge(&mut self, judged: &[Judgement]) {
        let Some(rule) = self.prepared.abort.as_ref().filter(|_| self.aborted.is_none() && !self.interrupted)
        else {
            return;
        };
        if let Some(judgement) = judged.iter().find(|judgement| judgement.ok) {
            let observed = judgement.observed.unwrap_or(0.0);
            self.aborted =
                Some(format!("abort_when \"{}\" was met: {observed:.3} {}", rule.threshold, judgement.unit));
        }
    }
}
