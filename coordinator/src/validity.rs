//! What makes a run invalid whatever it is for, load or an audit, and the verdict that reasons come to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use doorbuster_model::Tally;
use doorbuster_notation::show_duration;

use crate::fold::{AgentState, Ended};
use crate::outcome::{Outcome, Reason, Verdict};

/// A reason why nothing can be judged.
pub(crate) fn invalid(kind: &'static str, region: Option<&str>, message: String) -> Reason {
    Reason { kind, message, region: region.map(str::to_owned), invalidates: true }
}

/// Invalid wins over fail, and fail over pass.
pub(crate) fn verdict(reasons: &[Reason]) -> Verdict {
    match (reasons.iter().any(|reason| reason.invalidates), reasons.is_empty()) {
        (true, _) => Verdict::Invalid,
        (false, false) => Verdict::Fail,
        (false, true) => Verdict::Pass,
    }
}

/// Somebody stopped `what` it was.
pub(crate) fn interrupted(what: &str) -> Reason {
    let message = format!(
        "the {what} was interrupted before its end; what was seen until then is shown, run it again for a verdict"
    );
    invalid("interrupted", None, message)
}

/// Agents of a region were lost, which `means` so much, or could not go on. Those of whom the same is known are one reason:
/// what happens to a region's agents happens to hundreds of them at once.
pub(crate) fn ended<'a>(
    region: &str,
    agents: impl IntoIterator<Item = &'a AgentState>,
    means: impl Fn(&[&AgentState]) -> String,
) -> Vec<Reason> {
    let mut alike: BTreeMap<(bool, &str), Vec<&AgentState>> = BTreeMap::new();
    for agent in agents {
        match &agent.ended {
            Ended::Failed(why) => alike.entry((false, why.as_str())).or_default().push(agent),
            Ended::Lost(why) => alike.entry((true, why.as_str())).or_default().push(agent),
            Ended::Finished | Ended::Unneeded | Ended::Not => {}
        }
    }
    let reason = |((is_lost, why), agents): ((bool, &str), Vec<&AgentState>)| {
        let (who, after) = (who(region, &agents), after(&agents));
        if !is_lost {
            let message = format!("{who} could not go on{after}: {why}");
            return invalid("agent_failed", Some(region), message);
        }
        let were = if is_one(&agents) { "was" } else { "were" };
        let message = format!("{who} {were} lost{after} ({why}): {}", means(&agents));
        invalid("agent_lost", Some(region), message)
    };
    alike.into_iter().map(reason).collect()
}

/// Whether they are one of the plan's agents: those who relieve one another are.
pub(crate) fn is_one(agents: &[&AgentState]) -> bool {
    agents.iter().all(|agent| agents.first().is_some_and(|first| first.place == agent.place))
}

/// Agents of a region in words, as the plan counts them.
pub(crate) fn agents_in(region: &str, agents: &[&AgentState]) -> String {
    if is_one(agents) {
        return format!("an agent in {region}");
    }
    let places: BTreeSet<usize> = agents.iter().map(|agent| agent.place).collect();
    format!("{} agents in {region}", places.len())
}

/// The same with the part of the time that they had.
fn who(region: &str, agents: &[&AgentState]) -> String {
    let who = agents_in(region, agents);
    let numbers = || agents.iter().filter_map(|agent| Some(agent.generation?.number));
    match (numbers().min(), numbers().max()) {
        (Some(first), Some(last)) if first < last => format!("{who}, in generations {first} to {last},"),
        (Some(number), _) => format!("{who}, in generation {number},"),
        (None, _) => who,
    }
}

/// After which time they ended, of several the first.
fn after(agents: &[&AgentState]) -> String {
    let first = agents.iter().map(|agent| agent.next_second).min().unwrap_or(0);
    let reported = show_duration(Duration::from_secs(u64::from(first)));
    if agents.len() == 1 { format!(" after {reported}") } else { format!(", the first after {reported}") }
}

/// Nothing answered, as `tally` has it.
pub(crate) fn unreachable(region: Option<&str>, tally: &Tally) -> Reason {
    let requests = Outcome::exchanges(tally).requests;
    let example = match tally.failures.values().next() {
        Some(failures) => format!(" to {requests} requests ({})", failures.example),
        None => String::new(),
    };
    let message = format!("nothing answered at all{example}; check the address, and that the target is up");
    invalid("target_unreachable", region, message)
}

