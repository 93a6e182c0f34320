//! A round of a probe without a coordinator: each of a plan's journeys walked once, by a process like any agent's.

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use doorbuster_model::assignment::Secrets;
use doorbuster_model::report::{Probed, ProbedStep};
use doorbuster_model::{Assignment, ErrorClass, Overrides, Plan, Report, Segment, Task};
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep_until};
use url::Url;

use super::emf::{self, Figures};
use super::object::Objects;
use super::say;
use super::signature::{Credentials, is_private, location, signed};
use crate::Error;
use crate::child::{self, Program};
use crate::job::Job;
use crate::session::{VERSION, unix_ns};

/// A round's walks are spread over so long, and over the plan's own interval where that is shorter.
const SPREAD_MS_MAX: u64 = 20_000;
/// How far ahead second 0 lies.
const AHEAD_NS: u64 = 150_000_000;
/// How often the lease is renewed.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// How long the agent has to end once it was asked to.
const ENDING: Duration = Duration::from_secs(5);
/// The longest description of a round.
const BYTES_MAX: usize = 16 << 20;
const READING: &str = "reading what to probe";

/// What is to be probed.
#[derive(Debug)]
pub(super) enum Order {
    /// This.
    Round(Round),
    /// What is at this address, `http`, `https` or `s3`.
    At(String),
}

/// A plan, and from which of its regions it is walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    plan: String,
    files: BTreeMap<String, String>,
    region: String,
    /// The hosts that may be loaded, besides loopback.
    allow_hosts: Vec<String>,
}

/// What journeys and steps are called, by their positions.
type Names = Vec<(String, Vec<String>)>;

/// What came of a round.
#[derive(Debug)]
pub(super) struct Walked {
    region: String,
    names: Names,
    walks: Vec<Probed>,
}

impl Order {
    /// What a payload asks to probe; `None` where it asks for something else.
    pub(super) fn of(payload: &[u8]) -> Option<Result<Self, Error>> {
        let payload: Value = serde_json::from_slice(payload).ok()?;
        if let Some(round) = payload.get("probe") {
            return Some(Round::of(round).map(Self::Round));
        }
        let at = payload.get("probe_url")?;
        let fail = || Error::Aws { what: READING, why: "its probe_url is no text".to_owned() };
        Some(at.as_str().map(|at| Self::At(at.to_owned())).ok_or_else(fail))
    }

    /// Walks the round, until `deadline` at the latest. `run` is sent to the target as the run's id.
    pub(super) async fn walk(self, run: &str, program: &Program, deadline: Instant) -> Result<Walked, Error> {
        let round = match self {
            Self::Round(round) => round,
            Self::At(address) => Round::at(&address).await?,
        };
        round.walk(run, program, deadline).await
    }
}

impl Round {
    /// Fetches one.
    async fn at(address: &str) -> Result<Self, Error> {
        let fail = |why: String| Error::Aws { what: READING, why };
        let (url, headers) = if is_private(address) {
            let credentials = Credentials::of_environment()?;
            let endpoint =
                ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().find_map(|name| env::var(name).ok());
            let url = location(address, &credentials.region, endpoint.as_deref()).map_err(fail)?;
            let headers = signed(&credentials, &url, unix_ns() / 1_000_000_000)?;
            (url, headers)
        } else {
            let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let why = || fail("its probe_url is no address of http, https or s3".to_owned());
            (url.ok_or_else(why)?, HeaderMap::new())
        };
        let bytes = Objects::new()?.whole("fetching what to probe", &url, &headers, BYTES_MAX).await?;
        let read: Value = serde_json::from_slice(&bytes).map_err(|error| fail(error.to_string()))?;
        Self::of(read.get("probe").unwrap_or(&read))
    }

    fn of(value: &Value) -> Result<Self, Error> {
        let fail = |why: &str| Error::Aws { what: READING, why: why.to_owned() };
        let text = |key: &str| {
            let text = value.get(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| fail(&format!("it has no text \"{key}\"")))
        };
        let none = serde_json::Map::new();
        let files = match value.get("files") {
            None | Some(Value::Null) => &none,
            Some(files) => files.as_object().ok_or_else(|| fail("its files are no object"))?,
        };
        let file = |(name, text): (&String, &Value)| {
            let text = text.as_str().ok_or_else(|| fail("one of its files is no text"))?;
            Ok::<_, Error>((name.clone(), text.to_owned()))
        };
        let files: Result<BTreeMap<String, String>, Error> = files.iter().map(file).collect();
        let nobody = Vec::new();
        let hosts = match value.get("allow_hosts") {
            None | Some(Value::Null) => &nobody,
            Some(hosts) => hosts.as_array().ok_or_else(|| fail("its allow_hosts are no list"))?,
        };
        let host = |host: &Value| host.as_str().map(str::to_owned);
        let hosts: Option<Vec<String>> = hosts.iter().map(host).collect();
        let allow_hosts = hosts.ok_or_else(|| fail("one of its allow_hosts is no text"))?;
        Ok(Self { plan: text("plan")?, files: files?, region: text("region")?, allow_hosts })
    }

