//! `cargo xtask test`: what the tests need, formatting, and every test.

use crate::failure::Failure;
use crate::install::{Provision, provide};
use crate::run::{OTHER_WORKSPACES, cargo, run};

/// Installs what the tests need, checks the formatting and runs all tests.
pub(crate) fn test(arguments: &[String]) -> Result<(), Failure> {
    let provision = provide()?;
    formatting()?;
    every_test(&provision, arguments)
}

/// Runs all tests but the ignored ones; the arguments go to `cargo test`.
pub(crate) fn every_test(provision: &Provision, arguments: &[String]) -> Result<(), Failure> {
    // One profile for the tests and for the binary that they start: the dependencies are built once.
    let mut command = cargo(&["test", "--release", "--workspace", "--no-fail-fast"]);
    run(provision.apply(command.args(arguments)))
}

/// Fails when a file is not formatted as `rustfmt.toml` says.
pub(crate) fn formatting() -> Result<(), Failure> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    for workspace in OTHER_WORKSPACES {
        let manifest = format!("{workspace}/Cargo.toml");
        run(&mut cargo(&["fmt", "--check", "--manifest-path", &manifest]))?;
    }
    Ok(())
}
