//! Why a command could not be carried out.

use std::io;
use std::path::PathBuf;

use doorbuster_notation::Faults;

use crate::store::StoreError;

/// Why a command could not be carried out. A run that was carried out has a verdict instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A plan or journey with faults.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// A file that cannot be read.
    #[error("reading {what} {path}: {why}; {remedy}", path = path.display())]
    Read {
        /// What the file is.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why it cannot be read.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file that cannot be written.
    #[error("writing {path}: {source}; choose a place that can be written", path = path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder that cannot be removed.
    #[error("removing {path}: {source}; see who owns it, and remove it by hand", path = path.display())]
    Remove {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target may not be loaded.
    #[error(
        "{host} is not this machine, and nobody allowed loading it: add --allow-host {host} if it is yours to load (without it a host gets at most 10 requests/s)"
    )]
    NotAllowed {
        /// The host.
        host: String,
    },
    /// The pre-flight refuses; each line that does was told with what to change.
    #[error(
        "nothing was sent: the pre-flight refuses {lines} of its lines; `doorbuster plan PLAN` shows them all"
    )]
    Refused {
        /// How many lines do.
        lines: usize,
    },
    /// Something of this machine is missing.
    #[error("{what}: {source}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Amazon Web Services did not do what was asked.
    #[error("{what}: {why}")]
    Aws {
        /// What was asked.
        what: String,
        /// Why it was not done.
        why: String,
    },
}

impl Error {
    /// The process's exit code: 2 for what the user can mend in command, plan or files, 3 where no run came about.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Faults(_)
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Remove { .. }
            | Self::NotAllowed { .. }
            | Self::Refused { .. } => 2,
            Self::Store(error) => error.exit_code(),
            Self::System { .. } | Self::Aws { .. } => 3,
        }
    }
}
