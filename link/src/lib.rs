//! What agents that dial in and their coordinator agree upon beside the messages themselves: the calls of the service, names
//! in certificates, and limits. Both sides speak gRPC by tonic's core over a connection of their own, mutual TLS under it.

mod bytes;
mod name;

use std::time::Duration;

pub use self::bytes::Messages;
pub use name::{agent_name, certificate_name};

/// The call that hands a token in for a certificate. The only one that needs no certificate.
pub const ENROL: &str = "/doorbuster.Fleet/Enrol";
/// The call that gives an agent its next certificate, for the same key.
pub const RENEW: &str = "/doorbuster.Fleet/Renew";
/// The stream, both ways, on which an agent takes assignments and reports.
pub const JOIN: &str = "/doorbuster.Fleet/Join";

/// The longest message: a frame (16 MiB) with what stands around it.
pub const MESSAGE_BYTES_MAX: usize = (16 << 20) + (64 << 10);
/// The longest message of an enrolment: a token, a request in PEM.
pub const ENROL_BYTES_MAX: usize = 64 << 10;

/// How long an agent's certificate holds.
pub const CERTIFICATE_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// An agent renews a certificate that does not hold for so long any more.
pub const RENEW_BEFORE: Duration = Duration::from_secs(8 * 3_600);

/// How often each side asks, on a connection without traffic, whether the other is still there.
pub const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);
/// How long the answer may take: with the interval, less than a lease.
pub const KEEP_ALIVE_WITHIN: Duration = Duration::from_secs(7);
/// A stream on which an agent has said nothing for so long is broken; it says something every [`KEEP_ALIVE_EVERY`].
pub const SILENCE_MAX: Duration = Duration::from_secs(15);
