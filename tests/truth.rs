//! Latencies are what arithmetic says, and load is what the plan says.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use std::{fs, thread};

use base64::Engine as _;
use doorbuster_shop::Fault;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::Value;

use crate::util::{
    Folder, Nginx, certificates, count, number, patiently, read_head, regions, root, run, server, shop,
    signal, start, turn, without,
};

/// 10 s at `rate` arrivals/s against a shop that is frozen for 2.0 s in the middle.
fn frozen(rate: u32, more: &[&str]) -> Value {
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    let rate_option = format!("{rate}/s");
    let mut arguments = vec!["hit", &url, "--rate", &rate_option, "--for", "10s", "--quiet"];
    arguments.extend(more);
    let running = start(&arguments);
    thread::sleep(Duration::from_secs(4));
    shop.set_fault("freeze=2s".parse::<Fault>().unwrap());
    let finished = running.finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(number(&finished.report, "global.requests"), f64::from(rate) * 10.0);
    finished.report
}

/// A fifth of the arrivals meet the freeze and wait from 2 s down to nothing: a tenth of all wait over 1.0 s, a
/// hundredth over 1.9 s, the longest 2.0 s.
fn is_what_arithmetic_says(report: &Value, times: &str) {
    for (figure, seconds) in [("p90", 1.0), ("p99", 1.9), ("max", 2.0)] {
        let observed = number(report, &format!("global.{times}.{figure}")) / 1_000.0;
        eprintln!("{times} {figure}: {observed:.3} s, arithmetic says {seconds} s");
        assert!(
            (observed / seconds - 1.0_f64).abs() < 0.05,
            "{times} {figure}: {observed} s, not {seconds} s"
        );
    }
}

/// Through a pool without a bound, service time says the same: everything was sent at once.
fn freeze(rate: u32) {
    let report = frozen(rate, &[]);
    is_what_arithmetic_says(&report, "latency_ms");
    is_what_arithmetic_says(&report, "service_ms");
}

/// Through a pool of 64 connections at most 64 requests were under way when the freeze began; all others waited.
fn freeze_through_a_bounded_pool(rate: u32) {
    let folder = Folder::new();
    let logs = folder.path("logs").display().to_string();
    let report = frozen(rate, &["--max-connections", "64", "--hlog", &logs]);
    is_what_arithmetic_says(&report, "latency_ms");
    let service = service_times(&folder.path("logs/here.hlog"));
    assert_eq!(service.len(), u64::from(rate) * 10);
    let slow = service.count_between(100_000, u64::MAX);
    eprintln!("{slow} service samples over 100 ms");
    assert!((1..=64).contains(&slow), "{slow} service samples over 100 ms");
}

// The short form has 400 arrivals/s: when the freeze ends, target and generator answer and count the backlog on the
// same two cores, and at 1,000/s that takes a good part of the 50 ms that the bound leaves.
#[test]
fn a_freeze_is_seen_in_full() {
    let _turn = turn();
    patiently(|| freeze(400));
}

#[test]
fn a_freeze_is_seen_in_full_through_a_bounded_pool() {
    let _turn = turn();
    patiently(|| freeze_through_a_bounded_pool(400));
}

#[test]
#[ignore = "wants a quiet machine: cargo xtask long"]
fn long_a_freeze_at_a_thousand_arrivals_a_second() {
    let _turn = turn();
    patiently(|| freeze(1_000));
    patiently(|| freeze_through_a_bounded_pool(1_000));
}

/// The service times of a run, from its HdrHistogram log: the standard format, read by the standard library.
fn service_times(hlog: &Path) -> Histogram<u64> {
    let text = fs::read(hlog).unwrap();
    let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(&text).map(Result::unwrap).collect();
    let tagged = entries.iter().find_map(|entry| match entry {
        LogEntry::Interval(interval) if interval.tag().is_some_and(|tag| tag.as_str() == "service") => {
            Some(interval)
        }
        _ => None,
    });
    let encoded =
        base64::engine::general_purpose::STANDARD.decode(tagged.unwrap().encoded_histogram()).unwrap();
    Deserializer::new().deserialize(&mut encoded.as_slice()).unwrap()
}

