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

/// Writes a file of the rehearsal `name`; its path.
pub(crate) fn write(name: &str, file: &str, text: &str) -> Result<PathBuf, String> {
    let path = folder().join(name).join(file);
    std::fs::create_dir_all(folder().join(name))
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|why| format!("writing {}: {why}", path.display()))?;
    Ok(path)
}