    /// The round as an agent is handed it, its walks spread over `every_ms`.
    fn assignment(&self, run: &str, every_ms: u64) -> Assignment {
        let days = unix_ns() / 1_000_000_000 / 86_400;
        Assignment {
            id: format!("probe-{run}"),
            run: format!("probe-{run}"),
            region: self.region.clone(),
            segment: Segment::whole(),
            agents_here: 0,
            plan: self.plan.clone(),
            overrides: Overrides { allow_hosts: self.allow_hosts.clone(), ..Overrides::default() },
            files: self.files.clone().into(),
            secrets: Secrets::default(),
            today: i64::try_from(days).unwrap_or(i64::MAX),
            task: Task::Probe { every_ms },
            generation: None,
            not_after_unix_ms: 0,
        }
    }

    /// The assignment, how long its walks are spread over, and what they are called. A stranger's shop gets them as slowly as
    /// the plan's own interval is, where that alone is slow enough.
    fn prepared(&self, run: &str) -> Result<(Assignment, u64, Names), Error> {
        let plan = Plan::read("plan", &self.plan).map_err(Error::Plan)?;
        let own_ms = plan.probe.map_or(SPREAD_MS_MAX, |probe| probe.every_ms());
        let mut every_ms = own_ms.min(SPREAD_MS_MAX);
        loop {
            let assignment = self.assignment(run, every_ms);
            match Job::read(&assignment) {
                Err(Error::NotAllowed { .. }) if every_ms < own_ms => every_ms = own_ms,
                Err(error) => return Err(error),
                Ok(job) => {
                    let journeys = job.journeys.iter();
                    let names = journeys
                        .map(|journey| (journey.name().to_owned(), journey.sample_names().to_vec()))
                        .collect();
                    return Ok((assignment, every_ms, names));
                }
            }
        }
    }

    async fn walk(self, run: &str, program: &Program, deadline: Instant) -> Result<Walked, Error> {
        let (assignment, every_ms, names) = self.prepared(run)?;
        let (mut to, mut from, guard) = child::start(program)?;
        let hello = ToAgent::Hello { protocol: PROTOCOL, version: VERSION.to_owned() };
        // An agent that hears nothing any more has ended, or is about to: its end tells more, here and below.
        for message in [hello, ToAgent::Assign(Box::new(assignment))] {
            let _ = to.tell(&message).await;
        }
        let mut leases = interval(LEASE_EVERY);
        let mut walks: Vec<Probed> = Vec::new();
        let (mut counter, mut is_stopped) = (0, false);
        let mut stop_at = deadline.checked_sub(ENDING).unwrap_or(deadline);
        loop {
            tokio::select! {
                said = from.next() => match said? {
                    None => break,
                    Some(FromAgent::Report(Report::Started { .. })) => {
                        let _ = to.tell(&ToAgent::Start { at_unix_ns: unix_ns() + AHEAD_NS }).await;
                        // By then each was due once, and has had as long again.
                        stop_at = stop_at.min(Instant::now() + Duration::from_millis(2 * every_ms));
                    }
                    Some(FromAgent::Report(Report::Probed(ended))) => {
                        walks.extend(ended);
                        if missing(&names, &walks).next().is_none() {
                            stop_at = Instant::now();
                        }
                    }
                    Some(FromAgent::Report(Report::Failed { message })) => return Err(Error::Assignment(message)),
                    Some(_) => {}
                },
                _ = leases.tick() => {
                    counter += 1;
                    let _ = to.tell(&ToAgent::Lease { counter }).await;
                }
                () = sleep_until(stop_at), if !is_stopped => {
                    is_stopped = true;
                    let _ = to.tell(&ToAgent::Stop).await;
                }
                () = sleep_until(deadline) => break,
            }
        }
        guard.end().await;
        for name in missing(&names, &walks) {
            say(&format!("{name}: no walk through it came to an end in time"));
        }
        if walks.is_empty() {
            return Err(Error::Assignment(
                "no walk came to an end in time; give the function a longer timeout".to_owned(),
            ));
        }
        Ok(Walked { region: self.region, names, walks })
    }
}

