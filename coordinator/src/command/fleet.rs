//! `doorbuster fleet`: agents that are not processes of this machine.

mod down;
mod logs;
mod pki;
mod places;
mod status;
mod up;
mod update;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// Put agents into AWS's regions, look at them and remove them again; make the keys of agents that dial in.
#[derive(Args, Clone, Debug)]
pub struct FleetCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Up(Box<up::UpCommand>),
    Status(status::StatusCommand),
    Update(update::UpdateCommand),
    Logs(logs::LogsCommand),
    Down(down::DownCommand),
    Pki(pki::PkiCommand),
}

impl FleetCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::Up(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Update(command) => command.run(),
            Command::Logs(command) => command.run(),
            Command::Down(command) => command.run(),
            Command::Pki(command) => command.run(),
        }
    }
}
