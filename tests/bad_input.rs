//! Bad input and targets that misbehave.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::util::{Finished, Folder, answering, number, patiently, read_head, run, server, start, turn};

/// A command line that is refused before anything is sent: exit code 2, and words on standard error.
fn refused(arguments: &[&str], words: &[&str]) {
    let finished = run(arguments);
    assert_eq!(finished.code, 2, "{arguments:?}: {}", finished.stderr);
    for word in words {
        assert!(finished.stderr.contains(word), "{arguments:?} lacks \"{word}\":\n{}", finished.stderr);
    }
    assert_eq!(finished.report, Value::Null);
}

#[test]
fn command_lines_that_cannot_be() {
    refused(&["hit", "nonsense"], &["\"nonsense\" is not a URL", "https://shop.example.com"]);
    refused(&["hit", "http://127.0.0.1:1", "--rate", "0/s"], &["a rate of 0 sends nothing"]);
    refused(&["hit", "http://shop.example.com", "--rate", "11/s"], &["--allow-host shop.example.com"]);
    refused(&["hit", "http://127.0.0.1:1", "--header", "no colon"], &["is not a header"]);
    refused(&["hit", "http://127.0.0.1:1", "--resolve", "x"], &["HOST:PORT:ADDRESS"]);
    refused(&["hit", "http://127.0.0.1:1", "--cacert", "/nowhere.pem"], &["/nowhere.pem", "check the path"]);
    refused(&["hit", "http://127.0.0.1:1", "--junit", "/proc/nowhere/x.xml"], &["/proc/nowhere/x.xml"]);
    refused(&["hit", "http://127.0.0.1:1", "--store", "mysql://x/y"], &["postgres://USER@HOST/DATABASE"]);
    refused(&["rehearse", "/nowhere.yaml"], &["/nowhere.yaml", "check the path"]);
    refused(&["rehaerse"], &["rehearse"]);
    refused(&["agent"], &["--stdio"]);
}

const PLAN: &str = "name: x\ntarget: http://127.0.0.1:1\njourneys: [journey.yaml]\nload: { arrivals: [{ hold: 5/s, for: 1s }] }\n";
const JOURNEY: &str = "journey: x\nsteps:\n  - { step: one, get: / }\n";

/// A plan or a journey with something changed is refused, with the place.
fn refused_files(plan: (&str, &str), journey: (&str, &str), words: &[&str]) {
    let folder = Folder::new();
    folder.write("journey.yaml", JOURNEY.replacen(journey.0, journey.1, 1));
    let path = folder.write("plan.yaml", PLAN.replacen(plan.0, plan.1, 1));
    refused(&["gate", &path], words);
}

#[test]
fn plans_and_journeys_that_cannot_be() {
    let same = ("", "");
    refused_files(
        ("load:", "laod:"),
        same,
        &["plan.yaml:4:1: unknown key \"laod\"", "did you mean \"load\"?"],
    );
    refused_files(("http://127.0.0.1:1", "htp:/x"), same, &["plan.yaml:2:9: \"htp:/x\" is not"]);
    refused_files(
        ("journey.yaml", "jorney.yaml"),
        same,
        &["plan.yaml:3:12: the journey \"jorney.yaml\" is neither built in"],
    );
    refused_files(("5/s", "0/s"), same, &["plan.yaml:4:28: a rate of 0 sends nothing"]);
    refused_files(same, ("get: /", "gte: /"), &["journey.yaml:3:", "gte"]);
    refused_files(same, ("get: /", "get: \"/${nothing}\""), &["journey.yaml:3:", "nothing"]);
    refused_files(("target: http://127.0.0.1:1\n", ""), same, &["--target URL"]);
}

#[test]
fn a_plan_of_10_mb_and_one_that_is_no_text() {
    let folder = Folder::new();
    let large = folder.write("large.yaml", format!("name: x\n#{}", "x".repeat(10 << 20)));
    refused(&["rehearse", &large], &["over 1 MiB"]);
    let binary = folder.write("binary.yaml", [0xff, 0xfe, 0x00]);
    refused(&["rehearse", &binary], &["not UTF-8"]);
    let deep = folder.write("deep.yaml", "[".repeat(100_000));
    refused(&["rehearse", &deep], &["not valid YAML"]);
}

