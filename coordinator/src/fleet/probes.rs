//! What probes without a coordinator are given: a plan and its journeys, as an object of the bucket for each region.

use std::collections::BTreeMap;
use std::path::Path;

use doorbuster_model::plan::Http;
use doorbuster_model::{Overrides, Plan, Task};
use serde_json::json;

use super::package::hash;
use crate::Error;
use crate::prepare::{Prepared, Source};

/// The shortest time between two rounds: a schedule knows minutes.
const EVERY_MS_MIN: u64 = 60_000;
/// The longest time between two rounds, in minutes: a plan's own limit.
const EVERY_MINUTES_MAX: u32 = 60;
/// How long a round may be missing, in seconds, before that is told.
const MISSING_AFTER_S_MIN: u32 = 600;
/// The longest period of an alarm, in seconds.
const MISSING_AFTER_S_MAX: u32 = 86_400;

/// What is probed, by AWS region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// How often, in whole minutes: what a schedule knows.
    pub every_minutes: u32,
    /// How often by the plan, in milliseconds.
    pub plan_every_ms: u64,
    /// The journeys that are walked.
    pub journeys: Vec<String>,
    /// Each AWS region's round.
    pub rounds: BTreeMap<String, Round>,
}

/// What is probed in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    /// What the plan calls it.
    pub region: String,
    /// What its function reads.
    pub object: Vec<u8>,
}

impl Rounds {
    /// Reads a plan for these AWS regions. `allow_hosts` may be loaded, besides loopback.
    ///
    /// # Errors
    /// The plan has faults, says nothing of probes, or its regions are not the fleet's.
    pub(crate) fn read(plan: &Path, regions: &[String], allow_hosts: &[String]) -> Result<Self, Error> {
        let source = Source::read(plan)?;
        let read = Plan::read(&source.name, &source.text)?;
        let refuse = |why: String| Error::Usage(format!("{}: {why}", plan.display()));
        let every_ms = read.probe.map(doorbuster_model::plan::Probe::every_ms);
        let every_ms = every_ms.ok_or_else(|| {
            refuse("it says nothing of probes; add for example probe: { every: 1m }".to_owned())
        })?;
        let overrides = Overrides { allow_hosts: allow_hosts.to_vec(), ..Overrides::default() };
        let prepared = Prepared::with_task(source, overrides, Task::Probe { every_ms })?;
        if let Some(name) = prepared.secrets.0.keys().next() {
            return Err(refuse(format!(
                "its journeys read ${name} from the environment, which a function does not have; probe it with `doorbuster probe`"
            )));
        }
        if let Some(what) = secret(&prepared.plan.http) {
            return Err(refuse(format!(
                "its http has {what}, which would lie in the bucket for everybody who may read it; probe it with `doorbuster probe`"
            )));
        }
        let mut rounds = BTreeMap::new();
        for region in &prepared.plan.regions {
            let name = &region.name;
            let aws = region.aws.clone().ok_or_else(|| {
                refuse(format!("its region {name} names no AWS region; add for example aws: eu-west-2"))
            })?;
            if !regions.contains(&aws) {
                return Err(refuse(format!(
                    "its region {name} is in {aws}, where this fleet is not; add it to --region"
                )));
            }
            // The function asks again whether it may.
            let object = json!({
                "plan": &prepared.text, "files": &*prepared.files, "region": name, "allow_hosts": allow_hosts,
            });
            let round = Round { region: name.clone(), object: object.to_string().into_bytes() };
            if rounds.insert(aws.clone(), round).is_some() {
                return Err(refuse(format!(
                    "two of its regions are in {aws}, which has one schedule; leave one out"
                )));
            }
        }
        let journeys = prepared.names.journeys.iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { every_minutes: minutes(every_ms), plan_every_ms: every_ms, journeys, rounds })
    }
}

/// What is in a plan's `http` that only its owner may know: a function reads all of it from a bucket.
fn secret(http: &Http) -> Option<String> {
    let is_secret = |name: &str| ["authorization", "proxy-authorization", "cookie"].contains(&name);
    let header = http.headers.iter().find(|(name, _)| is_secret(&name.to_ascii_lowercase()));
    if http.basic_auth.is_some() {
        Some("a password (basic_auth)".to_owned())
    } else if http.client_cert.is_some() {
        Some("a private key (client_cert)".to_owned())
    } else {
        header.map(|(name, _)| format!("the header {name}"))
    }
}

/// Where a region's object lies in its bucket.
pub(super) fn key(object: &[u8]) -> String {
    format!("probes/{}.json", &hash(object)[..16])
}

impl Rounds {
    /// What is said where the schedule's interval is not the plan's.
    pub(crate) fn rounded(&self) -> Option<String> {
        if u64::from(self.every_minutes) * EVERY_MS_MIN == self.plan_every_ms {
            return None;
        }
        let every = match self.every_minutes {
            1 => "every minute".to_owned(),
            minutes => format!("every {minutes} minutes"),
        };
        Some(format!(
            "without a coordinator journeys are walked {every}, and not every {} s as the plan says: a schedule knows whole minutes",
            self.plan_every_ms / 1_000
        ))
    }

    /// How often, as EventBridge Scheduler has it.
    pub(super) fn schedule(&self) -> String {
        match self.every_minutes {
            1 => "rate(1 minute)".to_owned(),
            minutes => format!("rate({minutes} minutes)"),
        }
    }

    /// After how many seconds a missing round is told.
    pub(super) fn missing_after_s(&self) -> u32 {
        (self.every_minutes * 2 * 60).clamp(MISSING_AFTER_S_MIN, MISSING_AFTER_S_MAX)
    }
}

