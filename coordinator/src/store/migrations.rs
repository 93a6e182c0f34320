//! The schema, in numbered steps that are part of the binary. A step that was published is never changed.

use std::time::Duration;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use tokio::time::sleep;

use super::StoreError;
use super::database::Database;

/// (number, what it does, statements)
const STEPS: [(i64, &str, &str); 2] = [
    (1, "the store", include_str!("../../migrations/0001_store.sql")),
    (2, "owners of ledgers", include_str!("../../migrations/0002_owners.sql")),
];
/// The newest of them.
const NEWEST: i64 = STEPS[STEPS.len() - 1].0;
/// How long to wait for somebody else who makes the same store.
const MADE_WITHIN: Duration = Duration::from_millis(250);

/// Brings a database up to date.
pub(super) async fn migrate(database: &Database) -> Result<(), StoreError> {
    let steps = STEPS.map(|(number, what, statements)| {
        let statements = statements.into_sql_str();
        Migration::new(number, what.into(), MigrationType::Simple, statements, false)
    });
    let migrator = Migrator::with_migrations(steps.into());
    let mut migrated = database.migrate(&migrator).await;
    if let Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) = migrated {
        // Two that open a new file at once both find it empty; whoever comes second finds it made a moment later.
        sleep(MADE_WITHIN).await;
        migrated = database.migrate(&migrator).await;
    }
    migrated.map_err(|error| database.origin().of_migration(&error, NEWEST))
}
