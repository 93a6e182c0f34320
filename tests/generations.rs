//! A run as a relay of generations: to the target it is the same run, and losing one generation loses no other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_model::Plan;
use doorbuster_model::plan::Model;
use doorbuster_model::spacing::Schedule;
use serde_json::Value;

use crate::util::{
    Finished, Folder, Running, count, kinds, patiently, read_head_text, regions, requests, server, shop,
    signal, start, turn,
};

/// Each shopper asks for two pages of his own, and thinks in between: so that somebody is under way at every boundary.
const JOURNEY: &str = "journey: two\nsteps:\n  - { step: first, get: \"/n/${shopper.number}\" }\n  - { think: 1200ms }\n  - { step: second, get: \"/m/${shopper.number}\" }\n";
/// How far what a server sees of two runs of one schedule may be apart.
const APART_MAX: Duration = Duration::from_millis(60);

/// A server that notes what was asked for, and when.
struct Noting {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Noting {
    fn start() -> Self {
        let asked = Arc::<Mutex<Vec<(String, Instant)>>>::default();
        let notes = Arc::clone(&asked);
        let address = server(move |mut stream| {
            while let Some(head) = read_head_text(&mut stream) {
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                notes.lock().unwrap().push((path, Instant::now()));
                if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                    return;
                }
            }
        });
        Self { address, asked }
    }

    /// When each shopper asked below this path, by number; a number that came twice is there twice.
    fn below(&self, path: &str) -> Vec<(u64, Instant)> {
        let asked = self.asked.lock().unwrap();
        let numbered =
            asked.iter().filter_map(|(asked, at)| Some((asked.strip_prefix(path)?.parse().ok()?, *at)));
        let mut found: Vec<(u64, Instant)> = numbered.collect();
        found.sort_unstable();
        found
    }

    fn numbers(&self, path: &str) -> Vec<u64> {
        self.below(path).into_iter().map(|(number, _)| number).collect()
    }
}

/// Arrivals that ramp up and stay, at random within each second.
fn plan(server: &Noting, seconds: u64, more: &str) -> String {
    format!(
        "name: relay\ntarget: \"http://{}\"\nregions: {{ tokyo: {{ agents: 2 }}, london: {{ agents: 1 }}, new-york: {{ share: 2 }} }}\n\
         journeys: [two.yaml]\nload: {{ spacing: poisson, arrivals: [{{ ramp: [10/s, 40/s], over: {}s }}, {{ hold: 40/s, for: {}s }}] }}\n{more}",
        server.address,
        seconds / 3,
        seconds - seconds / 3
    )
}

/// When each arrival of a plan is due.
fn due(text: &str) -> Vec<Duration> {
    let plan = Plan::read("plan.yaml", text).unwrap();
    let Model::Open(spacing) = plan.load.model else { panic!("no arrivals") };
    let mut schedule = Schedule::new(plan.load.pace.clone(), spacing, plan.seed);
    (0..).map_while(|n| schedule.arrival_ns(n)).map(Duration::from_nanos).collect()
}

/// Arrivals that were to start, by second and region.
fn planned(report: &Value) -> BTreeMap<(u64, &str), u64> {
    let rows = report["timeline"].as_array().unwrap().iter();
    let rows = rows.map(|row| {
        let key = (row["second"].as_u64().unwrap(), row["region"].as_str().unwrap());
        (key, row["arrivals_planned"].as_u64().unwrap())
    });
    rows.filter(|(_, planned)| *planned > 0).collect()
}

