//! `cargo xtask long`: the tests that take too long for every change.

use std::time::Instant;

use crate::failure::Failure;
use crate::install::provide;
use crate::run::{cargo, run, say};

/// Runs the ignored tests whose names hold `long_`; the arguments go to the test binary.
pub(crate) fn long(arguments: &[String]) -> Result<(), Failure> {
    let provision = provide()?;
    say("the long tests take some minutes together; `--nocapture` shows what they measure");
    let started = Instant::now();
    let mut command = cargo(&["test", "--release", "--test", "tests", "--", "--ignored", "long_"]);
    let outcome = run(provision.apply(command.args(arguments)));
    say(&format!("the long tests took {} s", started.elapsed().as_secs()));
    outcome
}
