//! Where runs are kept: each in a folder of its own, and all of them in a store.

mod archive;
mod folders;
mod put;
mod retention;
mod spool;

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::store::Place;

pub(crate) use archive::{Archive, Known, unique_prefix};
pub(crate) use put::put;
pub(crate) use retention::{Candidate, Retention, Why};
pub(crate) use spool::Spool;

/// Stands for the verdict of a run whose folder has no report: it is under way, or was stopped before it ended.
pub(crate) const UNFINISHED: &str = "none";

/// Where runs are kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The folder for data.
    pub(crate) data_dir: PathBuf,
    /// The store.
    pub(crate) place: Place,
}

/// The folder for data: as told, or as the XDG base directory specification says.
pub(crate) fn data_dir(told: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(told) = told {
        return Ok(told.to_owned());
    }
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    from("XDG_DATA_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("doorbuster"))
        .ok_or_else(|| {
            Error::Usage(
                "neither XDG_DATA_HOME nor HOME is set: say where runs are kept with --data-dir".to_owned(),
            )
        })
}

/// A new run's id: when it began, and enough chance that two never share one.
pub(crate) fn new_id(now: jiff::Timestamp) -> Result<String, Error> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| Error::System {
        what: "drawing a run's id",
        source: std::io::Error::other(error),
    })?;
    Ok(format!("{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), u32::from_be_bytes(bytes)))
}

/// The folder of one run, made anew.
pub(crate) fn make(data_dir: &Path, id: &str) -> Result<PathBuf, Error> {
    let path = data_dir.join("runs").join(id);
    fs::create_dir_all(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
    Ok(path)
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::Write { path: path.to_owned(), source })
}
