//! `cargo xtask check`: all that must hold before a change is handed in.

use crate::failure::Failure;
use crate::install::provide;
use crate::run::{OTHER_WORKSPACES, cargo, root, run, say, succeeds};
use crate::test;

/// Formatting, clippy, documentation, licences and bans, tests: the quickest to fail first.
pub(crate) fn check() -> Result<(), Failure> {
    test::formatting()?;
    code_and_documentation(&["--workspace"])?;
    for workspace in OTHER_WORKSPACES {
        let manifest = format!("{workspace}/Cargo.toml");
        // Where the tests build it, too.
        code_and_documentation(&["--locked", "--manifest-path", &manifest, "--target-dir", "target/goose"])?;
    }
    deny()?;
    test::every_test(&provide()?, &[])
}

/// Clippy and documentation, without a warning, of what `selection` names.
fn code_and_documentation(selection: &[&str]) -> Result<(), Failure> {
    run(cargo(&["clippy"]).args(selection).args(["--all-targets", "--", "-D", "warnings"]))?;
    run(cargo(&["doc", "--no-deps"]).args(selection).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Licences, bans and sources need no network; advisories would, and are left to whoever has one. Goose brings a
/// cryptography that Doorbuster bans, so of its adapter only licences and sources are checked.
fn deny() -> Result<(), Failure> {
    if !succeeds(&mut cargo(&["deny", "--version"])) {
        say("cargo-deny is not installed: licences, bans and sources were not checked \
             (`cargo install --locked cargo-deny` brings it)");
        return Ok(());
    }
    run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    let rules = root().join("deny.toml");
    let mut adapter = cargo(&["deny", "--manifest-path", "agent/goose/Cargo.toml", "check", "--config"]);
    run(adapter.arg(rules).args(["licenses", "sources"]))
}