/// The exact open model, in C: built once, from what `bench/` compares with.
fn reference() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("reference-open");
        // Whoever has built Doorbuster has a C compiler: its cryptography needs one.
        let source = root().join("bench/reference/open.c");
        let built = Command::new("cc").args(["-O2", "-o"]).args([&program, &source]).status().unwrap();
        assert!(built.success());
        program
    })
}

/// How a target stands still in the comparison with the reference, and for how long it is watched.
#[derive(Clone, Copy)]
struct Standstill {
    rate: u32,
    seconds: u32,
    frozen: Duration,
}

impl Standstill {
    /// Stops the server's process in the middle of what `client` does, which begins after `before`.
    fn during<T>(self, nginx: &Nginx, before: Duration, client: impl FnOnce() -> T) -> T {
        let pid = nginx.pid();
        let middle = before + Duration::from_secs(u64::from(self.seconds)).mul_f64(0.4);
        // What was sent before has a freeze of its own, which nobody counts.
        let freezes = if before.is_zero() { vec![middle] } else { vec![Duration::from_secs(1), middle] };
        let frozen = self.frozen;
        let freezer = thread::spawn(move || {
            let begin = Instant::now();
            for at in freezes {
                thread::sleep(at.saturating_sub(begin.elapsed()));
                signal(pid, "STOP");
                thread::sleep(frozen);
                signal(pid, "CONT");
            }
        });
        let done = client();
        freezer.join().unwrap();
        done
    }

    /// The figures in seconds, as the reference measures them over so many connections.
    fn by_reference(self, nginx: &Nginx, port: u16, connections: u32) -> Vec<f64> {
        let said = self.during(nginx, Duration::ZERO, || {
            let numbers =
                [u32::from(port), connections, self.seconds, self.rate].map(|number| number.to_string());
            Command::new(reference()).arg("127.0.0.1").args(numbers).output().unwrap()
        });
        assert!(said.status.success(), "{said:?}");
        let said = String::from_utf8(said.stdout).unwrap();
        self.figures(|name| {
            let (_, rest) =
                said.split_once(&format!(" {name} ")).unwrap_or_else(|| panic!("{name} is not in {said}"));
            rest.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e3
        })
    }

    /// The same, as Doorbuster reports them. The reference has all its connections from the beginning: so here a
    /// freeze in the warm-up opens as many, and what the other one holds up is requests alone, not handshakes.
    fn by_doorbuster(self, nginx: &Nginx, target: &str, http: &str, load: &str) -> Vec<f64> {
        let warmup = Duration::from_secs(3) + self.frozen;
        let length = warmup.as_secs() + u64::from(self.seconds);
        nginx.folder.write("journey.yaml", "journey: one\nsteps:\n  - { step: one, get: / }\n");
        let plan = format!(
            "name: freeze\ntarget: {target}\nregions: [here]\njourneys: [journey.yaml]\nwarmup: {}s\n\
             load: {{ arrivals: [{{ hold: {}/s, for: {length}s }}], connections: shared{load} }}\nhttp: {{ insecure: true{http} }}\n",
            warmup.as_secs(),
            self.rate
        );
        let plan = nginx.folder.write("plan.yaml", plan);
        let finished = self.during(nginx, warmup, || run(&["rehearse", &plan, "--quiet"]));
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let phases = finished.report["phases"].as_array().unwrap();
        let counted = phases.iter().find(|phase| phase["warmup"] == false).unwrap();
        assert_eq!(number(counted, "requests"), f64::from(self.rate * self.seconds), "{counted}");
        assert_eq!(number(counted, "errors"), 0.0, "{counted}");
        self.figures(|name| number(counted, &format!("latency_ms.{}", name.replace('.', "_"))) / 1e3)
    }

