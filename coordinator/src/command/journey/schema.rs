//! `doorbuster journey schema`: what editors complete and check journey files with.

use std::io::Write;

use clap::Args;

use crate::{Error, Verdict};

/// Print the JSON Schema of journey files, so that editors complete and check them.
///
/// In VS Code with the YAML extension: doorbuster journey schema > journey.schema.json, and as a journey's first line
/// `# yaml-language-server: $schema=journey.schema.json`.
#[derive(Args, Clone, Debug)]
pub(super) struct SchemaCommand {}

impl SchemaCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let written = std::io::stdout().lock().write_all(doorbuster_journeys::SCHEMA.as_bytes());
        written.map_err(|source| Error::System { what: "writing to standard output", source })?;
        Ok(Verdict::Pass)
    }
}
