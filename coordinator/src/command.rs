//! The commands, as people write them. Two stages: what was written ([`clap`]'s structs), then what it comes to.

mod audit;
mod conclude;
mod demo;
mod gate;
mod hit;
mod journey;
mod options;
mod rehearse;
mod run;

pub use audit::AuditCommand;
pub use demo::DemoTarget;
pub use gate::GateCommand;
pub use hit::HitCommand;
pub use journey::JourneyCommand;
pub use rehearse::RehearseCommand;
