//! What keeps a store from being used.

use std::sync::Arc;

use sqlx::migrate::MigrateError;

/// What kind of trouble there is with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its address cannot be.
    Address,
    /// A newer version of Doorbuster made it, or changed it.
    Newer,
    /// It is not what it should be.
    Damaged,
    /// Somebody else holds it.
    Locked,
    /// Another probe counts into the same ledger.
    Owned,
    /// Nothing more can be written.
    Full,
    /// The database does not answer.
    Unreachable,
    /// It is not there, or may not be used.
    Refused,
    /// Anything else.
    Other,
}

impl Trouble {
    const fn problem(self) -> &'static str {
        match self {
            Self::Address => "cannot be",
            Self::Newer => "was made by a newer version of Doorbuster",
            Self::Damaged => "is damaged",
            Self::Locked => "is locked",
            Self::Owned => "is written by another probe of this plan",
            Self::Full => "cannot be written any more",
            Self::Unreachable => "does not answer",
            Self::Refused => "cannot be used",
            Self::Other => "failed",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Address => "write postgres://USER@HOST/DATABASE, or sqlite:FILE",
            Self::Newer => "use that version, or another store (--store)",
            Self::Damaged => "move it away, and a new one is made; runs stay listed by their folders",
            Self::Locked => "see which other program holds it",
            Self::Owned => "stop that one first, or give one of the plans another name",
            Self::Full => "see whether its disk is full, or fails",
            Self::Unreachable => "see that the database runs, and that this machine reaches it",
            Self::Refused => "see that it is there, and that you may write to it",
            Self::Other => "see what the database says, or use another store (--store)",
        }
    }
}

/// Why a store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store {place} {problem} ({why}); {remedy}", problem = .trouble.problem(), remedy = .trouble.remedy())]
pub struct StoreError {
    /// Which store, without passwords.
    pub place: String,
    /// What kind of trouble it is.
    pub trouble: Trouble,
    /// What the database said.
    pub why: String,
}

impl StoreError {
    /// The process's exit code: 2 for what the user can mend on the command line, 3 otherwise.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.trouble == Trouble::Address { 2 } else { 3 }
    }
}

/// Which store an error is about.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The store without passwords.
    pub(super) place: Arc<str>,
    /// Whether it is SQLite's; codes of errors mean something else in PostgreSQL.
    pub(super) is_sqlite: bool,
}

impl Origin {
    /// What a driver's error means.
    pub(super) fn error(&self, error: &sqlx::Error) -> StoreError {
        let why = match error {
            sqlx::Error::Database(error) => error.message().to_owned(),
            sqlx::Error::Io(error) => error.to_string(),
            sqlx::Error::PoolTimedOut => "no connection came about in time".to_owned(),
            other => other.to_string(),
        };
        self.trouble(self.kind(error), why)
    }

    /// What an error about the schema means. `newest` is the newest version that is known here.
    pub(super) fn of_migration(&self, error: &MigrateError, newest: i64) -> StoreError {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.error(error),
            MigrateError::VersionMissing(version) if *version > newest => {
                let why = format!("its schema is {version}, and this version knows {newest}");
                self.trouble(Trouble::Newer, why)
            }
            other => self.trouble(Trouble::Other, other.to_string()),
        }
    }

    pub(super) fn trouble(&self, trouble: Trouble, why: String) -> StoreError {
        StoreError { place: self.place.to_string(), trouble, why }
    }

    fn kind(&self, error: &sqlx::Error) -> Trouble {
        match error {
            sqlx::Error::Configuration(_) => Trouble::Address,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                if self.is_sqlite { of_sqlite(&code) } else { of_postgres(&code) }
            }
            sqlx::Error::Io(_) if self.is_sqlite => Trouble::Refused,
            // Every connection waits for whoever holds the file.
            sqlx::Error::PoolTimedOut if self.is_sqlite => Trouble::Locked,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Trouble::Unreachable,
            _ => Trouble::Other,
        }
    }
}

/// Source: "Result and Error Codes" of SQLite's documentation; an extended code has the primary one in its last byte.
fn of_sqlite(code: &str) -> Trouble {
    const IOERR_WRITE: i32 = 778;
    const IOERR_FSYNC: i32 = 1_034;
    const IOERR_TRUNCATE: i32 = 1_546;
    const IOERR_SHMSIZE: i32 = 4_874;
    let code: i32 = code.parse().unwrap_or(0);
    match (code & 0xff, code) {
        (5 | 6, _) => Trouble::Locked,
        (11 | 26, _) => Trouble::Damaged,
        (13, _) | (_, IOERR_WRITE | IOERR_FSYNC | IOERR_TRUNCATE | IOERR_SHMSIZE) => Trouble::Full,
        (3 | 8 | 14 | 23, _) => Trouble::Refused,
        _ => Trouble::Other,
    }
}

/// Source: "PostgreSQL Error Codes", appendix A of its documentation.
fn of_postgres(code: &str) -> Trouble {
    match code {
        "53100" | "58030" => Trouble::Full,
        "55P03" => Trouble::Locked,
        "XX001" | "XX002" => Trouble::Damaged,
        "25006" | "3D000" | "42501" => Trouble::Refused,
        code if code.starts_with("28") => Trouble::Refused,
        code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => {
            Trouble::Unreachable
        }
        _ => Trouble::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_databases_say() {
        for (code, trouble) in [
            ("5", Trouble::Locked),
            ("517", Trouble::Locked),
            ("13", Trouble::Full),
            ("778", Trouble::Full),
            ("10", Trouble::Other),
            ("26", Trouble::Damaged),
            ("267", Trouble::Damaged),
            ("14", Trouble::Refused),
            ("1032", Trouble::Refused),
        ] {
            assert_eq!(of_sqlite(code), trouble, "{code}");
        }
        for (code, trouble) in [
            ("53100", Trouble::Full),
            ("53300", Trouble::Unreachable),
            ("57P03", Trouble::Unreachable),
            ("28P01", Trouble::Refused),
            ("23505", Trouble::Other),
        ] {
            assert_eq!(of_postgres(code), trouble, "{code}");
        }
    }

    #[test]
    fn an_error_says_which_store_and_what_to_do() {
        let origin = Origin { place: "/data/doorbuster.db".into(), is_sqlite: true };
        let error = origin.error(&sqlx::Error::PoolTimedOut);
        assert_eq!(
            error.to_string(),
            "the store /data/doorbuster.db is locked (no connection came about in time); see which other program holds it"
        );
        let newer = origin.of_migration(&MigrateError::VersionMissing(7), 1);
        assert_eq!((newer.trouble, newer.exit_code()), (Trouble::Newer, 3));
        let missing = origin.of_migration(&MigrateError::VersionMissing(1), 2);
        assert_eq!(missing.trouble, Trouble::Other, "an older one that is missing is no newer schema");
    }
}
