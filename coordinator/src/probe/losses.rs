//! What could not be taken as it came: events out of time, steps beyond what a walk is kept of. Said when it happens, and
//! again once it has become twice as much.

use std::collections::BTreeMap;

use doorbuster_model::Tick;
use doorbuster_model::slo::Oddities;

/// Something that happened so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Its word for programs.
    pub kind: &'static str,
    /// What it means; how often comes before.
    told: &'static str,
    /// How often.
    pub times: u64,
}

/// What is known of losses.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Steps of walks, and walks, that agents had no room for.
    steps_not_kept: u64,
    probes_not_kept: u64,
    /// How much of each kind was said last.
    said: BTreeMap<&'static str, u64>,
}

impl Losses {
    /// Takes a second of an agent.
    pub(crate) fn second(&mut self, tick: &Tick) {
        let count = |name: &str| tick.tally.counters.get(name).copied().unwrap_or(0);
        self.steps_not_kept += count("probe_steps_not_kept");
        self.probes_not_kept += count("probes_not_kept");
    }

    /// Everything that was lost, with what the ledger knows of.
    pub(crate) fn all(&self, oddities: &Oddities) -> Vec<Loss> {
        let loss = |(kind, told, times)| Loss { kind, told, times };
        [
            ("in_future", "events from the future were not counted; is a clock wrong?", oddities.in_future),
            ("too_old", "events from before everything that is kept were not counted", oddities.too_old),
            ("unknown", "events of what the plan does not have were not counted", oddities.unknown),
            ("not_kept", "events came before the time was known, and were too many", oddities.not_kept),
            ("not_followed", "failures counted without being confirmed", oddities.not_followed),
            ("skipped_seconds", "seconds were not evaluated, because nobody did", oddities.skipped_s),
            ("clock_steps_back", "times the clock went back", oddities.clock_steps_back),
            ("not_read", "parts of what was saved could not be read", oddities.not_read),
            ("steps_not_kept", "steps of walks were left out: the walks are too long", self.steps_not_kept),
            ("probes_not_kept", "walks were left out: too many ended in a second", self.probes_not_kept),
        ]
        .map(loss)
        .to_vec()
    }

    /// What of it is to be said now.
    pub(crate) fn say(&mut self, oddities: &Oddities) -> Vec<String> {
        let mut lines = Vec::new();
        for loss in self.all(oddities) {
            let said = self.said.get(loss.kind).copied().unwrap_or(0);
            if loss.times > 0 && loss.times >= said.saturating_mul(2) {
                self.said.insert(loss.kind, loss.times);
                lines.push(format!("so far, {} {}", loss.times, loss.told));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_said_when_they_begin_and_when_they_have_doubled() {
        let mut losses = Losses::default();
        assert!(losses.say(&Oddities::default()).is_empty());
        let mut said = |too_old| losses.say(&Oddities { too_old, ..Oddities::default() });
        assert_eq!(said(3), ["so far, 3 events from before everything that is kept were not counted"]);
        assert!(said(3).is_empty() && said(5).is_empty());
        assert_eq!(said(6).len(), 1);
        let mut tick = Tick::default();
        tick.tally.count("probe_steps_not_kept", 2);
        losses.second(&tick);
        losses.second(&tick);
        let lines = losses.say(&Oddities::default());
        assert_eq!(lines, ["so far, 4 steps of walks were left out: the walks are too long"]);
        let all = losses.all(&Oddities::default());
        let times = all.iter().find(|loss| loss.kind == "steps_not_kept").map(|loss| loss.times);
        assert_eq!(times, Some(4));
    }
}
