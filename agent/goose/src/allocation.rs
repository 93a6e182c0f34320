//! Who does what: each journey of the plan is a scenario of the team's, by its name, and each shopper has one.

use std::collections::{HashMap, VecDeque};

use doorbuster_agent::{Error, Job};
use doorbuster_journeys::{Journey, Step};
use doorbuster_model::segment::split_weighted;
use goose::goose::Scenario;

use crate::iteration::calls;

/// The name of each journey's last step, which takes the requests that no other step names.
const OTHER: &str = "other";
/// The most users of one agent. Each has a client, and all are to be launched within the 9 s that there are: on two slow
/// cores 60,000 took 4 s, in a build without optimisation.
const USERS_MAX: u64 = 50_000;
/// Descriptors that are for nobody's connection.
const DESCRIPTORS_OTHERS: u64 = 64;

/// A journey of the plan as its requests are counted.
#[derive(Debug)]
pub(crate) struct CountedJourney {
    /// Its position in the plan.
    pub position: u16,
    /// The position of the step that takes what no other step names.
    pub other: u16,
    /// How many transactions an iteration of its scenario has.
    pub calls: usize,
    by_name: HashMap<String, u16>,
    by_target: HashMap<String, u16>,
}

/// The plan's journeys with their scenarios and shoppers, in the plan's order.
pub(crate) struct Allocation {
    /// The journeys.
    pub journeys: Vec<CountedJourney>,
    /// Their scenarios, each as often chosen as it has shoppers.
    pub scenarios: Vec<Scenario>,
    /// The shoppers of each, by their ordinals in this agent's share.
    pub ordinals: Vec<VecDeque<usize>>,
    /// How many shoppers there are at most.
    pub shoppers: usize,
}

impl CountedJourney {
    fn new(position: usize, journey: &Journey, scenario: &Scenario) -> Result<Self, Error> {
        let steps = journey.steps();
        if steps.last().is_none_or(|step| step.name != OTHER) {
            return Err(Error::Assignment(format!(
                "the journey \"{}\" needs a last step named \"{OTHER}\", for requests that no other step names",
                journey.name()
            )));
        }
        let number = |position: usize| u16::try_from(position).unwrap_or(u16::MAX);
        let numbered = || steps.iter().map(move |step| (number(step.first_name()), step));
        let target = |step: &Step| Some(unnamed(step.method().as_str(), step.target()?));
        Ok(Self {
            position: number(position),
            other: number(journey.sample_names().len() - 1),
            calls: calls(scenario),
            by_name: (0..).zip(journey.sample_names()).map(|(number, name)| (name.clone(), number)).collect(),
            // Of several steps with one target, the first counts.
            by_target: numbered()
                .rev()
                .filter(|(_, step)| step.name != OTHER)
                .filter_map(|(number, step)| Some((target(step)?, number)))
                .collect(),
        })
    }

    /// The step of a request: the one of its name, or the one with its method and path where it has no name of its
    /// own, for which Goose takes the path.
    pub(crate) fn step(&self, method: &str, name: &str) -> u16 {
        let by_target = || self.by_target.get(&unnamed(method, name));
        self.by_name.get(name).or_else(by_target).copied().unwrap_or(self.other)
    }
}

/// A request without a name of its own: `/cart` and `cart` go to the same place.
fn unnamed(method: &str, path: &str) -> String {
    format!("{method} {}", path.trim_start_matches('/'))
}

/// Gives every journey its scenario, and every shopper of this agent's share a journey.
pub(crate) fn allocate(job: &Job, scenarios: &[Scenario], descriptors_max: u32) -> Result<Allocation, Error> {
    let most = job.segment.count_below(job.plan.load.pace.peak_milli() / 1_000);
    if let Some(why) = excess(most, descriptors_max) {
        return Err(Error::Assignment(why));
    }
    let shoppers = usize::try_from(most).unwrap_or(usize::MAX);
    let weights: Vec<u32> = job.plan.journeys.iter().map(|used| used.weight).collect();
    let shares = split_weighted(&weights);
    // Dealt out in turn, so that every agent has the plan's mix; each begins elsewhere, so that a crowd of agents with
    // one shopper each has it, too.
    let first = job.segment.nth(0).unwrap_or(0);
    let mut ordinals = vec![VecDeque::new(); shares.len()];
    for ordinal in 0..shoppers {
        let turn = first + ordinal as u64;
        if let Some(position) = shares.iter().position(|share| share.contains(turn)) {
            ordinals[position].push_back(ordinal);
        }
    }
    let mut journeys = Vec::new();
    let mut playing = Vec::new();
    for (position, journey) in job.journeys.iter().enumerate() {
        let mut scenario = find(scenarios, journey.name())?.clone();
        journeys.push(CountedJourney::new(position, journey, &scenario)?);
        // Goose chooses by weight in whole rounds, so that each is chosen exactly so often.
        scenario.weight = ordinals[position].len();
        playing.push(scenario);
    }
    Ok(Allocation { journeys, scenarios: playing, ordinals, shoppers })
}

