//! The commands, as people write them. Two stages: what was written ([`clap`]'s structs), then what it comes to.

mod alert;
mod audit;
mod demo;
mod gate;
mod hit;
mod journey;
mod options;
mod rehearse;
mod run;

use std::io::Write;

use crate::Error;

pub use alert::AlertCommand;
pub use audit::AuditCommand;
pub use demo::DemoTarget;
pub use gate::GateCommand;
pub use hit::HitCommand;
pub use journey::JourneyCommand;
pub use rehearse::RehearseCommand;

/// Writes a command's result to standard output.
fn print(text: &str) -> Result<(), Error> {
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.map_err(|source| Error::System { what: "writing to standard output", source })
}
