//! What the edge did per region, class and edge location, and what it broke.

use std::collections::BTreeMap;

use doorbuster_model::Tally;
use doorbuster_model::cdn::{ClassId, Counts};
use doorbuster_model::threshold::Names;
use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Caching;
use super::findings::Finding;
use super::lowest::{Lowest, LowestSecond};
use super::sums::caching_by;
use crate::outcome::{Outcome, RegionOutcome};

/// What the edge did, and what it broke.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Cdn {
    /// Whether the plan declares what the edge has promised (`cdn`). Where it does not, what is usual is looked for, and
    /// only what is critical fails the run.
    pub declared: bool,
    /// Per class of content by its name, in the policy's order, all regions together; `unclassified` belongs to none.
    pub classes: IndexMap<String, ClassCaching>,
    /// Per region by its name, in the plan's order.
    pub regions: IndexMap<String, RegionCaching>,
    /// Per region, edge location and class, in that order, where edge locations are told.
    pub pops: Vec<PopCaching>,
    /// Answers that belong to no class, by path; the first 20 paths of the alphabet.
    pub unclassified: BTreeMap<String, u64>,
    /// Broken promises with their evidence, the gravest first.
    pub findings: Vec<Finding>,
    /// How many more findings there was no room for.
    pub findings_not_kept: u64,
}

/// What the edge did for a class of content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct ClassCaching {
    /// All of it.
    #[serde(flatten)]
    pub caching: Caching,
    /// Whether it is never to be cached: every answer should be a miss.
    pub never_cached: bool,
    /// The second with the lowest hit ratio; `null` where no second after the warm-up has 10 look-ups, and of what is never
    /// to be cached.
    pub lowest_second: Option<LowestSecond>,
}

/// What the edge did in a region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct RegionCaching {
    /// Per class of content by its name, in the policy's order; `unclassified` belongs to none.
    pub classes: IndexMap<String, ClassCaching>,
}

/// What an edge location did for a class of content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PopCaching {
    /// The region that asked.
    pub region: String,
    /// The edge location: `NRT57`.
    pub pop: String,
    /// The city of its airport, where that is known here.
    pub city: Option<String>,
    /// The class of content.
    pub class: String,
    /// What it did.
    #[serde(flatten)]
    pub caching: Caching,
}

impl Cdn {
    /// `global` is all regions' tallies merged.
    pub(super) fn of(outcome: &Outcome, global: &Tally) -> Self {
        let lowest = Lowest::of(outcome);
        let region = |(position, region): (usize, &RegionOutcome)| {
            let classes = classes(&region.tally, &outcome.names, &lowest, Some(position));
            (region.name.clone(), RegionCaching { classes })
        };
        Self {
            declared: outcome.plan.cdn.is_declared,
            classes: classes(global, &outcome.names, &lowest, None),
            regions: outcome.regions.iter().enumerate().map(region).collect(),
            pops: pops(outcome),
            unclassified: global.unclassified.clone(),
            findings: outcome.findings.iter().map(Finding::of).collect(),
            findings_not_kept: outcome.findings_not_kept,
        }
    }

    /// Whether the edge said anything about its cache.
    pub(crate) fn seen(&self) -> bool {
        self.classes.values().any(|class| class.caching.seen())
    }
}

/// Every class, also when nothing belonged to it. `region` is the position of the tally's region.
fn classes(
    tally: &Tally,
    names: &Names,
    lowest: &Lowest,
    region: Option<usize>,
) -> IndexMap<String, ClassCaching> {
    let sums: BTreeMap<ClassId, Counts> = caching_by(tally, |place| place.class);
    let class = |id: ClassId| {
        let caching = sums.get(&id).map(Caching::of).unwrap_or_default();
        let never_cached = names.is_private(id);
        let lowest_second = lowest.get(region, id).filter(|_| !never_cached);
        (names.class(id).to_owned(), ClassCaching { caching, never_cached, lowest_second })
    };
    names.class_ids().map(class).collect()
}

fn pops(outcome: &Outcome) -> Vec<PopCaching> {
    let mut rows = Vec::new();
    for region in &outcome.regions {
        for ((pop, class), counts) in caching_by(&region.tally, |place| (place.pop, place.class)) {
            let Some(pop) = pop else { continue };
            rows.push(PopCaching {
                region: region.name.clone(),
                pop: pop.to_string(),
                city: pop.airport.city().map(str::to_owned),
                class: outcome.names.class(class).to_owned(),
                caching: Caching::of(&counts),
            });
        }
    }
    rows
}
