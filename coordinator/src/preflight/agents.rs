//! Whether agents can carry their shares, and whether there can be so many of them.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::plan::{AGENTS_MAX, Connections as Kept, LaunchBy, Model};
use doorbuster_model::preflight::{
    DESCRIPTORS_BESIDE, ENVIRONMENT_CONNECTIONS_MAX, ENVIRONMENT_DESCRIPTORS_MAX, ENVIRONMENTS_AT_ONCE_MAX,
    ENVIRONMENTS_AT_ONCE_S,
};
use doorbuster_notation::show_duration;

use super::function::command;
use super::machine::Machine;
use super::quota::{Asked, Quota};
use super::{Carried, Check, Status};
use crate::tell::count;

/// The descriptors of an agent, where that is known.
pub(super) fn descriptors_max(launch: LaunchBy, machine: Machine) -> Option<u64> {
    match launch {
        LaunchBy::Local => Some(machine.descriptors_max),
        LaunchBy::Lambda => Some(ENVIRONMENT_DESCRIPTORS_MAX),
        LaunchBy::Join | LaunchBy::Ec2 => None,
    }
}

/// Whether an agent's connections find descriptors: a line per region.
pub(super) fn connections(plan: &Plan, regions: &[Carried]) -> Vec<Check> {
    // Of the closed model it is certain how many there are; otherwise it is estimated.
    let keeps = matches!(plan.load.connections, Kept::Keep | Kept::PerIteration);
    let is_certain = plan.load.model == Model::Closed && keeps;
    regions.iter().map(|region| connections_of(region, is_certain)).collect()
}

fn connections_of(region: &Carried, is_certain: bool) -> Check {
    let (name, about) = ("connections", Some(region.name.as_str()));
    let (least, most) = (region.part.connections.least, region.part.connections.most);
    let range = if most > least { format!("{} to {}", count(least), count(most)) } else { count(least) };
    let room = match (region.launch, region.descriptors_max) {
        (LaunchBy::Lambda, _) => ENVIRONMENT_CONNECTIONS_MAX,
        (_, Some(descriptors_max)) => descriptors_max.saturating_sub(DESCRIPTORS_BESIDE),
        (_, None) => {
            let says = format!("{range} an agent, of as many as each host's own limit on descriptors allows");
            return Check::ok(name, about, says);
        }
    };
    let limit = match region.launch {
        LaunchBy::Lambda => "that an environment of a function holds",
        _ => "that a process of this machine may have",
    };
    let says = format!("{range} an agent, of {} {limit}", count(room));
    let agents = |connections: u64| connections.saturating_mul(region.part.agents).div_ceil(room.max(1));
    if least > room {
        let status = if is_certain { Status::Refuse } else { Status::Warning };
        Check::bad(status, name, about, says, more_agents(region, agents(least)))
    } else if most > room {
        let fewer = "or http: { version: \"2\" } where the target speaks it";
        let change = format!("if it speaks HTTP/1.1: {}, {fewer}", more_agents(region, agents(most)));
        Check::bad(Status::Warning, name, about, says, change)
    } else {
        Check::ok(name, about, says)
    }
}

/// What to change so that so many agents share a region's load.
fn more_agents(region: &Carried, agents: u64) -> String {
    if agents > AGENTS_MAX {
        let most = count(AGENTS_MAX);
        return format!("{} agents would do: more than {most} take another region", count(agents));
    }
    let raise = if region.launch == LaunchBy::Local { ", or raise the limit (ulimit -Hn)" } else { "" };
    format!("set agents: {agents} for {}{raise}", region.name)
}

/// How regions relay: a line for each that does.
pub(super) fn generations(plan: &Plan, regions: &[Carried]) -> Vec<Check> {
    let closed = match plan.load.model {
        Model::Closed => "; shoppers begin anew with each",
        Model::Open(_) => "",
    };
    let line = |region: &Carried| {
        let longest = plan.fleet.longest_generation(region.launch).unwrap_or_default();
        let (number, longest) = (region.part.generations, show_duration(longest));
        let at_once = match region.part.agents_at_once / region.part.agents.max(1) {
            2 => "two".to_owned(),
            more => count(more),
        };
        let hosts = if region.launch.joins() {
            format!(", on {} hosts", count(region.part.agents_at_once))
        } else {
            String::new()
        };
        let says = format!(
            "{number} of at most {longest}, up to {at_once} agents at once for each share{hosts}{closed}"
        );
        Check::ok("generations", Some(region.name.as_str()), says)
    };
    regions.iter().filter(|region| region.part.generations > 1).map(line).collect()
}

/// The agents of functions by AWS region: of one generation, and at once.
fn environments(regions: &[Carried]) -> BTreeMap<&str, (u64, u64)> {
    let mut environments = BTreeMap::new();
    for region in regions.iter().filter(|region| region.launch == LaunchBy::Lambda) {
        let (agents, at_once): &mut (u64, u64) =
            environments.entry(region.aws.as_deref().unwrap_or_default()).or_default();
        *agents += region.part.agents;
        *at_once += region.part.agents_at_once;
    }
    environments
}