/// Everybody came once, at his time, and nobody was cut.
fn assert_whole(server: &Noting, due: &[Duration], finished: &Finished) {
    let report = &finished.report;
    assert_eq!((finished.code, report["verdict"].as_str()), (0, Some("pass")), "{}", finished.stderr);
    let everybody: Vec<u64> = (0..due.len() as u64).collect();
    assert_eq!(server.numbers("/n/"), everybody, "each arrival once");
    assert_eq!(server.numbers("/m/"), everybody, "who is under way at a boundary walks to the end");
    let arrivals = due.len() as u64;
    for path in ["validity.arrivals_planned", "validity.arrivals_started", "global.journeys.two.completed"] {
        assert_eq!(count(report, path), arrivals, "{path}");
    }
    assert_eq!(count(report, "global.requests_sent"), 2 * arrivals);
    for path in ["validity.journeys_cut", "validity.agents_lost", "validity.ticks_missing"] {
        assert_eq!(count(report, path), 0, "{path}");
    }
    assert_eq!(count(report, "validity.agents_planned"), 4, "as many as are at work at a time");
    let first = server.below("/n/");
    let base = first[0].1.checked_sub(due[0]).unwrap();
    for ((number, at), due) in first.iter().zip(due) {
        let seen = at.duration_since(base);
        assert!(seen.abs_diff(*due) < APART_MAX, "arrival {number} was due at {due:?}, and came at {seen:?}");
    }
}

/// A run of so many generations is, to the arrival, the run without any.
fn relay_is_one_run(generations: u64, generation_s: u64) {
    let _turn = turn();
    patiently(|| {
        let folder = Folder::new();
        folder.write("two.yaml", JOURNEY);
        let seconds = generations * generation_s;
        let (one, relay) = (Noting::start(), Noting::start());
        let plans = [
            plan(&one, seconds, ""),
            plan(&relay, seconds, &format!("fleet: {{ generation: {generation_s}s }}\n")),
        ];
        let paths = [folder.write("one.yaml", &plans[0]), folder.write("relay.yaml", &plans[1])];
        let [first, second] = paths.each_ref().map(|path| start(&["rehearse", path, "--quiet"]));
        thread::sleep(Duration::from_secs(1));
        let began: BTreeSet<u32> = second.agents().into_iter().collect();
        assert_eq!(began.len(), 4);
        thread::sleep(Duration::from_secs(generation_s + 2));
        let relieved: BTreeSet<u32> = second.agents().into_iter().collect();
        assert!(began.is_disjoint(&relieved) && !relieved.is_empty(), "{began:?} {relieved:?}");
        let (first, second) = (first.finish(), second.finish());
        let due = due(&plans[1]);
        assert_whole(&one, &due, &first);
        assert_whole(&relay, &due, &second);
        assert_eq!(planned(&first.report), planned(&second.report));
    });
}

#[test]
fn a_relay_of_six_generations_is_one_run() {
    relay_is_one_run(6, 5);
}

#[test]
#[ignore = "two minutes: cargo xtask long"]
fn long_a_relay_of_twelve_generations_is_one_run() {
    relay_is_one_run(12, 10);
}

#[test]
fn closed_shoppers_go_on_in_the_next_generation() {
    let _turn = turn();
    patiently(|| {
        let (server, folder) = (Noting::start(), Folder::new());
        folder.write("two.yaml", JOURNEY.replace("1200ms", "300ms"));
        let text = format!(
            "name: closed\ntarget: \"http://{}\"\nregions: [tokyo]\njourneys: [two.yaml]\n\
             load: {{ shoppers: [{{ hold: 6, for: 12s }}] }}\nfleet: {{ generation: 5s }}\n",
            server.address
        );
        let finished = start(&["rehearse", &folder.write("plan.yaml", text), "--quiet"]).finish();
        let report = &finished.report;
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(count(report, "validity.journeys_cut"), 0);
        let completed = count(report, "global.journeys.two.completed");
        // Six shoppers who take a bit over 300 ms each time, for 12 s; at a boundary the next come in one after the other
        // while these end.
        assert!((6 * 30..=6 * 44).contains(&completed), "{completed}");
        assert_eq!(count(report, "global.requests_sent"), server.asked.lock().unwrap().len() as u64);
        let rows = report["timeline"].as_array().unwrap().iter();
        let silent = rows.filter(|row| row["second"].as_u64() < Some(12) && row["requests"] == 0).count();
        assert_eq!(silent, 0, "somebody is there in every second");
    });
}

