//! An agent with scenarios of its own, driven as a coordinator drives it: over standard input and output.
//!
//! This program is both sides. Without a harness, because an agent's first bytes of output are a frame: started by
//! itself, with [`AGENT`] set, it is the agent; otherwise it carries the tests out, one after the other.

// Integration tests are the place for these.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod scenarios;
mod shop;

use std::env;
use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorbuster_model::assignment::Secrets;
use doorbuster_model::tally::{Exchanges, Journeys};
use doorbuster_model::{Assignment, ErrorClass, Overrides, Report, Segment, Tally, Task};
use doorbuster_wire::{Frames, FromAgent, Message, PROTOCOL, ToAgent};

use crate::shop::Shop;

/// Set in the environment of the agent.
const AGENT: &str = "DOORBUSTER_TEST_AGENT";

const TESTS: [(&str, fn()); 6] = [
    ("what_scenarios_do_is_counted", what_scenarios_do_is_counted),
    ("seconds_are_told_while_goodbyes_hang", seconds_are_told_while_goodbyes_hang),
    ("a_panic_in_a_goodbye_ends_the_run", a_panic_in_a_goodbye_ends_the_run),
    ("headers_are_the_target_s_alone", headers_are_the_target_s_alone),
    ("other_hosts_may_be_loaded_without_headers", other_hosts_may_be_loaded_without_headers),
    ("nobody_loads_a_stranger", nobody_loads_a_stranger),
];

fn main() -> ExitCode {
    if env::var_os(AGENT).is_some() {
        return doorbuster_goose::run(scenarios::all());
    }
    for (name, test) in TESTS {
        eprintln!("test {name}");
        // A test that fails panics, and with it this program.
        test();
    }
    ExitCode::SUCCESS
}

/// What an agent said.
#[derive(Default)]
struct Ran {
    tally: Tally,
    /// When each second came.
    ticks: Vec<Instant>,
    /// Why it failed; empty when it did not.
    failed: String,
}