/// Why so many shoppers are too many for one agent. Each keeps a connection, and Goose does not tell whether one was
/// refused by the target or by this machine.
fn excess(shoppers: u64, descriptors_max: u32) -> Option<String> {
    if shoppers > USERS_MAX {
        Some(format!(
            "{shoppers} shoppers are too many for one agent with Goose, which makes a client for each before the start, and may have {USERS_MAX}; give the region more agents"
        ))
    } else if shoppers + DESCRIPTORS_OTHERS > u64::from(descriptors_max) {
        Some(format!(
            "{shoppers} shoppers need a connection each, and this process may open {descriptors_max} descriptors: raise the limit (ulimit -n), or give the region more agents"
        ))
    } else {
        None
    }
}

fn find<'a>(scenarios: &'a [Scenario], journey: &str) -> Result<&'a Scenario, Error> {
    let exactly = scenarios.iter().find(|scenario| *scenario.name == *journey);
    let nearly = || scenarios.iter().find(|scenario| plain(&scenario.name) == plain(journey));
    let scenario = exactly.or_else(nearly).ok_or_else(|| {
        let known: Vec<&str> = scenarios.iter().map(|scenario| &*scenario.name).collect();
        Error::Assignment(format!(
            "no scenario is called \"{journey}\" as a journey of the plan is; this agent has {}",
            known.join(", ")
        ))
    })?;
    if scenario.transactions.iter().all(|transaction| transaction.on_start || transaction.on_stop) {
        return Err(Error::Assignment(format!(
            "the scenario \"{}\" has no transaction that its users repeat",
            scenario.name
        )));
    }
    Ok(scenario)
}

/// A name without what a journey's name cannot hold, such as spaces: what Goose calls a machine name.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use doorbuster_journeys::Journey;
    use goose::prelude::*;

    use super::{CountedJourney, USERS_MAX, excess, find};

    #[test]
    fn a_request_is_the_step_of_its_name_or_of_its_path() {
        let text = "journey: cart\nsteps:\n  - { step: home, get: / }\n  - { step: add, post: /api/cart }\n  - { step: show, get: /api/cart }\n  - { step: other, get: / }\n";
        let scenario = scenario!("cart").register_transaction(transaction!(nothing));
        let counted =
            |text: &str| CountedJourney::new(0, &Journey::parse("cart.yaml", text).unwrap(), &scenario);
        let cart = counted(text).unwrap();
        for (method, name, step) in [
            ("GET", "home", 0),
            ("POST", "home", 0),
            ("GET", "/", 0),
            ("GET", "", 0),
            ("POST", "/api/cart", 1),
            ("GET", "api/cart", 2),
            ("DELETE", "/api/cart", 3),
            ("GET", "/p/7", 3),
            ("GET", "other", 3),
        ] {
            assert_eq!(cart.step(method, name), step, "{method} {name}");
        }
        let without = text.replace("step: other", "step: others");
        let refused = counted(&without).unwrap_err().to_string();
        assert!(refused.contains("needs a last step named \"other\""), "{refused}");
    }

    async fn nothing(_: &mut GooseUser) -> TransactionResult {
        Ok(())
    }

    #[test]
    fn scenarios_are_found_by_their_names() {
        let scenarios = [
            scenario!("User Login").register_transaction(transaction!(nothing)),
            scenario!("once").register_transaction(transaction!(nothing).set_on_start()),
        ];
        assert_eq!(&*find(&scenarios, "user-login").unwrap().name, "User Login");
        let refused = |name: &str| find(&scenarios, name).err().unwrap().to_string();
        assert!(refused("cart").ends_with("this agent has User Login, once"), "{}", refused("cart"));
        assert!(refused("once").contains("no transaction that its users repeat"));
    }

    #[test]
    fn more_shoppers_than_one_agent_can_have_are_refused() {
        assert_eq!(excess(USERS_MAX, u32::MAX), None);
        assert_eq!(excess(936, 1_000), None);
        let refused = |shoppers, descriptors_max| excess(shoppers, descriptors_max).unwrap();
        assert!(refused(USERS_MAX + 1, u32::MAX).contains("makes a client for each"));
        assert!(refused(937, 1_000).contains("may open 1000 descriptors"));
    }
}
