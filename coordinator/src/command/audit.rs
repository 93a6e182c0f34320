//! `doorbuster audit`: the promises of an edge, one by one.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use doorbuster_journeys::{BUILT_IN, Journey, built_in};
use doorbuster_model::assignment::Audit;
use doorbuster_model::cdn::Policy;
use doorbuster_model::cdn::audit::{Proof, Script};
use doorbuster_model::{Plan, Task, target};
use jiff::Timestamp;

use super::conclude::{conclude, show};
use super::hit::rate;
use super::options::{AwsOptions, TargetOptions, try_file};
use crate::audited::{Audited, judge};
use crate::conduct::{Conducted, Noted, conduct_alone};
use crate::prepare::{Prepared, Source, read_text};
use crate::progress::Progress;
use crate::{Error, Verdict, runs, tell};

/// The region of a URL that is asked for from no other.
const HERE: &str = "here";
/// The most pages of a plan's journeys that agents are told of. An audit begins with far fewer, and says how many it had no
/// room for.
const PAGES_MAX: usize = 1_000;
/// How many requests a region takes to prove what is promised of a page and its files.
const REQUESTS_USUAL: u64 = 60;

/// Prove an edge's promises one by one: caching, compression, privacy, and what else clients rely on.
///
/// It begins with the page of a URL, or with the pages that a plan's journeys name, finds their assets and what belongs to
/// one shopper, and asks for each in as few ways as prove its promises: those of the plan's section `cdn`, of --policy,
/// or what stands to reason for CloudFront before a shop. Nothing is loaded: for a page and its files it sends some 60
/// requests from each region, never more than 10 per second to a server. Exit codes: 0 pass, 1 a promise is broken,
/// 2 usage or plan error, 3 invalid.
#[derive(Args, Clone, Debug)]
pub struct AuditCommand {
    /// The URL of a page, or a plan (a YAML file, see README.md)
    #[arg(value_name = "URL|PLAN")]
    what: String,
    /// Where the audit goes, instead of the plan's target
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: Option<String>,
    /// The regions to ask from, each with an agent of its own (after the URL or plan, or separated by commas) [default:
    /// the plan's; of a URL: here]
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    region: Vec<String>,
    /// The most requests per second, as 10/s or 30/m; regions that ask the same server share them
    #[arg(long, value_parser = rate, default_value = "10/s", value_name = "RATE")]
    rate: u64,
    /// Wait until lifetimes of up to ten minutes are over, to see copies leave the cache
    #[arg(long)]
    patient: bool,
    /// What the edge has promised: a YAML file with the section `cdn`, instead of the plan's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A journey (a file, or built in) by which two shoppers reach what belongs to each of them
    #[arg(long, value_name = "FILE")]
    journey: Option<String>,
    #[command(flatten)]
    options: TargetOptions,
    #[command(flatten)]
    aws: AwsOptions,
    /// Write what was found out as JSON
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Write a JUnit file: a test case per promise and region
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    junit: Option<PathBuf>,
    /// No tables; errors and the reasons of an invalid verdict still go to standard error
    #[arg(long, short, help_heading = "Results")]
    quiet: bool,
    /// Keep audits below this folder [default: $XDG_DATA_HOME/doorbuster]
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    data_dir: Option<PathBuf>,
}