/// The journeys of which no walk has ended.
fn missing<'a>(names: &'a [(String, Vec<String>)], walks: &'a [Probed]) -> impl Iterator<Item = &'a str> {
    let ended = move |journey: usize| walks.iter().any(|walk| usize::from(walk.journey) == journey);
    names.iter().enumerate().filter(move |(journey, _)| !ended(*journey)).map(|(_, (name, _))| name.as_str())
}

impl Walked {
    /// The lines that metrics are made of.
    pub(super) fn lines(&self, at_unix_ms: u64) -> Vec<String> {
        self.figures().iter().flat_map(|figures| emf::lines(figures, at_unix_ms)).collect()
    }

    /// The function's answer, for people who invoke it by hand.
    pub(super) fn summary(&self) -> String {
        let good = self.walks.iter().filter(|walk| walk.is_good).count();
        json!({ "region": &self.region, "walks": self.walks.len(), "good": good }).to_string()
    }

    /// By journey, and by step.
    fn figures(&self) -> Vec<Figures> {
        let mut figures: BTreeMap<(u16, Option<u16>), Figures> = BTreeMap::new();
        for walk in &self.walks {
            let Some((journey, steps)) = self.names.get(usize::from(walk.journey)) else { continue };
            let mut count = |step: Option<u16>, is_good: bool, latency_ns: Option<u64>| {
                let entry = figures.entry((walk.journey, step)).or_insert_with(|| Figures {
                    region: self.region.clone(),
                    journey: journey.clone(),
                    step: step.map(|step| steps.get(usize::from(step)).cloned().unwrap_or_default()),
                    ..Figures::default()
                });
                entry.total += 1;
                entry.good += u64::from(is_good);
                entry.latencies_ms.extend(latency_ns.map(milliseconds));
            };
            count(None, walk.is_good, None);
            for step in &walk.steps {
                count(Some(step.step), step.failure.is_none(), latency_ns(step));
            }
        }
        figures.into_values().collect()
    }
}

/// How long a step took: only where there was a good answer, or one was waited for in vain. Other failures are often quick.
fn latency_ns(step: &ProbedStep) -> Option<u64> {
    let counts = step.failure.as_ref().is_none_or(|failure| failure.class == ErrorClass::Timeout);
    step.latency_ns.filter(|_| counts)
}

