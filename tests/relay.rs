//! A relay of generations: together they send exactly what one agent would, each in its own part of the run.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorbuster_model::assignment::Secrets;
use doorbuster_model::generation::{Generation, generations};
use doorbuster_model::plan::Model;
use doorbuster_model::spacing::Schedule;
use doorbuster_model::tally::Journeys;
use doorbuster_model::{Assignment, Overrides, Plan, Report, Segment, Tally, Task};
use doorbuster_wire::{FromAgent, ToAgent};

use crate::util::agent::{Agent, unix_ns};
use crate::util::{patiently, read_head_text, server, turn};

const SECOND_NS: u64 = 1_000_000_000;
const AHEAD_NS: u64 = 400_000_000;
/// Each shopper asks for a page of his own.
const ONE: &str = "journey: one\nsteps: [{ step: own, get: \"/n/${shopper.number}\" }]\n";

/// A server that notes which shopper asked, and when: nanoseconds since 1970.
struct Noting {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl Noting {
    fn start() -> Self {
        let asked = Arc::<Mutex<Vec<(u64, u64)>>>::default();
        let notes = Arc::clone(&asked);
        let address = server(move |mut stream| {
            while let Some(head) = read_head_text(&mut stream) {
                let number = head.strip_prefix("GET /n/").and_then(|rest| rest.split(' ').next());
                notes.lock().unwrap().push((number.unwrap().parse().unwrap(), unix_ns()));
                if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                    return;
                }
            }
        });
        Self { address, asked }
    }

    /// Who asked, by number.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.asked.lock().unwrap().iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// How long after the first shopper the last one came, in nanoseconds.
    fn entry_ns(&self) -> u64 {
        let mut came = BTreeMap::new();
        for (number, at) in self.asked.lock().unwrap().iter() {
            came.entry(*number).or_insert(*at);
        }
        came.values().max().unwrap() - came.values().min().unwrap()
    }

    /// When somebody asked first.
    fn first_unix_ns(&self) -> Option<u64> {
        self.asked.lock().unwrap().iter().map(|(_, at)| *at).min()
    }
}

fn plan(server: &Noting, load: &str) -> String {
    format!(
        "name: relay\ntarget: \"http://{}\"\nregions: [tokyo]\njourneys: [one.yaml]\n{load}\n",
        server.address
    )
}

fn assignment(server: &Noting, load: &str, journey: &str, generation: Option<Generation>) -> Assignment {
    Assignment {
        id: "a-1".to_owned(),
        run: "r-1".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole(),
        agents_here: 5,
        plan: plan(server, load),
        overrides: Overrides::default(),
        files: BTreeMap::from([("one.yaml".to_owned(), journey.to_owned())]).into(),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Load,
        generation,
        not_after_unix_ms: 0,
    }
}

/// What an agent said, and how it ended.
#[derive(Default)]
struct Carried {
    seconds: Vec<u32>,
    tally: Tally,
    /// How many ticks it says that it sent.
    finished: Option<u32>,
    /// Why it failed; empty where it did not.
    failed: String,
    code: Option<i32>,
}

impl Carried {
    fn journeys(&self) -> Journeys {
        self.tally.journeys.get(&0).copied().unwrap_or_default()
    }
}

/// Has an agent carry out each assignment. Second 0 is `back_ns` before the time at which all are ready, and a bit.
fn carry(assignments: Vec<Assignment>, back_ns: u64) -> (u64, Vec<Carried>) {
    let mut agents: Vec<(Agent, Carried)> =
        assignments.into_iter().map(|assignment| (Agent::start(assignment), Carried::default())).collect();
    for (agent, carried) in &mut agents {
        loop {
            match agent.next(Duration::from_secs(10)) {
                Ok(FromAgent::Report(Report::Started { .. })) | Err(_) => break,
                Ok(FromAgent::Report(Report::Failed { message })) => carried.failed = message,
                Ok(_) => {}
            }
        }
    }
    let at_unix_ns = unix_ns() + AHEAD_NS - back_ns;
    for (agent, _) in &mut agents {
        agent.tell(&ToAgent::Start { at_unix_ns });
    }
    let heard = agents.into_iter().map(|(agent, carried)| hear(agent, carried));
    (at_unix_ns, heard.collect())
}

