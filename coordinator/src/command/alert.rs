//! `doorbuster alert`: who is told of alerts, tried out; and silences.

mod silence;
mod test;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Try out who is told of alerts, and silence them for a while.
#[derive(Args, Clone, Debug)]
pub struct AlertCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Test(test::TestCommand),
    Silence(silence::SilenceCommand),
    Silences(silence::SilencesCommand),
    Unsilence(silence::UnsilenceCommand),
}

impl AlertCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::Test(command) => command.run(),
            Command::Silence(command) => command.run(),
            Command::Silences(command) => command.run(),
            Command::Unsilence(command) => command.run(),
        }
    }
}
