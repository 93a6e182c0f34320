//! `doorbuster runs show`: the tables of a run, once more.

use clap::Args;

use crate::command::options::KeptOptions;
use crate::command::print::{colour, print, warn};
use crate::runs::{Archive, Known};
use crate::tell::{self, Report};
use crate::{Error, runtime};

/// Show a run's tables once more, as they were at its end.
#[derive(Args, Clone, Debug)]
pub(super) struct ShowCommand {
    /// The run's id, or as much of it as tells it from others
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    kept: KeptOptions,
}

impl ShowCommand {
    pub(super) fn run(&self) -> Result<(), Error> {
        let kept = self.kept.kept()?;
        let (known, report) = runtime::block_on(async {
            let archive = Archive::open(&kept).await;
            if let Some(trouble) = &archive.trouble {
                warn(&format!("{trouble}; looking at folders alone"));
            }
            let known = archive.find(&self.run).await?;
            let report = archive.report(&known).await?;
            archive.close().await;
            Ok((known, report))
        })?;
        let report = read(&known, &report)?;
        print(&tell::told(&report, known.folder.as_deref(), colour()))
    }
}

/// A report that was kept.
///
/// # Errors
/// When this version cannot read it: within `doorbuster.report/1` keys are added.
fn read(known: &Known, report: &[u8]) -> Result<Report, Error> {
    serde_json::from_slice(report).map_err(|why| {
        Error::Usage(format!(
            "the report of the run {} is of another version of Doorbuster ({why}); `doorbuster runs export {} --json FILE` gives it as it is",
            known.head.id, known.head.id
        ))
    })
}
