//! A probing agent, driven as a coordinator drives it: over standard input and output.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_model::assignment::Secrets;
use doorbuster_model::report::Probed;
use doorbuster_model::{Assignment, ErrorClass, Generation, Overrides, Report, Rota, Segment, Tally, Task};
use doorbuster_shop::Shop;
use doorbuster_wire::{FromAgent, ToAgent};

use crate::util::agent::{Agent, unix_ns};
use crate::util::{patiently, shop, turn};

const HOME: &str = "journey: home\nsteps: [{ step: home, get: / }]\n";
const LOOK: &str =
    "journey: look\nsteps: [{ step: front, get: / }, { step: search, get: \"/search?q=lamp\" }]\n";
/// How far ahead second 0 lies.
const AHEAD_NS: u64 = 300_000_000;

/// What an agent said, and how it ended.
#[derive(Default)]
struct Ran {
    walks: Vec<Probed>,
    tally: Tally,
    /// Why it failed; empty where it did not.
    failed: String,
    code: Option<i32>,
    start_unix_ns: u64,
}

/// Where the first region of a shop is served.
fn target(shop: &Shop) -> String {
    format!("http://{}", shop.edges()[0].address)
}

/// How many requests that region answered.
fn requests(shop: &Shop) -> u64 {
    shop.counts()[&shop.edges()[0].region].values().sum()
}

fn assignment(target: &str, journeys: &[&str], every_ms: u64, more: &str) -> Assignment {
    let names: Vec<String> = (0..journeys.len()).map(|number| format!("{number}.yaml")).collect();
    let files: BTreeMap<String, String> =
        names.iter().cloned().zip(journeys.iter().map(|text| (*text).to_owned())).collect();
    Assignment {
        id: "a-1".to_owned(),
        run: "r-1".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole(),
        agents_here: 1,
        plan: format!(
            "name: probes\ntarget: \"{target}\"\njourneys: [{}]\nprobe: {{ every: 20s }}\n{more}",
            names.join(", ")
        ),
        overrides: Overrides::default(),
        files: files.into(),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Probe { every_ms },
        generation: None,
        not_after_unix_ms: 0,
    }
}

/// Has an agent probe for so long, then asks it to stop.
fn probe(target: &str, journeys: &[&str], every_ms: u64, more: &str, length: Duration) -> Ran {
    let mut agent = Agent::start(assignment(target, journeys, every_ms, more));
    let (mut ran, mut stop_at) = (Ran::default(), None::<Instant>);
    loop {
        let wait = stop_at.map_or(Duration::from_secs(20), |at| at.saturating_duration_since(Instant::now()));
        match agent.next(wait) {
            Ok(FromAgent::Report(Report::Started { .. })) => {
                ran.start_unix_ns = unix_ns() + AHEAD_NS;
                agent.tell(&ToAgent::Start { at_unix_ns: ran.start_unix_ns });
                stop_at = Some(Instant::now() + Duration::from_nanos(AHEAD_NS) + length);
            }
            Ok(FromAgent::Report(Report::Probed(walks))) => ran.walks.extend(walks),
            Ok(FromAgent::Report(Report::Tick(tick))) => ran.tally.merge(&tick.tally),
            Ok(FromAgent::Report(Report::Failed { message })) => ran.failed = message,
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {
                agent.tell(&ToAgent::Stop);
                stop_at = None;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    ran.code = agent.end();
    ran
}

impl Ran {
    /// The walks through a journey.
    fn of(&self, journey: u16) -> Vec<&Probed> {
        self.walks.iter().filter(|walk| walk.journey == journey).collect()
    }

    /// Walks that were begun, and that were cut.
    fn begun_and_cut(&self) -> (u64, u64) {
        let journeys = self.tally.journeys.values();
        journeys.fold((0, 0), |(begun, cut), journey| (begun + journey.started, cut + journey.cut))
    }
}

#[test]
fn each_journey_is_walked_once_an_interval_and_told_step_by_step() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let ran = probe(&target(&shop), &[HOME, LOOK], 1_000, "", Duration::from_secs(5));
        assert_eq!((ran.failed.as_str(), ran.code), ("", Some(0)));
        let rota = Rota::new(1_000, 3, 2, 1);
        for (journey, steps) in [(0, &[0][..]), (1, &[0, 1])] {
            let walks = ran.of(journey);
            assert!((4..=6).contains(&walks.len()), "{} walks in 5 s", walks.len());
            for walk in &walks {
                let since_due = ran.start_unix_ns + walk.began_ns - rota.offset_ns(0, journey.into());
                assert_eq!(since_due % rota.every_ns(), 0, "each at its own time");
                assert!(walk.is_good, "{walk:?}");
                assert_eq!(walk.steps.iter().map(|step| step.step).collect::<Vec<_>>(), steps);
                for step in &walk.steps {
                    let latency_ns = step.latency_ns.unwrap();
                    assert!((1..1_000_000_000).contains(&latency_ns), "{latency_ns}");
                    assert!(step.failure.is_none() && step.page_ns.is_none(), "{step:?}");
                }
            }
        }
        let told = ran.walks.iter().map(|walk| walk.steps.len() as u64).sum::<u64>();
        assert_eq!(told, requests(&shop), "as the shop's own log says");
        let walks = ran.walks.len() as u64;
        assert_eq!(ran.begun_and_cut(), (walks, 0));
        assert_eq!(ran.tally.connections.opened, walks, "each walk opens a connection of its own");
    });
}

