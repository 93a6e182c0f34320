//! `doorbuster fleet`: agents that are not processes of this machine.

mod pki;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Set up agents that are not processes of this machine.
#[derive(Args, Clone, Debug)]
pub struct FleetCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Pki(pki::PkiCommand),
}

impl FleetCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::Pki(command) => command.run(),
        }
    }
}
