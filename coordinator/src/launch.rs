//! Where agents come from. A launcher hands over, per agent, a way to speak and a stream of what it says.

mod local;

use std::path::Path;

use doorbuster_model::Assignment;
use doorbuster_wire::{FromAgent, PROTOCOL, ToAgent};
use tokio::sync::mpsc;

use crate::Error;

/// Something that happened to an agent.
#[derive(Debug)]
pub(crate) enum Event {
    /// It said something.
    Said(FromAgent),
    /// It is gone, and why: its stream ended or broke. Nothing follows.
    Gone(String),
}

/// A launched agent.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Takes what the coordinator says. Dropping it ends the agent.
    pub to: mpsc::UnboundedSender<ToAgent>,
}

/// Why nobody can speak with an agent that speaks another protocol.
pub(crate) fn mismatch(agent: String, agent_protocol: u32) -> String {
    let coordinator = env!("CARGO_PKG_VERSION").to_owned();
    let coordinator_protocol = PROTOCOL;
    doorbuster_wire::Error::Protocol { coordinator, coordinator_protocol, agent, agent_protocol }.to_string()
}

/// Launches an agent as a child process of this one: `program`, or this program. Its events come tagged with `number`.
///
/// # Errors
/// [`Error::System`] when the process cannot be started.
pub(crate) fn local(
    number: usize,
    program: Option<&Path>,
    assignment: Assignment,
    events: mpsc::UnboundedSender<(usize, Event)>,
) -> Result<Agent, Error> {
    local::launch(number, program, assignment, events)
}
