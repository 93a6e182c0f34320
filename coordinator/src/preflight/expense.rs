//! What a run costs, against what it may.

use doorbuster_model::Plan;
use doorbuster_model::plan::LaunchBy;

use super::{Check, Status};
use crate::tell::dollars;

/// The line about money.
pub(super) fn cost(plan: &Plan, usd: f64, usd_max: Option<f64>) -> Check {
    let joins = plan.regions.iter().any(|region| matches!(region.launch, LaunchBy::Join | LaunchBy::Ec2));
    let hosts = if joins { "; hosts that join are not counted" } else { "" };
    let says = if usd > 0.0 {
        format!("{} at most, charged by AWS{hosts}", dollars(usd))
    } else {
        format!("nothing that is known beforehand{hosts}")
    };
    match usd_max {
        Some(usd_max) if usd > usd_max => {
            let says = format!("{says}, and --max-cost is {}", dollars(usd_max));
            let change = "use fewer agents, a shorter run or arm64, or raise it".to_owned();
            Check::bad(Status::Refuse, "cost", None, says, change)
        }
        // A limit that leaves something out is no limit.
        Some(_) if plan.regions.iter().any(|region| region.launch == LaunchBy::Ec2) => {
            let says = format!("{says}, nor are instances of EC2, which --max-cost cannot bound");
            let change = "add what they cost by the hour and type (https://aws.amazon.com/ec2/pricing/on-demand/), and end them with `doorbuster fleet up --agents-ec2 0`".to_owned();
            Check::bad(Status::Warning, "cost", None, says, change)
        }
        _ => Check::ok("cost", None, says),
    }
}
