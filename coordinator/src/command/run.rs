//! From a prepared run to its verdict: conduct, judge, tell, keep.

use std::io::Write;
use std::path::Path;

use jiff::Timestamp;

use super::options::Outputs;
use super::print::{colour, print, warn};
use crate::conduct::{Noted, conduct};
use crate::markers::Markers;
use crate::outcome::{Job, Outcome, Run};
use crate::prepare::Prepared;
use crate::probe::keep::{self, Announced};
use crate::progress::Progress;
use crate::runs::Spool;
use crate::tell::Destinations;
use crate::{Error, Verdict, runs, tell, verdict};

/// Carries a prepared run out and returns its verdict.
pub(super) fn carry_out(job: Job, prepared: &Prepared, outputs: &Outputs) -> Result<Verdict, Error> {
    let id = runs::new_id(Timestamp::now())?;
    let folder = runs::make(&outputs.kept.data_dir, &id)?;
    runs::write(&folder.join("plan.yaml"), &prepared.text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|source| Error::System { what: "starting the coordinator's runtime", source })?;
    let mut progress = Progress::new(outputs.quiet, &prepared.plan);
    progress.say(&opening(prepared, &id));
    let mut markers = Markers::new(&folder);
    let mut spool = Spool::new(&folder, &prepared.names);
    let mut listener = |noted| match noted {
        Noted::Second { region, second, tally } => spool.keep(region, second, *tally),
        Noted::Markers { region, second, markers: left } => markers.keep(prepared, region, second, &left),
        Noted::Exchange(_) | Noted::Proof { .. } => {}
    };
    let announced = runtime.block_on(announce(job, prepared, outputs, &id));
    let conducted = runtime.block_on(conduct(prepared, &id, &mut progress, &mut listener));
    progress.end();
    if let Some(announced) = announced {
        runtime.block_on(announced.take_back());
    }
    // What still waits for agents that were given up is not worth waiting for.
    runtime.shutdown_background();
    let conducted = conducted?;
    markers.finish()?;
    let run = Run { id, job, started_at: conducted.started_at, finished_at: conducted.finished_at };
    let mut outcome = verdict::judge(prepared, run, &conducted);
    outcome.kept_in = Some(folder.clone());
    show(&outcome, outputs.quiet)?;
    let kept = keep(&outcome, outputs, &folder);
    if let Err(error) = runs::put(&outcome, spool, &outputs.kept.place) {
        // Its folder has it, and its verdict is what it is.
        warn(&format!("{error}. The run is kept in its folder"));
    }
    match (kept, outcome.verdict) {
        (Ok(()), verdict) => Ok(verdict),
        (Err(error), Verdict::Pass) => Err(error),
        (Err(error), verdict) => {
            // A file that cannot be written must not make a failed run look like a mistyped command.
            warn(&error.to_string());
            Ok(verdict)
        }
    }
}

/// Tells probes of the same host that it is loaded on purpose, so that nobody is woken by it. Where they cannot be told, that
/// is said, and no reason not to rehearse.
async fn announce(job: Job, prepared: &Prepared, outputs: &Outputs, id: &str) -> Option<Announced> {
    if job == Job::Hit {
        return None;
    }
    match keep::announce(&outputs.kept.place, &prepared.plan, id).await {
        Ok(announced) => announced,
        Err(error) => {
            // Where standard error is closed, the run goes on all the same.
            let _ = writeln!(std::io::stderr().lock(), "doorbuster: {error}");
            None
        }
    }
}

fn opening(prepared: &Prepared, id: &str) -> String {
    let plan = &prepared.plan;
    let regions: Vec<&str> = plan.regions.iter().map(|region| region.name.as_str()).collect();
    format!("run {id}: \"{}\" from {}", plan.name, regions.join(", "))
}

/// Writes the report where it is kept, and whatever else was asked for: one failure does not keep the other back.
fn keep(outcome: &Outcome, outputs: &Outputs, folder: &Path) -> Result<(), Error> {
    let kept = Destinations { json: Some(folder.join("report.json")), ..Destinations::default() };
    let kept = tell::write(outcome, &kept);
    tell::write(outcome, &outputs.destinations).and(kept)
}

/// Shows the tables; when quiet, only why a run is invalid.
fn show(outcome: &Outcome, quiet: bool) -> Result<(), Error> {
    if quiet {
        let mut stderr = std::io::stderr().lock();
        for reason in outcome.reasons.iter().filter(|reason| reason.invalidates) {
            // Where standard error is closed, the exit code still tells.
            let _ = writeln!(stderr, "invalid ({}): {}", reason.kind, reason.message);
        }
        return Ok(());
    }
    print(&tell::tables(outcome, colour()))
}
