//! `doorbuster runs prune`: old runs go.

use std::time::Duration;

use clap::Args;
use doorbuster_notation::{parse_duration, parse_size};
use jiff::Timestamp;

use crate::command::options::KeptOptions;
use crate::command::print::print;
use crate::runs::{Archive, Candidate, Known, Retention, UNFINISHED, Why};
use crate::{Error, runtime, tell};

/// Remove runs by age, number or size, from the store and with their folders.
///
/// A run goes when it is older than --older-than, and the oldest go until the rest is below --max-size. The newest --keep
/// runs stay in any case; alone, it lets all others go. The newest run never goes, nor one within a week that may be under
/// way.
#[derive(Args, Clone, Debug)]
pub(super) struct PruneCommand {
    /// Remove runs that began longer ago, as 90d
    #[arg(long, value_parser = parse_duration, value_name = "AGE")]
    older_than: Option<Duration>,
    /// Keep so many of the newest
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Remove the oldest until the rest takes no more, as 10GB
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    max_size: Option<u64>,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    kept: KeptOptions,
}

impl PruneCommand {
    pub(super) fn run(&self) -> Result<(), Error> {
        let retention = Retention { older_than: self.older_than, keep: self.keep, bytes_max: self.max_size };
        if retention == Retention::default() {
            return Err(Error::Usage(
                "say what may go: --older-than AGE, --keep N or --max-size SIZE".to_owned(),
            ));
        }
        let kept = self.kept.kept()?;
        let text = runtime::block_on(async {
            let archive = Archive::open(&kept).await;
            // What cannot be looked at as a whole is left as it is.
            if let Some(trouble) = &archive.trouble {
                return Err(trouble.clone().into());
            }
            let text = self.prune(&archive, &retention).await;
            archive.close().await;
            text
        })?;
        print(&text)
    }

    /// What went, as a table.
    async fn prune(&self, archive: &Archive, retention: &Retention) -> Result<String, Error> {
        let runs = archive.runs(i64::MIN).await?;
        let bytes = archive.bytes(&runs).await?;
        let candidate = |(known, bytes): (&Known, &u64)| Candidate {
            began_ms: known.head.began_ms,
            bytes: *bytes,
            is_finished: known.head.verdict != UNFINISHED,
        };
        let candidates: Vec<Candidate> = runs.iter().zip(&bytes).map(candidate).collect();
        let doomed = retention.doomed(&candidates, Timestamp::now().as_millisecond());
        let gone: Vec<(&Known, u64, Why)> = doomed
            .iter()
            .filter_map(|doomed| Some((runs.get(doomed.position)?, *bytes.get(doomed.position)?, doomed.why)))
            .collect();
        if !self.dry_run {
            let runs: Vec<&Known> = gone.iter().map(|(known, ..)| *known).collect();
            archive.remove(&runs).await?;
        }
        Ok(tell::pruned(&gone, self.dry_run))
    }
}
