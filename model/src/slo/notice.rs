//! What people are told, and what they see of an alert.

use serde::{Deserialize, Serialize};

use super::rule::Severity;
use super::scope::Scope;

/// How far an alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// The budget burns, and too little is certain to say so: nobody is told.
    Pending,
    /// It is so.
    Firing,
    /// It is over.
    Resolved,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A budget burns.
    Burn {
        /// The rule that fired first.
        rule: String,
    },
    /// A region stopped reporting.
    NoData,
}

/// What people are to be told: grouped per objective and scope, neither inhibited nor silenced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What all notices of an incident share, and no other incident has.
    pub incident: String,
    /// 0 for the first notice of an incident, then rising.
    pub sequence: u32,
    /// Firing or resolved.
    pub status: AlertStatus,
    /// What it asks of people.
    pub severity: Severity,
    /// What it is about.
    pub kind: NoticeKind,
    /// The objective, by its text; none where no data come.
    pub objective: Option<String>,
    /// Where.
    pub scope: Scope,
    /// When this became so, in unix seconds.
    pub at_s: i64,
    /// When the incident began.
    pub began_s: i64,
    /// A sentence.
    pub summary: String,
    /// Figures by their names.
    pub details: Vec<(String, String)>,
}

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// The incident, as its notices have it.
    pub incident: String,
    /// How far it has come.
    pub status: AlertStatus,
    /// What it asks of people.
    pub severity: Severity,
    /// The rule that fired first; `no-data` where a region stopped reporting.
    pub rule: String,
    /// The objective, by its text; none where no data come.
    pub objective: Option<String>,
    /// Where.
    pub scope: Scope,
    /// Since when it is so, in unix seconds.
    pub since_s: i64,
    /// Whether a silence covers it.
    pub is_silenced: bool,
    /// Whether a graver alert speaks for it.
    pub is_inhibited: bool,
    /// Whether people were told that it fires.
    #[serde(default)]
    pub is_told: bool,
}

/// What stands for a rule where no data come.
pub const NO_DATA: &str = "no-data";

/// The id of an incident: what it is about, where, how grave, and when it began.
pub(super) fn incident(objective: Option<&str>, scope: &Scope, kind: &str, began_s: i64) -> String {
    format!("{}|{scope}|{kind}|{began_s}", objective.unwrap_or("-"))
}
