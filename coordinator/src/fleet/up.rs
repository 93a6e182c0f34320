//! Putting a fleet into a region, or changing the one that is there. Every step may be taken again: what is done already
//! stays, so that an interrupted command is simply given once more.

use std::collections::BTreeMap;

use super::package::Package;
use super::place::{Part, Place};
use super::probes::Rounds;
use super::program::Joining;
use super::stack::{Deployed, Found, Stacks};
use super::step::{Step, towards_having};
use super::trouble::failed;
use super::{alarms, findings, instances, leftovers, probes, role};
use crate::Error;
use crate::aws::bucket::Bucket;

/// What plans mostly call AWS's regions: the ones of the plan that names none.
const NAMES: [(&str, &str); 3] =
    [("ap-northeast-1", "tokyo"), ("eu-west-2", "london"), ("us-east-1", "new-york")];

/// What is wanted of a fleet. What is not named stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// The agent of the functions.
    pub package: Option<Package>,
    /// Parameters of the fleet's stack.
    pub parameters: BTreeMap<&'static str, String>,
    /// Agents on EC2.
    pub joining: Option<Joining>,
    /// What is probed without a coordinator.
    pub rounds: Option<Rounds>,
    /// How long a round may take, in seconds.
    pub probe_timeout_s: Option<u32>,
    /// Whether there are to be alarms; those that there are stay.
    pub alarms: Alarming,
    /// Who is told of them.
    pub email: Option<String>,
    /// What the account may cost in a month before somebody is told.
    pub budget_usd: Option<u32>,
    /// What plans call the regions, by AWS's names, where it is not the usual.
    pub names: BTreeMap<String, String>,
    /// Whether the fleet must be there already.
    pub is_update: bool,
    /// Whether the first region makes the coordinator's role, also where it has been without.
    pub with_role: bool,
    /// The regions that the command is about.
    pub regions: Vec<String>,
}

/// For which fleets alarms are made that have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Alarming {
    /// For none.
    #[default]
    None,
    /// For new ones; one that has been there without stays without.
    New,
    /// For all.
    All,
}

impl Alarming {
    /// Whether a fleet has alarms made that has none yet.
    fn is_for(self, is_new: bool) -> bool {
        self == Self::All || (self == Self::New && is_new)
    }
}

/// What came of it in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raised {
    /// The region, as AWS calls it.
    pub region: String,
    /// Each stack, and what came of it.
    pub stacks: Vec<(String, Deployed)>,
    /// Where the agent's zip lies, where there is one.
    pub agent: Option<String>,
}

impl Wish {
    fn is_first(&self, place: &Place) -> bool {
        self.regions.first() == Some(&place.region)
    }

    fn name(&self, region: &str) -> String {
        let usual = NAMES.iter().find(|(aws, _)| *aws == region).map(|(_, name)| (*name).to_owned());
        self.names.get(region).cloned().or(usual).unwrap_or_default()
    }
}

/// Makes a region's fleet what is wished.
///
/// # Errors
/// What did not come about; what did before stays.
pub(crate) async fn up(place: &Place, wish: &Wish) -> Result<Raised, Error> {
    let account = Box::pin(place.account()).await?;
    let stacks = Stacks::of(place);
    let bucket = place.bucket(&account);
    let there = Box::pin(stacks.settled(Part::Fleet)).await?;
    if wish.is_update && there.is_none() {
        return Err(Error::Usage(format!(
            "there is no fleet \"{}\" in {}; `doorbuster fleet up` makes one",
            place.stack, place.region
        )));
    }
    let mut raised = Raised { region: place.region.clone(), stacks: Vec::new(), agent: None };
    // The alarms come first: a command that is interrupted between the two leaves no fleet, so that the next one makes both.
    let told = Box::pin(tell(place, wish, &stacks, is_new(there.as_ref()))).await?;
    let deployed = Box::pin(fleet(place, wish, &stacks, &bucket, &account, there.as_ref())).await?;
    raised.stacks.push((place.stack_of(Part::Fleet), deployed));
    let now = Box::pin(stacks.find(Part::Fleet)).await?.unwrap_or_default();
    raised.agent = now.parameters.get("AgentKey").filter(|key| !key.is_empty()).cloned();
    let topic = match told {
        Some((deployed, topic)) => {
            raised.stacks.push((place.stack_of(Part::Alarms), deployed));
            topic
        }
        None => String::new(),
    };
    if let Some(deployed) = Box::pin(probe(place, wish, &stacks, &bucket, &now, &topic)).await? {
        raised.stacks.push((place.stack_of(Part::Probes), deployed));
    }
    Box::pin(leftovers::remove(place, &stacks, &bucket)).await?;
    Ok(raised)
}

