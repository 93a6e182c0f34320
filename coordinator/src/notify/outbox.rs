//! The outbox: where letters wait until they are delivered.

use std::fmt::Display;

use crate::store::Letter;

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