/// A firewall stood before the shop: over 1 % of the answers are its own, which `means` so much.
pub(crate) fn challenged(challenges: u64, answers: u64, means: &str) -> Option<Reason> {
    let message = format!(
        "{challenges} of {answers} answers were challenges of a firewall (WAF), so {means}; have its rules let this run's addresses or User-Agent through"
    );
    (challenges.saturating_mul(100) > answers).then(|| invalid("waf_challenges", None, message))
}

#[cfg(test)]
mod tests {
    use doorbuster_model::plan::Model;
    use doorbuster_model::spacing::Spacing;
    use doorbuster_model::{Generation, Pace, Phase, Segment, Shape};

    use super::*;

    #[test]
    fn invalid_wins_over_fail_and_fail_over_pass() {
        let broken = Reason { kind: "cdn", message: String::new(), region: None, invalidates: false };
        assert_eq!(verdict(&[]), Verdict::Pass);
        assert_eq!(verdict(std::slice::from_ref(&broken)), Verdict::Fail);
        assert_eq!(verdict(&[broken, interrupted("run")]), Verdict::Invalid);
    }

    fn pace() -> Pace {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(10_000),
            length_ns: 20_000_000_000,
        };
        Pace::try_new(vec![phase]).unwrap()
    }

    /// An agent at a place that ended so.
    fn agent(place: usize, ended: Ended) -> AgentState {
        let state = AgentState::new(0, Segment::whole(), &pace(), Model::Open(Spacing::Even));
        AgentState { place, ended, ..state }
    }

    fn lost() -> Ended {
        Ended::Lost("killed".into())
    }

    #[test]
    fn a_lost_agent_is_named_with_the_part_of_the_time_that_it_had() {
        let told = |agent: &AgentState| {
            let mut reasons = ended("tokyo", [agent], |_| "much".to_owned());
            reasons.remove(0).message
        };
        assert_eq!(told(&agent(0, lost())), "an agent in tokyo was lost after 0s (killed): much");
        let part = Generation { number: 1, from_ns: 10_000_000_000, to_ns: 20_000_000_000, is_last: true };
        let relieved = agent(0, lost()).in_generation(part, &pace());
        assert_eq!(relieved.arrivals_planned, 100);
        assert_eq!(told(&relieved), "an agent in tokyo, in generation 1, was lost after 10s (killed): much");
        let unneeded = agent(0, Ended::Unneeded);
        assert!(ended("tokyo", [&unneeded], |_| String::new()).is_empty());
    }

    #[test]
    fn what_is_known_of_many_agents_is_one_reason_with_their_number() {
        let mut agents: Vec<AgentState> = (0..200).map(|place| agent(place, lost())).collect();
        agents.iter_mut().for_each(|agent| agent.next_second = 5);
        agents[7].next_second = 3;
        agents.extend((200..204).map(|place| agent(place, Ended::Failed("no file".into()))));
        agents.push(agent(204, Ended::Lost("cut off".into())));
        agents.push(agent(205, Ended::Finished));
        let reasons = ended("tokyo", &agents, |agents| format!("{} times much", agents.len()));
        let told: Vec<(&str, &str)> =
            reasons.iter().map(|reason| (reason.kind, reason.message.as_str())).collect();
        assert_eq!(
            told,
            [
                ("agent_failed", "4 agents in tokyo could not go on, the first after 0s: no file"),
                ("agent_lost", "an agent in tokyo was lost after 0s (cut off): 1 times much"),
                ("agent_lost", "200 agents in tokyo were lost, the first after 3s (killed): 200 times much"),
            ]
        );
    }

    #[test]
    fn those_who_relieve_one_another_are_one_agent() {
        let part = |number: u32| {
            let from_ns = u64::from(number) * 5_000_000_000;
            let part = Generation { number, from_ns, to_ns: from_ns + 5_000_000_000, is_last: number == 3 };
            agent(0, lost()).in_generation(part, &pace())
        };
        let relay = [part(1), part(2), part(3)];
        let reasons = ended("tokyo", &relay, |_| "much".to_owned());
        let message = "an agent in tokyo, in generations 1 to 3, was lost, the first after 5s (killed): much";
        assert_eq!((reasons.len(), reasons[0].message.as_str()), (1, message));
    }

    #[test]
    fn one_challenge_in_a_hundred_is_none_too_many() {
        assert_eq!(challenged(1, 100, "x"), None);
        let reason = challenged(2, 100, "little is known").unwrap();
        assert!(
            reason.message.contains("2 of 100 answers") && reason.message.contains("so little is known;")
        );
        assert_eq!((challenged(0, 0, "x"), challenged(1, 0, "x").is_some()), (None, true));
    }
}