/// Hears an agent to its end.
fn hear(agent: Agent, mut carried: Carried) -> Carried {
    while let Ok(message) = agent.next(Duration::from_secs(20)) {
        match message {
            FromAgent::Report(Report::Tick(tick)) => {
                carried.seconds.push(tick.second);
                carried.tally.merge(&tick.tally);
            }
            FromAgent::Report(Report::Finished { ticks }) => carried.finished = Some(ticks),
            FromAgent::Report(Report::Failed { message }) => carried.failed = message,
            _ => {}
        }
    }
    carried.code = agent.end();
    carried
}

/// The arrivals of a plan that are due from here to there.
fn due(text: &str, from_ns: u64, to_ns: u64) -> Vec<u64> {
    let plan = Plan::read("plan.yaml", text).unwrap();
    let Model::Open(spacing) = plan.load.model else { panic!("no arrivals") };
    let mut schedule = Schedule::new(plan.load.pace.clone(), spacing, plan.seed);
    let first = plan.load.pace.arrivals_before(from_ns / SECOND_NS * SECOND_NS);
    let times = (first..).map_while(|n| schedule.arrival_ns(n).map(|due_ns| (n, due_ns)));
    times
        .take_while(|(_, due_ns)| *due_ns < to_ns)
        .filter(|(_, due_ns)| *due_ns >= from_ns)
        .map(|(n, _)| n)
        .collect()
}

/// The seconds that were told follow one another from `first` on, and their number was told at the end.
fn assert_seconds(carried: &Carried, first: u32) {
    let count = u32::try_from(carried.seconds.len()).unwrap();
    assert_eq!(carried.seconds, (first..first + count).collect::<Vec<_>>());
    assert_eq!((carried.failed.as_str(), carried.finished, carried.code), ("", Some(count), Some(0)));
}

#[test]
fn generations_start_each_arrival_of_the_run_once_and_in_its_time() {
    let _turn = turn();
    for spacing in ["even", "poisson"] {
        let load = format!(
            "load: {{ spacing: {spacing}, arrivals: [{{ ramp: [20/s, 60/s], over: 3s }}, {{ hold: 50/s, for: 1500ms }}] }}"
        );
        let parts = generations(4_500_000_000, Some(Duration::from_secs(1)));
        let servers: Vec<Noting> = parts.iter().map(|_| Noting::start()).collect();
        let assignments = parts.iter().zip(&servers);
        let assignments =
            assignments.map(|(part, server)| assignment(server, &load, ONE, Some(*part))).collect();
        let (at_unix_ns, carried) = carry(assignments, 0);
        let mut all = Vec::new();
        for ((part, server), carried) in parts.iter().zip(&servers).zip(&carried) {
            let expected = due(&plan(server, &load), part.from_ns, part.to_ns);
            assert_eq!(server.numbers(), expected, "{spacing} {part:?} {}", carried.failed);
            assert_eq!(carried.tally.arrivals.started, expected.len() as u64);
            assert_eq!((carried.journeys().completed, carried.journeys().cut), (expected.len() as u64, 0));
            assert_seconds(carried, part.first_second());
            // Nobody comes before his part begins; a wall clock may be set meanwhile by a little.
            assert!(server.first_unix_ns().unwrap() + 5_000_000 >= at_unix_ns + part.from_ns, "{part:?}");
            all.extend(expected);
        }
        assert_eq!(all, (0..40 * 3 + 75).collect::<Vec<u64>>(), "the whole run, each arrival once");
    }
}

#[test]
fn second_0_may_be_long_past() {
    let _turn = turn();
    let server = Noting::start();
    let load = "load: { arrivals: [{ hold: 20/s, for: 2h }] }";
    let from_ns = 3_600 * SECOND_NS;
    let part = Generation { number: 4, from_ns, to_ns: from_ns + 2 * SECOND_NS, is_last: false };
    let (at_unix_ns, carried) = carry(vec![assignment(&server, load, ONE, Some(part))], from_ns);
    assert_eq!(server.numbers(), (72_000..72_040).collect::<Vec<u64>>(), "{}", carried[0].failed);
    assert_seconds(&carried[0], 3_600);
    assert!(server.first_unix_ns().unwrap() + 5_000_000 >= at_unix_ns + from_ns);
}