/// Whether a fleet is still to be made: there is none, or nothing but a first attempt that failed.
fn is_new(there: Option<&Found>) -> bool {
    let step = towards_having(there.map(|found| found.status.as_str()));
    matches!(step, Step::Create | Step::Remove)
}

/// The fleet's own stack. Its bucket comes with it, and what names the bucket's objects comes in a second step.
async fn fleet(
    place: &Place,
    wish: &Wish,
    stacks: &Stacks<'_>,
    bucket: &Bucket,
    account: &str,
    there: Option<&Found>,
) -> Result<Deployed, Error> {
    let mut wanted = wish.parameters.clone();
    let program = wish.joining.as_ref().map(|joining| joining.program.architecture);
    if program.is_some() || wanted.contains_key("InstanceType") {
        // From the first step on: AWS holds the image against the instances' type when it makes their group.
        let architecture = instances::agreed(program, &wanted, there)?;
        wanted.insert("ProgramArchitecture", architecture.to_owned());
    }
    let has_bucket = there.is_some_and(|found| towards_having(Some(&found.status)) == Step::Update);
    let mut first = None;
    if wish.with_role && wish.is_first(place) {
        wanted.insert("WithCoordinatorRole", "true".to_owned());
    } else if !has_bucket {
        // Roles are the whole account's, and one coordinator's is enough.
        let is_made = wish.is_first(place) && !Box::pin(role::is_elsewhere(place, &wish.regions)).await;
        wanted.insert("WithCoordinatorRole", is_made.to_string());
    }
    if !has_bucket {
        first = Some(Box::pin(stacks.deploy(Part::Fleet, &wanted)).await?);
    }
    if let Some(package) = &wish.package {
        upload(place, bucket, &package.key, &package.bytes).await?;
        wanted.insert("AgentKey", package.key.clone());
        wanted.insert("Architecture", package.architecture.clone());
    }
    if let Some(joining) = &wish.joining {
        let made = joining.files(&place.bucket_name(account))?;
        for (key, bytes) in &made.files {
            upload(place, bucket, key, bytes).await?;
        }
        wanted.insert("ProgramKey", made.program_key);
        wanted.insert("JoinUrl", joining.url.clone());
        wanted.insert("AgentsEc2", joining.agents.to_string());
        wanted.insert("RegionName", wish.name(&place.region));
    }
    let second = Box::pin(stacks.deploy(Part::Fleet, &wanted)).await?;
    Ok(first.unwrap_or(second))
}

async fn upload(place: &Place, bucket: &Bucket, key: &str, bytes: &[u8]) -> Result<(), Error> {
    place.say(&format!("{key} is uploaded, {} KB", bytes.len().div_ceil(1_000)));
    let put = Box::pin(bucket.put(key, bytes.to_vec())).await;
    put.map_err(|failure| failed(place, &format!("uploading {key}"), &failure))
}

