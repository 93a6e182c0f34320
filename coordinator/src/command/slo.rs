//! `doorbuster slo`: error budgets, when alerts on them would have fired, and what other systems are told of them.

mod backtest;
mod events;
mod export;
mod status;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Error budgets: how they stand, when alerts would have fired, and rules and alarms for other systems.
#[derive(Args, Clone, Debug)]
pub struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Status(status::StatusCommand),
    Backtest(backtest::BacktestCommand),
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
