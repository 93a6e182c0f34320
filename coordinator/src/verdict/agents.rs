//! Agents that make a run invalid: lost, failed, late to report, late to relieve another, or with a wrong clock.

use doorbuster_model::Plan;
use doorbuster_model::plan::Model;

use crate::clock;
use crate::conduct::Conducted;
use crate::fold::AgentState;
use crate::outcome::Reason;
use crate::validity::{self, invalid};

/// Why what agents did is not the load that was planned.
pub(super) fn reasons(plan: &Plan, conducted: &Conducted) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (position, region) in plan.regions.iter().enumerate() {
        let name = region.name.as_str();
        let agents = conducted.fold.agents.iter().filter(|agent| agent.region == position);
        let here: Vec<&AgentState> = agents.collect();
        reasons.extend(gone(plan, conducted.given_up, name, &here));
        reasons.extend(clocks(name, &here));
        reasons.extend(silent(name, &here));
        reasons.extend(late_reliefs(name, &here));
    }
    reasons
}

/// Agents of a region were lost, or failed.
fn gone(plan: &Plan, given_up: Option<&str>, region: &str, agents: &[&AgentState]) -> Vec<Reason> {
    let means = |agents: &[&AgentState]| {
        format!("{}; the figures lack this, so run again", lost_load(&plan.load.model, agents))
    };
    let mut reasons = validity::ended(region, agents.iter().copied(), means);
    if let Some(why) = given_up {
        for reason in &mut reasons {
            reason.message = format!("{}; {why}", reason.message);
        }
    }
    reasons
}

/// Clocks of agents in a region are certainly off this machine's: their second 0 was not the run's. What they then report late
/// is only what follows of it.
fn clocks(region: &str, agents: &[&AgentState]) -> Option<Reason> {
    let is_off = |agent: &&AgentState| agent.clock_offset_ms.abs() > clock::APART_MAX_MS;
    let off: Vec<&AgentState> = agents.iter().copied().filter(is_off).collect();
    let apart = off.iter().map(|agent| agent.clock_offset_ms);
    let most_ms = apart.max_by(|one, other| one.abs().total_cmp(&other.abs()))?;
    let (who, side, by_ms) = (validity::agents_in(region, &off), clock::side(most_ms), most_ms.abs());
    let which = if validity::is_one(&off) {
        format!("the clock of {who} is at least {by_ms:.0} ms {side} this machine's")
    } else {
        format!(
            "the clocks of {who} are over 1 s off this machine's, one of them at least {by_ms:.0} ms {side} it"
        )
    };
    let message = format!(
        "{which}, more than the way of words explains, so that load began there at another time than was agreed; {}, and run again",
        clock::REMEDY
    );
    Some(invalid("clock_offset", Some(region), message))
}

/// Agents of a region that went on reported late.
fn silent(region: &str, agents: &[&AgentState]) -> Option<Reason> {
    let is_silent = |agent: &&AgentState| agent.ticks_missing > 0 && !agent.is_lost();
    let silent: Vec<&AgentState> = agents.iter().copied().filter(is_silent).collect();
    let ticks: u64 = silent.iter().map(|agent| agent.ticks_missing).sum();
    let is_one = validity::is_one(&silent);
    let (machines, them) =
        if is_one { ("its machine is", "the agent") } else { ("their machines are", "the agents") };
    let message = format!(
        "{ticks} reports of {} were missing 5 s after their second: {machines} overloaded or cut off; give {them} more CPU, or the plan more agents",
        validity::agents_in(region, &silent)
    );
    (ticks > 0).then(|| invalid("tick_missing", Some(region), message))
}

fn lost_load(model: &Model, agents: &[&AgentState]) -> String {
    let (its, it) = if validity::is_one(agents) { ("its", "it") } else { ("their", "they") };
    match model {
        Model::Open(_) => {
            let planned: u64 = agents.iter().map(|agent| agent.arrivals_planned).sum();
            let missing = |agent: &&AgentState| agent.arrivals_planned.saturating_sub(agent.arrivals_started);
            let missing: u64 = agents.iter().map(missing).sum();
            format!("{missing} of {its} {planned} arrivals were not started, as far as {it} reported")
        }
        Model::Closed => format!("{its} shoppers' load ended there"),
    }
}

