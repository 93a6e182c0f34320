//! Agents that make a run invalid: lost, failed, late to report, or late to relieve another.

use doorbuster_model::Plan;
use doorbuster_model::plan::Model;

use crate::conduct::Conducted;
use crate::fold::AgentState;
use crate::outcome::Reason;
use crate::validity::{self, invalid};

/// How far a clock may certainly be off, in milliseconds: phases of regions that differ by more are not one rehearsal.
const CLOCK_OFFSET_MAX_MS: f64 = 1_000.0;

/// Why what agents did is not the load that was planned.
pub(super) fn reasons(plan: &Plan, conducted: &Conducted) -> Vec<Reason> {
    let agents = &conducted.fold.agents;
    let mut reasons = Vec::new();
    for alike in validity::ended_alike(agents) {
        reasons.extend(gone(plan, conducted, &alike));
    }
    for (position, region) in plan.regions.iter().enumerate() {
        let here = || agents.iter().filter(move |agent| agent.region == position);
        reasons.extend(silent(&region.name, here().filter(|agent| !agent.is_lost())));
        reasons.extend(late_reliefs(&region.name, here()));
        reasons.extend(clocks_off(&region.name, here()));
    }
    reasons
}

/// Agents were lost, or could not go on.
fn gone(plan: &Plan, conducted: &Conducted, alike: &[&AgentState]) -> Option<Reason> {
    let region = plan.regions.get(alike.first()?.region)?.name.as_str();
    let means = || {
        let sum = |count: fn(&AgentState) -> u64| alike.iter().map(|agent| count(agent)).sum();
        let its = if alike.len() == 1 { ["its", "it"] } else { ["their", "they"] };
        let lost =
            lost_load(plan, its, sum(|agent| agent.arrivals_planned), sum(|agent| agent.arrivals_started));
        format!("{lost}; the figures lack this, so run again")
    };
    let mut reason = validity::ended(alike, region, means)?;
    if let Some(why) = conducted.given_up {
        reason.message = format!("{}; {why}", reason.message);
    }
    Some(reason)
}

/// Agents of a region reported late.
fn silent<'a>(region: &str, agents: impl Iterator<Item = &'a AgentState>) -> Option<Reason> {
    let missing: Vec<u64> = agents.map(|agent| agent.ticks_missing).filter(|missing| *missing > 0).collect();
    let reports: u64 = missing.iter().sum();
    let (who, its) = match missing.len() {
        0 => return None,
        1 => ("an agent".to_owned(), "its machine"),
        count => (format!("{count} agents"), "their machine"),
    };
    let message = format!(
        "{reports} reports of {who} in {region} were missing 5 s after their second: {its} is overloaded or cut off; give the agents more CPU, or the plan more agents"
    );
    Some(invalid("tick_missing", Some(region), message))
}

fn lost_load(plan: &Plan, [its, it]: [&str; 2], planned: u64, started: u64) -> String {
    match plan.load.model {
        Model::Open(_) => format!(
            "{} of {its} {planned} arrivals were not started, as far as {it} reported",
            planned.saturating_sub(started)
        ),
        Model::Closed => format!("{its} shoppers' load ended there"),
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

/// Clocks in a region are so far off that its load was not due when the others' was.
fn clocks_off<'a>(region: &str, agents: impl Iterator<Item = &'a AgentState>) -> Option<Reason> {
    let off: Vec<f64> = agents
        .map(|agent| agent.clock_offset_ms)
        .filter(|offset_ms| *offset_ms > CLOCK_OFFSET_MAX_MS)
        .collect();
    let most_ms = off.iter().copied().max_by(f64::total_cmp)?;
    let message = format!(
        "the clocks of {} of the agents in {region} are off against this machine's, by {most_ms:.0} ms at least: their load was due that much earlier or later than the other regions'; have both keep to a time server (chrony, Amazon Time Sync), and run again",
        off.len()
    );
    Some(invalid("clock_offset", Some(region), message))
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

    #[test]
    fn a_clock_that_is_off_by_more_than_a_second_invalidates() {
        let off = |clock_offset_ms| AgentState { clock_offset_ms, ..agent(0, None) };
        assert_eq!(clocks_off("tokyo", [off(0.0), off(1_000.0)].iter()), None);
        let reason = clocks_off("tokyo", [off(1_000.5), off(0.0), off(61_234.0)].iter()).unwrap();
        assert_eq!((reason.kind, reason.invalidates), ("clock_offset", true));
        let expected = "the clocks of 2 of the agents in tokyo are off against this machine's, by 61234 ms";
        assert!(reason.message.starts_with(expected), "{}", reason.message);
    }

    #[test]
    fn late_reports_of_a_region_are_one_reason() {
        let missing = |ticks_missing| AgentState { ticks_missing, ..agent(0, None) };
        assert_eq!(silent("tokyo", [missing(0)].iter()), None);
        let told = |agents: &[AgentState]| silent("tokyo", agents.iter()).unwrap().message;
        assert!(told(&[missing(0), missing(3)]).starts_with("3 reports of an agent in tokyo were missing"));
        assert!(told(&[missing(2), missing(3)]).starts_with("5 reports of 2 agents in tokyo were missing"));
    }
}