/// Has an agent carry a plan out against the shop. Each scenario named is a journey, by its position.
fn run(shop: &Shop, scenarios: &[&str], plan: &str) -> Ran {
    let mut agent = Command::new(env::current_exe().unwrap())
        .env(AGENT, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = agent.stdin.take().unwrap();
    let mut output = agent.stdout.take().unwrap();
    let mut say = move |message: &ToAgent| input.write_all(&message.encode().unwrap()).unwrap();
    say(&ToAgent::Hello { protocol: PROTOCOL, version: "test".to_owned() });
    say(&ToAgent::Assign(Box::new(assignment(shop, scenarios, plan))));
    let (mut frames, mut buffer, mut ran) = (Frames::default(), vec![0; 64 << 10], Ran::default());
    loop {
        // An agent that hangs ends with its lease, which nobody renews.
        let count = output.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        frames.push(&buffer[..count]);
        while let Some(frame) = frames.next_frame().unwrap() {
            match FromAgent::decode(&frame).unwrap() {
                FromAgent::Report(Report::Started { .. }) => {
                    let at =
                        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_millis(100);
                    say(&ToAgent::Start { at_unix_ns: u64::try_from(at.as_nanos()).unwrap() });
                }
                FromAgent::Report(Report::Tick(tick)) => {
                    ran.tally.merge(&tick.tally);
                    ran.ticks.push(Instant::now());
                }
                FromAgent::Report(Report::Failed { message }) => ran.failed = message,
                _ => {}
            }
        }
    }
    agent.wait().unwrap();
    ran
}

fn assignment(shop: &Shop, scenarios: &[&str], plan: &str) -> Assignment {
    let file = |scenario: &&str| format!("{scenario}.yaml");
    let journey = |scenario: &str| {
        format!("journey: {scenario}\nsteps:\n  - {{ step: home, get: / }}\n  - {{ step: other, get: / }}\n")
    };
    let journeys: Vec<String> = scenarios.iter().map(file).collect();
    Assignment {
        id: "a".to_owned(),
        run: "r".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole(),
        agents_here: 1,
        plan: format!(
            "name: goose\ntarget: \"http://{}\"\njourneys: [{}]\n{plan}",
            shop.address,
            journeys.join(", ")
        ),
        overrides: Overrides::default(),
        files: Arc::new(scenarios.iter().map(|scenario| (file(scenario), journey(scenario))).collect()),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Load,
        generation: None,
        not_after_unix_ms: 0,
    }
}

impl Ran {
    /// A sum over all requests of the journey at `position`.
    fn sum(&self, position: u16, of: impl Fn(&Exchanges) -> u64) -> u64 {
        let own = self.tally.exchanges.iter().filter(|(key, _)| key.journey == position);
        own.map(|(_, exchanges)| of(exchanges)).sum()
    }

    /// A sum over all requests.
    fn total(&self, of: impl Fn(&Exchanges) -> u64) -> u64 {
        self.tally.exchanges.values().map(of).sum()
    }

    fn journeys(&self, position: u16) -> Journeys {
        self.tally.journeys.get(&position).copied().unwrap_or_default()
    }
}

fn failures(exchanges: &Exchanges, class: ErrorClass) -> u64 {
    exchanges.errors[class as usize]
}

/// One user of each scenario.
fn what_scenarios_do_is_counted() {
    let shop = Shop::start();
    let scenarios = ["goodbye", "forgiving", "impatient", "talkative", "slow"];
    let ran = run(&shop, &scenarios, "load: { shoppers: [{ hold: 5, for: 2s }] }\ngraceful: 6s\n");
    assert_eq!(ran.failed, "");
    assert_eq!(
        ran.total(|exchanges| exchanges.requests_sent),
        shop.requests(""),
        "each request is counted once"
    );
    assert_eq!(ran.total(|exchanges| exchanges.cut), 0);

    // A user that goes says goodbye, once.
    assert_eq!(shop.requests("GET /bye "), 1);

    // `set_success` makes a failed answer good, `set_failure` a good one a business failure.
    let missing = ran.sum(1, |exchanges| exchanges.statuses.get(&404).copied().unwrap_or(0));
    assert!(
        missing > 0 && missing == ran.sum(1, |exchanges| exchanges.statuses.get(&200).copied().unwrap_or(0))
    );
    assert_eq!(ran.sum(1, Exchanges::business_failures), missing);
    assert_eq!(ran.sum(1, Exchanges::errors_total), missing);

    // What is given up is a timeout, as long as it was waited for.
    let given_up = shop.requests("GET /hang ");
    assert!(given_up >= 4, "{given_up}");
    assert_eq!(ran.sum(2, |exchanges| failures(exchanges, ErrorClass::Timeout)), given_up);
    assert_eq!(ran.sum(2, Exchanges::errors_total), given_up);
    let examples = ran.tally.failures.iter().filter(|((journey, ..), _)| *journey == 2);
    for (_, failures) in examples {
        let (begin, end) = ("no answer's head within 0.", " s, when the scenario gave it up");
        let example = &failures.example;
        assert!(example.starts_with(begin) && example.ends_with(end), "{example}");
    }

    // More requests in one transaction than are kept: the first can be judged no more, and that is counted.
    let late = ran.tally.counters.get("judged_too_late").copied().unwrap_or(0);
    assert!(late > 0 && late == ran.journeys(3).completed, "{late}");
    assert_eq!(ran.sum(3, |exchanges| failures(exchanges, ErrorClass::Status)), late);

    // Its first iteration was over when the load ended, in the wait behind it.
    let slow = ran.journeys(4);
    assert_eq!((slow.started, slow.completed, slow.cut), (1, 1, 0));
    assert_eq!(
        ran.sum(4, |exchanges| exchanges.requests),
        3,
        "as many as Goose deals out of its transactions"
    );
}

fn seconds_are_told_while_goodbyes_hang() {
    let shop = Shop::start();
    let ran = run(&shop, &["stuck"], "load: { shoppers: [{ hold: 2, for: 1s }] }\ngraceful: 4s\n");
    assert_eq!(ran.failed, "");
    let longest = ran.ticks.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(ran.ticks.len() >= 5 && longest < Duration::from_secs(2), "{} {longest:?}", ran.ticks.len());
    assert_eq!(ran.total(|exchanges| exchanges.requests_sent), shop.requests(""));
    let unanswered = |exchanges: &Exchanges| exchanges.cut + failures(exchanges, ErrorClass::Timeout);
    assert_eq!((shop.requests("GET /hang "), ran.total(unanswered)), (2, 2));
}

fn a_panic_in_a_goodbye_ends_the_run() {
    let shop = Shop::start();
    let ran = run(&shop, &["clumsy"], "load: { shoppers: [{ hold: 1, for: 1s }] }\ngraceful: 3s\n");
    assert!(ran.failed.contains("a scenario panicked"), "{}", ran.failed);
}

const HEADERS: &str =
    "http: { headers: { X-Staging: sesame }, basic_auth: { user: shop, password: sesame } }\n";

fn headers_are_the_target_s_alone() {
    let (shop, other) = (Shop::start(), Shop::start());
    shop.lead_to(&other);
    let load = "load: { shoppers: [{ hold: 1, for: 2s }] }\n";
    let ran = run(&shop, &["wandering"], &format!("{load}{HEADERS}"));
    assert!(ran.failed.contains("are for the target's host alone"), "{}", ran.failed);
    assert!(ran.failed.contains("http://localhost:") && !ran.failed.contains("token"), "{}", ran.failed);
    assert_eq!(other.requests(""), 0, "nothing reached the other host");
    for header in ["x-staging: sesame", "authorization: Basic c2hvcDpzZXNhbWU="] {
        assert!(shop.heads().iter().all(|head| head.contains(header)), "{header}: {:?}", shop.heads());
    }
    assert!(shop.requests("GET /away ") > 0);
}

fn other_hosts_may_be_loaded_without_headers() {
    let (shop, other) = (Shop::start(), Shop::start());
    shop.lead_to(&other);
    let ran = run(&shop, &["wandering"], "load: { shoppers: [{ hold: 1, for: 1s }] }\n");
    assert_eq!(ran.failed, "");
    assert_eq!(ran.total(|exchanges| failures(exchanges, ErrorClass::Connect)), 0);
    assert!(other.requests("GET /followed ") > 0 && other.requests("GET /elsewhere?token=1 ") > 0);
}

fn nobody_loads_a_stranger() {
    let shop = Shop::start();
    let ran = run(&shop, &["lost"], "load: { shoppers: [{ hold: 1, for: 2s }] }\n");
    let said = "a scenario requested http://192.0.2.1/, a host that nobody allowed; nothing was sent there";
    assert!(ran.failed.contains(said), "{}", ran.failed);
}
