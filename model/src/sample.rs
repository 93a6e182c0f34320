//! What one exchange was measured as.

use crate::cdn::{ClassId, Head, Layer, Verb};
use crate::tally::Key;

/// Why an exchange failed. The order is that of the arrays in a [`crate::tally::Exchanges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// The name did not resolve.
    Dns,
    /// No connection.
    Connect,
    /// No TLS session.
    Tls,
    /// Something took longer than its limit.
    Timeout,
    /// The connection broke before the answer's head was complete.
    Reset,
    /// What came is not HTTP, or breaks a limit on heads.
    Protocol,
    /// An answer whose status the journey does not accept.
    Status,
    /// A complete answer that is not what the journey expects: a business failure.
    Expectation,
    /// The body broke off, could not be decoded, or was over the limit.
    Body,
}

impl ErrorClass {
    /// All classes, in order.
    pub const ALL: [Self; 9] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::Status,
        Self::Expectation,
        Self::Body,
    ];

    /// The word of the report's `errors_by_class`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Expectation => "expectation",
            Self::Body => "body",
        }
    }
}

/// When the parts of an exchange happened, in nanoseconds of the agent's monotonic clock since the run's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When it was to start: latency counts from here.
    pub intended_ns: u64,
    /// When the engine took it in hand. `handled − intended` is the schedule lag.
    pub handled_ns: u64,
    /// When its head was given to a connection: service time counts from here. `sent − handled` is the queue.
    pub sent_ns: Option<u64>,
    /// When the answer's head was complete.
    pub first_byte_ns: Option<u64>,
    /// When it was over: answered, failed or given up.
    pub ended_ns: u64,
}

/// How long the parts of opening a connection took, where this exchange opened one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTimes {
    /// Looking the name up, in nanoseconds; `None` for a literal address.
    pub dns_ns: Option<u64>,
    /// The TCP handshake, in nanoseconds.
    pub connect_ns: u64,
    /// The TLS handshake, in nanoseconds; `None` without TLS.
    pub tls_ns: Option<u64>,
}

/// One measured exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What it belongs to.
    pub key: Key,
    /// When its parts happened.
    pub times: Times,
    /// Set where this exchange opened its connection.
    pub opened: Option<ConnectTimes>,
    /// The answer's status; `None` when no head came.
    pub status: Option<u16>,
    /// Why it failed; `None` when it is good.
    pub error: Option<ErrorClass>,
    /// Given up because the run ended: attempted, perhaps sent, neither good nor failed, without a time.
    pub cut: bool,
    /// Body bytes as they came over the wire.
    pub bytes_wire: u64,
    /// Body bytes after decoding; `None` when nobody decoded it.
    pub bytes_decoded: Option<u64>,
    /// What kind of request it is.
    pub verb: Verb,
    /// What the answer's head says of its way through the edge.
    pub head: Head,
    /// The class of content that it belongs to.
    pub class: ClassId,
    /// The answer is text that an edge could have compressed ([`crate::cdn::Observed::is_compressible`]).
    pub is_text: bool,
    /// The answer belongs to the sample by whose bodies savings are judged, which is chosen whatever they came in.
    pub is_sampled: bool,
    /// The answer is a miss of what this worker never asked for before, in whatever way its address was written: it fills
    /// the cache.
    pub is_first_miss: bool,
    /// To whom its failure belongs ([`crate::cdn::Failure::layer`]); `None` when it is good, or when nobody can tell.
    pub layer: Option<Layer>,
}

impl Sample {
    /// An exchange of which no more is known than what it belongs to and when its parts happened.
    pub fn new(key: Key, times: Times) -> Self {
        Self {
            key,
            times,
            opened: None,
            status: None,
            error: None,
            cut: false,
            bytes_wire: 0,
            bytes_decoded: None,
            verb: Verb::Get,
            head: Head::default(),
            class: ClassId::UNCLASSIFIED,
            is_text: false,
            is_sampled: false,
            is_first_miss: false,
            layer: None,
        }
    }

    /// Whether it counts among the latencies: complete good answers, and timeouts at the time waited.
    /// Other failures are kept apart, so that a fast error never looks like a fast page.
    pub fn counts_as_latency(&self) -> bool {
        matches!(self.error, None | Some(ErrorClass::Timeout))
    }
}
