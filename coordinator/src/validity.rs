//! What makes a run invalid whatever it is for, load or an audit, and the verdict that reasons come to.

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

/// Agents that ended before their time, those together who ended alike: in the same region and generation, and for the same
/// reason.
pub(crate) fn ended_alike(agents: &[AgentState]) -> Vec<Vec<&AgentState>> {
    let is_alike = |one: &AgentState, other: &AgentState| {
        (one.region, one.generation, &one.ended) == (other.region, other.generation, &other.ended)
    };
    let mut groups: Vec<Vec<&AgentState>> = Vec::new();
    for agent in agents.iter().filter(|agent| agent.is_lost()) {
        match groups.iter_mut().find(|group| is_alike(group[0], agent)) {
            Some(group) => group.push(agent),
            None => groups.push(vec![agent]),
        }
    }
    groups
}

/// Agents that ended alike were lost, which `means` so much, or could not go on.
pub(crate) fn ended(alike: &[&AgentState], region: &str, means: impl FnOnce() -> String) -> Option<Reason> {
    let first = alike.iter().min_by_key(|agent| agent.next_second)?;
    let reported = show_duration(Duration::from_secs(u64::from(first.next_second)));
    let (who, were, reported) = match alike.len() {
        1 => ("an agent".to_owned(), "was", reported),
        count => (format!("{count} agents"), "were", format!("{reported} at the earliest")),
    };
    let who = match first.generation {
        Some(generation) => format!("{who} in {region}, in generation {},", generation.number),
        None => format!("{who} in {region}"),
    };
    match &first.ended {
        Ended::Lost(why) => {
            let message = format!("{who} {were} lost after {reported} ({why}): {}", means());
            Some(invalid("agent_lost", Some(region), message))
        }
        Ended::Failed(why) => {
            let message = format!("{who} could not go on after {reported}: {why}");
            Some(invalid("agent_failed", Some(region), message))
        }
        Ended::Finished | Ended::Unneeded | Ended::Not => None,
    }
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

    #[test]
    fn a_lost_agent_is_named_with_the_part_of_the_time_that_it_had() {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(10_000),
            length_ns: 20_000_000_000,
        };
        let pace = Pace::try_new(vec![phase]).unwrap();
        let agent = || AgentState::new(0, Segment::whole(), &pace, Model::Open(Spacing::Even));
        let told = |agent: AgentState| {
            let agent = AgentState { ended: Ended::Lost("killed".into()), ..agent };
            ended(&[&agent], "tokyo", || "much".to_owned()).unwrap().message
        };
        assert_eq!(told(agent()), "an agent in tokyo was lost after 0s (killed): much");
        let part = Generation { number: 1, from_ns: 10_000_000_000, to_ns: 20_000_000_000, is_last: true };
        let relieved = agent().in_generation(part, &pace);
        assert_eq!(relieved.arrivals_planned, 100);
        assert_eq!(told(relieved), "an agent in tokyo, in generation 1, was lost after 10s (killed): much");
        let unneeded = AgentState { ended: Ended::Unneeded, ..agent() };
        assert_eq!(ended(&[&unneeded], "tokyo", String::new), None);
        assert_eq!(ended(&[], "tokyo", String::new), None);
    }

    #[test]
    fn agents_that_ended_alike_are_one_reason() {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(10_000),
            length_ns: 20_000_000_000,
        };
        let pace = Pace::try_new(vec![phase]).unwrap();
        let agent = |region, next_second, ended| {
            let state = AgentState::new(region, Segment::whole(), &pace, Model::Open(Spacing::Even));
            AgentState { next_second, ended, ..state }
        };
        let refused = || Ended::Failed("no quota".into());
        let agents = [
            agent(0, 7, refused()),
            agent(0, 20, Ended::Finished),
            agent(1, 7, refused()),
            agent(0, 3, refused()),
            agent(0, 3, Ended::Lost("no quota".into())),
        ];
        let groups = ended_alike(&agents);
        let told: Vec<String> = groups
            .iter()
            .map(|alike| {
                ended(alike, ["tokyo", "london"][alike[0].region], || "much".into()).unwrap().message
            })
            .collect();
        assert_eq!(
            told,
            [
                "2 agents in tokyo could not go on after 3s at the earliest: no quota",
                "an agent in london could not go on after 7s: no quota",
                "an agent in tokyo was lost after 3s (no quota): much",
            ]
        );
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
