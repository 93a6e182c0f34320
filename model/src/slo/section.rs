//! What a plan says of its objectives.

use super::objective::Objective;
use super::rule::Rule;
use crate::threshold::Names;

/// The most objectives of a plan.
pub const OBJECTIVES_MAX: usize = 100;
/// Confirmed failures in the long window before a rule fires, unless the plan says otherwise.
pub const MIN_FAILURES: u64 = 3;
/// The shortest time that confirmation and missing data are given, unless the plan says otherwise: a minute.
const PATIENCE_S: u32 = 60;

/// Where the counts of real traffic are read: the metrics of an AWS load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The AWS region.
    pub aws_region: String,
    /// The load balancer, as CloudWatch's dimension has it: `app/shop/50dc6c495c0c9188`.
    pub load_balancer: String,
}

/// A plan's objectives, and when somebody is told that their budgets burn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slo {
    /// The objectives, at most [`OBJECTIVES_MAX`].
    pub objectives: Vec<Objective>,
    /// When alerts fire.
    pub rules: Vec<Rule>,
    /// The failures that the long window must have seen before a rule fires; 0 for none.
    pub min_failures: u64,
    /// Within how many seconds another region's probe confirms a failure; without it every failure counts at once.
    pub confirm_s: Option<u32>,
    /// For how many seconds an alert goes on when no rule fires any more; otherwise for the rule's short window.
    pub keep_firing_for_s: Option<u32>,
    /// After how many seconds without reports a region is silent.
    pub no_data_after_s: u32,
    /// Where the counts of real traffic are read.
    pub traffic: Option<Traffic>,
}

impl Slo {
    /// These objectives, and everything else as it is where a plan says nothing of it.
    pub fn new(objectives: Vec<Objective>, probe_every_s: u32) -> Self {
        Self {
            objectives,
            rules: Rule::defaults(),
            min_failures: MIN_FAILURES,
            confirm_s: Some(confirm_default_s(probe_every_s)),
            keep_firing_for_s: None,
            no_data_after_s: no_data_after_default_s(probe_every_s),
            traffic: None,
        }
    }

    /// Finds out what the names in its objectives mean.
    ///
    /// # Errors
    /// A sentence about the first name that is unknown or could mean two things.
    pub fn resolve(&mut self, names: &Names) -> Result<(), String> {
        for objective in &mut self.objectives {
            *objective = objective.resolve(names)?;
        }
        Ok(())
    }
}

/// A probe of each region must have the time to come, twice.
pub(crate) fn confirm_default_s(probe_every_s: u32) -> u32 {
    PATIENCE_S.max(probe_every_s.saturating_mul(2))
}

/// Two probes may be lost before anybody speaks of silence.
pub(crate) fn no_data_after_default_s(probe_every_s: u32) -> u32 {
    PATIENCE_S.max(probe_every_s.saturating_mul(3))
}
