//! A pre-flight as programs read it: the JSON document `doorbuster.plan/1`.
//!
//! Every key is always present; `null` stands for what is not known, or there is none of.

use doorbuster_model::preflight::{Crowd, Item, POLICY_URL};
use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::preflight::{Carried, Check, Preflight, Status};

/// The value of `schema`.
const SCHEMA: &str = "doorbuster.plan/1";

/// What a plan comes to, before anything is sent. `null` stands for what is not known, or there is none of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Planned {
    /// Always `doorbuster.plan/1`. Within this version keys are added, never renamed or removed.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub schema: String,
    /// The plan's name.
    pub name: String,
    /// Whether it is about probes, which have no end: then figures are those of a day.
    pub probe: bool,
    /// How long it is, in seconds.
    pub length_s: f64,
    /// The worst of all checks: `ok`, `warning` or `refuse`.
    pub status: Status,
    /// All regions together.
    pub load: Load,
    /// Per region by its name, in the plan's order.
    pub regions: IndexMap<String, Region>,
    /// What it costs.
    pub cost: Cost,
    /// What was looked at.
    pub checks: Vec<Line>,
    /// What was assumed, a sentence each.
    pub assumed: Vec<String>,
    /// Where AWS says what it takes for a network stress test.
    pub policy: String,
}

/// What all regions send together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Load {
    /// Journeys that are started; `null` in the closed model, where that depends on the target.
    pub arrivals: Option<u64>,
    /// The most shoppers at once.
    pub shoppers_max: u64,
    /// How long a shopper thinks on a walk, on average, in seconds.
    pub think_s: f64,
    /// How long answers are assumed to take on a walk, on average, in seconds.
    pub answers_s: f64,
    /// All requests, about.
    pub requests: f64,
    /// The most requests in a second, about.
    pub requests_per_s_max: f64,
    /// The most bits of answers in a second, about.
    pub bits_per_s_max: f64,
}

/// What a region carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Region {
    /// How its agents are reached: `local`, `lambda`, `join` or `ec2`.
    pub launch: String,
    /// The AWS region.
    pub aws: Option<String>,
    /// Its agents of one generation.
    pub agents: u64,
    /// Its agents at once, while one generation follows another.
    pub agents_at_once: u64,
    /// Generations that follow one another.
    pub generations: u64,
    /// Journeys that are started; `null` in the closed model.
    pub arrivals: Option<u64>,
    /// The most shoppers at once.
    pub shoppers_max: u64,
    /// The same of one agent.
    pub shoppers_per_agent: u64,
    /// The connections of one agent, if shoppers open one each.
    pub connections_least: u64,
    /// The connections of one agent, if shoppers open as many as they may.
    pub connections_most: u64,
    /// The descriptors of one agent.
    pub descriptors_max: Option<u64>,
}

/// What a run costs, as far as AWS charges for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Cost {
    /// US dollars, at most.
    pub usd: f64,
    /// What it may cost: `--max-cost`.
    pub usd_max: Option<f64>,
    /// What costs.
    pub items: Vec<Expense>,
}

/// Something that costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Expense {
    /// What it is.
    pub what: String,
    /// How many units.
    pub quantity: f64,
    /// The unit.
    pub unit: String,
    /// US dollars for a unit.
    pub usd_per_unit: f64,
    /// US dollars.
    pub usd: f64,
    /// Where the price is told.
    pub source: String,
    /// When it was so; `unconfirmed` where it was not read there.
    pub as_of: String,
}

/// A line of the pre-flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Line {
    /// What is looked at: `host`, `shoppers`, `connections`, `generations`, `start`, `function`, `quota`,
    /// `credentials`, `clock`, `bandwidth`, `cloudfront`, `balancer`, `data`, `cost`.
    pub check: String,
    /// Of which region, host or file.
    pub about: Option<String>,
    /// `ok`, `warning` or `refuse`.
    pub status: Status,
    /// What was found.
    pub says: String,
    /// What to change.
    pub change: Option<String>,
}

/// The pre-flight as a JSON document.
///
/// # Errors
/// None that comes from a pre-flight: what [`serde_json`] says.
pub(super) fn json(preflight: &Preflight) -> serde_json::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(&planned(preflight))?;
    json.push(b'\n');
    Ok(json)
}

fn planned(preflight: &Preflight) -> Planned {
    let regions = preflight.regions.iter();
    Planned {
        schema: SCHEMA.to_owned(),
        name: preflight.plan.clone(),
        probe: preflight.is_probe,
        length_s: preflight.length_s,
        status: preflight.status(),
        load: load(&preflight.crowd),
        regions: regions.map(|carried| (carried.name.clone(), region(carried))).collect(),
        cost: Cost {
            usd: preflight.usd(),
            usd_max: preflight.usd_max,
            items: preflight.items.iter().map(expense).collect(),
        },
        checks: preflight.checks.iter().map(line).collect(),
        assumed: preflight.assumed.clone(),
        policy: POLICY_URL.to_owned(),
    }
}

fn load(crowd: &Crowd) -> Load {
    Load {
        arrivals: crowd.arrivals,
        shoppers_max: crowd.shoppers_max,
        think_s: crowd.think_s,
        answers_s: crowd.answers_s,
        requests: crowd.requests,
        requests_per_s_max: crowd.requests_per_s_max,
        bits_per_s_max: crowd.bits_per_s_max(),
    }
}

fn region(carried: &Carried) -> Region {
    let part = &carried.part;
    Region {
        launch: carried.launch.word().to_owned(),
        aws: carried.aws.clone(),
        agents: part.agents,
        agents_at_once: part.agents_at_once,
        generations: part.generations,
        arrivals: part.arrivals,
        shoppers_max: part.shoppers_max,
        shoppers_per_agent: part.shoppers_per_agent,
        connections_least: part.connections.least,
        connections_most: part.connections.most,
        descriptors_max: carried.descriptors_max,
    }
}

fn expense(item: &Item) -> Expense {
    Expense {
        what: item.what.to_owned(),
        quantity: item.quantity,
        unit: item.price.unit.to_owned(),
        usd_per_unit: item.price.usd,
        usd: item.usd(),
        source: item.price.source.to_owned(),
        as_of: item.price.as_of.to_owned(),
    }
}

fn line(check: &Check) -> Line {
    Line {
        check: check.name.to_owned(),
        about: check.about.clone(),
        status: check.status,
        says: check.says.clone(),
        change: check.change.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Planned, json};
    use crate::preflight::tests::a_sale_from_functions;
    use crate::tell::tests::golden;

    #[test]
    fn the_document_is_read_back() {
        let document = json(&a_sale_from_functions()).unwrap();
        golden("plan.json", std::str::from_utf8(&document).unwrap());
        let read: Planned = serde_json::from_slice(&document).unwrap();
        assert_eq!((read.schema.as_str(), read.name.as_str()), ("doorbuster.plan/1", "friday"));
        assert_eq!(read.regions.keys().collect::<Vec<_>>(), ["tokyo", "london"]);
    }
}
