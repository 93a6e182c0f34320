//! Where a store is.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::{StoreError, Trouble};

/// The file in the data folder, where nothing else is said.
const FILE: &str = "doorbuster.db";
/// What is never shown of an address.
const SECRET: &str = "password";

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A database of PostgreSQL, by its address.
    Postgres(String),
}

impl Place {
    /// The place that `--store` names (`postgres://…`, or `sqlite:FILE`), otherwise the file in the data folder.
    ///
    /// # Errors
    /// [`Trouble::Address`] when it is neither.
    pub(crate) fn of(told: Option<&str>, data_dir: &Path) -> Result<Self, StoreError> {
        let Some(told) = told else { return Ok(Self::Sqlite(data_dir.join(FILE))) };
        if let Some(file) = told.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            if !file.is_empty() {
                return Ok(Self::Sqlite(PathBuf::from(file)));
            }
        }
        let is_postgres = told.starts_with("postgres://") || told.starts_with("postgresql://");
        match Url::parse(told) {
            Ok(_) if is_postgres => Ok(Self::Postgres(told.to_owned())),
            // Not shown, as nobody knows where in it a password may be.
            _ => Err(StoreError {
                place: "of --store".to_owned(),
                trouble: Trouble::Address,
                why: "it is no such address".to_owned(),
            }),
        }
    }

    /// Whether it is a file.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// The place without passwords.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "{}", path.display()),
            Self::Postgres(address) => formatter.write_str(&shown(address)),
        }
    }
}

fn shown(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return "postgres".to_owned() };
    // It fails on an address without a host, which has no password there either.
    let _ = url.set_password(None);
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != SECRET)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(told: &str) -> Result<Place, StoreError> {
        Place::of(Some(told), Path::new("/data"))
    }

    #[test]
    fn a_place_is_a_file_or_a_database() {
        let default = Place::of(None, Path::new("/data")).unwrap();
        assert_eq!(default, Place::Sqlite(PathBuf::from("/data/doorbuster.db")));
        assert_eq!(of("sqlite:/x/y.db").unwrap(), Place::Sqlite(PathBuf::from("/x/y.db")));
        assert_eq!(of("sqlite://y.db").unwrap(), Place::Sqlite(PathBuf::from("y.db")));
        assert!(matches!(of("postgres://shop@db/x").unwrap(), Place::Postgres(_)));
        for wrong in ["", "sqlite:", "/x/y.db", "mysql://db/x", "postgres://a b"] {
            let error = of(wrong).unwrap_err();
            assert_eq!(error.trouble, Trouble::Address, "{wrong}");
            assert!(error.to_string().contains("postgres://USER@HOST/DATABASE"), "{error}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        for (address, seen) in [
            ("postgres://shop:hunter2@db:5433/x", "postgres://shop@db:5433/x"),
            ("postgres://db/x?password=hunter2&sslmode=require", "postgres://db/x?sslmode=require"),
            ("postgres:///x?host=%2Frun&password=hunter2", "postgres:///x?host=%2Frun"),
        ] {
            assert_eq!(of(address).unwrap().to_string(), seen);
        }
        assert!(!of("postgres:hunter2").unwrap_err().to_string().contains("hunter2"));
    }
}
