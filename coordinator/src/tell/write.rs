//! Writing what is told into files: the only place here that touches any.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use doorbuster_model::slo::Transition;

use super::audit;
use super::backtest;
use super::hlog::hlog;
use super::junit::junit;
use super::markdown::markdown;
use super::preflight;
use super::report::report;
use super::slo::{self, Budgets};
use crate::Error;
use crate::audited::Audited;
use crate::outcome::Outcome;
use crate::preflight::Preflight;

/// Where a run's outcome is told, besides the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Destinations {
    /// The file of the JSON report.
    pub json: Option<PathBuf>,
    /// The file of the JUnit document.
    pub junit: Option<PathBuf>,
    /// The file of the Markdown summary.
    pub markdown: Option<PathBuf>,
    /// The folder of the HdrHistogram logs: `REGION.hlog` for each region.
    pub hlog: Option<PathBuf>,
}

/// Tells `outcome` to every destination that is set. Missing folders are made, files are replaced.
///
/// # Errors
/// [`Error::Write`] for the first destination that could not be written; those before it are.
pub(crate) fn write(outcome: &Outcome, to: &Destinations) -> Result<(), Error> {
    if let Some(path) = &to.json {
        file(path, json(outcome))?;
    }
    if let Some(path) = &to.junit {
        file(path, Ok(junit(outcome).into_bytes()))?;
    }
    if let Some(path) = &to.markdown {
        file(path, Ok(markdown(outcome).into_bytes()))?;
    }
    if let Some(folder) = &to.hlog {
        for region in &outcome.regions {
            file(&folder.join(format!("{}.hlog", region.name)), hlog(&outcome.run, region))?;
        }
    }
    Ok(())
}

/// Tells an audit to the files that are named.
///
/// # Errors
/// As [`write`](fn@write).
pub(crate) fn write_audit(audited: &Audited, json: Option<&Path>, junit: Option<&Path>) -> Result<(), Error> {
    if let Some(path) = json {
        file(path, audit::json(audited).map_err(io::Error::from))?;
    }
    if let Some(path) = junit {
        file(path, Ok(audit::junit(audited).into_bytes()))?;
    }
    Ok(())
}

/// Tells how objectives stand to a file.
///
/// # Errors
/// As [`write`](fn@write).
pub(crate) fn write_budgets(budgets: &[Budgets<'_>], path: &Path) -> Result<(), Error> {
    file(path, slo::json(budgets).map_err(io::Error::from))
}

/// Tells what rules did on events of the past to a file.
///
/// # Errors
/// As [`write`](fn@write).
pub(crate) fn write_backtest(transitions: &[Transition], path: &Path) -> Result<(), Error> {
    file(path, backtest::json(transitions).map_err(io::Error::from))
}

/// Tells what a run comes to beforehand to a file.
///
/// # Errors
/// As [`write`](fn@write).
pub(crate) fn write_preflight(looked: &Preflight, path: &Path) -> Result<(), Error> {
    file(path, preflight::json(looked).map_err(io::Error::from))
}

fn json(outcome: &Outcome) -> io::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(&report(outcome))?;
    json.push(b'\n');
    Ok(json)
}

/// Writes what was made for `path`, or says why it could not be made.
fn file(path: &Path, made: io::Result<Vec<u8>>) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = made.and_then(|bytes| {
        folder.map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    });
    written.map_err(|source| Error::Write { path: path.to_owned(), source })
}
