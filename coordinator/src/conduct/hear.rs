//! What agents say while a run goes on, and what is made of it.

use doorbuster_model::Report;
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use tokio::time::Instant;

use super::{Conductor, Noted};
use crate::clock::{self, Moment};
use crate::fold::Ended;
use crate::launch::Event;

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
        let heard = Moment::now();
        let seat = &mut self.seats[number];
        if !seat.ready() {
            return;
        }
        let region = self.prepared.plan.regions.get(seat.leg.region).map_or("", |region| &region.name);
        if let Some(handed) = seat.agent().and_then(|agent| agent.handed.at()) {
            let apart_ms = clock::apart_ms(handed, clock_unix_ns, heard);
            self.fold.agents[number].clock_offset_ms = apart_ms;
            if let Some(line) = clock::warning(region, apart_ms) {
                self.lines.push(line);
            }
        }
        let Some((course, agent)) = self.course.as_ref().zip(seat.agent()) else { return };
        // An agent that is gone has said so, or will.
        let _ = agent.to.send(ToAgent::Start { at_unix_ns: course.at_unix_ns });
        let late = course.relief_late(&seat.leg, Instant::now());
        self.fold.agents[number].relief_late = late;
        if let Some(late) = late {
            let which = seat.leg.generation.map_or(0, |part| part.number);
            let late_ms = late.as_millis();
            self.lines.push(format!("{region}: generation {which} begins {late_ms} ms late"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use doorbuster_model::Overrides;
    use jiff::Timestamp;
    use tokio::sync::mpsc;

    use super::*;
    use crate::launch::{Agent, Handed, Launchers};
    use crate::prepare::{Prepared, Source};

    fn prepared() -> Prepared {
        let text = "name: x\ntarget: http://127.0.0.1:1\nregions: [tokyo]\njourneys: [browse]\n\
                    load: { arrivals: [{ hold: 10/s, for: 1s }] }\n";
        let source = Source {
            name: "plan.yaml".to_owned(),
            folder: PathBuf::new(),
            text: text.to_owned(),
            files: BTreeMap::new(),
        };
        Prepared::new(source, Overrides::default()).unwrap()
    }

    /// How far apart the clock of an agent is found whose clock is so many seconds ahead, and what is said of it.
    async fn found(is_elsewhere: bool, ahead_s: i64) -> (f64, Vec<String>) {
        let prepared = prepared();
        let launchers = Launchers::open(&prepared, "r").await.unwrap();
        let mut listener = |_: Noted| {};
        let mut conductor = Conductor::new(&prepared, &launchers, "r", &mut listener).unwrap();
        let (to, _hears) = mpsc::unbounded_channel();
        let handed = Handed::default();
        if is_elsewhere {
            handed.note();
        }
        conductor.seats[0].launched(Agent { to, handed }, None);
        let clock_unix_ns = u64::try_from(Timestamp::now().as_nanosecond()).unwrap();
        let clock_unix_ns = clock_unix_ns.saturating_add_signed(ahead_s * 1_000_000_000);
        let started =
            Report::Started { clock_unix_ns, version: "1".to_owned(), workers: 1, descriptors_max: 9 };
        conductor.take(0, Event::Said(FromAgent::Report(started)));
        assert!(conductor.seats[0].is_there());
        (conductor.fold.agents[0].clock_offset_ms, conductor.lines.take())
    }

    #[tokio::test]
    async fn the_clock_of_an_agent_elsewhere_is_held_against_this_machines() {
        assert_eq!(found(true, 0).await, (0.0, Vec::new()));
        let (behind_ms, said) = found(true, -60).await;
        // The time that this test takes is what may be the way's.
        assert!((-60_000.0..-30_000.0).contains(&behind_ms), "{behind_ms}");
        assert!(said[0].contains("over 1 s behind this machine's"), "{said:?}");
        let (ahead_ms, said) = found(true, 60).await;
        assert!((30_000.0..=60_000.0).contains(&ahead_ms), "{ahead_ms}");
        assert!(said[0].contains("over 1 s ahead of this machine's"), "{said:?}");
    }

    #[tokio::test]
    async fn an_agent_on_this_machine_has_this_machines_clock() {
        assert_eq!(found(false, -60).await, (0.0, Vec::new()));
    }
}
