//! What a step came to, and what it is called.

use std::collections::{BTreeMap, BTreeSet};

use doorbuster_model::threshold::Names;
use doorbuster_model::{Tally, tally};
use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sums::exchanges_by;
use super::{Distribution, Exchanges};

/// What a step came to: its main request, and apart from it the rest of its page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Step {
    /// The step's main requests.
    #[serde(flatten)]
    pub exchanges: Exchanges,
    /// From the document's intended start to the last asset's end, in milliseconds.
    pub page_ms: Distribution,
    /// The assets of its page.
    pub assets: Part,
    /// The hops that redirects led to.
    pub hops: Part,
}

/// What the assets, or the redirect hops, of a step came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Part {
    /// Exchanges attempted.
    pub requests: u64,
    /// Failed exchanges.
    pub errors: u64,
    /// Failed expectations among the errors: a redirect's last answer is the one that is judged.
    pub business_failures: u64,
    /// From the intended start to the end of the answer, in milliseconds.
    pub latency_ms: Distribution,
}

/// A step as it is told: where it belongs, and what it came to.
pub(super) struct Told {
    /// The journey's name.
    pub(super) journey: String,
    /// The step's name within the journey.
    pub(super) step: String,
    /// Its name in the run: `step`, or `journey/step` where two journeys use the name.
    pub(super) label: String,
    /// What it came to.
    pub(super) figures: Step,
}

/// What the parts of one step came to, merged over sections.
#[derive(Default)]
struct Parts {
    main: tally::Exchanges,
    assets: tally::Exchanges,
    hops: tally::Exchanges,
}

/// Every step of the plan, in its order, also when it was never reached. A journey that the plan lists twice is
/// one journey.
pub(super) fn steps(tally: &Tally, names: &Names) -> Vec<Told> {
    let mut parts: IndexMap<(&str, &str), Parts> = IndexMap::new();
    let mut sums = exchanges_by(tally, |key| (key.journey, key.step, key.part));
    for (journey_position, (journey, steps)) in (0_u16..).zip(&names.journeys) {
        for (step_position, step) in (0_u16..).zip(steps) {
            let entry = parts.entry((journey, step)).or_default();
            let mut take = |part| sums.remove(&(journey_position, step_position, part)).unwrap_or_default();
            entry.main.merge(&take(tally::Part::Main));
            entry.assets.merge(&take(tally::Part::Asset));
            entry.hops.merge(&take(tally::Part::Hop));
        }
    }
    let users = users(names);
    let told = |((journey, step), parts): ((&str, &str), Parts)| Told {
        journey: journey.to_owned(),
        step: step.to_owned(),
        label: label(journey, step, &users),
        figures: Step::of(&parts),
    };
    parts.into_iter().map(told).collect()
}

/// What the step at a position is called in the run; positions that the plan does not have are shown as such.
pub(super) fn label_at(names: &Names, journey: u16, step: u16) -> (String, String) {
    match names.journeys.get(usize::from(journey)) {
        Some((name, steps)) => {
            let step = steps.get(usize::from(step)).cloned().unwrap_or_else(|| format!("step {step}"));
            (name.clone(), step)
        }
        None => (format!("journey {journey}"), format!("step {step}")),
    }
}

/// Which journeys use a step's name.
fn users(names: &Names) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (journey, steps) in &names.journeys {
        for step in steps {
            users.entry(step).or_default().insert(journey);
        }
    }
    users
}

fn label(journey: &str, step: &str, users: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let shared = users.get(step).is_some_and(|journeys| journeys.len() > 1);
    if shared { format!("{journey}/{step}") } else { step.to_owned() }
}

impl Step {
    fn of(parts: &Parts) -> Self {
        Self {
            exchanges: Exchanges::of(&parts.main),
            page_ms: Distribution::of(&parts.main.page),
            assets: Part::of(&parts.assets),
            hops: Part::of(&parts.hops),
        }
    }
}

impl Part {
    fn of(exchanges: &tally::Exchanges) -> Self {
        Self {
            requests: exchanges.requests,
            errors: exchanges.errors_total(),
            business_failures: exchanges.business_failures(),
            latency_ms: Distribution::of(&exchanges.latency),
        }
    }
}
