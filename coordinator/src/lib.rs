//! Plans a run, launches agents, folds their reports, judges and tells.
//!
//! A command ([`command`]) becomes a prepared run (`prepare`): plan, journeys and files, all checked before anything
//! is sent. Agents are launched (`launch`) and conducted (`conduct`); what they report is folded (`fold`), judged
//! (`verdict`) and told (`tell`), and kept (`runs`, `store`). The coordinator itself sends the target nothing.
//! While probes go on, other systems are told as well (`export`), and people of incidents (`notify`).

mod audited;
pub mod command;
mod conduct;
mod error;
mod export;
mod fold;
mod journeys;
mod launch;
mod markers;
mod notify;
mod outcome;
mod prepare;
mod progress;
mod promises;
mod runs;
mod runtime;
mod store;
mod tell;
mod verdict;
mod windows;

pub use error::Error;
pub use outcome::Verdict;
pub use store::{StoreError, Trouble};
