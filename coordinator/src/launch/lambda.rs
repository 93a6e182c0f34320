//! Agents as functions of AWS Lambda: invoked, and heard through the response.
//!
//! Each agent is one invocation of its region's function, whose response streams back what the agent says, so that nothing has
//! to reach this machine from outside. Nothing can be sent to a function that runs; what agents are to hear stands on their
//! region's [`board`], an object that they look at by a presigned address. Each claims its assignment first by writing an object
//! that must not exist yet, so that an invocation that arrives twice sends no load twice, and may be tried again safely.

mod board;
mod bundle;
mod errand;
mod place;
mod rates;
mod response;
mod slices;
mod trouble;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use doorbuster_model::plan::{LaunchBy, Region, Responses};
use doorbuster_model::{Assignment, Plan};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Agent, Events, Handed};
use crate::Error;
use crate::aws::{self, call};

use errand::Errand;
use place::Place;
use trouble::{Function, unopened};

/// How often what is asked of AWS once is tried.
const ATTEMPTS: u32 = 3;

/// The functions that a run's regions need.
#[derive(Debug)]
pub(crate) struct Lambda {
    plan: Arc<Plan>,
    /// The AWS region of each of the plan's regions whose agents are functions.
    regions: Vec<Option<String>>,
    /// What is there, by AWS region.
    places: BTreeMap<String, Arc<Place>>,
    /// Agents under way.
    errands: Mutex<JoinSet<()>>,
}

impl Lambda {
    /// Opens what the plan's functions need for a run, in all their regions at once; at `endpoint` where something stands in
    /// for AWS.
    ///
    /// # Errors
    /// Which region is not ready for it, why, and what to do.
    pub(crate) async fn open(plan: &Plan, run: &str, endpoint: Option<&str>) -> Result<Self, Error> {
        let mut configs = BTreeMap::new();
        for region in aws_regions(plan)?.into_iter().flatten().collect::<BTreeSet<String>>() {
            let config = aws::config(&region, endpoint, ATTEMPTS).await;
            configs.insert(region, config);
        }
        Self::with(plan, run, endpoint, configs).await
    }

    /// The same by configurations for the AWS regions.
    async fn with(
        plan: &Plan,
        run: &str,
        endpoint: Option<&str>,
        configs: BTreeMap<String, SdkConfig>,
    ) -> Result<Self, Error> {
        let account = account(&plan.fleet.stack, endpoint, &configs).await?;
        let mut opening = JoinSet::new();
        for (region, config) in configs {
            let (stack, account, run) = (plan.fleet.stack.clone(), account.clone(), run.to_owned());
            let endpoint = endpoint.map(str::to_owned);
            opening.spawn(async move {
                let place = Place::open(&config, endpoint.as_deref(), &region, &stack, &account, &run).await;
                place.map(|place| (region, Arc::new(place)))
            });
        }
        let mut places = BTreeMap::new();
        while let Some(opened) = opening.join_next().await {
            let broken = |error| Error::System { what: "opening the fleet", source: io::Error::other(error) };
            let (region, place) = opened.map_err(broken)??;
            places.insert(region, place);
        }
        let regions = aws_regions(plan)?;
        Ok(Self { plan: Arc::new(plan.clone()), regions, places, errands: Mutex::default() })
    }

    /// Launches an agent in a region (by its position). What becomes of it is told by events.
    ///
    /// # Errors
    /// When the region has no functions.
    pub(crate) fn launch(
        &self,
        number: usize,
        region: usize,
        assignment: Assignment,
        events: Events,
    ) -> Result<Agent, Error> {
        let place = self.regions.get(region).and_then(Option::as_ref);
        let place = place.and_then(|region| self.places.get(region)).ok_or_else(|| {
            Error::Usage(format!("the region \"{}\" has no functions to launch", assignment.region))
        })?;
        let ready_within = self.plan.fleet.ready_within(LaunchBy::Lambda);
        let is_whole = self.plan.fleet.responses == Responses::Whole;
        let errand = Errand::new(Arc::clone(place), Arc::clone(&self.plan), number, is_whole, ready_within);
        let handed = Handed::default();
        let errand = errand.noting(handed.clone());
        let (to, commands) = mpsc::unbounded_channel();
        let mut errands = self.errands.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are over are forgotten: a long run is a relay of many.
        while errands.try_join_next().is_some() {}
        errands.spawn(Box::pin(errand.run(assignment, commands, events)));
        Ok(Agent { to, handed })
    }

    /// Waits until agents that were let go have ended, which takes seconds, and removes what the run left in its buckets.
    pub(crate) async fn close(self) {
        let mut errands = self.errands.into_inner().unwrap_or_else(PoisonError::into_inner);
        while errands.join_next().await.is_some() {}
        let mut closing = JoinSet::new();
        for place in self.places.into_values() {
            closing.spawn(async move { place.clear().await });
        }
        while closing.join_next().await.is_some() {}
    }
}

/// Whose account this is. Every region says the same, so that they are asked in turn: one that is down keeps nobody from
/// hearing it, and is named when it is opened itself.
async fn account(
    stack: &str,
    endpoint: Option<&str>,
    configs: &BTreeMap<String, SdkConfig>,
) -> Result<String, Error> {
    let mut refused = Error::Usage("no region of the plan has `launch: lambda`".to_owned());
    for (region, config) in configs {
        let failure = match call::account(config, endpoint).await {
            Ok(account) => return Ok(account),
            Err(failure) => failure,
        };
        let what = format!("finding out in {region} which AWS account this is");
        refused = Error::Aws { what, why: unopened(&Function::new(stack, region), &failure.why) };
        if failure.is_without_credentials() {
            // They are looked for in the same places everywhere, and some of those take seconds.
            break;
        }
    }
    Err(refused)
}

/// The AWS region of each region whose agents are functions.
fn aws_regions(plan: &Plan) -> Result<Vec<Option<String>>, Error> {
    let aws_region = |region: &Region| match (region.launch, &region.aws) {
        (LaunchBy::Lambda, Some(aws)) => Ok(Some(aws.clone())),
        (LaunchBy::Lambda, None) => Err(Error::Usage(format!(
            "the region \"{}\" is launched as functions; say in which region of AWS (`aws: eu-west-2`)",
            region.name
        ))),
        _ => Ok(None),
    };
    plan.regions.iter().map(aws_region).collect()
}
