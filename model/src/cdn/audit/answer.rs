//! What came of a request, as far as an audit looks at it: never the body.

use http::HeaderMap;
use url::Url;

use crate::ErrorClass;

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body's bytes over the wire.
    pub bytes_wire: u64,
    /// The body's bytes after decoding; `None` where its coding is unknown here.
    pub bytes_decoded: Option<u64>,
    /// The SHA-256 of the decoded body; `None` where it was not decoded, or is too long to be kept.
    pub sha256: Option<[u8; 32]>,
    /// For how many seconds it had not been modified when it was sent, by its own Last-Modified and Date; `None` where it
    /// does not tell both.
    pub unmodified_s: Option<u64>,
    /// Whether the decoded body is a gzip file again.
    pub is_packed_inside: bool,
    /// The first shopper whose marker stands in the body, of those who did not ask.
    pub foreign_mark: Option<u64>,
    /// Addresses that the body names.
    pub found: Vec<Found>,
}

/// An address that a body names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Something that a browser fetches with the page.
    Asset(Url),
    /// Something that the page, or its script, leads to.
    Link(Url),
    /// Something that a browser fetches with the page from a host that may not be asked.
    Elsewhere(Url),
}

/// Why there is no complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The class of the error.
    pub class: ErrorClass,
    /// What went wrong.
    pub message: String,
}

/// What a server took of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The version of TLS: `TLS 1.3`.
    pub tls: String,
    /// The version of HTTP: `h2`, `http/1.1`; empty where it chose none.
    pub http: String,
}

/// Why a server did not take an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    /// It will not, and how it said so.
    Refused(String),
    /// Nobody can tell whether it would, and what came instead.
    Unknown(String),
}

impl Declined {
    /// What was seen.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Refused(why) | Self::Unknown(why) => why,
        }
    }
}
