//! `doorbuster fleet up`: agents in AWS's regions.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::Args;
use doorbuster_notation::parse_duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::places::{PlaceOptions, apart, conclude};
use crate::command::print::warn;
use crate::fleet::package::{Package, told_by};
use crate::fleet::probes::Rounds;
use crate::fleet::program::{Joining, Program};
use crate::fleet::up::{Alarming, Raised, Wish, up};
use crate::runtime::block_on;
use crate::{Error, Verdict};

/// How long a round of probes may take, in seconds: what the template lets.
const TIMEOUT_S: RangeInclusive<u32> = 60..=900;

/// Put a fleet into AWS's regions, or change the one that is there; what is not named stays as it is.
///
/// All regions at once, by CloudFormation and the templates of `infra/`. Interrupted, or ended by an error in a region, the
/// same command takes it up again. See docs/fleet.md for what is made, and for the rights that it takes.
#[derive(Args, Clone, Debug)]
pub(super) struct UpCommand {
    #[command(flatten)]
    places: PlaceOptions,
    /// The agent's zip, made by `cargo xtask lambda`
    #[arg(long, value_name = "FILE", help_heading = "Function")]
    zip: Option<PathBuf>,
    /// Memory of the function in MB; its CPU and network follow from it, 1769 MB are one vCPU
    #[arg(long, value_name = "MB", help_heading = "Function", value_parser = clap::value_parser!(u32).range(128..=10_240))]
    memory: Option<u32>,
    /// At most N agents at a time in a region, taken from the account's quota; 0: as many as the quota lets
    #[arg(long, value_name = "N", help_heading = "Function")]
    concurrency: Option<u32>,
    /// After how many days log lines are removed: 1, 3, 5, 7, 14, 30 …
    #[arg(long, value_name = "DAYS", help_heading = "Function")]
    log_days: Option<u32>,
    /// How many agents run on EC2 in each region; 0 ends them
    #[arg(long, value_name = "N", help_heading = "EC2", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    agents_ec2: Option<u16>,
    /// Where agents on EC2 dial the coordinator: https://HOST:PORT
    #[arg(long, value_name = "URL", help_heading = "EC2", requires = "agents_ec2")]
    join: Option<String>,
    /// The folder of `doorbuster fleet pki`; agents on EC2 are given its authority and new tokens
    #[arg(long, value_name = "FOLDER", help_heading = "EC2", default_value = "fleet-pki")]
    pki: PathBuf,
    /// The program that agents on EC2 run, for glibc 2.34 or an older one [default: this one]
    #[arg(long, value_name = "FILE", help_heading = "EC2", requires = "join")]
    program: Option<PathBuf>,
    /// The type of the instances, such as c7i.large; for a program for arm64 one such as c7g.large
    #[arg(long, value_name = "TYPE", help_heading = "EC2")]
    instance_type: Option<String>,
    /// What plans call an AWS region: eu-west-2=london; may be given again
    #[arg(long = "name", value_name = "AWSREGION=NAME", help_heading = "EC2", value_parser = named)]
    names: Vec<(String, String)>,
    /// The VPC of agents on EC2, in one region; the default one otherwise
    #[arg(long, value_name = "ID", help_heading = "EC2")]
    vpc: Option<String>,
    /// Its subnets
    #[arg(long = "subnet", value_name = "ID", help_heading = "EC2", requires = "vpc", num_args = 1..)]
    subnets: Vec<String>,
    /// A local zone for agents on EC2, such as us-east-1-nyc-2a
    #[arg(long, value_name = "ZONE", help_heading = "EC2", requires = "vpc", conflicts_with = "subnets")]
    local_zone: Option<String>,
    /// No Auto Scaling group at all, where an account has no VPC
    #[arg(long, help_heading = "EC2", conflicts_with_all = ["agents_ec2", "vpc"])]
    no_ec2: bool,
    /// Walk this plan's journeys without a coordinator, as often as its `probe: { every: 1m }` says, in whole minutes
    #[arg(long, value_name = "PLAN", help_heading = "Probes and alarms")]
    probe: Option<PathBuf>,
    /// Let HOST be probed as often as the plan says; loopback always may be, any other host gets at most 10 requests/s
    #[arg(long = "allow-host", value_name = "HOST", help_heading = "Probes and alarms", requires = "probe")]
    allow_hosts: Vec<String>,
    /// How long a round through all journeys may take, think times included: 1m to 15m; 5m in a new fleet
    #[arg(long, value_name = "DURATION", help_heading = "Probes and alarms", requires = "probe", value_parser = probe_timeout)]
    probe_timeout: Option<u32>,
    /// Alarms also for a fleet that has been there without; a new one has them anyway
    #[arg(long, help_heading = "Probes and alarms", conflicts_with = "no_alarms")]
    alarms: bool,
    /// No alarms about the fleet; those that there are stay
    #[arg(long, help_heading = "Probes and alarms")]
    no_alarms: bool,
    /// Who is told of alarms, once the subscription is confirmed
    #[arg(long, value_name = "ADDRESS", help_heading = "Probes and alarms", conflicts_with = "no_alarms")]
    email: Option<String>,
    /// Tell when the account costs more in a month
    #[arg(long, value_name = "USD", help_heading = "Probes and alarms", conflicts_with = "no_alarms")]
    budget: Option<u32>,
    /// Who may take the coordinator's role, as an ARN; whom the account lets otherwise
    #[arg(long, value_name = "ARN")]
    coordinator: Option<String>,
    /// Make the coordinator's role in the first of these regions, where it went with another one
    #[arg(long)]
    coordinator_role: bool,
}

