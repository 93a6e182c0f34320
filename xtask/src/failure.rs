//! Why a task ended early.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

/// Why a task ended early; each message says what was attempted, why it failed and what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line made no sense; the text ends with the usage.
    Usage(String),
    /// A program could not be started at all.
    Start { command: String, source: io::Error },
    /// A program ran and reported failure.
    Ended { command: String, status: ExitStatus },
    /// A file below `target/` could not be read.
    Read { path: PathBuf, source: io::Error },
    /// What was made is not what it has to be, or cannot be made here.
    Unfit { what: String, why: String },
    /// A file below `target/` could not be written.
    Write { path: PathBuf, source: io::Error },
    /// This user cannot install Debian packages here; holds the reason.
    MayNotInstall(&'static str),
    /// Under `CI=true`, where no test may be left out, programs are missing; holds the list.
    LeftOut(String),
}

impl Failure {
    /// 2 for a usage error, 1 for all else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) => out.write_str(text),
            Failure::Start { command, source } => {
                write!(out, "`{command}` could not be started ({source}): is it installed and on PATH?")
            }
            Failure::Ended { command, status } => {
                write!(out, "`{command}` failed ({status}): its own output above says why")
            }
            Failure::Read { path, source } => {
                write!(out, "{} could not be read ({source})", path.display())
            }
            Failure::Unfit { what, why } => write!(out, "{what}: {why}"),
            Failure::Write { path, source } => {
                write!(
                    out,
                    "{} could not be written ({source}): check its owner and the free space",
                    path.display()
                )
            }
            Failure::MayNotInstall(reason) => {
                write!(out, "Debian packages cannot be installed here ({reason}): install them by hand")
            }
            Failure::LeftOut(list) => {
                write!(out, "CI=true allows no test to be left out, so nothing was run.\n{list}")
            }
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Failure::Start { source, .. } | Failure::Read { source, .. } | Failure::Write { source, .. } => {
                Some(source)
            }
            _ => None,
        }
    }
}
