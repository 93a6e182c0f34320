//! From a prepared run to its verdict: conduct, judge, tell, keep.

use std::path::Path;

use jiff::Timestamp;

use super::conclude::{conclude, show};
use super::options::Outputs;
use super::print::warn;
use crate::conduct::{Noted, conduct_alone};
use crate::markers::Markers;
use crate::outcome::{Job, Outcome, Run};
use crate::prepare::Prepared;
use crate::probe::keep::{self, Announced};
use crate::progress::Progress;
use crate::runs::Spool;
use crate::runtime::block_on;
use crate::tell::Destinations;
use crate::{Error, Verdict, runs, tell, verdict};

/// Carries a prepared run out and returns its verdict.
pub(super) fn carry_out(job: Job, prepared: &Prepared, outputs: &Outputs) -> Result<Verdict, Error> {
    let id = runs::new_id(Timestamp::now())?;
    let folder = runs::make(&outputs.kept.data_dir, &id)?;
    runs::write(&folder.join("plan.yaml"), &prepared.text)?;
    let mut progress = Progress::new(outputs.quiet, &prepared.plan);
    progress.say(&opening(prepared, &id));
    let mut markers = Markers::new(&folder);
    let mut spool = Spool::new(&folder, &prepared.names);
    let mut listener = |noted| match noted {
        Noted::Second { region, second, tally } => spool.keep(region, second, *tally),
        Noted::Markers { region, second, markers: left } => markers.keep(prepared, region, second, &left),
        Noted::Exchange(_) | Noted::Proof { .. } => {}
    };
    let announced = announce(job, prepared, outputs, &id);
    let conducted = conduct_alone(prepared, &id, &mut progress, &mut listener);
    progress.end();
    take_back(announced);
    let conducted = conducted?;
    markers.finish()?;
    let run = Run { id, job, started_at: conducted.started_at, finished_at: conducted.finished_at };
    let mut outcome = verdict::judge(prepared, run, &conducted);
    outcome.kept_in = Some(folder.clone());
    show(|colour| tell::tables(&outcome, colour), &outcome.reasons, outputs.quiet)?;
    let kept = keep(&outcome, outputs, &folder);
    if let Err(error) = runs::put(&outcome, spool, &outputs.kept.place) {
        // Its folder has it, and its verdict is what it is.
        warn(&format!("{error}. The run is kept in its folder"));
    }
    conclude(kept, outcome.verdict)
}

/// Tells probes of the same host that it is loaded on purpose, so that nobody is woken by it. Where they cannot be told, that
/// is said, and no reason not to rehearse.
fn announce(job: Job, prepared: &Prepared, outputs: &Outputs, id: &str) -> Option<Announced> {
    if job == Job::Hit {
        return None;
    }
    match block_on(keep::announce(&outputs.kept.place, &prepared.plan, id)) {
        Ok(announced) => announced,
        Err(error) => {
            warn(&error.to_string());
            None
        }
    }
}

/// The host is loaded no longer.
fn take_back(announced: Option<Announced>) {
    if let Some(announced) = announced {
        // Where that cannot be said, it ends by itself.
        let _ = block_on(announced.take_back());
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