/// For showing: nothing is counted with it.
fn milliseconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use doorbuster_model::report::ProbeFailure;

    use super::*;

    #[test]
    fn a_payload_says_what_to_probe_or_where_that_is() {
        let order = |text: &str| Order::of(text.as_bytes());
        assert!(order("{\"assignment\": \"AAAA\"}").is_none());
        assert!(order("hello").is_none());
        let Some(Ok(Order::At(at))) = order("{\"probe_url\": \"s3://b/k\"}") else { panic!() };
        assert_eq!(at, "s3://b/k");
        let text = "{\"probe\": {\"plan\": \"name: p\", \"files\": {\"a.yaml\": \"journey: a\"}, \"region\": \"tokyo\"}}";
        let Some(Ok(Order::Round(round))) = order(text) else { panic!() };
        assert_eq!((round.plan.as_str(), round.region.as_str()), ("name: p", "tokyo"));
        assert_eq!(round.files["a.yaml"], "journey: a");
        assert!(round.allow_hosts.is_empty(), "nobody, where it says nothing");
        let text =
            "{\"probe\": {\"plan\": \"p\", \"region\": \"r\", \"allow_hosts\": [\"shop.example.com\"]}}";
        let Some(Ok(Order::Round(round))) = order(text) else { panic!() };
        assert_eq!(round.allow_hosts, ["shop.example.com"]);
        for (text, why) in [
            ("{\"probe_url\": 7}", "probe_url is no text"),
            ("{\"probe\": {\"plan\": \"p\"}}", "no text \"region\""),
            ("{\"probe\": {\"plan\": \"p\", \"region\": \"r\", \"files\": [1]}}", "files are no object"),
            ("{\"probe\": {\"plan\": \"p\", \"region\": \"r\", \"files\": {\"a\": 1}}}", "files is no text"),
            (
                "{\"probe\": {\"plan\": \"p\", \"region\": \"r\", \"allow_hosts\": \"h\"}}",
                "allow_hosts are no list",
            ),
            (
                "{\"probe\": {\"plan\": \"p\", \"region\": \"r\", \"allow_hosts\": [1]}}",
                "allow_hosts is no text",
            ),
        ] {
            let Some(Err(error)) = order(text) else { panic!("{text}") };
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_stranger_gets_walks_as_slowly_as_the_plan_says() {
        let steps: String = (0..30).map(|step| format!("  - {{ step: s{step}, get: / }}\n")).collect();
        let files = BTreeMap::from([("a.yaml".to_owned(), format!("journey: a\nsteps:\n{steps}"))]);
        let spread_allowed = |every: &str, target: &str, journeys: usize, allow_hosts: &[&str]| {
            let journeys = vec!["a.yaml"; journeys].join(", ");
            let plan = format!(
                "name: p\ntarget: {target}\njourneys: [{journeys}]\nregions: [tokyo]\nprobe: {{ every: {every} }}\n"
            );
            let allow_hosts = allow_hosts.iter().map(|host| (*host).to_owned()).collect();
            let round = Round { plan, files: files.clone(), region: "tokyo".to_owned(), allow_hosts };
            round.prepared("r").map(|(_, every_ms, names)| (every_ms, names.len()))
        };
        let spread = |every: &str, target: &str, journeys| spread_allowed(every, target, journeys, &[]);
        let (own, stranger) = ("http://127.0.0.1:1", "https://shop.example.com");
        assert_eq!(spread("2m", own, 10).unwrap(), (20_000, 10));
        assert_eq!(spread("5s", own, 1).unwrap(), (5_000, 1));
        assert_eq!(spread("2m", stranger, 1).unwrap(), (20_000, 1));
        // Ten walks of 30 requests in 20 s are 15 a second.
        assert_eq!(spread("2m", stranger, 10).unwrap(), (120_000, 10));
        assert!(matches!(spread("20s", stranger, 10), Err(Error::NotAllowed { .. })));
        // Whoever put the round there named the host.
        assert_eq!(spread_allowed("20s", stranger, 10, &["shop.example.com"]).unwrap(), (20_000, 10));
        let other = spread_allowed("20s", stranger, 10, &["other.example.com"]);
        assert!(matches!(other, Err(Error::NotAllowed { .. })));
    }

    #[test]
    fn figures_are_by_journey_and_by_step() {
        let step = |step, class: Option<ErrorClass>, latency_ns| ProbedStep {
            step,
            failure: class.map(|class| ProbeFailure::new(class, "it failed")),
            latency_ns: Some(latency_ns),
            page_ns: None,
        };
        let walk = |journey, is_good, steps| Probed { journey, began_ns: 0, is_good, steps };
        let walked = Walked {
            region: "tokyo".to_owned(),
            names: vec![
                ("home".to_owned(), vec!["front".to_owned()]),
                ("checkout".to_owned(), vec!["cart".to_owned(), "pay".to_owned()]),
                ("look".to_owned(), Vec::new()),
            ],
            walks: vec![
                walk(0, true, vec![step(0, None, 12_500_000)]),
                walk(1, false, vec![step(0, None, 2_000_000), step(1, Some(ErrorClass::Status), 1_000_000)]),
                walk(1, false, vec![step(0, Some(ErrorClass::Timeout), 30_000_000_000)]),
            ],
        };
        let told: Vec<_> = walked
            .figures()
            .into_iter()
            .map(|figures| {
                let name = figures
                    .step
                    .map_or(figures.journey.clone(), |step| format!("{}/{step}", figures.journey));
                (name, figures.good, figures.total, figures.latencies_ms)
            })
            .collect();
        let expected = [
            ("home".to_owned(), 1, 1, vec![]),
            ("home/front".to_owned(), 1, 1, vec![12.5]),
            ("checkout".to_owned(), 0, 2, vec![]),
            ("checkout/cart".to_owned(), 1, 2, vec![2.0, 30_000.0]),
            ("checkout/pay".to_owned(), 0, 1, vec![]),
        ];
        assert_eq!(told, expected);
        assert_eq!(missing(&walked.names, &walked.walks).collect::<Vec<_>>(), ["look"]);
        assert_eq!(walked.lines(1).len(), 5);
        assert_eq!(walked.summary(), "{\"good\":1,\"region\":\"tokyo\",\"walks\":3}");
    }
}