impl UpCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let wish = self.wish()?;
        if let Some(rounded) = wish.rounds.as_ref().and_then(Rounds::rounded) {
            warn(&rounded);
        }
        raise(&self.places, &wish)
    }

    fn wish(&self) -> Result<Wish, Error> {
        let regions = self.places.regions();
        if regions.len() > 1 && self.vpc.is_some() {
            let why =
                "--vpc: a VPC is in one region; name that with --region, and give the command once for each";
            return Err(Error::Usage(why.to_owned()));
        }
        if self.vpc.is_some() && self.subnets.is_empty() && self.local_zone.is_none() {
            let why =
                "--vpc: say in which of its subnets agents stand, with --subnet, or name a --local-zone";
            return Err(Error::Usage(why.to_owned()));
        }
        Ok(Wish {
            package: self.zip.as_deref().map(Package::read).transpose()?,
            parameters: self.parameters(),
            joining: self.joining()?,
            rounds: self.rounds(&regions)?,
            probe_timeout_s: self.probe_timeout,
            alarms: self.alarming(),
            email: self.email.clone(),
            budget_usd: self.budget,
            names: self.names.iter().cloned().collect(),
            is_update: false,
            with_role: self.coordinator_role,
            regions,
        })
    }

    fn rounds(&self, regions: &[String]) -> Result<Option<Rounds>, Error> {
        let read = |plan| Rounds::read(plan, regions, &self.allow_hosts);
        self.probe.as_deref().map(read).transpose()
    }

    /// What is said about alarms names them, and so does what they need.
    fn alarming(&self) -> Alarming {
        if self.no_alarms {
            Alarming::None
        } else if self.alarms || self.email.is_some() || self.budget.is_some() {
            Alarming::All
        } else {
            Alarming::New
        }
    }

    fn joining(&self) -> Result<Option<Joining>, Error> {
        match (self.agents_ec2, &self.join) {
            (None | Some(0), _) => Ok(None),
            (Some(_), None) => Err(Error::Usage(
                "--agents-ec2: say where they dial, with --join https://HOST:PORT".to_owned(),
            )),
            (Some(agents), Some(url)) => {
                let (url, pki) = (url.clone(), self.pki.clone());
                let program = Program::read(self.program.as_deref())?;
                Ok(Some(Joining { agents, url, pki, program }))
            }
        }
    }

    fn parameters(&self) -> BTreeMap<&'static str, String> {
        let text = |number: Option<u32>| number.map(|number| number.to_string());
        let none = self.agents_ec2 == Some(0);
        // What was chosen before gives way: agents to a fleet without EC2, subnets to a local zone, and the other way round.
        let with_ec2 =
            if self.no_ec2 { Some("false") } else { self.agents_ec2.filter(|_| !none).map(|_| "true") };
        let has_zone = self.local_zone.is_some();
        let subnets = (has_zone || !self.subnets.is_empty()).then(|| self.subnets.join(","));
        let local_zone = self.local_zone.clone().or_else(|| subnets.as_ref().map(|_| String::new()));
        let named = [
            ("MemoryMb", text(self.memory)),
            ("ReservedConcurrency", text(self.concurrency)),
            ("LogRetentionDays", text(self.log_days)),
            // Others come with what they need to join; without any, what those had is not left lying about.
            ("AgentsEc2", none.then(|| "0".to_owned())),
            ("ProgramKey", none.then(String::new)),
            ("JoinUrl", none.then(String::new)),
            ("InstanceType", self.instance_type.clone()),
            ("VpcId", self.vpc.clone()),
            ("Subnets", subnets),
            ("LocalZone", local_zone),
            ("WithEc2", with_ec2.map(str::to_owned)),
            ("CoordinatorPrincipal", self.coordinator.clone()),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Makes all regions what is wished, at once.
pub(super) fn raise(places: &PlaceOptions, wish: &Wish) -> Result<Verdict, Error> {
    let (raised, failed) = block_on(async {
        let open = Box::pin(places.open()).await?;
        Ok(apart(join_all(open.iter().map(|place| Box::pin(up(place, wish)))).await))
    })?;
    let json = || json!({ "schema": "doorbuster.fleet-up/1", "regions": raised.iter().map(told).collect::<Vec<_>>() });
    places.tell(json, || raised.iter().map(line).collect())?;
    conclude(failed, Verdict::Pass)
}

fn told(raised: &Raised) -> Value {
    let stack = |(name, deployed): &(String, crate::fleet::stack::Deployed)| json!({ "name": name, "outcome": deployed.word() });
    json!({
        "region": raised.region, "agent": raised.agent,
        "stacks": raised.stacks.iter().map(stack).collect::<Vec<_>>(),
    })
}

fn line(raised: &Raised) -> String {
    let stacks = raised.stacks.iter().map(|(name, deployed)| format!("{name} {}", deployed.word()));
    let stacks = stacks.collect::<Vec<_>>().join(", ");
    let agent = match raised.agent.as_deref() {
        None => "no agent yet: give it one with --zip".to_owned(),
        Some(key) => told_by(key).map_or_else(
            || format!("agent {key}"),
            |(version, architecture)| format!("agent {version} {architecture}"),
        ),
    };
    format!("{}: {stacks}; {agent}\n", raised.region)
}

/// A function's timeout, in seconds.
fn probe_timeout(text: &str) -> Result<u32, String> {
    let timeout = parse_duration(text)?;
    let seconds = u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX);
    if timeout.subsec_nanos() == 0 && TIMEOUT_S.contains(&seconds) {
        return Ok(seconds);
    }
    Err(format!("\"{text}\" is no timeout of a function; write whole seconds, from 1m to 15m"))
}

fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((region, name)) if !region.is_empty() && !name.is_empty() => {
            Ok((region.to_owned(), name.to_owned()))
        }
        _ => Err(format!("\"{text}\" names nothing; write for example eu-west-2=london")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::fleet::stack::Deployed;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        command: UpCommand,
    }

    fn wish(line: &str) -> Result<Wish, String> {
        let words = std::iter::once("up").chain(line.split_whitespace());
        let command = Line::try_parse_from(words).map_err(|error| error.to_string())?.command;
        command.wish().map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_named_is_no_parameter() {
        let plain = wish("").unwrap();
        assert!(plain.parameters.is_empty() && plain.joining.is_none());
        assert_eq!(plain.alarms, Alarming::New);
        assert_eq!(plain.regions, ["ap-northeast-1", "eu-west-2", "us-east-1"]);
        assert!(
            !plain.with_role && wish("--coordinator-role --stack shop --region eu-west-2").unwrap().with_role
        );
        let named =
            wish("--region eu-west-2 us-east-1 eu-west-2 --memory 512 --agents-ec2 0 --no-alarms").unwrap();
        assert_eq!(named.regions, ["eu-west-2", "us-east-1"]);
        let expected = [("MemoryMb", "512"), ("AgentsEc2", "0"), ("ProgramKey", ""), ("JoinUrl", "")];
        assert_eq!(named.parameters, BTreeMap::from(expected.map(|(name, value)| (name, value.to_owned()))));
        assert_eq!(named.alarms, Alarming::None);
        for line in ["--alarms", "--email shop@example.com", "--budget 50"] {
            assert_eq!(wish(line).unwrap().alarms, Alarming::All, "{line}");
        }
    }

    #[test]
    fn a_round_s_timeout_is_a_function_s() {
        for (text, expected) in [("1m", 60), ("1m30s", 90), ("15m", 900)] {
            assert_eq!(probe_timeout(text), Ok(expected), "{text}");
        }
        for text in ["59s", "15m1s", "1500ms", "1h", "90", "500d"] {
            assert!(probe_timeout(text).is_err(), "{text}");
        }
        let template = include_str!("../../../../infra/probes.yaml");
        let range = format!("MinValue: {}\n    MaxValue: {}", TIMEOUT_S.start(), TIMEOUT_S.end());
        assert!(template.contains(&range), "{range}");
    }

    #[test]
    fn what_was_chosen_before_gives_way() {
        let parameters = |line: &str| {
            let words = std::iter::once("up").chain(line.split_whitespace());
            Line::try_parse_from(words).unwrap().command.parameters()
        };
        let vpc = "--region us-east-1 --vpc vpc-1";
        for (line, expected) in [
            ("--no-ec2".to_owned(), &[("WithEc2", "false")][..]),
            ("--agents-ec2 3 --join https://load.example.com:7443".to_owned(), &[("WithEc2", "true")]),
            (
                format!("{vpc} --subnet subnet-1 subnet-2"),
                &[("VpcId", "vpc-1"), ("Subnets", "subnet-1,subnet-2"), ("LocalZone", "")],
            ),
            (
                format!("{vpc} --local-zone us-east-1-nyc-2a"),
                &[("VpcId", "vpc-1"), ("Subnets", ""), ("LocalZone", "us-east-1-nyc-2a")],
            ),
        ] {
            let expected = expected.iter().map(|(name, value)| (*name, (*value).to_owned()));
            assert_eq!(parameters(&line), expected.collect::<BTreeMap<_, _>>(), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (line, expected) in [
            ("--agents-ec2 3", "--join https://HOST:PORT"),
            ("--vpc vpc-1", "a VPC is in one region"),
            ("--vpc vpc-1 --region us-east-1", "--subnet"),
            ("--local-zone us-east-1-nyc-2a", "--vpc"),
            ("--memory 64", "128"),
            ("--region tokyo", "is no AWS region"),
            ("--stack Shop", "is no name of a fleet"),
            ("--name london", "eu-west-2=london"),
            ("--no-ec2 --agents-ec2 3", "cannot be used with"),
            ("--allow-host shop.example.com", "--probe"),
            ("--probe-timeout 5m", "--probe <PLAN>"),
            ("--probe plan.yaml --probe-timeout 1h", "from 1m to 15m"),
            ("--alarms --no-alarms", "cannot be used with"),
        ] {
            let why = wish(line).map(|_| ()).unwrap_err();
            assert!(why.contains(expected), "{line}: {why}");
        }
    }

    #[test]
    fn a_region_is_told_in_a_line() {
        let stacks =
            vec![("shop".to_owned(), Deployed::Created), ("shop-alarms".to_owned(), Deployed::Unchanged)];
        let mut raised = Raised { region: "eu-west-2".to_owned(), stacks, agent: None };
        assert_eq!(
            line(&raised),
            "eu-west-2: shop created, shop-alarms unchanged; no agent yet: give it one with --zip\n"
        );
        raised.agent = Some("agent/0.1.0-x86-64-0123456789abcdef.zip".to_owned());
        assert!(line(&raised).ends_with("; agent 0.1.0 x86-64\n"));
        assert_eq!(told(&raised)["stacks"][0]["outcome"], "created");
    }
}
