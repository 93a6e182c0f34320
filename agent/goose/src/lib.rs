//! A team's Goose scenarios as a Doorbuster agent.
//!
//! ```text
//!   Doorbuster's session            this crate                        Goose
//!   assignment ──────────▶ allocation: whose scenario is which journey
//!   ready      ◀────────── all users wait at their gates ◀──────── users, clients
//!   second 0   ──────────▶ life: lets users in as the pace says
//!                          call: one call of a transaction ──────▶ the team's function
//!                          listener: what that call requested ◀─── user's channels
//!   a second   ◀────────── users: the running tally
//!   stop       ──────────▶ life: nobody comes in; then the killswitch, then the runtime's end
//! ```
//!
//! Goose's own engine drives the team's own functions. They are wrapped, so that they wait for the plan and show what
//! they request; nothing of Goose is copied or replaced. README.md says how to use it, and what Goose cannot show.

mod allocation;
mod call;
mod check;
mod client;
mod engine;
mod gate;
mod hosts;
mod iteration;
mod life;
mod listener;
mod meaning;
mod user;
mod users;

use std::io::{IsTerminal, Write, stderr, stdin};
use std::process::ExitCode;
use std::thread;

use doorbuster_agent::stdio;
use goose::prelude::Scenario;

use crate::engine::Goose;

/// Serves one assignment on standard input and output, as `doorbuster agent --stdio` does, with these scenarios. The
/// plan's journeys name those that are played. Returns what `main` is to return.
///
/// Nothing is written to standard output but frames for the coordinator; what scenarios print goes to standard error.
#[must_use]
pub fn run(scenarios: Vec<Scenario>) -> ExitCode {
    if stdin().is_terminal() {
        return say(
            "this program is an agent: name it as `agent_binary` in a plan, and run `doorbuster rehearse PLAN`",
        );
    }
    // On a thread of its own, because a `main` that is a runtime's could not enter another one.
    let session = thread::Builder::new()
        .name("session".to_owned())
        .spawn(move || stdio::serve_with(&mut Goose::new(scenarios)));
    match session.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => say(&error.to_string()),
        Ok(Err(_)) => say("the session ended by a panic, which stands above"),
        Err(error) => say(&format!("starting the session's thread: {error}")),
    }
}

/// Says why on standard error; where that is closed, the exit code still tells.
fn say(message: &str) -> ExitCode {
    let _ = writeln!(stderr().lock(), "doorbuster: {message}");
    ExitCode::from(2)
}
