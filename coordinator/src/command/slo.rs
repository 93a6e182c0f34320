//! `doorbuster slo`: objectives, and what other systems are told of them.

mod export;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Take a plan's objectives elsewhere: rules for Prometheus, alarms for CloudWatch.
#[derive(Args, Clone, Debug)]
pub struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
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
        }
    }
}