#[test]
fn a_relief_that_is_late_invalidates() {
    let _turn = turn();
    patiently(|| {
        let (server, folder) = (Noting::start(), Folder::new());
        folder.write("two.yaml", JOURNEY.replace("1200ms", "100ms"));
        let binary = env!("CARGO_BIN_EXE_doorbuster");
        let begun = folder.path("begun").display().to_string();
        // Who comes after the first takes longer than the 3 s ahead of its time, and less than the 2 s after it.
        let script = format!(
            "#!/bin/sh\n[ -e '{begun}' ] && sleep 3.6\n: > '{begun}'\nexec '{binary}' agent --stdio\n"
        );
        folder.write("slow", script);
        std::fs::set_permissions(folder.path("slow"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let text = format!(
            "name: late\ntarget: \"http://{}\"\nregions: [tokyo]\nagent_binary: slow\njourneys: [two.yaml]\n\
             load: {{ shoppers: [{{ hold: 3, for: 10s }}] }}\nfleet: {{ generation: 5s }}\n",
            server.address
        );
        let finished = start(&["rehearse", &folder.write("plan.yaml", text)]).finish();
        let report = &finished.report;
        assert_eq!((finished.code, kinds(report)), (3, vec!["relief_late"]), "{}", finished.stderr);
        let reason = &report["reasons"][0];
        let message = reason["message"].as_str().unwrap();
        assert_eq!(reason["region"], "tokyo");
        assert!(message.starts_with("1 of the agents in tokyo"), "{message}");
        assert!(message.contains("(generation 1)"), "{message}");
        assert!(finished.stderr.contains("tokyo: generation 1 begins"), "{}", finished.stderr);
        let rows = report["timeline"].as_array().unwrap().iter();
        let after = rows.filter(|row| row["second"].as_u64() >= Some(7) && row["requests"] != 0).count();
        assert!(after > 0, "it works all the same");
    });
}

/// 60 arrivals of one request a second from three regions, in generations of 5 s.
fn relayed(shop: &doorbuster_shop::Shop, length: &str, more: &str, options: &[&str]) -> Running {
    let folder = Folder::new();
    folder.write("visit.yaml", "journey: visit\nsteps: [{ step: front, get: / }]\n");
    let plan = format!(
        "name: lost\n{}journeys: [visit.yaml]\nload: {{ arrivals: [{{ hold: 60/s, for: {length} }}] }}\n\
         fleet: {{ generation: 5s }}\n{more}",
        regions(shop)
    );
    let plan = folder.write("plan.yaml", plan);
    let running = start(&[&["rehearse", plan.as_str()][..], options].concat());
    assert_eq!(running.agents().len(), 3);
    // The plan is read by now; its folder may go.
    running
}

#[test]
fn a_lost_generation_is_declared_and_relieved_all_the_same() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let running = relayed(&shop, "20s", "", &[]);
        // The first has gone by then, and the third is not launched yet.
        thread::sleep(Duration::from_millis(6_500));
        let agents = running.agents();
        assert_eq!(agents.len(), 3, "one generation");
        signal(agents[1], "KILL");
        let finished = running.finish();
        let report = &finished.report;
        assert_eq!((finished.code, kinds(report)), (3, vec!["agent_lost"]), "{}", finished.stderr);
        let reason = &report["reasons"][0];
        let lost = reason["region"].as_str().unwrap();
        let message = reason["message"].as_str().unwrap();
        for part in [lost, "in generation 1, was lost", "of its 100 arrivals were not started"] {
            assert!(message.contains(part), "{message}");
        }
        let at_once = format!("{lost}: an agent is lost in generation 1 (");
        assert!(finished.stderr.contains(&at_once), "{}", finished.stderr);
        assert_eq!(count(report, "validity.agents_lost"), 1);
        for region in ["tokyo", "london", "new-york"] {
            let started = count(report, &format!("regions.{region}.journeys.visit.started"));
            if region == lost {
                assert!((301..400).contains(&started), "{started}: its successors start theirs");
            } else {
                assert_eq!(started, 400, "{region}");
            }
        }
        let rows = report["timeline"].as_array().unwrap().iter();
        let later = rows.filter(|row| row["region"] == lost && row["second"].as_u64() >= Some(10));
        let started: u64 = later.map(|row| row["arrivals_started"].as_u64().unwrap()).sum();
        assert!((195..=200).contains(&started), "{started} of 200 after the loss");
        // What it had sent since its last whole second, nobody told.
        let (told, seen) = (count(report, "global.requests_sent"), requests(&shop));
        assert!((told..=told + 40).contains(&seen), "{told} told, {seen} seen");
    });
}

