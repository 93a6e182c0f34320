//! Who is told of alerts, and when nobody is to be.
//!
//! Secrets are named, never written: a plan is kept with each run and sent to every agent, so it holds the names of
//! variables of the coordinator's environment, and addresses without credentials.

mod read;

#[cfg(test)]
mod tests;

use doorbuster_notation::{Faults, Node, Place};
use url::Url;

/// The most notifiers of a plan.
pub const NOTIFIERS_MAX: usize = 20;
/// The most maintenance windows of a plan.
pub const MAINTENANCE_MAX: usize = 100;
/// The longest maintenance window: a mistyped year must not silence a year.
pub const MAINTENANCE_LENGTH_MAX_S: i64 = 31 * 86_400;
/// The words that plans name notifiers by.
pub const NOTIFIER_KINDS: [&str; 5] = ["alertmanager", "webhook", "slack", "pagerduty", "sns"];

/// The section `alerts` of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Who is told.
    pub notify: Vec<NotifierSpec>,
    /// When nobody is to be.
    pub maintenance: Vec<Maintenance>,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifierSpec {
    /// Unique in the plan: as it says, or the kind's word, numbered from the second of a kind on (`slack-2`). What
    /// waits to be delivered is kept under it, so a mended address gets what the broken one did not.
    pub name: String,
    /// How it is reached.
    pub kind: NotifierKind,
    /// Where the plan names it.
    pub place: Place,
}

/// How somebody who is told is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifierKind {
    /// Prometheus' Alertmanager.
    Alertmanager {
        /// Its own address, below which its API is; ends with `/`.
        url: Url,
    },
    /// Any receiver of JSON.
    Webhook {
        /// Where it is sent to.
        url: Url,
        /// The variable with the secret that it is signed with.
        secret_env: String,
    },
    /// A channel of Slack.
    Slack {
        /// The variable with the incoming webhook's address, which is a secret as a whole.
        url_env: String,
    },
    /// A service of PagerDuty.
    PagerDuty {
        /// The variable with the integration key of Events API v2.
        routing_key_env: String,
        /// Where events are sent to, where it is not PagerDuty's own address.
        url: Option<Url>,
    },
    /// A topic of Amazon SNS.
    Sns {
        /// The topic.
        topic_arn: String,
        /// The AWS region that it is in.
        region: String,
    },
}

/// A time in which nobody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// When it begins, in seconds since 1970.
    pub from_s: i64,
    /// When it is over, in seconds since 1970.
    pub to_s: i64,
    /// What is going on.
    pub reason: String,
}

impl Alerts {
    /// Reads a plan's section.
    pub(super) fn of_section(node: &Node, faults: &mut Faults) -> Self {
        read::section(node, faults)
    }
}

impl NotifierKind {
    /// The word that plans name it by.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Alertmanager { .. } => "alertmanager",
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::PagerDuty { .. } => "pagerduty",
            Self::Sns { .. } => "sns",
        }
    }
}