impl AuditCommand {
    /// Audits.
    ///
    /// # Errors
    /// [`Error`] when no audit came about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        let prepared = self.prepared()?;
        for path in [&self.json, &self.junit].into_iter().flatten() {
            try_file(path)?;
        }
        let data_dir = runs::data_dir(self.data_dir.as_deref())?;
        let id = runs::new_id(Timestamp::now())?;
        let folder = runs::make(&data_dir, &id)?;
        runs::write(&folder.join("plan.yaml"), &prepared.text)?;
        if !self.quiet {
            // Where standard error is closed, the audit goes on all the same.
            let _ = writeln!(std::io::stderr().lock(), "{}", self.opening(&prepared, &id));
        }
        let (conducted, proofs) = carry_out(&prepared, &id)?;
        let mut audited = judge(&prepared, id, &conducted, proofs);
        audited.kept_in = Some(folder.clone());
        show(|colour| tell::audited(&audited, colour), &audited.reasons, self.quiet)?;
        conclude(self.keep(&audited, &folder), audited.verdict)
    }

    /// The plan that the command line stands for, with the audit as its task.
    fn prepared(&self) -> Result<Prepared, Error> {
        let (source, pages) =
            if self.what.contains("://") { self.of_url()? } else { of_plan(Path::new(&self.what))? };
        let audit = Audit {
            pages,
            rate_milli: self.rate,
            is_patient: self.patient,
            policy: self.policy.as_deref().map(policy).transpose()?,
            journey: self.journey.as_deref().map(journey).transpose()?,
        };
        let overrides = self.options.overrides(self.target.as_deref())?;
        let prepared = Prepared::of_regions(source, overrides, Task::Audit(Box::new(audit)), &self.region)?;
        Ok(prepared.with_aws_at(self.aws.aws_endpoint.as_ref()))
    }

    /// The plan of a URL, and its page. A JSON text is a YAML text, and safely quoted.
    fn of_url(&self) -> Result<(Source, Vec<String>), Error> {
        if self.target.is_some() {
            let why = "a URL says itself where the audit goes; leave --target out, or name a plan";
            return Err(Error::Usage(why.to_owned()));
        }
        let url = target::parse(&self.what).map_err(Error::Usage)?;
        let regions = if self.region.is_empty() { vec![HERE.to_owned()] } else { self.region.clone() };
        let plan = serde_json::json!({
            "name": "audit",
            "target": url.origin().ascii_serialization(),
            "regions": regions,
            // An audit has its own instead.
            "journeys": [BUILT_IN[0]],
            "load": { "arrivals": [{ "hold": "1/s", "for": "1s" }] },
        });
        let source = Source {
            name: "the plan of this command line".to_owned(),
            folder: PathBuf::new(),
            text: plan.to_string(),
            files: BTreeMap::new(),
        };
        let page = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Ok((source, vec![page.to_owned()]))
    }

    fn opening(&self, prepared: &Prepared, id: &str) -> String {
        let regions = prepared.names.regions.join(", ");
        let plan = &prepared.plan;
        let shares = plan.regions.iter().map(|region| plan.audit_share_milli(region, self.rate));
        let sends_s = REQUESTS_USUAL * 1_000 / shares.min().unwrap_or(self.rate).max(1);
        let takes_s = sends_s.max(Script::waits_s(&plan.cdn, self.patient).into());
        format!("run {id}: auditing {} from {regions}; it takes some {takes_s} s", self.what)
    }

    /// Writes the audit where it is kept, and whatever else was asked for: one failure does not keep the other back.
    fn keep(&self, audited: &Audited, folder: &Path) -> Result<(), Error> {
        let kept = tell::write_audit(audited, Some(&folder.join("audit.json")), None);
        tell::write_audit(audited, self.json.as_deref(), self.junit.as_deref()).and(kept)
    }
}

/// Has every region's agent carry its audit out. What each found out, by region.
fn carry_out(prepared: &Prepared, id: &str) -> Result<(Conducted, Vec<Vec<Proof>>), Error> {
    let mut progress = Progress::new(true, &prepared.plan);
    let mut proofs: Vec<Vec<Proof>> = vec![Vec::new(); prepared.plan.regions.len()];
    let mut listener = |noted| {
        if let Noted::Proof { region, proof } = noted
            && let Some(proofs) = proofs.get_mut(region)
        {
            proofs.push(*proof);
        }
    };
    let conducted = conduct_alone(prepared, id, &mut progress, &mut listener)?;
    Ok((conducted, proofs))
}

/// A plan's file, and the pages that its journeys name: what they get by addresses that are the same in every walk.
fn of_plan(path: &Path) -> Result<(Source, Vec<String>), Error> {
    let source = Source::read(path)?;
    let plan = Plan::read(&source.name, &source.text)?;
    let mut pages: Vec<String> = Vec::new();
    for used in &plan.journeys {
        let name = &used.journey;
        let text = match built_in(name) {
            Some(text) => text.to_owned(),
            None => read_text(&source.folder.join(name), "a journey of the plan", "check the path")?,
        };
        let journey = Journey::parse(name, &text)?;
        let read = journey.steps().iter().filter(|step| step.method().as_str() == "GET");
        for page in read.filter_map(|step| step.target()) {
            let is_path = page.starts_with('/') && !page.starts_with("//");
            if is_path && pages.len() < PAGES_MAX && !pages.iter().any(|known| known == page) {
                pages.push(page.to_owned());
            }
        }
    }
    Ok((source, pages))
}

