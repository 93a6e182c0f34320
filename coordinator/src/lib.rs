//! Plans a run, launches agents, folds their reports, judges and tells.
//!
//! A command ([`command`]) becomes a prepared run (`prepare`): plan, journeys and files, all checked before anything
//! is sent. Agents are launched (`launch`) and conducted (`conduct`); what they report is folded (`fold`), judged
//! (`verdict`) and told (`tell`). The coordinator itself sends the target nothing.

mod audited;
pub mod command;
mod conduct;
mod error;
mod fold;
mod journeys;
mod launch;
mod markers;
mod outcome;
mod prepare;
mod progress;
mod promises;
mod runs;
mod tell;
mod validity;
mod verdict;
mod windows;

pub use error::Error;
pub use outcome::Verdict;
