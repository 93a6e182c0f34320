//! What a region, or all of them together, came to.

use std::collections::BTreeMap;

use doorbuster_model::threshold::Names;
use doorbuster_model::{Tally, tally};
use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::three_decimals;
use super::steps::{Told, steps};
use super::sums::caching_by;
use super::{Caching, Distribution, Exchanges, Step};
use crate::outcome::Outcome;

/// What a region, or all of them together, came to. Everything is in it: assets, redirect hops and the warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Figures {
    /// All exchanges.
    #[serde(flatten)]
    pub exchanges: Exchanges,
    /// Exchanges per second of the load's length; `null` when it never began.
    pub requests_per_s: Option<f64>,
    /// Pages: from the document's intended start to the last asset's end, in milliseconds.
    pub page_ms: Distribution,
    /// What the edge did for content that may be cached: all classes but those with `cached: never`.
    pub caching: Caching,
    /// How connections were opened.
    pub connections: Connections,
    /// Answers that were a web application firewall's challenge.
    pub challenges: u64,
    /// Per step, in the plan's order, by its name, or by `journey/step` where two journeys use the name.
    pub steps: IndexMap<String, Step>,
    /// Per journey by its name, in the plan's order.
    pub journeys: IndexMap<String, Journey>,
    /// Limits that were reached, and other counters, by name.
    pub counters: BTreeMap<String, u64>,
}

/// What became of the journeys of one kind: counts of journeys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Journey {
    /// Begun.
    pub started: u64,
    /// Walked to the end.
    pub completed: u64,
    /// Ended by a failure.
    pub failed: u64,
    /// Left by a shopper, as the journey says some do.
    #[serde(default)]
    pub abandoned: u64,
    /// Cut off when the run ended.
    pub cut: u64,
    /// The journey's steps in order, by their names within it: the same figures as under the region's `steps`.
    pub steps: IndexMap<String, Step>,
}

/// How connections were opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Connections {
    /// How many were opened.
    pub opened: u64,
    /// Name look-ups, in milliseconds.
    pub dns_ms: Distribution,
    /// TCP handshakes, in milliseconds.
    pub connect_ms: Distribution,
    /// TLS handshakes, in milliseconds.
    pub tls_ms: Distribution,
}

impl Figures {
    /// `seconds` is how long the load lasted.
    pub(super) fn of(tally: &Tally, names: &Names, seconds: f64) -> Self {
        let exchanges = Outcome::exchanges(tally);
        let steps = steps(tally, names);
        Self {
            requests_per_s: per_second(exchanges.requests, seconds),
            page_ms: Distribution::of(&exchanges.page),
            caching: caching_by(tally, |place| names.is_private(place.class))
                .get(&false)
                .map(Caching::of)
                .unwrap_or_default(),
            connections: Connections::of(&tally.connections),
            challenges: tally.challenges,
            journeys: journeys(tally, names, &steps),
            steps: steps.into_iter().map(|told| (told.label, told.figures)).collect(),
            counters: tally.counters.clone(),
            exchanges: Exchanges::of(&exchanges),
        }
    }
}

/// `count` per second, with at most three decimals; `None` when no time passed.
pub(super) fn per_second(count: u64, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| three_decimals(count as f64 / seconds))
}

fn journeys(tally: &Tally, names: &Names, steps: &[Told]) -> IndexMap<String, Journey> {
    let mut journeys: IndexMap<String, Journey> = IndexMap::new();
    for (position, (name, _)) in (0_u16..).zip(&names.journeys) {
        let counted = tally.journeys.get(&position).copied().unwrap_or_default();
        let journey = journeys.entry(name.clone()).or_default();
        journey.started += counted.started;
        journey.completed += counted.completed;
        journey.failed += counted.failed;
        journey.abandoned += counted.abandoned;
        journey.cut += counted.cut;
    }
    for told in steps {
        let journey = journeys.entry(told.journey.clone()).or_default();
        journey.steps.insert(told.step.clone(), told.figures.clone());
    }
    journeys
}

impl Connections {
    fn of(connections: &tally::Connections) -> Self {
        Self {
            opened: connections.opened,
            dns_ms: Distribution::of(&connections.dns),
            connect_ms: Distribution::of(&connections.connect),
            tls_ms: Distribution::of(&connections.tls),
        }
    }
}
