//! A round of a probe without a coordinator: each of a plan's journeys walked once, by a process like any agent's.

mod told;
mod walked;

use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

use doorbuster_model::assignment::Secrets;
use doorbuster_model::{Assignment, Generation, Overrides, Plan, Report, Segment, Task};
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use http::HeaderMap;
use serde_json::Value;
use tokio::time::{Instant, interval, sleep_until};
use url::Url;

use super::object::Objects;
use super::signature::{Credentials, endpoint, is_private, location, signed};
use crate::Error;
use crate::child::{self, Program};
use crate::job::Job;
use crate::session::{VERSION, unix_ns};
use told::Told;
use walked::{Names, Walked};

/// A round's walks are spread over so long, and over the plan's own interval where that is shorter.
const SPREAD_MS_MAX: u64 = 20_000;
/// How far ahead second 0 lies.
const AHEAD_NS: u64 = 150_000_000;
/// How often the lease is renewed.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// How long the agent has to end once it was asked to.
const ENDING: Duration = Duration::from_secs(5);
/// A schedule knows whole minutes.
const MINUTE_MS: u64 = 60_000;
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

/// A round that may begin.
#[derive(Debug)]
struct Prepared {
    assignment: Assignment,
    /// What its journeys are called.
    names: Names,
    /// How long it may last, where that is not as long as its function.
    lasts: Option<Duration>,
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
            let endpoint = endpoint(|name| env::var(name).ok());
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

    /// The round as an agent is handed it, its walks spread over `every_ms`: the agent's part of the probe is one interval, in
    /// which each journey is due once. Nobody takes over from it, so that walks may go on after it.
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
            generation: Some(Generation {
                number: 0,
                from_ns: 0,
                to_ns: every_ms.saturating_mul(1_000_000),
                is_last: true,
            }),
            not_after_unix_ms: 0,
        }
    }

    /// The round, once it is clear over how long its walks are spread. A stranger's shop gets them as slowly as the plan's own
    /// interval is, where that alone is slow enough. Nor does it get a round while the one before goes on, unless the last walk
    /// of that is due so late: each walk has as long as they are spread over.
    fn prepared(&self, run: &str) -> Result<Prepared, Error> {
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
                    let next_ms = (own_ms / MINUTE_MS).max(1) * MINUTE_MS;
                    let lasts = job.turns().map(|_| Duration::from_millis(next_ms.max(2 * every_ms)));
                    return Ok(Prepared { assignment, names, lasts });
                }
            }
        }
    }

    async fn walk(self, run: &str, program: &Program, deadline: Instant) -> Result<Walked, Error> {
        let began = Instant::now();
        let Prepared { assignment, names, lasts } = self.prepared(run)?;
        let over = lasts.map_or(deadline, |lasts| deadline.min(began + lasts));
        let stop_at = over.checked_sub(ENDING).unwrap_or(over);
        let (mut to, mut from, guard) = child::start(program)?;
        let hello = ToAgent::Hello { protocol: PROTOCOL, version: VERSION.to_owned() };
        // An agent that hears nothing any more has ended, or is about to: its end tells more, here and below.
        for message in [hello, ToAgent::Assign(Box::new(assignment))] {
            let _ = to.tell(&message).await;
        }
        let mut leases = interval(LEASE_EVERY);
        let mut told = Told::default();
        let (mut counter, mut is_stopped) = (0, false);
        loop {
            tokio::select! {
                said = from.next() => match said? {
                    None => break,
                    Some(FromAgent::Report(Report::Started { .. })) => {
                        let _ = to.tell(&ToAgent::Start { at_unix_ns: unix_ns() + AHEAD_NS }).await;
                    }
                    // It ends by itself once all of them have.
                    Some(FromAgent::Report(Report::Probed(ended))) => told.walks.extend(ended),
                    Some(FromAgent::Report(Report::Tick(tick))) => told.count(&tick),
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
                () = sleep_until(over) => break,
            }
        }
        guard.end().await;
        // What a process leaves behind that ended by itself says nothing about the target.
        let unended = if is_stopped { told.unended() } else { Vec::new() };
        let walked = Walked { region: self.region, names, walks: told.walks, unended };
        walked.complain();
        if walked.walks.is_empty() && walked.unended.is_empty() {
            return Err(Error::Assignment(
                "no walk came to anything in time; give the function a longer timeout".to_owned(),
            ));
        }
        Ok(walked)
    }
}

#[cfg(test)]
mod tests {
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
            round.prepared("r").map(|prepared| {
                let Task::Probe { every_ms } = prepared.assignment.task else { panic!("no probe") };
                let part = prepared.assignment.generation.unwrap();
                assert_eq!((part.from_ns, part.to_ns), (0, every_ms * 1_000_000), "each is due once");
                (every_ms, prepared.names.len(), prepared.lasts.map(|lasts| lasts.as_secs()))
            })
        };
        let spread = |every: &str, target: &str, journeys| spread_allowed(every, target, journeys, &[]);
        let (own, stranger) = ("http://127.0.0.1:1", "https://shop.example.com");
        assert_eq!(spread("2m", own, 10).unwrap(), (20_000, 10, None), "as long as the function lasts");
        assert_eq!(spread("5s", own, 1).unwrap(), (5_000, 1, None));
        assert_eq!(spread("2m", stranger, 1).unwrap(), (20_000, 1, Some(120)));
        assert_eq!(spread("20s", stranger, 1).unwrap(), (20_000, 1, Some(60)), "a schedule's shortest time");
        assert_eq!(spread("119s", stranger, 1).unwrap().2, Some(60), "as the schedule rounds");
        // Ten walks of 30 requests in 20 s are 15 a second.
        assert_eq!(spread("2m", stranger, 10).unwrap(), (120_000, 10, Some(240)), "as long again");
        assert!(matches!(spread("20s", stranger, 10), Err(Error::NotAllowed { .. })));
        // Whoever put the round there named the host.
        let named = spread_allowed("20s", stranger, 10, &["shop.example.com"]);
        assert_eq!(named.unwrap(), (20_000, 10, None));
        let other = spread_allowed("20s", stranger, 10, &["other.example.com"]);
        assert!(matches!(other, Err(Error::NotAllowed { .. })));
    }
}
