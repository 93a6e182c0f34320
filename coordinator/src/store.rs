//! What outlives a process: runs, and what a probe counts, alerts about and still has to tell. In a file (SQLite), or in a
//! PostgreSQL that several machines share: one schema, one set of statements.
//!
//! `database` knows the drivers, `migrations` the schema. [`Store`]'s methods stand by what they are about: `runs`, `ledger`,
//! `outbox`, `silences`; `owner` sees to it that only one probe writes into a ledger. What a probe saves as it goes passes
//! through a [`Keeper`], which never makes it wait.

mod database;
mod error;
mod keeper;
mod ledger;
mod migrations;
mod outbox;
mod owner;
mod place;
mod process;
mod runs;
mod silences;
mod words;

#[cfg(test)]
mod tests;

use database::Database;

pub use error::{StoreError, Trouble};
pub(crate) use keeper::{Excess, Keeper, Unwritten};
pub(crate) use ledger::Step;
pub(crate) use outbox::{Letter, NewLetter, OutboxStanding};
pub(crate) use owner::Owner;
pub(crate) use place::Place;
pub(crate) use runs::{FindingRow, RunHead, RunRow, TickRow};

/// A store that is open. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    database: Database,
}

impl Store {
    /// Opens a store: makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`], [`Trouble::Newer`] when a newer version has changed it.
    pub(crate) async fn open(place: &Place) -> Result<Self, StoreError> {
        let database = Database::connect(place).await?;
        match migrations::migrate(&database).await {
            Ok(()) => Ok(Self { database }),
            Err(error) => {
                database.close().await;
                Err(error)
            }
        }
    }

    /// Closes it: a file is whole by itself then. Further use of any clone fails.
    pub(crate) async fn close(&self) {
        self.database.close().await;
    }
}
