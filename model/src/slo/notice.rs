//! What people are to be told of an incident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Somebody is to be woken up.
    Page,
    /// Somebody is to look at it in working hours.
    Ticket,
}

/// Whose traffic it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// All regions' together.
    Global,
    /// One region's.
    Region(String),
}

/// Whether an incident goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeStatus {
    /// It does.
    Firing,
    /// It is over.
    Resolved,
}

/// What an incident is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoticeKind {
    /// An error budget burns.
    Burn {
        /// The rule that fired.
        rule: String,
    },
    /// A region stopped reporting.
    NoData,
}

/// What people are to be told: already grouped per objective and region, inhibited and silenced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same in all notices of an incident, and in those of no other: every notifier's key against duplicates.
    pub incident: String,
    /// 0 for the first notice of the incident, and one more for each further one.
    pub sequence: u32,
    /// Whether the incident goes on.
    pub status: NoticeStatus,
    /// How urgent it is.
    pub severity: Severity,
    /// What it is.
    pub kind: NoticeKind,
    /// The objective, by its text; `None` where it is about none.
    pub objective: Option<String>,
    /// Whose traffic it is about.
    pub scope: Scope,
    /// When this was found out, in seconds since 1970.
    pub at_s: i64,
    /// When the incident began, in seconds since 1970.
    pub began_s: i64,
    /// A sentence.
    pub summary: String,
    /// Figures by their names, in the order in which they are shown.
    pub details: Vec<(String, String)>,
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => formatter.write_str("global"),
            Self::Region(name) => formatter.write_str(name),
        }
    }
}