/// An interval in minutes. It is never shorter than the plan's, which a stranger's shop was held against.
fn minutes(every_ms: u64) -> u32 {
    u32::try_from(every_ms.div_ceil(EVERY_MS_MIN)).unwrap_or(u32::MAX).clamp(1, EVERY_MINUTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "name: shop\ntarget: http://127.0.0.1:1\nprobe: { every: 2m }\njourneys: [browse]\n";

    fn read(regions: &str, of: &[&str]) -> Result<Rounds, Error> {
        read_plan(&format!("{PLAN}regions: {regions}\n"), of, &[])
    }

    fn read_plan(text: &str, of: &[&str], allow_hosts: &[&str]) -> Result<Rounds, Error> {
        let path = std::env::temp_dir().join(format!(
            "doorbuster-rounds-{}-{}",
            std::process::id(),
            hash(text.as_bytes())
        ));
        std::fs::write(&path, text).unwrap();
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let read = Rounds::read(&path, &owned(of), &owned(allow_hosts));
        std::fs::remove_file(&path).unwrap();
        read
    }

    #[test]
    fn each_region_has_its_round() {
        let regions = "{ tokyo: { aws: ap-northeast-1 }, london: { aws: eu-west-2 } }";
        let rounds = read(regions, &["ap-northeast-1", "eu-west-2", "us-east-1"]).unwrap();
        assert_eq!((rounds.schedule().as_str(), rounds.missing_after_s()), ("rate(2 minutes)", 600));
        assert_eq!(rounds.rounds.keys().collect::<Vec<_>>(), ["ap-northeast-1", "eu-west-2"]);
        let round: serde_json::Value = serde_json::from_slice(&rounds.rounds["eu-west-2"].object).unwrap();
        assert_eq!(round["region"], "london");
        assert!(round["plan"].as_str().unwrap().contains("name: shop"));
        assert!(round["files"].is_object());
        let keys = ["eu-west-2", "ap-northeast-1"].map(|aws| key(&rounds.rounds[aws].object));
        assert_ne!(keys[0], keys[1]);
        assert_eq!(
            (rounds.rounds["eu-west-2"].region.as_str(), &rounds.journeys[..]),
            ("london", &["browse".to_owned()][..])
        );
    }

    #[test]
    fn a_strangers_shop_is_probed_where_it_is_named() {
        let regions =
            "{ tokyo: { aws: ap-northeast-1 }, london: { aws: eu-west-2 }, new-york: { aws: us-east-1 } }";
        let of = ["ap-northeast-1", "eu-west-2", "us-east-1"];
        // Each journey asks for everything that its pages might: 404 requests a round, from three regions every minute.
        let plan = "name: shop\ntarget: https://shop.example.com\nprobe: { every: 1m }\njourneys: [browse]\n";
        let text = format!("{plan}regions: {regions}\n");
        let refused = read_plan(&text, &of, &[]).unwrap_err().to_string();
        assert!(refused.contains("--allow-host shop.example.com"), "{refused}");
        let rounds = read_plan(&text, &of, &["shop.example.com"]).unwrap();
        for round in rounds.rounds.values() {
            let object: serde_json::Value = serde_json::from_slice(&round.object).unwrap();
            assert_eq!(object["allow_hosts"], serde_json::json!(["shop.example.com"]));
        }
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (regions, expected) in [
            ("{ london: { aws: eu-west-2 }, paris: { aws: eu-west-2 } }", "one schedule"),
            ("{ london: { aws: eu-west-1 } }", "add it to --region"),
            ("[london]", "names no AWS region"),
        ] {
            let refused = read(regions, &["eu-west-2"]).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn keys_and_passwords_stay_here() {
        for (http, expected) in [
            ("{ basic_auth: { user: shop, password: secret } }", "a password (basic_auth)"),
            ("{ headers: { Authorization: secret } }", "the header Authorization"),
            ("{ headers: { cookie: secret } }", "the header cookie"),
        ] {
            let text = format!("{PLAN}regions: {{ london: {{ aws: eu-west-2 }} }}\nhttp: {http}\n");
            let refused = read_plan(&text, &["eu-west-2"], &[]).unwrap_err().to_string();
            assert!(refused.contains(expected) && refused.contains("`doorbuster probe`"), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
        let pair = ("client.pem".to_owned(), "client.key".to_owned());
        let http = Http { client_cert: Some(pair), ..Http::default() };
        assert_eq!(secret(&http).unwrap(), "a private key (client_cert)");
        assert_eq!(secret(&Http::default()), None);
    }

    #[test]
    fn a_schedule_knows_minutes() {
        for (plan_every_ms, expected, said) in [
            (1_000, 1, Some("every minute, and not every 1 s")),
            (20_000, 1, Some("every minute, and not every 20 s")),
            (60_000, 1, None),
            (119_000, 2, Some("every 2 minutes, and not every 119 s")),
            (300_000, 5, None),
            (3_600_000, 60, None),
        ] {
            let every_minutes = minutes(plan_every_ms);
            assert_eq!(every_minutes, expected);
            let rounds =
                Rounds { every_minutes, plan_every_ms, journeys: Vec::new(), rounds: BTreeMap::new() };
            match (rounds.rounded(), said) {
                (Some(rounded), Some(said)) => assert!(rounded.contains(said), "{rounded}"),
                (rounded, said) => assert_eq!(rounded.as_deref(), said),
            }
        }
        let hourly = Rounds {
            every_minutes: 60,
            plan_every_ms: 3_600_000,
            journeys: Vec::new(),
            rounds: BTreeMap::new(),
        };
        assert_eq!((hourly.schedule().as_str(), hourly.missing_after_s()), ("rate(60 minutes)", 7_200));
        let quick = Rounds { every_minutes: 1, ..hourly };
        assert_eq!((quick.schedule().as_str(), quick.missing_after_s()), ("rate(1 minute)", 600));
    }
}
