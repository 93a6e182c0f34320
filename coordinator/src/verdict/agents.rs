//! Agents that make a run invalid: lost, failed, late to report, or late to relieve another.

use doorbuster_model::Plan;
use doorbuster_model::plan::Model;

use crate::conduct::Conducted;
use crate::fold::AgentState;
use crate::outcome::Reason;
use crate::validity::{self, invalid};

/// Why what agents did is not the load that was planned.
pub(super) fn reasons(plan: &Plan, conducted: &Conducted) -> Vec<Reason> {
    let agents = &conducted.fold.agents;
    let mut reasons: Vec<Reason> =
        agents.iter().filter_map(|agent| gone_or_silent(plan, conducted, agent)).collect();
    for (position, region) in plan.regions.iter().enumerate() {
        let here = agents.iter().filter(|agent| agent.region == position);
        reasons.extend(late_reliefs(&region.name, here));
    }
    reasons
}

/// An agent was lost, failed, or reported late.
fn gone_or_silent(plan: &Plan, conducted: &Conducted, agent: &AgentState) -> Option<Reason> {
    let region = plan.regions[agent.region].name.as_str();
    let means = || {
        let lost = lost_load(plan, agent.arrivals_planned, agent.arrivals_started);
        format!("{lost}; the figures lack this, so run again")
    };
    if let Some(mut reason) = validity::ended(agent, region, means) {
        if let Some(why) = conducted.given_up {
            reason.message = format!("{}; {why}", reason.message);
        }
        return Some(reason);
    }
    let message = format!(
        "{} reports of an agent in {region} were missing 5 s after their second: its machine is overloaded or cut off; give the agent more CPU, or the plan more agents",
        agent.ticks_missing
    );
    (agent.ticks_missing > 0).then(|| invalid("tick_missing", Some(region), message))
}

fn lost_load(plan: &Plan, planned: u64, started: u64) -> String {
    match plan.load.model {
        Model::Open(_) => format!(
            "{} of its {planned} arrivals were not started, as far as it reported",
            planned.saturating_sub(started)
        ),
        Model::Closed => "its shoppers' load ended there".to_owned(),
    }
}

/// Agents of a region were ready too late to relieve others: the target had a rest that nobody planned, and what was due
/// meanwhile at once.
fn late_reliefs<'a>(region: &str, agents: impl Iterator<Item = &'a AgentState>) -> Option<Reason> {
    let late: Vec<_> =
        agents.filter_map(|agent| Some((agent.relief_late?, agent.generation?.number))).collect();
    let (most, generation) = late.iter().max()?;
    let count = late.len();
    let message = format!(
        "{count} of the agents in {region} that were to relieve others were ready too late, by {} ms at most (generation {generation}): their load was missing until then, and arrivals that were due meanwhile came at once; see what keeps agents there from beginning, or lengthen `fleet: {{ generation }}` so that fewer have to",
        most.as_millis()
    );
    Some(invalid("relief_late", Some(region), message))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doorbuster_model::spacing::Spacing;
    use doorbuster_model::{Generation, Pace, Phase, Segment, Shape};

    use super::*;

    fn agent(number: u32, late_ms: Option<u64>) -> AgentState {
        let phase = Phase {
            name: "hold".into(),
            kind: doorbuster_model::pace::Kind::Hold,
            shape: Shape::Flat(10_000),
            length_ns: 20_000_000_000,
        };
        let pace = Pace::try_new(vec![phase]).unwrap();
        let from_ns = u64::from(number) * 5_000_000_000;
        let part = Generation { number, from_ns, to_ns: from_ns + 5_000_000_000, is_last: number == 3 };
        let state = AgentState::new(0, Segment::whole(), &pace, Model::Open(Spacing::Even));
        let relief_late = late_ms.map(Duration::from_millis);
        AgentState { relief_late, ..state.in_generation(part, &pace) }
    }

    #[test]
    fn late_reliefs_are_one_reason_that_names_the_latest() {
        let none = [agent(0, None), agent(1, None)];
        assert_eq!(late_reliefs("tokyo", none.iter()), None);
        let some = [agent(0, None), agent(1, Some(130)), agent(2, Some(1_500)), agent(3, Some(200))];
        let reason = late_reliefs("tokyo", some.iter()).unwrap();
        assert_eq!((reason.kind, reason.region.as_deref()), ("relief_late", Some("tokyo")));
        assert!(reason.invalidates);
        let message = reason.message;
        for part in ["3 of the agents in tokyo", "by 1500 ms at most (generation 2)"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
