//! `doorbuster runs`: runs that are kept.

mod export;
mod list;
mod prune;
mod show;

use clap::{Args, Subcommand};

use crate::{Error, Verdict};

/// List the runs that are kept, show one again, take its data out, or remove old ones.
#[derive(Args, Clone, Debug)]
pub struct RunsCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    List(list::ListCommand),
    Show(show::ShowCommand),
    Export(export::ExportCommand),
    Prune(prune::PruneCommand),
}

impl RunsCommand {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Error`] when it did not come about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        match &self.command {
            Command::List(command) => command.run(),
            Command::Show(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Prune(command) => command.run(),
        }?;
        Ok(Verdict::Pass)
    }
}