/// Whether all functions can be there in time: a line per AWS region that needs more than start at once.
pub(super) fn start(plan: &Plan, regions: &[Carried]) -> Vec<Check> {
    let within = plan.fleet.ready_within(LaunchBy::Lambda);
    let line = |(aws, (agents, _)): (&str, (u64, u64))| {
        let further = agents.saturating_sub(1) / ENVIRONMENTS_AT_ONCE_MAX;
        let takes = Duration::from_secs(further * ENVIRONMENTS_AT_ONCE_S);
        let says = format!(
            "{} functions take {} to start, {} each {ENVIRONMENTS_AT_ONCE_S} s, and may take {}",
            count(agents),
            show_duration(takes),
            count(ENVIRONMENTS_AT_ONCE_MAX),
            show_duration(within)
        );
        let change = format!("set fleet: {{ start: {{ within: {} }} }}", show_duration(takes * 2));
        let is_short = takes >= within;
        let check = if is_short {
            Check::bad(Status::Warning, "start", Some(aws), says, change)
        } else {
            Check::ok("start", Some(aws), says)
        };
        (further > 0).then_some(check)
    };
    environments(regions).into_iter().filter_map(line).collect()
}

/// That clocks of other machines are not known before the run: a line where agents are on any.
pub(super) fn clock(regions: &[Carried]) -> Vec<Check> {
    let is_elsewhere = regions.iter().any(|region| region.launch != LaunchBy::Local);
    let says = "not known before agents have started: the run measures it";
    is_elsewhere.then(|| Check::ok("clock", None, says.to_owned())).into_iter().collect()
}

/// Whether AWS lets so many functions run: a line per AWS region, save that one is enough for all where it is not known for
/// the same reason.
pub(super) fn quota(plan: &Plan, regions: &[Carried], asked: &Asked) -> Vec<Check> {
    let (mut checks, mut unknown) = (Vec::new(), BTreeMap::<&str, Vec<(&str, u64)>>::new());
    for (aws, (_, needed)) in environments(regions) {
        let deployed = asked.functions.get(aws).and_then(|told| told.as_ref().ok().copied().flatten());
        if let Some(reserved) = deployed.and_then(|deployed| deployed.reserved) {
            // What a function has for itself is all that it gets, whatever the account may run.
            checks.push(reservation_of(plan, aws, needed, reserved));
            continue;
        }
        match asked.quotas.get(aws) {
            Some(Ok(quota)) => checks.push(quota_of(aws, needed, quota)),
            Some(Err(why)) => unknown.entry(why).or_default().push((aws, needed)),
            None => unknown.entry("nobody asked").or_default().push((aws, needed)),
        }
    }
    checks.extend(unknown.into_iter().map(|(why, regions)| unknown_quota(why, &regions)));
    checks
}

/// The line about a function that has executions for itself.
fn reservation_of(plan: &Plan, aws: &str, needed: u64, reserved: u64) -> Check {
    let (name, about) = ("quota", Some(aws));
    let (executions, reserved_count) = (count(needed), count(reserved));
    if needed <= reserved {
        let says = format!("{executions} of {reserved_count} concurrent executions that are reserved for it");
        return Check::ok(name, about, says);
    }
    let says =
        format!("{executions} concurrent executions are needed, and {reserved_count} are reserved for it");
    let up = command(plan, aws, &format!("up --concurrency {needed}"));
    let change = format!("lower `agents`, or reserve more: {up}");
    Check::bad(Status::Refuse, name, about, says, change)
}

/// The line about the quotas of these AWS regions, each with the executions that it needs.
fn unknown_quota(why: &str, regions: &[(&str, u64)]) -> Check {
    let about = regions.iter().map(|(aws, _)| *aws).collect::<Vec<_>>().join(", ");
    let allows: Vec<String> =
        regions.iter().map(|(aws, needed)| format!("{aws} allows {}", count(*needed))).collect();
    let change = format!(
        "let it read them (lambda:GetAccountSettings), or see that {} concurrent executions",
        allows.join(", ")
    );
    Check::bad(Status::Warning, "quota", Some(&about), format!("unknown: {why}"), change)
}

fn quota_of(aws: &str, needed: u64, quota: &Quota) -> Check {
    let (name, about) = ("quota", Some(aws));
    let executions = count(needed);
    let raise = "ask for more (Service Quotas, Lambda, \"Concurrent executions\", L-B99A9384)";
    match quota {
        quota if needed > quota.concurrent => {
            let says = format!(
                "{executions} concurrent executions are needed, and {} are allowed",
                count(quota.concurrent)
            );
            Check::bad(Status::Refuse, name, about, says, format!("lower `agents`, or {raise}"))
        }
        Quota { unreserved: Some(unreserved), .. } if needed > *unreserved => {
            let says = format!(
                "{executions} concurrent executions are needed, and functions without reserved ones share {}",
                count(*unreserved)
            );
            let change = format!("reserve {executions} for the agents' function, or {raise}");
            Check::bad(Status::Warning, name, about, says, change)
        }
        quota => {
            let allowed = count(quota.concurrent);
            Check::ok(name, about, format!("{executions} of {allowed} concurrent executions"))
        }
    }
}
