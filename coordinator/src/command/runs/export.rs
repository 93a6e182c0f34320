//! `doorbuster runs export`: a run's data, for other programs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::command::options::{KeptOptions, try_file};
use crate::command::print::warn;
use crate::runs::{Archive, Known};
use crate::tell::{self, Logs};
use crate::{Error, runtime};

/// Write a run's data to files: its report, and what each second came to.
#[derive(Args, Clone, Debug)]
pub(super) struct ExportCommand {
    /// The run's id, or as much of it as tells it from others
    #[arg(value_name = "RUN")]
    run: String,
    /// The JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// HdrHistogram logs with an interval per second, a file per region in this folder
    #[arg(long, value_name = "DIR")]
    hlog: Option<PathBuf>,
    /// What each second came to: a line of JSON per region and step, with its latencies
    #[arg(long, value_name = "FILE")]
    ticks: Option<PathBuf>,
    #[command(flatten)]
    kept: KeptOptions,
}

impl ExportCommand {
    pub(super) fn run(&self) -> Result<(), Error> {
        if self.json.is_none() && self.hlog.is_none() && self.ticks.is_none() {
            return Err(Error::Usage(
                "say what to write: --json FILE, --hlog DIR or --ticks FILE".to_owned(),
            ));
        }
        for path in [&self.json, &self.ticks].into_iter().flatten() {
            try_file(path)?;
        }
        let kept = self.kept.kept()?;
        runtime::block_on(async {
            let archive = Archive::open(&kept).await;
            if let Some(trouble) = &archive.trouble {
                warn(&format!("{trouble}; looking at folders alone"));
            }
            let known = archive.find(&self.run).await?;
            if let Some(path) = &self.json {
                let mut report = archive.report(&known).await?;
                if !report.ends_with(b"\n") {
                    report.push(b'\n');
                }
                written(path, fs::write(path, report))?;
            }
            self.seconds(&archive, &known).await?;
            archive.close().await;
            Ok(())
        })
    }

    /// Logs and lines, in one pass over the seconds.
    async fn seconds(&self, archive: &Archive, known: &Known) -> Result<(), Error> {
        if self.hlog.is_none() && self.ticks.is_none() {
            return Ok(());
        }
        let Some(mut recorded) = archive.recorded(known).await? else {
            return Err(Error::Usage(format!(
                "what each second of the run {} came to was not kept; it is of an older version, or nothing was sent",
                known.head.id
            )));
        };
        let journeys: Vec<(String, Vec<String>)> =
            serde_json::from_str(&recorded.journeys).unwrap_or_default();
        let mut lines = match &self.ticks {
            Some(path) => Some((path, BufWriter::new(written(path, File::create(path))?))),
            None => None,
        };
        let mut logs = self.hlog.as_ref().map(|folder| (folder, Logs::default()));
        loop {
            let rows = recorded.more().await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                if let Some((path, file)) = &mut lines {
                    let text = tell::lines(row, &journeys);
                    written(path, text.and_then(|text| file.write_all(text.as_bytes())))?;
                }
                if let Some((folder, logs)) = &mut logs {
                    written(folder, logs.add(row))?;
                }
            }
        }
        if let Some((path, file)) = &mut lines {
            written(path, file.flush())?;
        }
        match logs {
            Some((folder, logs)) => write_logs(folder, &logs, known),
            None => Ok(()),
        }
    }
}

fn write_logs(folder: &Path, logs: &Logs, known: &Known) -> Result<(), Error> {
    let started_at = Timestamp::from_millisecond(known.head.began_ms).unwrap_or_default();
    written(folder, fs::create_dir_all(folder))?;
    for (region, log) in written(folder, logs.written(&known.head.id, started_at))? {
        // A store may be shared: no name in it leads out of the folder.
        let path = folder.join(format!("{}.hlog", region.replace('/', "-")));
        written(&path, fs::write(&path, log))?;
    }
    Ok(())
}

fn written<T>(path: &Path, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|source| Error::Write { path: path.to_owned(), source })
}
