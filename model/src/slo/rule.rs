//! Rules: when a budget is spent so fast that somebody must know. Data, with the usual four where none are given.
//!
//! A rule looks through two windows: the long one sees enough to be sure, the short one sees that it is still so.
//! Source: Google, "The Site Reliability Workbook", chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".

mod read;

#[cfg(test)]
mod tests;

use std::fmt;

use doorbuster_notation::{Faults, Node, Share};
use serde::{Deserialize, Serialize};

use super::count::Sum;
use super::factor::Factor;

/// The most rules.
pub const RULES_MAX: usize = 20;
/// The longest window of a rule in a plan: 3 days. Beyond 3 days and 6 hours no buckets of 10 s are kept.
pub const RULE_WINDOW_MAX_S: u32 = 3 * 86_400;

/// What an alert asks of people. The graver one comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody must look now.
    #[default]
    Page,
    /// Somebody must look within a day or so.
    Ticket,
}

/// When an alert fires: while the budget burns at `factor` or faster in both windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which no other rule has.
    pub name: String,
    /// What it asks of people.
    pub severity: Severity,
    /// How many times faster than allowed.
    pub factor: Factor,
    /// The long window, in seconds.
    pub long_s: u32,
    /// The short window, in seconds.
    pub short_s: u32,
}

impl Severity {
    /// Both, the graver one first.
    pub const ALL: [Self; 2] = [Self::Page, Self::Ticket];

    /// Its word in plans, tables and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl Rule {
    /// The rules where none are given.
    pub fn defaults() -> Vec<Self> {
        const MINUTE: u32 = 60;
        const HOUR: u32 = 60 * MINUTE;
        [
            ("page-14.4", Severity::Page, 144, HOUR, 5 * MINUTE),
            ("page-6", Severity::Page, 60, 6 * HOUR, 30 * MINUTE),
            ("ticket-3", Severity::Ticket, 30, 24 * HOUR, 2 * HOUR),
            ("ticket-1", Severity::Ticket, 10, 72 * HOUR, 6 * HOUR),
        ]
        .map(|(name, severity, tenths, long_s, short_s)| Self {
            name: name.to_owned(),
            severity,
            factor: Factor::of_tenths(tenths),
            long_s,
            short_s,
        })
        .into()
    }

    /// Reads rules from a file of their own, which has the one key `rules`. Windows are whole seconds.
    ///
    /// # Errors
    /// All faults of the text, each with its place in `file`.
    pub fn read(file: &str, text: &str) -> Result<Vec<Self>, Faults> {
        read::file(file, text)
    }

    /// Reads a plan's list. Windows are made of whole buckets, and none is longer than [`RULE_WINDOW_MAX_S`].
    pub(crate) fn of_section(node: &Node, faults: &mut Faults) -> Vec<Self> {
        read::list(node, read::Windows::OfBuckets, faults)
    }

    /// Whether it fires after an evaluation, given whether it did before: it begins where both windows burn and the long
    /// one has seen enough failures, and ends where the short one no longer burns.
    pub(super) fn fires(
        &self,
        before: bool,
        objective: Share,
        failures_min: u64,
        long: Sum,
        short: Sum,
    ) -> bool {
        let burns = |sum: Sum| sum.burns(objective, self.factor);
        burns(short) && (before || (burns(long) && long.failed >= u128::from(failures_min)))
    }
}