/// The text of a policy, once it was read and checked.
fn policy(path: &Path) -> Result<String, Error> {
    let text = read_text(path, "the policy", "check the path, or see README.md for a policy to start from")?;
    Policy::read(&path.display().to_string(), &text)?;
    Ok(text)
}

/// How every agent knows the journey: by its name where it is built in, otherwise by its whole path.
fn journey(name: &str) -> Result<String, Error> {
    if built_in(name).is_some() {
        return Ok(name.to_owned());
    }
    let path = Path::new(name);
    read_text(path, "the journey", "check the path, or name a built-in journey: browse, cart, checkout")?;
    let whole = std::path::absolute(path)
        .map_err(|source| Error::System { what: "finding the journey's whole path", source })?;
    Ok(whole.display().to_string())
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};
    use doorbuster_model::Assignment;

    use super::*;

    fn command(arguments: &[&str]) -> Result<AuditCommand, String> {
        let command = AuditCommand::augment_args(clap::Command::new("audit"));
        let matches = command
            .try_get_matches_from([&["audit"], arguments].concat())
            .map_err(|error| error.to_string())?;
        AuditCommand::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    fn prepared(arguments: &[&str]) -> Result<Prepared, String> {
        command(arguments)?.prepared().map_err(|error| error.to_string())
    }

    fn audit(prepared: &Prepared) -> &Audit {
        match &prepared.task {
            Task::Audit(audit) => audit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_url_is_a_page_and_its_host_the_target() {
        let of_url = prepared(&["https://shop.example.com/p/1?a=b#c", "--region", "tokyo,london"]).unwrap();
        assert_eq!(of_url.plan.target.as_ref().unwrap().as_str(), "https://shop.example.com/");
        assert_eq!(of_url.names.regions, ["tokyo", "london"]);
        let audit = audit(&of_url);
        assert_eq!((audit.pages.as_slice(), audit.rate_milli), (&["/p/1?a=b".to_owned()][..], 10_000));
        assert!(!of_url.plan.cdn.is_declared && audit.journey.is_none() && !audit.is_patient);
        assert_eq!(prepared(&["http://127.0.0.1:1"]).unwrap().names.regions, ["here"]);
    }

    #[test]
    fn a_stranger_gets_no_more_from_three_regions_than_from_one() {
        const THREE: [&str; 3] = ["https://shop.example.com/", "--region", "tokyo,london,new-york"];
        let rates = |more: &[&str]| -> Result<Vec<u64>, String> {
            let prepared = prepared(&[&THREE[..], more].concat())?;
            let rate = |(_, assignment): (usize, Assignment)| match assignment.task {
                Task::Audit(audit) => audit.rate_milli,
                other => panic!("{other:?}"),
            };
            Ok(prepared.assignments("r").into_iter().map(rate).collect())
        };
        let shared = rates(&[]).unwrap();
        assert_eq!(shared, [3_333; 3]);
        assert!(shared.iter().sum::<u64>() <= 10_000, "10 requests a second anybody may get");
        assert!(rates(&["--rate", "30/s"]).unwrap_err().contains("--allow-host shop.example.com"));
        assert_eq!(rates(&["--rate", "30/s", "--allow-host", "shop.example.com"]).unwrap(), [10_000; 3]);
    }

    #[test]
    fn a_journey_that_is_built_in_is_known_by_its_name() {
        let built_in = prepared(&["http://127.0.0.1:1", "--journey", "cart", "--patient"]).unwrap();
        assert_eq!(audit(&built_in).journey.as_deref(), Some("cart"));
        assert_eq!(built_in.names.journeys[0].0, "cart");
        assert!(audit(&built_in).is_patient);
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (arguments, part) in [
            (&["http://"][..], "is not a URL"),
            (&["nowhere.yaml"], "nowhere.yaml"),
            (&["http://127.0.0.1", "--rate", "0/s"], "a rate of 0 sends nothing"),
            (&["http://127.0.0.1", "--target", "http://127.0.0.1"], "leave --target out"),
            (&["http://shop.example.com", "--rate", "11/s"], "--allow-host shop.example.com"),
            (&["http://127.0.0.1", "--policy", "nowhere.yaml"], "the policy nowhere.yaml"),
            (&["http://127.0.0.1", "--journey", "nowhere.yaml"], "the journey nowhere.yaml"),
        ] {
            let error = prepared(arguments).map(|_| ()).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
        assert!(prepared(&["http://shop.example.com", "--rate", "10/s", "--journey", "cart"]).is_ok());
    }
}
