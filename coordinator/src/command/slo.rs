//! `doorbuster slo`: objectives and their error budgets.

mod backtest;
mod events;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Error budgets: when alerts on how fast they burn would have fired.
#[derive(Args, Clone, Debug)]
pub struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Backtest(backtest::BacktestCommand),
}

impl SloCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        let Command::Backtest(command) = &self.command;
        command.run()
    }
}
