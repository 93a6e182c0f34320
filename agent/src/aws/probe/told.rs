//! What an agent has told of its round: walks that ended, and those that began and never did.

use std::collections::BTreeMap;

use doorbuster_model::Tick;
use doorbuster_model::report::Probed;
use doorbuster_model::tally::Journeys;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The walks that ended.
    pub walks: Vec<Probed>,
    /// How many began and ended, by the journey's position in the plan.
    journeys: BTreeMap<u16, Journeys>,
}

impl Told {
    /// Takes what was counted in a second.
    pub(super) fn count(&mut self, tick: &Tick) {
        for (journey, counts) in &tick.tally.journeys {
            self.journeys.entry(*journey).or_default().merge(counts);
        }
    }

    /// The journeys through which a walk began that is still under way, or was cut. A round has one walk of each.
    pub(super) fn unended(&self) -> Vec<u16> {
        let is_open = |(journey, counts): &(&u16, &Journeys)| {
            let ended = counts.completed + counts.failed + counts.abandoned;
            // A walk may be told before the second is over in which it ended.
            counts.started > ended && self.walks.iter().all(|walk| walk.journey != **journey)
        };
        self.journeys.iter().filter(is_open).map(|(journey, _)| *journey).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(journey: u16, counts: Journeys) -> Tick {
        let mut tick = Tick::default();
        tick.tally.journeys.insert(journey, counts);
        tick
    }

    #[test]
    fn who_began_and_did_not_end_is_known_by_the_seconds() {
        let begun = Journeys { started: 1, ..Journeys::default() };
        let mut told = Told::default();
        for journey in 0..6 {
            told.count(&tick(journey, begun));
        }
        assert_eq!(told.unended(), [0, 1, 2, 3, 4, 5]);
        told.count(&tick(0, Journeys { completed: 1, ..Journeys::default() }));
        told.count(&tick(1, Journeys { failed: 1, ..Journeys::default() }));
        told.count(&tick(2, Journeys { abandoned: 1, ..Journeys::default() }));
        told.count(&tick(3, Journeys { cut: 1, ..Journeys::default() }));
        told.walks.push(Probed { journey: 4, began_ns: 0, is_good: true, steps: Vec::new() });
        assert_eq!(told.unended(), [3, 5], "who was cut, and who is still under way");
    }
}
