//! Losing an agent, losing the coordinator, being interrupted.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_model::Report;
use doorbuster_shop::Shop;
use doorbuster_wire::{Frames, FromAgent, Message, ToAgent};

use crate::util::{
    Folder, Running, count, kinds, number, patiently, regions, requests, shop, signal, start, turn, value,
};

/// 60 arrivals a second from three regions.
fn rehearsal(shop: &Shop, length: &str) -> Running {
    let folder = Folder::new();
    let plan = format!(
        "name: lost\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 60/s, for: {length} }}] }}\n",
        regions(shop)
    );
    let plan = folder.write("plan.yaml", plan);
    let running = start(&["rehearse", &plan, "--quiet"]);
    assert_eq!(running.agents().len(), 3);
    // The plan is read by now; its folder may go.
    running
}

#[test]
fn a_killed_agent_makes_the_run_invalid_and_nothing_else_wrong() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let running = rehearsal(&shop, "8s");
        thread::sleep(Duration::from_secs(3));
        signal(running.agents()[1], "KILL");
        let finished = running.finish();
        let report = &finished.report;
        assert_eq!((finished.code, report["verdict"].as_str()), (3, Some("invalid")), "{}", finished.stderr);
        assert_eq!(kinds(report), ["agent_lost"]);
        let reason = &report["reasons"][0];
        let lost = reason["region"].as_str().unwrap();
        let message = reason["message"].as_str().unwrap();
        assert!(
            message.contains(lost) && message.contains("of its 160 arrivals were not started"),
            "{message}"
        );
        assert!(finished.stderr.contains(message), "told even when quiet: {}", finished.stderr);
        for region in ["tokyo", "london", "new-york"] {
            let journeys = value(report, &format!("regions.{region}.journeys.browse"));
            if region == lost {
                let started = number(journeys, "started");
                assert!((20.0..100.0).contains(&started), "{started} were started before the loss");
            } else {
                assert_eq!(
                    (number(journeys, "started"), number(journeys, "completed")),
                    (160.0, 160.0),
                    "{region}"
                );
            }
        }
        assert_eq!(number(report, "validity.agents_lost"), 1.0);
    });
}

#[test]
fn a_coordinator_that_is_gone_takes_its_load_with_it() {
    let _turn = turn();
    let shop = shop();
    let mut running = rehearsal(&shop, "60s");
    thread::sleep(Duration::from_secs(2));
    let agents = running.agents();
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    thread::sleep(Duration::from_secs(1));
    let before = requests(&shop);
    assert!(before > 0);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(requests(&shop), before, "load goes on without a coordinator");
    for agent in agents {
        assert!(!std::path::Path::new(&format!("/proc/{agent}/cmdline")).exists(), "agent {agent} lives on");
    }
}

#[test]
fn a_coordinator_that_is_stopped_counts_as_gone_after_15_seconds() {
    let _turn = turn();
    let shop = shop();
    let mut running = rehearsal(&shop, "60s");
    thread::sleep(Duration::from_secs(3));
    signal(running.child.id(), "STOP");
    let stopped = Instant::now();
    thread::sleep(Duration::from_secs(16));
    let before = requests(&shop);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(requests(&shop), before, "load {:?} after the last lease", stopped.elapsed());
    signal(running.child.id(), "CONT");
    let deadline = Instant::now() + Duration::from_secs(20);
    while running.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the coordinator hangs after its agents are gone");
        thread::sleep(Duration::from_millis(100));
    }
    let finished = running.finish();
    assert_eq!(finished.code, 3, "{}", finished.stderr);
    assert!(finished.stderr.contains("lease"), "{}", finished.stderr);
}

#[test]
fn ctrl_c_ends_a_run_with_a_report_of_what_was_measured() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let running = rehearsal(&shop, "60s");
        thread::sleep(Duration::from_secs(3));
        signal(running.child.id(), "INT");
        let asked = Instant::now();
        let finished = running.finish();
        assert!(asked.elapsed() < Duration::from_secs(5), "a stop took {:?}", asked.elapsed());
        assert_eq!((finished.code, kinds(&finished.report)), (3, vec!["interrupted"]), "{}", finished.stderr);
        let counted: u64 = requests(&shop);
        assert_eq!(number(&finished.report, "global.requests_sent"), counted as f64);
    });
}

#[test]
fn ctrl_c_lets_closed_shoppers_end_their_iteration_and_start_no_other() {
    let _turn = turn();
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    patiently(|| {
        let before = requests(&shop);
        let running = start(&["hit", &url, "--connections", "8", "--for", "60s", "--quiet"]);
        thread::sleep(Duration::from_secs(2));
        signal(running.child.id(), "INT");
        let asked = Instant::now();
        let finished = running.finish();
        assert!(asked.elapsed() < Duration::from_millis(1_500), "a stop took {:?}", asked.elapsed());
        assert_eq!((finished.code, kinds(&finished.report)), (3, vec!["interrupted"]), "{}", finished.stderr);
        assert_eq!(number(&finished.report, "validity.journeys_cut"), 0.0);
        assert_eq!(count(&finished.report, "global.requests_sent"), requests(&shop) - before);
    });
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let _turn = turn();
    let shop = shop();
    // Answers that take long, so that a graceful stop would take its time.
    shop.set_fault("slow=10s".parse().unwrap());
    let running = rehearsal(&shop, "60s");
    thread::sleep(Duration::from_secs(2));
    signal(running.child.id(), "INT");
    thread::sleep(Duration::from_millis(300));
    signal(running.child.id(), "INT");
    let asked = Instant::now();
    let finished = running.finish();
    assert!(asked.elapsed() < Duration::from_secs(1), "it took {:?}", asked.elapsed());
    assert_eq!(finished.code, 3);
    assert!(kinds(&finished.report).contains(&"interrupted"));
}

#[test]
fn the_abort_rule_ends_a_run() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        shop.set_fault("errors=60%".parse().unwrap());
        let folder = Folder::new();
        let plan = format!(
            "name: abort\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 60/s, for: 60s }}] }}\nabort_when: \"errors > 20% over 3s\"\n",
            regions(&shop)
        );
        let plan = folder.write("plan.yaml", plan);
        let began = Instant::now();
        let finished = start(&["rehearse", &plan, "--quiet"]).finish();
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        assert_eq!((finished.code, kinds(&finished.report)), (3, vec!["aborted"]), "{}", finished.stderr);
    });
}

/// What an agent says when it is spoken to like this, and how it ends.
fn agent(spoken: &[u8]) -> (Vec<FromAgent>, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorbuster"))
        .args(["agent", "--stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(spoken).unwrap();
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    drop(input);
    let mut frames = Frames::default();
    frames.push(&output);
    let said =
        std::iter::from_fn(|| frames.next_frame().unwrap()).map(|frame| FromAgent::decode(&frame).unwrap());
    (said.collect(), child.wait().unwrap().code())
}

#[test]
fn another_protocol_is_refused_with_both_versions() {
    let hello = ToAgent::Hello { protocol: 99, version: "9.9.9".to_owned() };
    let (said, code) = agent(&hello.encode().unwrap());
    let Some(FromAgent::Report(Report::Failed { message })) = said.last() else { panic!("{said:?}") };
    for part in ["coordinator 9.9.9 speaks protocol 99", "speaks protocol 4", env!("CARGO_PKG_VERSION")] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(code, Some(2));
}

#[test]
fn something_that_is_no_coordinator_ends_the_agent() {
    let (said, code) = agent(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(matches!(said[..], [FromAgent::Hello { .. }]), "{said:?}");
    assert_eq!(code, Some(2));
}
