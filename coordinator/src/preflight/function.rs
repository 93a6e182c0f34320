//! Whether what is deployed is what the plan is about: the agents' functions, as AWS tells of them.

use std::collections::{BTreeMap, BTreeSet};

use doorbuster_model::Plan;
use doorbuster_model::plan::{Function, LaunchBy};

use super::quota::{Deployed, Functions};
use super::{Carried, Check, Status};
use crate::tell::count;

/// What is known of the functions, by AWS region.
pub(super) fn known(functions: &Functions) -> BTreeMap<String, Function> {
    let known = |(aws, told): (&String, &Result<Option<Deployed>, String>)| match told {
        Ok(Some(deployed)) => Some((aws.clone(), deployed.function)),
        Ok(None) | Err(_) => None,
    };
    functions.iter().filter_map(known).collect()
}

/// Whether each AWS region has the function that the plan wants: a line per AWS region that was asked.
pub(super) fn functions(plan: &Plan, regions: &[Carried], functions: &Functions) -> Vec<Check> {
    let by_functions = regions.iter().filter(|region| region.launch == LaunchBy::Lambda);
    let aws: BTreeSet<&str> = by_functions.filter_map(|region| region.aws.as_deref()).collect();
    let line = |aws: &str| functions.get(aws).map(|told| function_of(plan, aws, told));
    aws.into_iter().filter_map(line).collect()
}

fn function_of(plan: &Plan, aws: &str, told: &Result<Option<Deployed>, String>) -> Check {
    let (name, about) = ("function", Some(aws));
    let agent = format!("{}-agent", plan.fleet.stack);
    match told {
        Err(why) => {
            let change = format!(
                "let it read them (lambda:GetFunctionConfiguration, lambda:GetFunctionConcurrency), or see that {agent} is what the plan says"
            );
            Check::bad(Status::Warning, name, about, format!("unknown: {why}"), change)
        }
        Ok(None) => {
            let change = format!("{} makes it", command(plan, aws, "up --zip FILE"));
            Check::bad(Status::Refuse, name, about, format!("there is no {agent}"), change)
        }
        Ok(Some(Deployed { function, .. })) => {
            let has = format!("{agent} has {}", told_of(*function));
            let changes = changes(plan, aws, *function);
            if changes.is_empty() {
                return Check::ok(name, about, has);
            }
            let says = format!("{has}, and the plan says {}", told_of(plan.fleet.function()));
            Check::bad(Status::Warning, name, about, says, changes.join("; "))
        }
    }
}

/// `1,769 MB on x86-64`.
fn told_of(function: Function) -> String {
    format!("{} MB on {}", count(u64::from(function.memory_mb)), function.architecture())
}

/// What to do so that the function is what the plan says, where it says anything.
fn changes(plan: &Plan, aws: &str, function: Function) -> Vec<String> {
    let mut changes = Vec::new();
    if let Some(memory_mb) = plan.fleet.memory_mb.filter(|memory_mb| *memory_mb != function.memory_mb) {
        let up = command(plan, aws, &format!("up --memory {memory_mb}"));
        changes.push(format!("{up} changes that, or say memory: {} in the plan", function.memory_mb));
    }
    if plan.fleet.arm64.is_some_and(|arm64| arm64 != function.arm64) {
        let (update, wanted) = (command(plan, aws, "update --zip FILE"), plan.fleet.function());
        changes.push(format!(
            "{update} installs a zip for {}, or say architecture: {} in the plan",
            wanted.architecture(),
            function.architecture()
        ));
    }
    changes
}

/// A command about the fleet of an AWS region.
pub(super) fn command(plan: &Plan, aws: &str, command: &str) -> String {
    let stack = match plan.fleet.stack.as_str() {
        "doorbuster" => String::new(),
        stack => format!(" --stack {stack}"),
    };
    format!("`doorbuster fleet {command} --region {aws}{stack}`")
}
