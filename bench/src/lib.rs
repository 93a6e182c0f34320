//! Measures Doorbuster beside its peers: the same server, the same core, alternating, as ratios.

// A tool for developers: it speaks to a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

pub mod compare;
pub mod crowd;
mod freeze;
mod measure;
mod memory;
mod server;
mod table;
mod tools;

use std::path::PathBuf;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where tools are built and servers keep their files.
pub(crate) fn folder() -> PathBuf {
    root().join("target/bench")
}
