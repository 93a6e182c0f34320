//! The outbox: where letters wait until they are delivered.

use std::fmt::Display;

/// A letter that is due: one notice for one notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its number in the outbox.
    pub(crate) id: i64,
    /// To whom, by the name in the plan.
    pub(crate) notifier: String,
    /// Which incident it is about.
    pub(crate) incident: String,
    /// The notice's position in the incident.
    pub(crate) sequence: u32,
    /// The notice, as JSON.
    pub(crate) payload: String,
    /// How often its delivery has failed.
    pub(crate) attempts: u32,
}

/// Where letters wait. What it says it has noted outlives a crash.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Why something could not be read or noted.
    type Error: Display + Send;

    /// Letters whose time has come: at most `limit`, and of each notifier and incident only the first that is neither
    /// delivered nor refused.
    fn letters_due(
        &self,
        ledger: &str,
        now_s: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Letter>, Self::Error>> + Send;

    /// Notes that a letter was delivered.
    fn letter_delivered(&self, id: i64, at_s: i64) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Notes that an attempt failed, why, and when the next one is due.
    fn letter_failed(
        &self,
        id: i64,
        next_at_s: i64,
        why: &str,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Notes that a letter was given up, and why.
    fn letter_refused(
        &self,
        id: i64,
        at_s: i64,
        why: &str,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
