//! The commands, as people write them. Two stages: what was written ([`clap`]'s structs), then what it comes to.

mod alert;
mod audit;
mod conclude;
mod demo;
mod fleet;
mod gate;
mod hit;
mod journey;
mod options;
mod print;
mod probe;
mod rehearse;
mod run;
mod runs;
mod slo;

pub use alert::AlertCommand;
pub use audit::AuditCommand;
pub use demo::DemoTarget;
pub use fleet::FleetCommand;
pub use gate::GateCommand;
pub use hit::HitCommand;
pub use journey::JourneyCommand;
pub use probe::ProbeCommand;
pub use rehearse::RehearseCommand;
pub use runs::RunsCommand;
pub use slo::SloCommand;
