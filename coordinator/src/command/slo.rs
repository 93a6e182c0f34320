//! `doorbuster slo`: error budgets and what becomes of them.

mod status;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Error budgets: how they stand.
#[derive(Args, Clone, Debug)]
pub struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Status(status::StatusCommand),
}

impl SloCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::Status(command) => command.run(),
        }
    }
}