#[test]
fn a_loss_ends_the_run_where_the_plan_says_so() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let running = relayed(&shop, "60s", "on_agent_loss: abort\n", &["--quiet"]);
        thread::sleep(Duration::from_secs(3));
        signal(running.agents()[0], "KILL");
        let asked = Instant::now();
        let finished = running.finish();
        assert!(asked.elapsed() < Duration::from_secs(6), "it took {:?}", asked.elapsed());
        let report = &finished.report;
        assert_eq!((finished.code, kinds(report)), (3, vec!["agent_lost"]), "{}", finished.stderr);
        let message = report["reasons"][0]["message"].as_str().unwrap();
        assert!(message.contains("as `on_agent_loss: abort` says"), "{message}");
        let before = requests(&shop);
        thread::sleep(Duration::from_secs(1));
        assert_eq!(requests(&shop), before, "load goes on after the end");
    });
}

/// A rehearsal whose agents take `seconds` to get ready, under this rule.
fn slow_to_start(seconds: u32, when_missing: &str) -> (Finished, u64) {
    let shop = shop();
    let folder = Folder::new();
    let binary = env!("CARGO_BIN_EXE_doorbuster");
    folder.write("slow", format!("#!/bin/sh\nsleep {seconds}\nexec '{binary}' agent --stdio\n"));
    std::fs::set_permissions(folder.path("slow"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let plan = format!(
        "name: slow\ntarget: \"http://{}\"\nregions: [tokyo]\nagent_binary: slow\njourneys: [browse]\n\
         load: {{ arrivals: [{{ hold: 5/s, for: 1s }}] }}\n\
         fleet: {{ start: {{ within: 1s, when_missing: {when_missing} }} }}\n",
        shop.edges()[0].address
    );
    let finished = start(&["rehearse", &folder.write("plan.yaml", plan)]).finish();
    let requests = requests(&shop);
    (finished, requests)
}

#[test]
fn who_is_missing_at_the_start_is_waited_for_or_declared_or_ends_it() {
    let _turn = turn();
    let (waited, sent) = slow_to_start(3, "wait");
    assert_eq!(waited.code, 0, "{}", waited.stderr);
    assert!(sent > 0 && waited.stderr.contains("waiting for agents: 1 of 1 in tokyo"), "{}", waited.stderr);
    for (when_missing, part) in
        [("declare", "arrivals were not started"), ("abort", "as `when_missing: abort` says")]
    {
        let (finished, sent) = slow_to_start(6, when_missing);
        let report = &finished.report;
        assert_eq!((finished.code, kinds(report)), (3, vec!["agent_lost"]), "{}", finished.stderr);
        let message = report["reasons"][0]["message"].as_str().unwrap();
        assert!(message.contains("it was not ready within 1s") && message.contains(part), "{message}");
        assert_eq!(sent, 0, "{when_missing}");
    }
}

#[test]
fn a_probe_that_is_relieved_walks_everything_once() {
    let _turn = turn();
    patiently(|| {
        let (server, folder) = (Noting::start(), Folder::new());
        let journey = "journey: visit\nsteps: [{ step: own, get: \"/n/${shopper.number}\" }]\n";
        folder.write("visit.yaml", journey);
        let text = format!(
            "name: relieved\ntarget: \"http://{}\"\nregions: [tokyo]\njourneys: [visit.yaml]\nprobe: {{ every: 1s }}\n\
             slo:\n  objectives: [\"visit availability 99% over 1h\"]\n  \
             rules: [{{ name: page, severity: page, factor: 5, long: 20s, short: 10s }}]\nfleet: {{ generation: 5s }}\n",
            server.address
        );
        let (plan, data) = (folder.write("plan.yaml", text), folder.path("data").display().to_string());
        let finished = start(&["probe", &plan, "--data-dir", &data, "--for", "18s"]).finish();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert!(!said.contains("is lost"), "{said}");
        let numbers = server.numbers("/n/");
        assert!((16..=19).contains(&numbers.len()), "{numbers:?}");
        let first = numbers[0];
        let expected: Vec<u64> = (first..first + numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "each walk once, none left out: {}", finished.stderr);
    });
}
