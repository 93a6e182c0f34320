//! `doorbuster journey schema`: what editors complete and check journey files with.

use clap::Args;

use crate::command::print::print;
use crate::{Error, Verdict};

/// Print the JSON Schema of journey files, so that editors complete and check them.
///
/// In VS Code with the YAML extension: doorbuster journey schema > journey.schema.json, and as a journey's first line
/// `# yaml-language-server: $schema=journey.schema.json`.
#[derive(Args, Clone, Debug)]
pub(super) struct SchemaCommand {}

impl SchemaCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        print(doorbuster_journeys::SCHEMA)?;
        Ok(Verdict::Pass)
    }
}