#[test]
fn parts_of_a_probe_walk_what_is_due_in_them_and_end_by_themselves() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let rota = Rota::new(500, 3, 1, 1);
        let start_unix_ns = unix_ns() + 1_000_000_000;
        let parts = [(0, 2_000_000_000, false), (2_000_000_000, 3_700_000_000, true)];
        let agents = parts.map(|(from_ns, to_ns, is_last)| {
            let generation = Some(Generation { number: 0, from_ns, to_ns, is_last });
            let assignment = Assignment { generation, ..assignment(&target(&shop), &[HOME], 500, "") };
            let mut agent = Agent::start(assignment);
            agent.tell(&ToAgent::Start { at_unix_ns: start_unix_ns });
            agent
        });
        for (agent, (from_ns, to_ns, _)) in agents.into_iter().zip(parts) {
            let (mut walked, mut failed) = (Vec::new(), String::new());
            while let Ok(message) = agent.next(Duration::from_secs(10)) {
                match message {
                    FromAgent::Report(Report::Probed(walks)) => {
                        walked.extend(walks.iter().map(|walk| walk.began_ns));
                    }
                    FromAgent::Report(Report::Failed { message }) => failed = message,
                    _ => {}
                }
            }
            walked.sort_unstable();
            let first = rota.interval_from(0, 0, start_unix_ns + from_ns);
            let due_ns = (first..).map(|interval| rota.due_unix_ns(0, 0, interval) - start_unix_ns);
            let expected: Vec<u64> = due_ns.take_while(|due_ns| *due_ns < to_ns).collect();
            assert_eq!(walked, expected, "{failed}");
            assert!(expected.len() >= 3 && agent.end() == Some(0));
        }
    });
}

#[test]
fn a_page_is_told_with_its_assets() {
    let _turn = turn();
    let shop = shop();
    let page = "journey: page\nsteps: [{ step: front, get: /, assets: true }]\n";
    let ran = probe(&target(&shop), &[page], 1_000, "", Duration::from_secs(2));
    assert!(!ran.walks.is_empty(), "{}", ran.failed);
    for walk in &ran.walks {
        let step = &walk.steps[0];
        assert!(step.page_ns.unwrap() >= step.latency_ns.unwrap(), "{step:?}");
    }
}

#[test]
fn a_failure_is_told_with_its_class_and_words() {
    let _turn = turn();
    let shop = shop();
    shop.set_fault("errors=100%".parse().unwrap());
    let ran = probe(&target(&shop), &[LOOK], 500, "", Duration::from_secs(3));
    assert!(ran.walks.len() >= 4, "{} {}", ran.walks.len(), ran.failed);
    for walk in &ran.walks {
        assert!(!walk.is_good && walk.steps.len() == 1, "the journey ends where it fails: {walk:?}");
        let failure = walk.steps[0].failure.as_ref().unwrap();
        assert_eq!(failure.class, ErrorClass::Status);
        let told = failure.problem.starts_with("GET http://127.0.0.1:") && failure.problem.contains("503");
        assert!(told, "{}", failure.problem);
    }
    assert_eq!(requests(&shop), ran.walks.len() as u64);
}