    /// p90, p99 and the maximum; p99.9 where there are arrivals enough to tell it.
    fn figures(self, figure: impl Fn(&str) -> f64) -> Vec<f64> {
        let names: &[&str] = if self.rate * self.seconds >= 10_000 {
            &["p90", "p99", "p99.9", "max"]
        } else {
            &["p90", "p99", "max"]
        };
        names.iter().map(|name| figure(name)).collect()
    }
}

/// Doorbuster beside the exact reference, in turn against the same server, within 2 %.
fn beside_the_reference(standstill: Standstill) {
    let folder = Folder::new();
    certificates(&folder);
    let nginx = Nginx::start(
        folder,
        "default_type text/html; server { listen 127.0.0.1:PORT backlog=4096; location / { return 200 hello; } }\n\
         server { listen 127.0.0.1:TLSPORT ssl http2 backlog=4096; ssl_certificate FOLDER/server.pem; ssl_certificate_key FOLDER/server.key;\n\
         location / { return 200 hello; } }",
    );
    let plain = format!("http://127.0.0.1:{}/", nginx.port);
    let secure = format!("https://127.0.0.1:{}/", nginx.tls_port);
    let frozen_ms = u32::try_from(standstill.frozen.as_millis()).unwrap();
    let many = standstill.rate * frozen_ms / 1_000 * 11 / 10 + 64;
    let bound = ", max_connections: 64";
    for (label, connections, target, http, load) in [
        ("HTTP/1.1, 64 connections", 64, &plain, "", bound),
        ("HTTP/1.1, no bound", many, &plain, "", ""),
        ("TLS, 64 connections", 64, &secure, ", version: '1.1'", bound),
        ("TLS, no bound", many, &secure, ", version: '1.1'", ""),
        ("HTTP/2, 64 connections", 64, &secure, ", version: '2'", bound),
        ("HTTP/2, no bound", many, &secure, ", version: '2'", ""),
    ] {
        patiently(|| {
            let expected = standstill.by_reference(&nginx, nginx.port, connections);
            let observed = standstill.by_doorbuster(&nginx, target, http, load);
            eprintln!("{label}: {observed:.3?}, the reference {expected:.3?}");
            for (observed, expected) in observed.into_iter().zip(expected) {
                assert!((observed / expected - 1.0).abs() < 0.02, "{label}: {observed} s, not {expected} s");
            }
        });
    }
}

#[test]
fn a_freeze_is_what_the_reference_says() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    beside_the_reference(Standstill { rate: 300, seconds: 5, frozen: Duration::from_secs(1) });
}

#[test]
#[ignore = "two minutes: cargo xtask long"]
fn long_a_freeze_is_what_the_reference_says() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    beside_the_reference(Standstill { rate: 1_000, seconds: 10, frozen: Duration::from_secs(2) });
}

/// Two freezes of a second in eight: a quarter of all arrivals wait from 1 s down to nothing, so a tenth of all wait
/// over 0.6 s, a hundredth over 0.96 s.
#[test]
fn two_freezes_are_both_seen() {
    let _turn = turn();
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    patiently(|| {
        let running = start(&["hit", &url, "--rate", "400/s", "--for", "8s", "--quiet"]);
        thread::sleep(Duration::from_secs(2));
        shop.set_fault("freeze=1s".parse::<Fault>().unwrap());
        thread::sleep(Duration::from_secs(3));
        shop.set_fault("freeze=1s".parse::<Fault>().unwrap());
        let finished = running.finish();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(number(&finished.report, "global.statuses.200"), 3_200.0);
        for (figure, seconds) in [("p90", 0.6), ("p99", 0.96), ("max", 1.0)] {
            let observed = number(&finished.report, &format!("global.latency_ms.{figure}")) / 1_000.0;
            eprintln!("two freezes, {figure}: {observed:.3} s, arithmetic says {seconds} s");
            assert!((observed / seconds - 1.0).abs() < 0.03, "{figure}: {observed} s, not {seconds} s");
        }
    });
}

