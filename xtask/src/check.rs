//! `cargo xtask check`: all that must hold before a change is handed in.

use crate::failure::Failure;
use crate::install::provide;
use crate::run::{cargo, run, say, succeeds};
use crate::test;

/// Formatting, clippy, documentation, licences and bans, tests: the quickest to fail first.
pub(crate) fn check() -> Result<(), Failure> {
    test::formatting()?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    run(cargo(&["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    deny()?;
    test::every_test(&provide()?, &[])
}

/// Licences, bans and sources need no network; advisories would, and are left to whoever has one.
fn deny() -> Result<(), Failure> {
    if !succeeds(&mut cargo(&["deny", "--version"])) {
        say("cargo-deny is not installed: licences, bans and sources were not checked \
             (`cargo install --locked cargo-deny` brings it)");
        return Ok(());
    }
    run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]))
}
