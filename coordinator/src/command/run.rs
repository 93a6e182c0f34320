//! From a prepared run to its verdict: conduct, judge, tell, keep.

use std::path::Path;

use jiff::Timestamp;

use super::conclude::{conclude, show};
use super::options::Outputs;
use crate::conduct::{Noted, conduct_alone};
use crate::markers::Markers;
use crate::outcome::{Job, Outcome, Run};
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::tell::Destinations;
use crate::{Error, Verdict, runs, tell, verdict};

/// Carries a prepared run out and returns its verdict.
pub(super) fn carry_out(job: Job, prepared: &Prepared, outputs: &Outputs) -> Result<Verdict, Error> {
    let id = runs::new_id(Timestamp::now())?;
    let folder = runs::make(&outputs.data_dir, &id)?;
    runs::write(&folder.join("plan.yaml"), &prepared.text)?;
    let mut progress = Progress::new(outputs.quiet, &prepared.plan);
    progress.say(&opening(prepared, &id));
    let mut markers = Markers::new(&folder);
    let mut listener = |noted| {
        if let Noted::Markers { region, second, markers: left } = noted {
            markers.keep(prepared, region, second, &left);
        }
    };
    let conducted = conduct_alone(prepared, &id, &mut progress, &mut listener);
    progress.end();
    let conducted = conducted?;
    markers.finish()?;
    let run = Run { id, job, started_at: conducted.started_at, finished_at: conducted.finished_at };
    let mut outcome = verdict::judge(prepared, run, &conducted);
    outcome.kept_in = Some(folder.clone());
    show(|colour| tell::tables(&outcome, colour), &outcome.reasons, outputs.quiet)?;
    conclude(keep(&outcome, outputs, &folder), outcome.verdict)
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
