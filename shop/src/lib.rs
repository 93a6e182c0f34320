//! The demo target: a small shop behind a CloudFront-like edge, with faults to switch on.
//!
//! A rehearsal that is wrong about its target teaches nothing, so the shop behaves as a real one does
//! where a load test can tell: sessions, CSRF tokens, stock that sells out, versioned assets, and in
//! front of it one listener per region, each with its own cache, headers and round trips. It knows its
//! own truth exactly ([`Shop::counts`]), so that a report can be compared with it, and it breaks on
//! demand ([`Fault`]), so that a verdict can be seen to fail.
//!
//! ```text
//! viewer ── listener (region) ── edge: cache, compression, headers ── origin: axum router, in process
//!                                  └ counts, access log                └ catalogue, sessions, stock
//! ```
//!
//! One thread with one single-threaded runtime serves everything. It imports no other Doorbuster crate.

mod admin;
mod bounded;
mod chance;
mod command;
mod counts;
mod duration;
mod edge;
mod error;
mod fault;
mod listener;
mod log;
mod options;
mod origin;
mod shared;
mod shop;

pub use command::DemoCommand;
pub use error::Error;
pub use fault::{Fault, FaultKind, Share};
pub use options::{Options, RegionOptions};
pub use shop::{Edge, Shop};
