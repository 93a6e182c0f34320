//! The pre-flight: what a run comes to, held against the limits that it would run into, before anything is sent.
//!
//! Nothing here speaks with the target, not even with whoever knows its address. Where a region's agents are functions, AWS
//! is asked for its quota there and for what is deployed ([`quota`]); everything else follows from the plan and from this
//! machine, and is pure.

mod agents;
mod credentials;
mod expense;
mod function;
mod machine;
pub(crate) mod quota;
mod supplies;
mod targets;

use std::collections::BTreeSet;

use doorbuster_model::Task;
use doorbuster_model::plan::{LaunchBy, Model};
use doorbuster_model::preflight::{
    ANSWER_BYTES_ASSUMED, ANSWER_S_ASSUMED, Crowd, Item, PAGE_ASSETS_ASSUMED, PAGE_S_ASSUMED, Part, cost,
    parts,
};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::machine::Machine;
use self::quota::Asked;
use crate::Error;
use crate::prepare::Prepared;
use crate::runtime::block_on;

/// What a line of the pre-flight says. What is worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// There is nothing to be done.
    Ok,
    /// It may go wrong, or nobody knows.
    Warning,
    /// It will go wrong, or must not be.
    Refuse,
}

impl Status {
    /// The word that people and programs see.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Refuse => "refuse",
        }
    }
}

/// A line of the pre-flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What is looked at.
    pub name: &'static str,
    /// Of which region, host or file, where there may be several.
    pub about: Option<String>,
    /// How it is.
    pub status: Status,
    /// What was found.
    pub says: String,
    /// What to change, unless all is well.
    pub change: Option<String>,
}

impl Check {
    /// All is well.
    fn ok(name: &'static str, about: Option<&str>, says: String) -> Self {
        Self { name, about: about.map(str::to_owned), status: Status::Ok, says, change: None }
    }

    /// Something is to be changed.
    fn bad(status: Status, name: &'static str, about: Option<&str>, says: String, change: String) -> Self {
        Self { name, about: about.map(str::to_owned), status, says, change: Some(change) }
    }

    /// The line as a sentence: `quota, eu-west-2: …; …`.
    pub(crate) fn told(&self) -> String {
        let about = self.about.as_ref().map_or_else(String::new, |about| format!(", {about}"));
        let change = self.change.as_ref().map_or_else(String::new, |change| format!("; {change}"));
        format!("{}{about}: {}{change}", self.name, self.says)
    }
}

/// What a region carries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Carried {
    /// The region's name.
    pub name: String,
    /// How its agents are reached.
    pub launch: LaunchBy,
    /// The AWS region, where the plan says so.
    pub aws: Option<String>,
    /// Its share.
    pub part: Part,
    /// The descriptors that an agent has, where that is known.
    pub descriptors_max: Option<u64>,
}

/// What a run comes to, and how that looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preflight {
    /// The plan's name.
    pub plan: String,
    /// Whether it is about probes, which have no end: of a day then.
    pub is_probe: bool,
    /// How long it is, in seconds.
    pub length_s: f64,
    /// All regions together.
    pub crowd: Crowd,
    /// Per region, in the plan's order.
    pub regions: Vec<Carried>,
    /// What costs.
    pub items: Vec<Item>,
    /// What it may cost, in US dollars.
    pub usd_max: Option<f64>,
    /// The lines.
    pub checks: Vec<Check>,
    /// What was assumed, a sentence each.
    pub assumed: Vec<String>,
}

impl Preflight {
    /// What everything costs, in US dollars.
    pub(crate) fn usd(&self) -> f64 {
        self.items.iter().map(Item::usd).sum()
    }

    /// The worst of all lines.
    pub(crate) fn status(&self) -> Status {
        self.checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok)
    }

    /// Whether the run may begin.
    ///
    /// # Errors
    /// [`Error::Refused`] when a line says that it must not.
    pub(crate) fn allows(&self) -> Result<(), Error> {
        match self.checks.iter().filter(|check| check.status == Status::Refuse).count() {
            0 => Ok(()),
            lines => Err(Error::Refused { lines }),
        }
    }
}

