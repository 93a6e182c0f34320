//! `doorbuster slo`: error budgets, when alerts on them would have fired, and what other systems are told of them.

mod backtest;
mod events;
mod export;
mod history;
mod status;

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Args, Subcommand};
use doorbuster_model::Plan;
use doorbuster_model::assignment::Secrets;
use doorbuster_model::threshold::Names;

use crate::prepare::{Source, names};
use crate::{Error, Verdict, journeys};

/// Error budgets: how they stand, when alerts would have fired, and rules and alarms for other systems.
#[derive(Args, Clone, Debug)]
pub struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Status(status::StatusCommand),
    Backtest(Box<backtest::BacktestCommand>),
    Export(Box<export::ExportCommand>),
}

impl SloCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::Export(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Backtest(command) => command.run(),
        }
    }
}

/// A plan, and what its regions, journeys and steps are called: what objectives are about.
fn plan_of(path: &Path) -> Result<(Plan, Names), Error> {
    let source = Source::read(path)?;
    let plan = Plan::read(&source.name, &source.text)?;
    let (mut files, mut secrets) = (BTreeMap::new(), Secrets::default());
    let journeys = journeys::read(&plan, &source, 0, &mut files, &mut secrets)?;
    let names = names(&plan, &journeys);
    Ok((plan, names))
}
