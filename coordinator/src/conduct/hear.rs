//! What agents say while a run goes on, and what is made of it.

use doorbuster_model::Report;
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Conductor, Noted};
use crate::fold::Ended;
use crate::launch::Event;

/// From which offset of a clock on whoever looks on is told, in milliseconds.
const CLOCK_OFFSET_TOLD_MS: f64 = 100.0;

impl Conductor<'_> {
    /// Takes what happened to an agent.
    pub(super) fn take(&mut self, tag: usize, event: Event) {
        let Some(number) = self.seated(tag) else { return };
        let agent = &self.fold.agents[number];
        if agent.ended != Ended::Not {
            // It was given up, or has said its last word: what still comes is not counted.
            return;
        }
        match event {
            Event::Said(FromAgent::Hello { protocol, .. }) if protocol == PROTOCOL => {}
            Event::Said(FromAgent::Hello { protocol, version }) => {
                let why = self.launchers.mismatch(agent.region, &version, protocol);
                self.lose(number, Ended::Failed(why));
            }
            Event::Said(FromAgent::Report(report)) => self.hear(number, report),
            Event::Gone(why) => self.lose(number, Ended::Lost(why)),
        }
    }

    fn hear(&mut self, number: usize, report: Report) {
        let region = self.fold.agents[number].region;
        match report {
            Report::Started { clock_unix_ns, .. } => self.begin(number, clock_unix_ns),
            Report::Tick(tick) => self.fold.tick(number, &tick),
            Report::Markers { second, markers } => {
                (self.listener)(Noted::Markers { region, second, markers });
            }
            Report::Findings { findings, not_kept, .. } => self.fold.found(number, findings, not_kept),
            Report::Exchange(exchange) => (self.listener)(Noted::Exchange(exchange)),
            Report::Proof(proof) => (self.listener)(Noted::Proof { region, proof }),
            // Whoever probes listens by himself: a run has an end.
            Report::Probed(_) => {}
            Report::Finished { ticks } => {
                self.fold.agents[number].finish(ticks);
                self.seats[number].end();
            }
            Report::Failed { message } => self.lose(number, Ended::Failed(message)),
        }
    }

    /// An agent is ready. One that comes while the run goes on is told at once when second 0 was.
    fn begin(&mut self, number: usize, clock_unix_ns: u64) {
        let seat = &mut self.seats[number];
        let Some(launched_at) = seat.ready() else { return };
        let offset_ms = clock_offset_ms(launched_at, clock_unix_ns, Timestamp::now());
        self.fold.agents[number].clock_offset_ms = offset_ms;
        if offset_ms > CLOCK_OFFSET_TOLD_MS {
            let region = self.prepared.plan.regions.get(seat.leg.region).map_or("", |region| &region.name);
            self.lines.push(format!("{region}: an agent's clock is off by {offset_ms:.0} ms at least"));
        }
        let Some((course, agent)) = self.course.as_ref().zip(seat.agent()) else { return };
        // An agent that is gone has said so, or will.
        let _ = agent.to.send(ToAgent::Start { at_unix_ns: course.at_unix_ns });
        let late = course.relief_late(&seat.leg, Instant::now());
        self.fold.agents[number].relief_late = late;
        if let Some(late) = late {
            let which = seat.leg.generation.map_or(0, |part| part.number);
            let region = self.prepared.plan.regions.get(seat.leg.region).map_or("", |region| &region.name);
            let late_ms = late.as_millis();
            self.lines.push(format!("{region}: generation {which} begins {late_ms} ms late"));
        }
    }
}

/// How far an agent's clock is from ours, beyond what the round trip explains.
fn clock_offset_ms(asked: Timestamp, clock_unix_ns: u64, answered: Timestamp) -> f64 {
    let clock = i128::from(clock_unix_ns);
    let early = (asked.as_nanosecond() - clock).max(0);
    let late = (clock - answered.as_nanosecond()).max(0);
    early.max(late) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::clock_offset_ms;
    use jiff::Timestamp;

    #[test]
    fn a_clock_within_the_round_trip_has_no_offset() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        assert_eq!(clock_offset_ms(at(1_000), 1_005_000_000, at(1_010)), 0.0);
        assert_eq!(clock_offset_ms(at(1_000), 990_000_000, at(1_010)), 10.0);
        assert_eq!(clock_offset_ms(at(1_000), 1_110_000_000, at(1_010)), 100.0);
    }
}