#[test]
fn shoppers_of_a_closed_model_come_as_often_in_parts_as_in_one() {
    let _turn = turn();
    patiently(|| {
        let load = "load: { shoppers: [{ hold: 5, for: 3s }] }";
        let journey = ONE.replace("steps:", "pacing: 500ms\nsteps:");
        let parts: Vec<Option<Generation>> =
            generations(3 * SECOND_NS, Some(Duration::from_secs(1))).into_iter().map(Some).collect();
        for (parts, times) in [(vec![None], 6), (parts, 2)] {
            let servers: Vec<Noting> = parts.iter().map(|_| Noting::start()).collect();
            let assignments = parts.iter().zip(&servers);
            let assignments =
                assignments.map(|(part, server)| assignment(server, load, &journey, *part)).collect();
            let (_, carried) = carry(assignments, 0);
            let expected: Vec<u64> = (0..5).flat_map(|number| vec![number; times]).collect();
            for ((part, server), carried) in parts.iter().zip(&servers).zip(&carried) {
                assert_eq!(server.numbers(), expected, "{part:?} {}", carried.failed);
                if part.is_some_and(|part| part.number > 0) {
                    // Five over the 500 ms of an iteration: the last one 400 ms after the first.
                    assert!(server.entry_ns() >= 380_000_000, "{part:?}: {} ns", server.entry_ns());
                }
                assert_seconds(carried, part.map_or(0, |part| part.first_second()));
                assert_eq!(carried.journeys().cut, 0);
            }
        }
    });
}

#[test]
fn journeys_of_a_part_end_in_the_next_and_those_of_the_last_are_cut() {
    let _turn = turn();
    let journey = "journey: one\nsteps:\n  - { step: first, get: \"/n/${shopper.number}\" }\n  - { think: 1500ms }\n  - { step: second, get: \"/n/${shopper.number}\" }\n";
    let part = |is_last| Some(Generation { number: 0, from_ns: 0, to_ns: SECOND_NS, is_last });
    let (middle, last) = (Noting::start(), Noting::start());
    let goes_on = "load: { arrivals: [{ hold: 10/s, for: 60s }] }\ngraceful: 0s";
    let ends = "load: { arrivals: [{ hold: 10/s, for: 1s }] }\ngraceful: 0s";
    let assignments = vec![
        assignment(&middle, goes_on, journey, part(false)),
        assignment(&last, ends, journey, part(true)),
    ];
    let (_, carried) = carry(assignments, 0);
    let ended = |carried: &Carried| (carried.journeys().completed, carried.journeys().cut);
    assert_eq!((ended(&carried[0]), middle.numbers().len()), ((10, 0), 20), "{}", carried[0].failed);
    assert_eq!((ended(&carried[1]), last.numbers().len()), ((0, 10), 10), "{}", carried[1].failed);
    assert_seconds(&carried[0], 0);
    assert!(carried[0].seconds.contains(&2), "what ends later is told in its own second");
}

#[test]
fn who_comes_too_late_sends_nothing() {
    let _turn = turn();
    let server = Noting::start();
    let load = "load: { arrivals: [{ hold: 100/s, for: 60s }] }";
    let late = Assignment {
        not_after_unix_ms: unix_ns() / 1_000_000 - 5_000,
        ..assignment(&server, load, ONE, None)
    };
    let in_time = Assignment {
        not_after_unix_ms: unix_ns() / 1_000_000 + 60_000,
        ..assignment(
            &server,
            load,
            ONE,
            Some(Generation { number: 0, from_ns: 0, to_ns: SECOND_NS, is_last: false }),
        )
    };
    // The part of the second one was over a while ago.
    for carried in carry(vec![late, in_time], 5 * SECOND_NS).1 {
        assert!(carried.failed.contains("too late"), "{}", carried.failed);
        assert_eq!((carried.code, carried.finished), (Some(2), None));
    }
    assert!(server.numbers().is_empty());
}

#[test]
fn a_part_that_has_not_begun_can_be_stopped() {
    let _turn = turn();
    let server = Noting::start();
    let load = "load: { arrivals: [{ hold: 100/s, for: 60s }] }";
    let part = Generation { number: 1, from_ns: 10 * SECOND_NS, to_ns: 20 * SECOND_NS, is_last: false };
    let mut agent = Agent::start(assignment(&server, load, ONE, Some(part)));
    while !matches!(
        agent.next(Duration::from_secs(10)),
        Ok(FromAgent::Report(Report::Started { .. })) | Err(_)
    ) {}
    agent.tell(&ToAgent::Start { at_unix_ns: unix_ns() });
    assert!(agent.next(Duration::from_millis(500)).is_err(), "it says nothing before its first second");
    let asked_ns = unix_ns();
    agent.tell(&ToAgent::Stop);
    let carried = hear(agent, Carried::default());
    assert!(unix_ns() - asked_ns < 5 * SECOND_NS);
    assert_eq!((carried.failed.as_str(), carried.code), ("", Some(0)));
    assert!(server.numbers().is_empty());
}
