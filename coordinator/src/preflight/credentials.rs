//! Whether credentials outlast a run whose agents are functions: whoever is launched after their end is not.

use std::time::Duration;

use doorbuster_model::Plan;
use doorbuster_model::plan::LaunchBy;
use doorbuster_notation::show_duration;

use super::{Check, Status};

/// A line where the credentials, which last for `left` from now on, end before the run does. Whoever gives them may renew
/// them by then; nobody tells whether it will. Of probes, which have no end, nothing can be said.
pub(super) fn lasting(plan: &Plan, left: Option<Duration>, is_probe: bool) -> Vec<Check> {
    let load = Duration::from_nanos(plan.load.pace.length_ns());
    let takes = plan.fleet.ready_within(LaunchBy::Lambda) + load + plan.graceful;
    let ends = left.filter(|left| !is_probe && *left < takes);
    let line = |left: Duration| {
        let left = show_duration(Duration::from_secs(left.as_secs()));
        let says = format!(
            "the credentials end in {left}, and the run may take {}; from then on no function is launched unless they were renewed",
            show_duration(takes)
        );
        let change = "log in anew, or take the role for longer (MaxSessionDuration bounds it)".to_owned();
        Check::bad(Status::Warning, "credentials", None, says, change)
    };
    ends.map(line).into_iter().collect()
}