#[test]
fn a_walk_that_outlasts_the_interval_holds_up_no_other() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        shop.set_fault("freeze=60s".parse().unwrap());
        let limits = "http: { timeouts: { total: 1s } }\n";
        let ran = probe(&target(&shop), &[HOME], 200, limits, Duration::from_secs(4));
        // Each takes a second, and so does the last; those that have begun by then end within the grace.
        assert!((15..=22).contains(&ran.walks.len()), "{} walks", ran.walks.len());
        for walk in &ran.walks {
            let step = &walk.steps[0];
            assert_eq!(step.failure.as_ref().unwrap().class, ErrorClass::Timeout);
            let latency_ms = step.latency_ns.unwrap() / 1_000_000;
            assert!((1_000..1_500).contains(&latency_ms), "{latency_ms} ms");
        }
        assert_eq!(ran.tally.counters.get("probes_skipped"), None);
    });
}

#[test]
fn so_many_wait_at_once_and_whoever_is_skipped_is_counted() {
    let _turn = turn();
    let shop = shop();
    shop.set_fault("freeze=60s".parse().unwrap());
    let ran = probe(&target(&shop), &[HOME], 10, "", Duration::from_secs(2));
    assert_eq!(ran.begun_and_cut(), (32, 32), "{}", ran.failed);
    assert!(ran.walks.is_empty(), "a walk that was cut says nothing");
    let skipped = ran.tally.counters["probes_skipped"];
    assert!((100..=200).contains(&skipped), "{skipped} of some 200");
}

#[test]
fn a_stranger_is_not_probed_more_often_than_anybody_may() {
    let (target, length) = ("http://192.0.2.1", Duration::from_secs(1));
    // Three regions walk two journeys of at most two requests.
    let ran = probe(target, &[HOME, LOOK], 1_000, "", length);
    assert!(ran.failed.contains("192.0.2.1 was not named with --allow-host"), "{}", ran.failed);
    assert_eq!((ran.code, ran.walks.len()), (Some(2), 0));
}

/// Answers every request with nothing, on connections that stay open, and tells when each came.
fn times_of_requests(listener: TcpListener) -> Receiver<Instant> {
    let (came, times) = channel();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let came = came.clone();
            thread::spawn(move || {
                let mut lines = BufReader::new(&stream).lines();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        // The test may be over.
                        let _ = came.send(Instant::now());
                        let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                    }
                }
            });
        }
    });
    times
}

#[test]
fn a_stranger_gets_ten_requests_in_a_second_and_never_more() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let times = times_of_requests(listener);
    // Sixteen at once every four seconds are four a second on average.
    let steps: Vec<String> = (0..16).map(|step| format!("{{ step: s{step}, get: /{step} }}")).collect();
    let journey = format!("journey: long\nsteps: [{}]\n", steps.join(", "));
    // What stands in for the network answers in the shop's place.
    let more = format!("regions: [tokyo]\nhttp: {{ proxy: \"http://127.0.0.1:{port}\" }}\n");
    let target = "http://shop.example.com";
    let ran = probe(target, &[&journey], 4_000, &more, Duration::from_secs(8));
    assert_eq!(ran.failed, "");
    assert!(ran.walks.iter().all(|walk| walk.is_good) && !ran.walks.is_empty(), "{:?}", ran.walks);
    let times: Vec<Instant> = times.try_iter().collect();
    assert!(times.len() >= 16, "{}", times.len());
    for (first, at) in times.iter().enumerate() {
        let within = times[first..].iter().take_while(|time| **time < *at + Duration::from_secs(1)).count();
        assert!(within <= 10, "{within} in a second");
    }
    let slowest = ran.walks.iter().flat_map(|walk| &walk.steps).filter_map(|step| step.latency_ns).max();
    assert!(slowest < Some(90_000_000), "the wait is ours, and no latency: {slowest:?}");
}
