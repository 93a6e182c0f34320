//! Why an agent could not do its work.

use std::io;

/// Why an agent could not do its work. Failures of the target are samples, never errors of this kind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The coordinator's bytes could not be understood.
    #[error("reading from the coordinator: {0}")]
    Wire(#[from] doorbuster_wire::Error),
    /// The plan that came with the assignment is not one.
    #[error("the assignment's plan cannot be read:\n{0}")]
    Plan(doorbuster_notation::Faults),
    /// A journey that came with the assignment is not one.
    #[error("a journey of the assignment cannot be read:\n{0}")]
    Journey(doorbuster_notation::Faults),
    /// The assignment lacks something or contradicts itself.
    #[error("the assignment cannot be carried out: {0}")]
    Assignment(String),
    /// The target may not be loaded.
    #[error(
        "{host} was not named with --allow-host, and this load is more than a stranger may get; nothing was sent"
    )]
    NotAllowed {
        /// The host.
        host: String,
    },
    /// Certificates or keys that cannot be used.
    #[error("TLS cannot be set up from {what}: {why}")]
    Tls {
        /// Which file or setting.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// An assignment that is over, or that nobody waits for any more.
    #[error(
        "the assignment came {late_ms} ms too late: it was held up on its way, or the clocks of this machine and its coordinator differ; nothing was sent"
    )]
    TooLate {
        /// How late.
        late_ms: u64,
    },
    /// The coordinator has gone.
    #[error("{why}; the agent stopped, so that no load goes on without its coordinator")]
    CoordinatorGone {
        /// How that was seen.
        why: &'static str,
    },
    /// An agent that joins lacks something that people must give it.
    #[error("{0}")]
    Join(String),
    /// An agent's process cannot be told something, or says what cannot be understood.
    #[error("speaking with the agent's process: {0}")]
    Process(doorbuster_wire::Error),
    /// AWS, or what it has handed over, is not what it should be.
    #[error("{what}: {why}")]
    Aws {
        /// What was attempted.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A resource of this machine is missing.
    #[error("{what}: {source}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}
