//! A region's station: what its agents are told, and how they come and go.

use std::time::Duration;

use doorbuster_model::Assignment;
use doorbuster_model::plan::Probe;
use doorbuster_model::plan::fleet::LaunchBy;

use super::post::Terms;
use crate::Error;
use crate::launch::Launchers;
use crate::prepare::Prepared;

/// What agents of a region are told, and how they come and go.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    /// What one is to do; the id lacks the number of the launch.
    pub assignment: Assignment,
    /// How one is launched.
    pub launch: LaunchBy,
    /// How long one takes, and stays.
    pub terms: Terms,
    /// How far ahead second 0 lies, unless one takes over.
    pub start_ahead: Duration,
}

/// The stations of a probe's regions.
///
/// # Errors
/// [`Error::Usage`] where agents of a region tell nothing before their end: an outage would be over by then.
pub(crate) fn stations(prepared: &Prepared, id: &str, launchers: &Launchers) -> Result<Vec<Station>, Error> {
    let fleet = &prepared.plan.fleet;
    let every_ms = prepared.plan.probe.map_or(0, Probe::every_ms);
    let assignments = prepared.assignments(id).into_iter();
    assignments
        .map(|(position, assignment)| {
            if launchers.reports_whole(position) {
                let region = &assignment.region;
                return Err(Error::Usage(format!(
                    "a probe is to tell at once what it sees, and with `responses: whole` agents in {region} tell it at their end; leave that out of the plan's `fleet`, or deploy infra/probes.yaml there"
                )));
            }
            let launch = prepared.plan.regions.get(position).map(|region| region.launch).unwrap_or_default();
            let terms = Terms {
                ready_within: fleet.ready_within(launch),
                every: Duration::from_millis(every_ms),
                stays: fleet.longest_generation(launch),
                ahead: launchers.launch_ahead(position),
            };
            Ok(Station { assignment, launch, terms, start_ahead: launchers.start_ahead() })
        })
        .collect()
}
