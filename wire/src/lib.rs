//! The protocol between coordinator and agents: protobuf messages in bounded, length-prefixed frames.
//!
//! This is the only crate that knows protobuf. Everyone else speaks in [`ToAgent`], [`FromAgent`] and the nouns of
//! `doorbuster-model`. Nothing here does I/O: [`Message::encode`] makes bytes, [`Frames`] takes them apart.
//!
//! A child process hears and says nothing but these. A function is invoked with an [`Invocation`] and looks at a [`Board`]; an
//! agent that dials in wraps them into [`Upward`] and [`Downward`], so that a broken stream ([`Sending`], [`Receiving`])
//! loses and doubles nothing.

mod board;
mod convert;
mod frame;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod invocation;
mod link;
#[allow(missing_docs, unreachable_pub, clippy::all)]
#[rustfmt::skip]
mod proto;
mod resume;

#[cfg(test)]
mod tests;

use doorbuster_model::{Assignment, Report};

pub use board::Board;
pub use frame::{FRAME_BYTES_MAX, Frames};
pub use invocation::{Bundle, Invocation};
pub use link::{Downward, Enrol, Enrolled, Upward};
pub use resume::{Full, Receiving, Sending, Take, Weigh};

/// The protocol's version. Both sides say theirs in their first frame; a difference ends the conversation.
pub const PROTOCOL: u32 = 4;

/// What the coordinator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToAgent {
    /// The first frame.
    Hello {
        /// The coordinator's [`PROTOCOL`].
        protocol: u32,
        /// The coordinator's version, for people.
        version: String,
    },
    /// What to do.
    Assign(Box<Assignment>),
    /// When second 0 begins, on the agent's wall clock, in nanoseconds since 1970. Whoever covers a later generation of a run
    /// hears of one that is past.
    Start {
        /// The instant.
        at_unix_ns: u64,
    },
    /// A counter above every earlier one renews the lease.
    Lease {
        /// The counter.
        counter: u64,
    },
    /// Start nothing any more, end soon, report what was measured.
    Stop,
}

/// What an agent says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromAgent {
    /// The first frame.
    Hello {
        /// The agent's [`PROTOCOL`].
        protocol: u32,
        /// The agent's version, for people.
        version: String,
    },
    /// A report.
    Report(Report),
}

/// Why frames could not be made or understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A frame says that it is longer than any frame may be: the stream is not what it should be.
    #[error("a frame of {length} bytes came, and at most {max} are read: the other side is no Doorbuster, or something else printed into the stream", max = FRAME_BYTES_MAX)]
    FrameTooLong {
        /// The length that the frame claims.
        length: usize,
    },
    /// A message outgrew a frame.
    #[error("a message of {length} bytes does not fit a frame of {max}: use fewer steps, journeys or agents", max = FRAME_BYTES_MAX)]
    MessageTooLong {
        /// The message's length.
        length: usize,
    },
    /// The bytes are no such message.
    #[error(
        "a frame of {length} bytes is no message of this protocol ({source}): the other side is of another version, or broken"
    )]
    NotAMessage {
        /// The frame's length.
        length: usize,
        /// What protobuf says.
        source: prost::DecodeError,
    },
    /// A message without content, or with content that cannot be.
    #[error("a message came whose {part} cannot be: the other side is of another version, or broken")]
    Impossible {
        /// Which part of the message.
        part: &'static str,
    },
    /// A function was invoked with something else.
    #[error(
        "the payload is no invocation of this version ({why}): the other side is of another version, or no coordinator"
    )]
    NotAnInvocation {
        /// What is wrong with it.
        why: String,
    },
    /// The two sides speak different versions of the protocol.
    #[error(
        "the coordinator {coordinator} speaks protocol {coordinator_protocol} and the agent {agent} speaks protocol {agent_protocol}: install the same version of Doorbuster on both sides"
    )]
    Protocol {
        /// The coordinator's version.
        coordinator: String,
        /// The coordinator's protocol.
        coordinator_protocol: u32,
        /// The agent's version.
        agent: String,
        /// The agent's protocol.
        agent_protocol: u32,
    },
}

/// A message that travels in a frame.
pub trait Message: Sized {
    /// The message as a frame: its length in four bytes, big-endian, then itself.
    ///
    /// # Errors
    /// [`Error::MessageTooLong`] when it does not fit.
    fn encode(&self) -> Result<Vec<u8>, Error>;

    /// The message of a frame without its length.
    ///
    /// # Errors
    /// [`Error::NotAMessage`] or [`Error::Impossible`].
    fn decode(frame: &[u8]) -> Result<Self, Error>;
}
