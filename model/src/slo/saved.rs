//! What a probe saves as it goes, and finds again after a crash.

use super::{Scope, Severity};

/// Which counts: those of an objective in a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The objective's text, which is its name.
    pub objective: String,
    /// What the counts are of.
    pub scope: Scope,
}

/// A stretch of a series' buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it begins, in seconds since 1970.
    pub start_s: i64,
    /// How long it is: 300 for 30 buckets of 10 s, 86,400 for 288 of 5 min.
    pub length_s: u32,
    /// The buckets, in an encoding of their own.
    pub bytes: Vec<u8>,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStatus {
    /// Its rule is met, but not yet for certain.
    Pending,
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
}

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertView {
    /// The incident that it belongs to: the key of every message about it.
    pub incident: String,
    /// Where it stands.
    pub status: AlertStatus,
    /// How grave it is.
    pub severity: Severity,
    /// The rule that was met.
    pub rule: String,
    /// The objective, where it is about one.
    pub objective: Option<String>,
    /// What it is about.
    pub scope: Scope,
    /// Since when it stands so, in seconds since 1970.
    pub since_s: i64,
    /// Whether somebody silenced it.
    pub is_silenced: bool,
    /// Whether a graver one speaks for it.
    pub is_inhibited: bool,
}

/// A time in which nobody wants to hear of alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its name.
    pub id: String,
    /// The objective that it is about; `None` for all.
    pub objective: Option<String>,
    /// The scope that it is about; `None` for all.
    pub scope: Option<Scope>,
    /// When it begins, in seconds since 1970.
    pub from_s: i64,
    /// When it ends, in seconds since 1970.
    pub to_s: i64,
    /// Why.
    pub reason: String,
}

/// What was saved of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Every page, by when it begins.
    pub pages: Vec<(SeriesKey, Page)>,
    /// Everything else that is needed, in an encoding of its own.
    pub memo: Vec<u8>,
}
