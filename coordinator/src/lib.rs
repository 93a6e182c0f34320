//! Plans a run, launches agents, folds their reports, judges and tells.
//!
//! A command ([`command`]) becomes a prepared run (`prepare`): plan, journeys and files, all checked before anything
//! is sent, and what it comes to held against what there is (`preflight`). Agents are launched (`launch`) and conducted (`conduct`); what they report is folded (`fold`), judged
//! (`verdict`), told (`tell`) and kept (`runs`, `store`). A probe has no end, and a loop of its own (`probe`): while it goes
//! on, other systems are told as well (`export`), and people of incidents (`notify`). The coordinator itself sends the target
//! nothing.

mod audited;
mod aws;
mod clock;
pub mod command;
mod conduct;
mod error;
mod export;
mod fleet;
mod fold;
mod journeys;
mod launch;
mod markers;
mod notify;
mod outcome;
mod patience;
mod pause;
mod preflight;
mod prepare;
mod probe;
mod progress;
mod promises;
mod runs;
mod runtime;
mod signals;
mod store;
mod tell;
mod tls;
mod validity;
mod verdict;
mod windows;

pub use error::Error;
pub use outcome::Verdict;
pub use store::{StoreError, Trouble};
