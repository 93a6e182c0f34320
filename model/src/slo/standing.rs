//! How objectives stand.

use doorbuster_notation::Share;

use super::count::Count;
use super::factor::Factor;
use super::notice::AlertView;
use super::rule::Severity;
use super::scope::Scope;

/// Everything that is watched, at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// The time, in unix seconds.
    pub at_s: i64,
    /// The objectives in their scopes.
    pub objectives: Vec<ObjectiveStanding>,
    /// The regions.
    pub regions: Vec<RegionStanding>,
    /// Alerts that are pending or firing, and the last ones that were resolved.
    pub alerts: Vec<AlertView>,
}

/// An objective in a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveStanding {
    /// The objective, by its text.
    pub objective: String,
    /// Where.
    pub scope: Scope,
    /// The share of events that must be good.
    pub share: Share,
    /// The objective's window, in seconds.
    pub window_s: u32,
    /// What was counted within it.
    pub count: Count,
    /// The share of the budget that is spent: 1 is all of it. None where nothing was counted.
    pub budget_spent: Option<f64>,
    /// The seconds of the window, since the first event, without data.
    pub gaps_s: u64,
    /// How fast the budget burns, by rule: through its long window, then through its short one.
    pub burns: Vec<BurnReading>,
    /// When the budget will be spent if it goes on burning as through the long window in which it burns fastest, so that a
    /// slow burn is seen, too; 0 where it is spent. None where no long window has a failure: it does not burn, or nothing was
    /// counted in any, in which case none of them has a burn rate.
    pub exhausted_in_s: Option<u64>,
}

/// How fast a budget burns through a window.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnReading {
    /// The rule that looks through the window.
    pub rule: String,
    /// What the rule asks of people.
    pub severity: Severity,
    /// The burn rate from which on the rule fires.
    pub factor: Factor,
    /// The window, in seconds.
    pub window_s: u32,
    /// Whether it is the rule's long window.
    pub is_long: bool,
    /// How many times faster than allowed the budget burns. None where nothing was counted.
    pub burn: Option<f64>,
    /// Whether that is the rule's factor or more, by exact arithmetic.
    pub is_burning: bool,
    /// What was counted within the window.
    pub count: Count,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionStanding {
    /// Its name.
    pub region: String,
    /// When it was last heard of, in unix seconds.
    pub last_heard_s: Option<i64>,
    /// Whether that is longer ago than it may be.
    pub is_silent: bool,
}

/// What a ledger could not take as it came: for people who wonder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Oddities {
    /// Events that were more than a minute in the future: not counted.
    pub in_future: u64,
    /// Events from before everything that is kept: not counted.
    pub too_old: u64,
    /// Counts of an objective or a scope, and probes from a region, that the plan does not have: not counted.
    pub unknown: u64,
    /// Events that came when too many waited for the time to be known: not counted.
    pub not_kept: u64,
    /// Failures that counted at once, because too many subjects were to be followed.
    pub not_followed: u64,
    /// Seconds that were not evaluated, because nobody did for too long.
    pub skipped_s: u64,
    /// How often the clock went back by more than a minute.
    pub clock_steps_back: u64,
    /// Pages and memos that were kept and could not be read.
    pub not_read: u64,
}
