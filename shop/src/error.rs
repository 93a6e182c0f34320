//! Why the shop could not be started or told something.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the shop could not be started, or why a word on its command line was not understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A listener could not be bound.
    #[error(
        "cannot listen on {address} for {purpose}: {source}; choose another port, or stop what listens there"
    )]
    Listen {
        /// A region's name, or `admin`.
        purpose: String,
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The admin endpoint switches faults on, so it is never offered beyond this host.
    #[error("cannot serve the admin endpoint on {address}: it must be a loopback address such as 127.0.0.1")]
    AdminNotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The access log could not be created.
    #[error("cannot create the access log {}: {source}; name a file in a folder that can be written", path.display())]
    AccessLog {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A fault's kind is not known.
    #[error("cannot read the fault `{given}`: there is no such kind; there are: {kinds}")]
    UnknownFault {
        /// The text as given.
        given: String,
        /// All kinds, with an example value each.
        kinds: String,
    },
    /// A fault's value is missing, malformed, or one too many.
    #[error("cannot read the fault `{given}`: {reason}; write it as `{example}`")]
    FaultValue {
        /// The text as given.
        given: String,
        /// What is wrong with the value.
        reason: String,
        /// How this kind is written.
        example: &'static str,
    },
    /// A region is named that the shop does not serve.
    #[error("cannot use the region `{given}`: the shop serves {known}")]
    UnknownRegion {
        /// The name as given.
        given: String,
        /// The names that exist.
        known: String,
    },
    /// A duration could not be read.
    #[error("cannot read the duration `{given}`: write a whole number with a unit, as 300ms, 2s, 1m or 1h")]
    Duration {
        /// The text as given.
        given: String,
    },
    /// A `REGION=DURATION` setting could not be read.
    #[error("cannot read the round trip `{given}`: write REGION=DURATION, as tokyo=12ms")]
    RoundTrip {
        /// The text as given.
        given: String,
    },
    /// The options contradict themselves or a limit.
    #[error("cannot start the shop: {reason}")]
    Options {
        /// What to change.
        reason: String,
    },
    /// The runtime or its thread could not be started.
    #[error("cannot start the shop's thread: {source}; check the limits on processes and open files")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random bytes for session tokens.
    #[error("cannot draw random bytes for session tokens: {source}; check that the system offers getrandom")]
    Random {
        /// What the system said.
        source: getrandom::Error,
    },
    /// The demo could not write what it serves.
    #[error("cannot print what the demo shop serves: {source}")]
    Print {
        /// What the system said.
        source: io::Error,
    },
    /// The demo could not wait for Ctrl-C.
    #[error("cannot wait for Ctrl-C: {source}")]
    Signal {
        /// What the system said.
        source: io::Error,
    },
}
