//! Two databases behind one face. This file alone knows their drivers: everything else speaks of statements that both
//! understand, of values and of rows.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Decode, PgPool, Postgres, Row as _, SqlSafeStr,
    Sqlite, SqlitePool, Type,
};
use tokio::time::sleep;

use super::error::Origin;
use super::{Place, StoreError, Trouble};

/// The most connections to a file: it has one writer at a time, and the other reads meanwhile.
const SQLITE_CONNECTIONS_MAX: u32 = 2;
/// The most connections to a server.
const POSTGRES_CONNECTIONS_MAX: u32 = 4;
/// How long a statement waits for a file that another program holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is waited for: longer than for a file, so that the better reason comes first.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(8);
/// For how long, and how often, a new file that somebody else makes as well is tried again.
const MADE_WITHIN: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);
/// The most rows of one statement; both databases have a limit on the values of one, far above.
const ROWS_MAX: usize = 200;

/// A value that a statement is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'v> {
    Integer(Option<i64>),
    Text(Option<&'v str>),
    Bytes(&'v [u8]),
}

/// A statement of a driver with its values.
macro_rules! bound {
    ($driver:ty, $sql:expr, $values:expr) => {{
        let mut query = sqlx::query::<$driver>($sql);
        for value in $values {
            query = match *value {
                Value::Integer(integer) => query.bind(integer),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

/// A database that is open.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pool: Pool,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Database {
    /// Connects; a file that is not there is made.
    pub(super) async fn connect(place: &Place) -> Result<Self, StoreError> {
        let origin = Origin { place: place.to_string().into(), is_sqlite: place.is_file() };
        let failed = |error: sqlx::Error| origin.error(&error);
        let pool = match place {
            Place::Sqlite(path) => {
                make(path).map_err(|error| failed(sqlx::Error::Io(error)))?;
                let options = SqlitePoolOptions::new()
                    .max_connections(SQLITE_CONNECTIONS_MAX)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .idle_timeout(None)
                    .max_lifetime(None);
                Pool::Sqlite(open_file(&options, path, &origin).await?)
            }
            Place::Postgres(address) => {
                let server = PgConnectOptions::from_str(address).map_err(failed)?;
                let options = PgPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS_MAX)
                    .acquire_timeout(ACQUIRE_TIMEOUT);
                let server = server.application_name("doorbuster");
                Pool::Postgres(options.connect_with(server).await.map_err(failed)?)
            }
        };
        Ok(Self { pool, origin })
    }

    /// Which store errors are about.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Brings the schema up to date.
    pub(super) async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        match &self.pool {
            Pool::Sqlite(pool) => migrator.run(pool).await,
            Pool::Postgres(pool) => migrator.run(pool).await,
        }
    }

    /// Begins a transaction. One that is dropped before it is committed changes nothing.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let failed = |error: sqlx::Error| self.origin.error(&error);
        let (connection, begin) = match &self.pool {
            // With the right to write from the start: one that began by reading, and was overtaken, would be refused.
            Pool::Sqlite(pool) => {
                (Connection::Sqlite(pool.acquire().await.map_err(failed)?), "BEGIN IMMEDIATE")
            }
            Pool::Postgres(pool) => (Connection::Postgres(pool.acquire().await.map_err(failed)?), "BEGIN"),
        };
        let mut transaction = Transaction { connection: Some(connection), origin: self.origin.clone() };
        transaction.execute(begin, &[]).await?;
        Ok(transaction)
    }

    /// The rows of a statement by itself.
    pub(super) async fn rows(
        &self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let rows: Result<Vec<Cells>, sqlx::Error> = match &self.pool {
            Pool::Sqlite(pool) => bound!(Sqlite, sql, values)
                .fetch_all(pool)
                .await
                .map(|rows| rows.into_iter().map(Cells::Sqlite).collect()),
            Pool::Postgres(pool) => bound!(Postgres, sql, values)
                .fetch_all(pool)
                .await
                .map(|rows| rows.into_iter().map(Cells::Postgres).collect()),
        };
        self.origin.rows(rows)
    }

    /// Gives the room of what was deleted back to the disk, where that does not happen by itself.
    pub(super) async fn compact(&self) -> Result<(), StoreError> {
        if let Pool::Sqlite(_) = &self.pool {
            self.rows("PRAGMA incremental_vacuum", &[]).await?;
            self.rows("PRAGMA wal_checkpoint(TRUNCATE)", &[]).await?;
        }
        Ok(())
    }

    /// Closes every connection.
    pub(super) async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// Makes the file that is to become the store, for its owner alone; SQLite gives its companions the same rights. One that
/// is there is not opened: closing it again would take this process's own locks away.
fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Opens a file. Two that open a new one at once both want to say how it is written, and neither waits for the other then.
async fn open_file(
    options: &SqlitePoolOptions,
    path: &Path,
    origin: &Origin,
) -> Result<SqlitePool, StoreError> {
    let settings = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was committed stays, whatever happens to this process or to the machine.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    let began = Instant::now();
    loop {
        let opened = match prepare_file(path, &settings).await {
            Ok(()) => options.clone().connect_with(settings.clone()).await,
            Err(error) => Err(error),
        };
        match opened.map_err(|error| origin.error(&error)) {
            Err(error) if error.trouble == Trouble::Locked && began.elapsed() < MADE_WITHIN => {
                sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// Says of a new file that it can give room back. Only one without tables can be told, and to tell it is to write: no
/// later connection does.
async fn prepare_file(path: &Path, settings: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    if fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    settings.clone().auto_vacuum(SqliteAutoVacuum::Incremental).connect().await?.close().await
}

/// Statements that come into effect together, or not at all.
///
/// One that is given up closes its connection: SQLite ends some transactions by itself when they fail (a full disk), the
/// driver does not notice, and such a connection would refuse every further one.
pub(super) struct Transaction {
    /// `None` once it is committed.
    connection: Option<Connection>,
    origin: Origin,
}

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Transaction {
    /// Carries a statement out. How many rows it changed.
    pub(super) async fn execute(
        &mut self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let done = match &mut self.connection {
            Some(Connection::Sqlite(connection)) => {
                bound!(Sqlite, sql, values).execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Some(Connection::Postgres(connection)) => bound!(Postgres, sql, values)
                .execute(&mut **connection)
                .await
                .map(|done| done.rows_affected()),
            None => Err(sqlx::Error::PoolClosed),
        };
        done.map_err(|error| self.origin.error(&error))
    }

    /// The rows of a statement.
    pub(super) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let rows: Result<Vec<Cells>, sqlx::Error> = match &mut self.connection {
            Some(Connection::Sqlite(connection)) => bound!(Sqlite, sql, values)
                .fetch_all(&mut **connection)
                .await
                .map(|rows| rows.into_iter().map(Cells::Sqlite).collect()),
            Some(Connection::Postgres(connection)) => bound!(Postgres, sql, values)
                .fetch_all(&mut **connection)
                .await
                .map(|rows| rows.into_iter().map(Cells::Postgres).collect()),
            None => Err(sqlx::Error::PoolClosed),
        };
        self.origin.rows(rows)
    }

    /// Inserts rows of so many columns, whose values stand one after another. `into` is the table with its columns, `or`
    /// what happens to rows that are there already.
    pub(super) async fn insert(
        &mut self,
        into: &'static str,
        columns: usize,
        values: &[Value<'_>],
        or: &'static str,
    ) -> Result<(), StoreError> {
        for rows in values.chunks(columns * ROWS_MAX) {
            let places = placeholders(rows.len() / columns, columns);
            // Made of constants and numbers alone.
            self.execute(AssertSqlSafe(format!("INSERT INTO {into} VALUES {places} {or}")), rows).await?;
        }
        Ok(())
    }

    /// The first of so many numbers of a sequence, which nobody else is given.
    pub(super) async fn reserve(&mut self, sequence: &str, numbers: usize) -> Result<i64, StoreError> {
        let numbers = i64::try_from(numbers).unwrap_or(i64::MAX);
        let sql = "UPDATE sequences SET free = free + $2 WHERE name = $1 RETURNING free";
        let rows = self.rows(sql, &[sequence.into(), numbers.into()]).await?;
        match rows.first() {
            Some(row) => Ok(row.integer(0)? - numbers),
            None => {
                Err(self.origin.trouble(Trouble::Damaged, format!("it has lost its sequence \"{sequence}\"")))
            }
        }
    }

    /// Commits: from here on it is kept.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.execute("COMMIT", &[]).await?;
        // Back to the others.
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        match self.connection.take() {
            Some(Connection::Sqlite(connection)) => drop(connection.detach()),
            Some(Connection::Postgres(connection)) => drop(connection.detach()),
            None => {}
        }
    }
}

/// `($1, $2), ($3, $4)`
fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A row that was read.
pub(super) struct Row {
    cells: Cells,
    origin: Origin,
}

enum Cells {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Origin {
    fn rows(&self, rows: Result<Vec<Cells>, sqlx::Error>) -> Result<Vec<Row>, StoreError> {
        let rows = rows.map_err(|error| self.error(&error))?;
        Ok(rows.into_iter().map(|cells| Row { cells, origin: self.clone() }).collect())
    }
}

impl Row {
    fn get<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        let got = match &self.cells {
            Cells::Sqlite(row) => row.try_get::<T, _>(column),
            Cells::Postgres(row) => row.try_get::<T, _>(column),
        };
        got.map_err(|error| self.origin.trouble(Trouble::Damaged, error.to_string()))
    }

    pub(super) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(super) fn integer_or_null(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    /// A number that is never negative.
    pub(super) fn count(&self, column: usize) -> Result<u64, StoreError> {
        self.integer(column).map(|count| u64::try_from(count).unwrap_or(0))
    }

    pub(super) fn text(&self, column: usize) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(super) fn text_or_null(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(super) fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    /// A value that cannot be.
    pub(super) fn impossible(&self, what: &str, value: impl std::fmt::Display) -> StoreError {
        self.origin.trouble(Trouble::Damaged, format!("it has the {what} \"{value}\", which cannot be"))
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Self::Integer(Some(integer))
    }
}

impl From<u32> for Value<'_> {
    fn from(integer: u32) -> Self {
        Self::Integer(Some(i64::from(integer)))
    }
}

impl From<u64> for Value<'_> {
    /// Counts beyond 2^63 are kept as that.
    fn from(count: u64) -> Self {
        Self::Integer(Some(i64::try_from(count).unwrap_or(i64::MAX)))
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Integer(Some(i64::from(flag)))
    }
}

impl From<Option<u64>> for Value<'_> {
    fn from(count: Option<u64>) -> Self {
        count.map_or(Self::Integer(None), Self::from)
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<Option<&'v str>> for Value<'v> {
    fn from(text: Option<&'v str>) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn placeholders_are_numbered_through() {
        assert_eq!(placeholders(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(placeholders(1, 1), "($1)");
    }
}
