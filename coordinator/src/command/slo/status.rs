//! `doorbuster slo status`: what is left of the budgets, as the store has it.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use doorbuster_model::Plan;
use doorbuster_model::threshold::Names;
use jiff::Timestamp;

use super::plan_of;
use crate::command::options::{KeptOptions, try_file};
use crate::command::print::{colour, print};
use crate::probe::board::Board;
use crate::probe::kept;
use crate::runtime::block_on;
use crate::store::Place;
use crate::{Error, Verdict, probe, tell};

/// Show what is left of each error budget, how fast it burns, and what fires.
///
/// It reads what a probe has saved, also while the probe goes on, and says how old that is. Without a PLAN it shows every
/// probe that ran with this folder for data. Exit codes: 0 told, 2 usage or plan error, 3 the store cannot be read.
#[derive(Args, Clone, Debug)]
pub(super) struct StatusCommand {
    /// The plan of the probe
    plan: Option<PathBuf>,
    #[command(flatten)]
    kept: KeptOptions,
    /// Write the same as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl StatusCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        if let Some(path) = &self.json {
            try_file(path)?;
        }
        let place = self.kept.kept()?.place;
        let now_s = Timestamp::now().as_second();
        let mut boards: Vec<(String, Board)> = Vec::new();
        for (plan, names) in self.plans()? {
            let looked = match look(&plan, &names, &place, now_s) {
                // One plan that is no longer what it was hides no other.
                Err(Error::Usage(why)) if self.plan.is_none() => {
                    say(&format!("{}: {why}", plan.name));
                    continue;
                }
                looked => looked?,
            };
            match looked {
                Some(board) => boards.push((plan.name, board)),
                None if self.plan.is_some() => {
                    let why = "start it with `doorbuster probe`, or say where it keeps its data";
                    return Err(Error::Usage(format!(
                        "nothing was saved of \"{}\" in {place}; {why}",
                        plan.name
                    )));
                }
                // A probe that ended before it saved anything.
                None => {}
            }
        }
        show(&boards, now_s)?;
        if let Some(path) = &self.json {
            let budgets: Vec<tell::Budgets<'_>> = boards
                .iter()
                .map(|(plan, board)| tell::Budgets { plan, data_age_s: board.age_s(now_s), board })
                .collect();
            tell::write_budgets(&budgets, path)?;
        }
        Ok(Verdict::Pass)
    }

    /// The plan that was named, or those of all probes that ran here.
    fn plans(&self) -> Result<Vec<(Plan, Names)>, Error> {
        if let Some(path) = &self.plan {
            return Ok(vec![plan_of(path)?]);
        }
        let data_dir = self.kept.kept()?.data_dir;
        let kept::Known { plans, problems } = kept::all(&data_dir)?;
        problems.iter().for_each(|problem| say(problem));
        if plans.is_empty() {
            let message = format!("no probe ran with the folder {}; name its plan", data_dir.display());
            return Err(Error::Usage(message));
        }
        Ok(plans)
    }
}

fn look(plan: &Plan, names: &Names, place: &Place, now_s: i64) -> Result<Option<Board>, Error> {
    block_on(probe::look(plan, names, place, now_s))
}

/// Says something beside the result.
fn say(line: &str) {
    // Where standard error is closed, the result still comes.
    let _ = writeln!(std::io::stderr().lock(), "{}", tell::plain(line));
}

/// Shows the tables of every plan.
fn show(boards: &[(String, Board)], now_s: i64) -> Result<(), Error> {
    let colour = colour();
    let told: Vec<String> = boards
        .iter()
        .map(|(plan, board)| format!("{}\n\n{}", tell::plain(plan), tell::budgets(board, now_s, colour)))
        .collect();
    print(&told.join("\n"))
}