/// The alarms, the alarm over them, and in one region the dashboard; returns the topic that tells of them.
async fn tell(
    place: &Place,
    wish: &Wish,
    stacks: &Stacks<'_>,
    is_new: bool,
) -> Result<Option<(Deployed, String)>, Error> {
    if !wish.alarms.is_for(is_new) && Box::pin(stacks.settled(Part::Alarms)).await?.is_none() {
        return Ok(None);
    }
    let mut wanted = BTreeMap::from([("Fleet", place.stack.clone()), ("EachAlarmTells", "false".to_owned())]);
    if let Some(email) = &wish.email {
        wanted.insert("Email", email.clone());
    }
    if let Some(agents) = Box::pin(alarms::crowded(place)).await {
        wanted.insert("AgentsWarning", agents.to_string());
    }
    if let Some(budget_usd) = wish.budget_usd.filter(|_| wish.is_first(place)) {
        wanted.insert("BudgetUsd", budget_usd.to_string());
    }
    let deployed = Box::pin(stacks.deploy(Part::Alarms, &wanted)).await?;
    let found = Box::pin(stacks.find(Part::Alarms)).await?.unwrap_or_default();
    let topic = found.outputs.get("Topic").cloned().unwrap_or_default();
    Box::pin(alarms::put(place, &topic)).await?;
    if wish.is_first(place) {
        Box::pin(alarms::join_dashboard(place, &wish.regions)).await?;
    }
    Ok(Some((deployed, topic)))
}

/// Probes without a coordinator: those that are wished, or with a new agent those that there are.
async fn probe(
    place: &Place,
    wish: &Wish,
    stacks: &Stacks<'_>,
    bucket: &Bucket,
    fleet: &Found,
    topic: &str,
) -> Result<Option<Deployed>, Error> {
    let round = wish.rounds.as_ref().and_then(|rounds| Some((rounds, rounds.rounds.get(&place.region)?)));
    let is_there = Box::pin(stacks.settled(Part::Probes)).await?.is_some();
    if round.is_none() && !(is_there && wish.package.is_some()) {
        return Ok(None);
    }
    let given = |name: &str| fleet.parameters.get(name).filter(|value| !value.is_empty()).cloned();
    let agent = given("AgentKey").ok_or_else(|| {
        Error::Usage(format!(
            "--probe: the fleet in {} has no agent yet; give it one with --zip",
            place.region
        ))
    })?;
    let mut wanted = BTreeMap::from([("Fleet", place.stack.clone()), ("AgentKey", agent)]);
    // The function reads from the bucket by itself, so it is told what stands in AWS's place.
    wanted.insert("Endpoint", place.endpoint.clone().unwrap_or_default());
    wanted.extend(given("Architecture").map(|architecture| ("Architecture", architecture)));
    if !topic.is_empty() {
        wanted.insert("AlarmTopic", topic.to_owned());
    }
    if let Some((rounds, round)) = round {
        let key = probes::key(&round.object);
        upload(place, bucket, &key, &round.object).await?;
        wanted.insert("ProbeKey", key);
        wanted.insert("Every", rounds.schedule());
        wanted.insert("MissingAfterSeconds", rounds.missing_after_s().to_string());
        wanted.extend(wish.probe_timeout_s.map(|seconds| ("TimeoutSeconds", seconds.to_string())));
    }
    let deployed = Box::pin(stacks.deploy(Part::Probes, &wanted)).await?;
    if let Some((rounds, round)) = round.filter(|_| wish.alarms != Alarming::None) {
        Box::pin(findings::put(place, &round.region, rounds, topic)).await?;
    }
    Ok(Some(deployed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_called_as_plans_do() {
        let names = BTreeMap::from([("eu-west-2".to_owned(), "uk".to_owned())]);
        let wish = Wish { names, ..Wish::default() };
        assert_eq!(wish.name("eu-west-2"), "uk");
        assert_eq!(wish.name("us-east-1"), "new-york");
        assert_eq!(wish.name("eu-central-1"), "", "as AWS calls it");
    }

    #[test]
    fn a_fleet_that_has_been_there_without_alarms_stays_so() {
        for (alarms, new, old) in
            [(Alarming::None, false, false), (Alarming::New, true, false), (Alarming::All, true, true)]
        {
            assert_eq!((alarms.is_for(true), alarms.is_for(false)), (new, old), "{alarms:?}");
        }
        assert_eq!(Wish::default().alarms, Alarming::None, "an update makes nothing new");
        let found = |status: &str| Found { status: status.to_owned(), ..Found::default() };
        assert!(is_new(None) && is_new(Some(&found("ROLLBACK_COMPLETE"))));
        for status in ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"] {
            assert!(!is_new(Some(&found(status))), "{status}");
        }
    }
}
