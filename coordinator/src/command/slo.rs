//! `doorbuster slo`: error budgets, and what other systems are told of them.

mod export;
mod status;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Error budgets: how they stand, and their rules and alarms for other systems.
#[derive(Args, Clone, Debug)]
pub struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Export(Box<export::ExportCommand>),
    Status(status::StatusCommand),
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
        }
    }
}