/// Looks at a run before it begins, which may cost at most `usd_max`. Only where a region's agents are functions anybody is
/// asked anything.
///
/// # Errors
/// That this machine gives no runtime. What AWS does not tell is a line of its own.
pub(crate) fn look(prepared: &Prepared, usd_max: Option<f64>) -> Result<Preflight, Error> {
    let regions = prepared.plan.regions.iter();
    let functions = regions.filter(|region| region.launch == LaunchBy::Lambda);
    let aws: BTreeSet<String> = functions.filter_map(|region| region.aws.clone()).collect();
    let asked = if aws.is_empty() {
        Asked::default()
    } else {
        let (stack, endpoint) = (&prepared.plan.fleet.stack, prepared.aws_endpoint.as_deref());
        block_on(async { Ok(Box::pin(quota::ask(aws, stack, endpoint)).await) })?
    };
    Ok(examine(prepared, Machine::this(), &asked, usd_max))
}

/// The same from what was found out already.
fn examine(prepared: &Prepared, machine: Machine, asked: &Asked, usd_max: Option<f64>) -> Preflight {
    let plan = &prepared.plan;
    let is_probe = matches!(prepared.task, Task::Probe { .. });
    let crowd = Crowd::of(&plan.load, &prepared.walks);
    let parts = parts(plan, &crowd, &prepared.walks);
    let items = cost(plan, &crowd, &parts, &function::known(&asked.functions));
    let carried = |(region, part): (&doorbuster_model::plan::Region, Part)| Carried {
        name: region.name.clone(),
        launch: region.launch,
        aws: region.aws.clone(),
        part,
        descriptors_max: agents::descriptors_max(region.launch, machine),
    };
    let regions: Vec<Carried> = plan.regions.iter().zip(parts).map(carried).collect();
    let usd = items.iter().map(Item::usd).sum();
    let checks = [
        targets::hosts(prepared),
        vec![supplies::shoppers(plan, &crowd)],
        agents::connections(plan, &regions),
        agents::generations(plan, &regions),
        agents::start(plan, &regions),
        function::functions(plan, &regions, &asked.functions),
        agents::quota(plan, &regions, asked),
        credentials::lasting(plan, asked.credentials_left, is_probe),
        agents::clock(&regions),
        targets::bandwidth(plan, &crowd),
        targets::edges(plan, &crowd, &regions),
        if is_probe { Vec::new() } else { supplies::rows(&prepared.walks, &crowd) },
        vec![expense::cost(plan, usd, usd_max)],
    ];
    Preflight {
        plan: plan.name.clone(),
        is_probe,
        length_s: plan.load.pace.length_ns() as f64 / 1e9,
        crowd,
        regions,
        items,
        usd_max,
        checks: checks.into_iter().flatten().collect(),
        assumed: assumed(prepared, is_probe),
    }
}

/// What was assumed, and what only a run tells.
fn assumed(prepared: &Prepared, is_probe: bool) -> Vec<String> {
    let mut told = vec![format!(
        "assumed: {ANSWER_S_ASSUMED} s and {} kB an answer, and of pages with assets {PAGE_ASSETS_ASSUMED} of them in {PAGE_S_ASSUMED} s more (HTTP Archive 2024); conditions of journeys are met",
        ANSWER_BYTES_ASSUMED / 1e3
    )];
    if is_probe {
        told.push("probes have no end: figures are those of a day".to_owned());
    }
    if prepared.plan.load.model == Model::Closed {
        told.push("a closed model's requests depend on how fast the target answers".to_owned());
    }
    if prepared.plan.regions.iter().any(|region| region.launch == LaunchBy::Lambda) {
        told.push("how much a function's network carries is measured by the run".to_owned());
    }
    told
}

#[cfg(test)]
pub(crate) mod tests;