/// Agents of a region were ready too late to relieve others: the target had a rest that nobody planned, and what was due
/// meanwhile at once.
fn late_reliefs(region: &str, agents: &[&AgentState]) -> Option<Reason> {
    let late = agents.iter().filter_map(|agent| Some((agent.relief_late?, agent.generation?.number)));
    let late: Vec<_> = late.collect();
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
    use crate::fold::Ended;

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
        assert_eq!(late_reliefs("tokyo", &none.each_ref()), None);
        let some = [agent(0, None), agent(1, Some(130)), agent(2, Some(1_500)), agent(3, Some(200))];
        let reason = late_reliefs("tokyo", &some.each_ref()).unwrap();
        assert_eq!((reason.kind, reason.region.as_deref()), ("relief_late", Some("tokyo")));
        assert!(reason.invalidates);
        let message = reason.message;
        for part in ["3 of the agents in tokyo", "by 1500 ms at most (generation 2)"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn agents_that_are_lost_alike_are_one_reason_with_all_that_they_lack() {
        let text = "name: x\ntarget: http://127.0.0.1:1\nregions: [tokyo]\njourneys: [browse]\n\
                    load: { arrivals: [{ hold: 10/s, for: 20s }] }\n";
        let plan = Plan::read("plan.yaml", text).unwrap();
        let lost = |place: usize| {
            let agent = agent(1, None);
            AgentState { place, arrivals_started: 20, ended: Ended::Lost("killed".to_owned()), ..agent }
        };
        let agents = [lost(0), lost(1), lost(2)];
        let told = |agents: &[&AgentState]| {
            let reasons = gone(&plan, Some("given up"), "tokyo", agents);
            assert_eq!(reasons.len(), 1);
            reasons[0].message.clone()
        };
        let all = told(&agents.each_ref());
        for part in [
            "3 agents in tokyo, in generation 1, were lost, the first after 5s (killed): ",
            "90 of their 150 arrivals were not started, as far as they reported",
            "so run again; given up",
        ] {
            assert!(all.contains(part), "{all}");
        }
        let one = told(&[&agents[0]]);
        assert!(one.contains("30 of its 50 arrivals were not started, as far as it reported"), "{one}");
        assert_eq!(silent("tokyo", &agents.each_ref()), None);
    }

    #[test]
    fn clocks_that_are_certainly_off_are_one_reason_that_names_the_worst() {
        let off = |place: usize, clock_offset_ms| AgentState { place, clock_offset_ms, ..agent(0, None) };
        let right = [off(0, 0.0), off(1, 999.0), off(2, -1_000.0)];
        assert_eq!(clocks("tokyo", &right.each_ref()), None);
        let wrong = [off(0, 0.0), off(1, 1_300.4), off(2, -3_200.0), off(3, 1_001.0)];
        let reason = clocks("tokyo", &wrong.each_ref()).unwrap();
        assert_eq!((reason.kind, reason.region.as_deref()), ("clock_offset", Some("tokyo")));
        assert!(reason.invalidates);
        let begin = "the clocks of 3 agents in tokyo are over 1 s off this machine's, one of them at least 3200 ms behind it, ";
        assert!(reason.message.starts_with(begin) && reason.message.contains("NTP"), "{}", reason.message);
        let one = clocks("tokyo", &[&wrong[0], &wrong[1]]).unwrap().message;
        let begin = "the clock of an agent in tokyo is at least 1300 ms ahead of this machine's, ";
        assert!(one.starts_with(begin), "{one}");
    }

    #[test]
    fn reports_that_are_missing_in_a_region_are_one_reason() {
        let late = |place: usize| AgentState { place, ticks_missing: 4, ..agent(0, None) };
        let agents = [late(0), late(1)];
        let reason = silent("tokyo", &agents.each_ref()).unwrap();
        assert_eq!((reason.kind, reason.invalidates), ("tick_missing", true));
        let message =
            "8 reports of 2 agents in tokyo were missing 5 s after their second: their machines are";
        assert!(reason.message.starts_with(message), "{}", reason.message);
        let reason = silent("tokyo", &[&agents[0]]).unwrap();
        assert!(reason.message.contains("4 reports of an agent in tokyo were missing"), "{}", reason.message);
    }
}
