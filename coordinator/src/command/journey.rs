//! `doorbuster journey`: checking journeys, and walking through one with everything shown.

mod check;
mod import;
mod run;
mod schema;
mod show;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Check journeys, walk through one with everything shown, or make one from a browser's recording.
#[derive(Args, Clone, Debug)]
pub struct JourneyCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Run(Box<run::RunCommand>),
    Check(check::CheckCommand),
    Import(import::ImportCommand),
    Schema(schema::SchemaCommand),
}

impl JourneyCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::Run(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Schema(command) => command.run(),
        }
    }
}