/// Hits a target at 5/s for a second, with short limits on waiting.
fn hit(address: SocketAddr, more: &str) -> Finished {
    let folder = Folder::new();
    folder.write("journey.yaml", JOURNEY);
    let http = "http: { timeouts: { connect: 500ms, first_byte: 500ms, total: 1s } }\n";
    let plan = folder
        .write("plan.yaml", format!("{}{http}{more}", PLAN.replace("127.0.0.1:1", &address.to_string())));
    let began = Instant::now();
    let finished = run(&["rehearse", &plan, "--quiet"]);
    assert!(began.elapsed() < Duration::from_secs(20), "hung for {:?}", began.elapsed());
    finished
}

/// All requests failed with this class; the first example says these words.
fn failed(finished: &Finished, class: &str, words: &[&str]) {
    let report = &finished.report;
    assert_eq!(
        number(report, &format!("global.errors_by_class.{class}")),
        number(report, "global.requests"),
        "{report:#}"
    );
    assert_eq!(number(report, "global.requests"), 5.0);
    let example = report["failures"][0]["example"].as_str().unwrap();
    for word in words {
        assert!(example.contains(word), "\"{example}\" lacks \"{word}\"");
    }
}

/// The run is invalid because nothing answered.
fn unreachable(finished: &Finished) {
    assert_eq!(finished.code, 3, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("invalid (target_unreachable): nothing answered at all"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_target_that_refuses() {
    let _turn = turn();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let finished = hit(closed, "");
    failed(&finished, "connect", &["GET http://", "refused"]);
    unreachable(&finished);
    assert_eq!(number(&finished.report, "global.requests_sent"), 0.0);
}

#[test]
fn a_target_that_never_answers() {
    let _turn = turn();
    let silent = server(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let finished = hit(silent, "");
    failed(&finished, "timeout", &["no answer within 500ms"]);
    unreachable(&finished);
    // A timeout counts among the latencies, at the time waited.
    assert_eq!(number(&finished.report, "global.latency_ms.count"), 5.0);
    assert!(number(&finished.report, "global.latency_ms.max") >= 500.0);
}

#[test]
fn a_target_that_closes_at_once_or_in_mid_head() {
    let _turn = turn();
    let closing = server(|mut stream| {
        read_head(&mut stream);
    });
    let finished = hit(closing, "");
    failed(&finished, "reset", &["the connection broke"]);
    let halfway = server(|mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-");
    });
    failed(&hit(halfway, ""), "reset", &["the connection broke"]);
}

#[test]
fn a_target_that_closes_in_mid_body() {
    let _turn = turn();
    let address = server(|mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
    });
    patiently(|| {
        let finished = hit(address, "thresholds: [\"errors < 1%\"]\n");
        failed(&finished, "body", &["the body broke off"]);
        assert_eq!(finished.code, 1, "something answered, so the run is valid, and fails its threshold");
        assert_eq!(number(&finished.report, "global.latency_ms.count"), 0.0);
        assert_eq!(number(&finished.report, "global.failed_ms.count"), 5.0);
    });
}

#[test]
fn a_target_that_speaks_something_else() {
    let _turn = turn();
    failed(&hit(answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ""), "protocol", &["not HTTP"]);
}

#[test]
fn a_target_with_an_endless_header() {
    let _turn = turn();
    let address = server(|mut stream| {
        read_head(&mut stream);
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Endless: ");
        while sent.is_ok() {
            sent = stream.write_all(&[b'a'; 4096]);
        }
    });
    failed(&hit(address, ""), "protocol", &["not HTTP"]);
}

#[test]
fn a_target_that_sends_a_body_of_a_gigabyte() {
    let _turn = turn();
    let address = server(|mut stream| {
        while read_head(&mut stream) {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            let chunk = vec![b'a'; 1 << 20];
            for _ in 0..954 {
                sent = sent.and_then(|()| stream.write_all(&chunk));
            }
            if sent.is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}/");
    let running = start(&["hit", &url, "--rate", "5/s", "--for", "2s", "--quiet"]);
    let agent = running.agents()[0];
    let mut peak_kib = 0;
    while let Ok(status) = fs::read_to_string(format!("/proc/{agent}/status")) {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let Some(kib) = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()) else {
            break;
        };
        peak_kib = peak_kib.max(kib);
        thread::sleep(Duration::from_millis(20));
    }
    let finished = running.finish();
    assert_eq!(number(&finished.report, "global.errors_by_class.body"), 10.0, "{}", finished.stderr);
    let example = finished.report["failures"][0]["example"].as_str().unwrap();
    assert!(
        example.contains("over the limit of 67108864 bytes") && example.contains("http.max_body"),
        "{example}"
    );
    assert!((1..100_000).contains(&peak_kib), "the agent's memory went to {peak_kib} KiB");
}

#[test]
fn a_redirect_loop_and_a_redirect_to_a_stranger() {
    let _turn = turn();
    let around =
        answering(b"HTTP/1.1 302 Found\r\nLocation: /again?token=secret\r\nContent-Length: 0\r\n\r\n");
    let finished = hit(around, "");
    assert_eq!(number(&finished.report, "global.errors_by_class.status"), 5.0);
    assert_eq!(
        number(&finished.report, "global.requests"),
        5.0 * 20.0,
        "as many are followed as browsers follow"
    );
    let example = finished.report["failures"][0]["example"].as_str().unwrap();
    assert!(example.ends_with("/again: over 19 redirects, the last to /again"), "{example}");
    let away =
        answering(b"HTTP/1.1 302 Found\r\nLocation: http://shop.example.com/\r\nContent-Length: 0\r\n\r\n");
    failed(&hit(away, ""), "status", &["redirected to shop.example.com", "--allow-host"]);
}

#[test]
fn a_firewall_s_challenge_is_no_page() {
    let _turn = turn();
    let address =
        answering(b"HTTP/1.1 202 Accepted\r\nx-amzn-waf-action: challenge\r\nContent-Length: 0\r\n\r\n");
    let finished = hit(address, "");
    assert_eq!(finished.code, 3);
    assert!(finished.stderr.contains("invalid (waf_challenges): 5 of 5 answers"), "{}", finished.stderr);
}

#[test]
fn a_step_that_cannot_be_sent_does_not_spin() {
    let _turn = turn();
    let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let folder = Folder::new();
    folder.write("journey.yaml", JOURNEY.replace("get: /", "get: http://shop.example.com/"));
    let plan = PLAN.replace("127.0.0.1:1", &address.to_string());
    let plan = plan.replace("arrivals: [{ hold: 5/s, for: 1s }]", "shoppers: [{ hold: 2, for: 2s }]");
    let plan = folder.write("plan.yaml", plan);
    let began = Instant::now();
    let finished = run(&["rehearse", &plan, "--quiet"]);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let started = number(&finished.report, "validity.arrivals_started");
    assert!((2.0..500.0).contains(&started), "{started} iterations");
    assert!(finished.report["failures"][0]["example"].as_str().unwrap().contains("--allow-host"));
    assert_eq!(finished.code, 3);
}

#[test]
fn a_result_that_cannot_be_written_is_said_and_the_tables_are_shown() {
    let _turn = turn();
    let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let url = format!("http://{address}/");
    let finished = run(&["hit", &url, "--rate", "5/s", "--for", "1s", "--markdown", "/dev/full"]);
    assert!(
        finished.stderr.contains("writing /dev/full") && finished.stdout.contains("verdict:"),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.stderr.matches("No space left").count(), 1, "{}", finished.stderr);
}

#[test]
fn an_abort_rule_without_a_window_and_a_bound_without_a_pool() {
    let same = ("", "");
    refused_files(
        ("name: x", "name: x\nabort_when: \"errors > 20%\""),
        same,
        &["plan.yaml:2:13:", "over 10s"],
    );
    refused_files(("] }", "], max_connections: 5 }"), same, &["add connections: shared"]);
    refused_files(same, ("get: /", "get: /, headers: { user-agent: x }"), &["user-agent", "leave it out"]);
    refused(&["hit", "http://127.0.0.1:1", "--header", "User-Agent: x"], &["http.user_agent"]);
}