/// A closed model cannot see who would have come meanwhile: each of its shoppers waits once, and that is all.
#[test]
fn a_freeze_holds_each_shopper_of_a_closed_model_once() {
    let _turn = turn();
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    patiently(|| {
        let folder = Folder::new();
        let logs = folder.path("logs").display().to_string();
        let logged = || shop.counts().values().flat_map(|counts| counts.values()).sum::<u64>();
        let before = logged();
        let running = start(&["hit", &url, "--connections", "20", "--for", "5s", "--quiet", "--hlog", &logs]);
        thread::sleep(Duration::from_secs(2));
        shop.set_fault("freeze=2s".parse::<Fault>().unwrap());
        let finished = running.finish();
        let times = service_times(&folder.path("logs/here.hlog"));
        let held = times.count_between(1_500_000, u64::MAX);
        assert!((1..=20).contains(&held), "{held} of 20 shoppers were held");
        assert!((times.max() as f64 / 2e6 - 1.0).abs() < 0.02, "{} µs", times.max());
        assert_eq!(times.count_between(200_000, 1_500_000), 0, "nobody waits for half of a freeze");
        assert_eq!(count(&finished.report, "global.requests_sent"), logged() - before);
    });
}

/// A target that takes ever longer: arrivals at an even rate, so latencies spread evenly from nothing to 400 ms.
#[test]
fn a_slow_ramp_of_service_time_is_seen_as_it_is() {
    const RAMP: Duration = Duration::from_secs(5);
    let _turn = turn();
    patiently(|| {
        let begin: Arc<OnceLock<Instant>> = Arc::default();
        let address = server(move |mut stream| {
            while read_head(&mut stream) {
                let passed = begin.get_or_init(Instant::now).elapsed().as_secs_f64() / RAMP.as_secs_f64();
                thread::sleep(Duration::from_millis(400).mul_f64(passed.min(1.0)));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        let url = format!("http://{address}/");
        let finished = run(&["hit", &url, "--rate", "200/s", "--for", "5s", "--quiet"]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(number(&finished.report, "global.statuses.200"), 1_000.0);
        for (figure, ms) in [("p50", 200.0), ("p90", 360.0), ("p95", 380.0), ("p99", 396.0), ("max", 400.0)] {
            let observed = number(&finished.report, &format!("global.latency_ms.{figure}"));
            eprintln!("slow ramp, {figure}: {observed:.1} ms, arithmetic says {ms} ms");
            assert!((observed / ms - 1.0).abs() < 0.02, "{figure}: {observed} ms, not {ms} ms");
        }
    });
}

/// A target that accepts and never answers: every arrival is counted, at the time that it waited.
#[test]
fn a_target_that_never_answers_is_not_fast() {
    let _turn = turn();
    let address = server(|mut stream| {
        let _ = read_head(&mut stream);
        thread::sleep(Duration::from_secs(30));
    });
    let folder = Folder::new();
    folder.write("journey.yaml", "journey: silent\nsteps:\n  - { step: one, get: / }\n");
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: silent\ntarget: http://{address}\nregions: [here]\njourneys: [journey.yaml]\nload: {{ arrivals: [{{ hold: 100/s, for: 3s }}] }}\nwarmup: 0s\ngraceful: 5s\nhttp: {{ timeouts: {{ first_byte: 1s }} }}\n"
        ),
    );
    patiently(|| {
        let finished = run(&["rehearse", &plan, "--quiet"]);
        let report = &finished.report;
        assert_ne!(finished.code, 0);
        assert_eq!(number(report, "global.requests"), 300.0);
        assert_eq!(number(report, "global.requests_sent"), 300.0);
        assert_eq!(number(report, "global.errors_by_class.timeout"), 300.0);
        for figure in ["p50", "p90", "max"] {
            let observed = number(report, &format!("global.latency_ms.{figure}"));
            assert!((1_000.0..1_050.0).contains(&observed), "{figure}: {observed} ms, not 1,000 ms");
        }
    });
}

/// Twenty thousand arrivals a second: the count exact, and late by less than a millisecond as long as there is room.
#[test]
#[ignore = "wants a quiet machine: cargo xtask long"]
fn long_twenty_thousand_arrivals_a_second() {
    let _turn = turn();
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    for rate in [5_000_u32, 20_000] {
        patiently(|| {
            let finished = run(&["hit", &url, "--rate", &format!("{rate}/s"), "--for", "10s", "--quiet"]);
            assert_eq!(number(&finished.report, "global.requests"), f64::from(rate) * 10.0);
            let lag = number(&finished.report, "validity.schedule_lag_ms.p99");
            eprintln!("{rate}/s: schedule lag p99 {lag} ms");
            assert!(lag < 1.0, "{rate}/s: schedule lag p99 {lag} ms");
        });
    }
}

/// A shop that freezes and never recovers: its last answers are timeouts, not merely cut.
#[test]
fn a_freeze_for_good_is_not_overlooked() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let plan = format!(
        "name: frozen\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 60/s, for: 4s }}] }}\ngraceful: 2s\nthresholds: [\"errors < 1%\"]\n",
        regions(&shop)
    );
    let plan = folder.write("plan.yaml", plan);
    let running = start(&["rehearse", &plan, "--quiet"]);
    thread::sleep(Duration::from_secs(2));
    shop.set_fault("freeze=60s".parse::<Fault>().unwrap());
    let finished = running.finish();
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    // Everything that arrived in the frozen two seconds waited at least as long as the grace.
    assert!(number(&finished.report, "global.errors_by_class.timeout") > 80.0);
    assert!(number(&finished.report, "global.latency_ms.max") > 2_000.0);
}

/// A slow target with many shoppers of a closed model is a slow target, not an invalid run.
#[test]
fn a_slow_target_does_not_make_a_closed_run_invalid() {
    let _turn = turn();
    let shop = shop();
    shop.set_fault("slow=1s".parse::<Fault>().unwrap());
    let url = format!("http://{}/", shop.edges()[0].address);
    patiently(|| {
        let finished = start(&["hit", &url, "--connections", "600", "--for", "3s", "--quiet"]).finish();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert!(number(&finished.report, "global.latency_ms.p50") >= 1_000.0);
    });
}

/// The plan's arrivals, at their rate and on time.
fn steady(seconds: u32) {
    let shop = shop();
    let url = format!("http://{}/", shop.edges()[0].address);
    let length = format!("{seconds}s");
    let finished = start(&["hit", &url, "--rate", "1000/s", "--for", &length, "--quiet"]).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let report = &finished.report;
    assert_eq!(number(report, "global.requests"), f64::from(seconds) * 1_000.0);
    let lag = number(report, "validity.schedule_lag_ms.p99");
    eprintln!("schedule lag p99 {lag} ms");
    assert!(lag < 5.0, "schedule lag p99 {lag} ms");
    // Second by second too: arrivals of a second that started in it, within what a late timer moves over its edge.
    let rows = report["timeline"].as_array().unwrap();
    for row in &rows[..seconds as usize] {
        let started = number(row, "arrivals_started");
        assert!((995.0..=1_005.0).contains(&started), "{row}");
    }
    let total: f64 = rows.iter().map(|row| number(row, "arrivals_started")).sum();
    assert_eq!(total, f64::from(seconds) * 1_000.0);
}

#[test]
fn a_thousand_arrivals_a_second() {
    let _turn = turn();
    patiently(|| steady(10));
}

#[test]
#[ignore = "a minute: cargo xtask long"]
fn long_a_thousand_arrivals_a_second() {
    let _turn = turn();
    patiently(|| steady(60));
}
