//! The link of an agent that dials in: what goes up and down a stream that may break and come back.
//!
//! Whatever carries these messages knows where each ends, so that they come without a length. What is said and told has a
//! sequence, and is sent again after a break until the other side has received it: see [`Sending`](crate::Sending).

use std::fmt;

use prost::Message as _;

use crate::convert::read;
use crate::proto::{self, downward, upward};
use crate::{Error, FromAgent, ToAgent};

/// What an agent that dialled in sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upward {
    /// The first message of a stream, after a break too.
    Join {
        /// The agent's name, the same for as long as its process lives.
        agent: String,
        /// The region that it is in.
        region: String,
        /// Its [`PROTOCOL`](crate::PROTOCOL).
        protocol: u32,
        /// Its version, for people.
        version: String,
        /// The last sequence of the other side that came through; 0 before the first.
        received: u64,
    },
    /// What the agent says.
    Said {
        /// Its sequence, from 1.
        sequence: u64,
        /// What it says.
        message: FromAgent,
    },
    /// Everything that was told up to here came.
    Received {
        /// The last sequence.
        sequence: u64,
    },
    /// Nothing new, but somebody is there.
    Alive,
}

/// What an agent that dialled in is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downward {
    /// The answer to [`Upward::Join`].
    Welcome {
        /// The last sequence of the agent's that came through; 0 before the first.
        received: u64,
    },
    /// The other answer: the agent is not taken.
    Refused {
        /// Why.
        why: String,
    },
    /// What the coordinator says.
    Told {
        /// Its sequence, from 1.
        sequence: u64,
        /// What it says.
        message: ToAgent,
    },
    /// Everything that was said up to here came.
    Received {
        /// The last sequence.
        sequence: u64,
    },
    /// The assignment is over; the next may come.
    Over,
}

/// What somebody sends who has a token, and no certificate yet. The token is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrol {
    /// The token, which can be used once.
    pub token: String,
    /// The request for a certificate.
    pub csr_pem: String,
}

/// What he gets for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// His certificate.
    pub certificate_pem: String,
    /// That of the authority which he is to trust.
    pub ca_pem: String,
}

impl Upward {
    /// The message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let body = match self {
            Self::Join { agent, region, protocol, version, received } => upward::Body::Join(proto::Join {
                agent: agent.clone(),
                region: region.clone(),
                protocol: *protocol,
                version: version.clone(),
                received: *received,
            }),
            Self::Said { sequence, message } => {
                upward::Body::Said(proto::Said { sequence: *sequence, message: Some(message.into()) })
            }
            Self::Received { sequence } => upward::Body::Received(proto::Received { sequence: *sequence }),
            Self::Alive => upward::Body::Alive(proto::Alive {}),
        };
        proto::Upward { body: Some(body) }.encode_to_vec()
    }

    /// The message of these bytes.
    ///
    /// # Errors
    /// [`Error::NotAMessage`] or [`Error::Impossible`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Ok(match read::<proto::Upward>(bytes)?.body.ok_or(Error::Impossible { part: "body" })? {
            upward::Body::Join(proto::Join { agent, region, protocol, version, received }) => {
                Self::Join { agent, region, protocol, version, received }
            }
            upward::Body::Said(said) => {
                let message = said.message.ok_or(Error::Impossible { part: "body" })?;
                Self::Said { sequence: said.sequence, message: message.try_into()? }
            }
            upward::Body::Received(received) => Self::Received { sequence: received.sequence },
            upward::Body::Alive(proto::Alive {}) => Self::Alive,
        })
    }
}

impl Downward {
    /// The message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let body = match self {
            Self::Welcome { received } => downward::Body::Welcome(proto::Welcome { received: *received }),
            Self::Refused { why } => downward::Body::Refused(proto::Refused { why: why.clone() }),
            Self::Told { sequence, message } => {
                downward::Body::Told(proto::Told { sequence: *sequence, message: Some(message.into()) })
            }
            Self::Received { sequence } => downward::Body::Received(proto::Received { sequence: *sequence }),
            Self::Over => downward::Body::Over(proto::Over {}),
        };
        proto::Downward { body: Some(body) }.encode_to_vec()
    }

    /// The message of these bytes.
    ///
    /// # Errors
    /// [`Error::NotAMessage`] or [`Error::Impossible`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Ok(match read::<proto::Downward>(bytes)?.body.ok_or(Error::Impossible { part: "body" })? {
            downward::Body::Welcome(proto::Welcome { received }) => Self::Welcome { received },
            downward::Body::Refused(proto::Refused { why }) => Self::Refused { why },
            downward::Body::Told(told) => {
                let message = told.message.ok_or(Error::Impossible { part: "body" })?;
                Self::Told { sequence: told.sequence, message: message.try_into()? }
            }
            downward::Body::Received(received) => Self::Received { sequence: received.sequence },
            downward::Body::Over(proto::Over {}) => Self::Over,
        })
    }
}

impl Enrol {
    /// The message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Self { token, csr_pem } = self.clone();
        proto::Enrol { token, csr_pem }.encode_to_vec()
    }

    /// The message of these bytes.
    ///
    /// # Errors
    /// [`Error::NotAMessage`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let proto::Enrol { token, csr_pem } = read(bytes)?;
        Ok(Self { token, csr_pem })
    }
}

impl fmt::Debug for Enrol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Enrol").field("csr_pem", &self.csr_pem).finish_non_exhaustive()
    }
}

impl Enrolled {
    /// The message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Self { certificate_pem, ca_pem } = self.clone();
        proto::Enrolled { certificate_pem, ca_pem }.encode_to_vec()
    }

    /// The message of these bytes.
    ///
    /// # Errors
    /// [`Error::NotAMessage`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let proto::Enrolled { certificate_pem, ca_pem } = read(bytes)?;
        Ok(Self { certificate_pem, ca_pem })
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::Report;

    use super::*;
    use crate::PROTOCOL;

    #[test]
    fn every_message_of_the_link_survives_the_wire() {
        let join = Upward::Join {
            agent: "host-7".to_owned(),
            region: "tokyo".to_owned(),
            protocol: PROTOCOL,
            version: "1.2.3".to_owned(),
            received: u64::MAX,
        };
        let said = FromAgent::Report(Report::Finished { ticks: 9 });
        let said = Upward::Said { sequence: 3, message: said };
        for message in [join, said, Upward::Received { sequence: 0 }, Upward::Alive] {
            assert_eq!(Upward::decode(&message.encode()), Ok(message));
        }
        let told = Downward::Told { sequence: 1 << 40, message: ToAgent::Stop };
        let refused = Downward::Refused { why: "no such region".to_owned() };
        let others = [Downward::Welcome { received: 5 }, Downward::Received { sequence: 2 }, Downward::Over];
        for message in others.into_iter().chain([told, refused]) {
            assert_eq!(Downward::decode(&message.encode()), Ok(message));
        }
        let enrol = Enrol { token: "t".to_owned(), csr_pem: "-----BEGIN".to_owned() };
        assert_eq!(Enrol::decode(&enrol.encode()), Ok(enrol));
        let enrolled = Enrolled { certificate_pem: "c".to_owned(), ca_pem: "a".to_owned() };
        assert_eq!(Enrolled::decode(&enrolled.encode()), Ok(enrolled));
    }

    #[test]
    fn a_token_is_not_shown() {
        let enrol = Enrol { token: "hush".to_owned(), csr_pem: "-----BEGIN".to_owned() };
        assert_eq!(format!("{enrol:?}"), "Enrol { csr_pem: \"-----BEGIN\", .. }");
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let said = proto::Said { sequence: 1, message: None };
        let empty = proto::Upward { body: Some(upward::Body::Said(said)) }.encode_to_vec();
        assert_eq!(Upward::decode(&empty), Err(Error::Impossible { part: "body" }));
        assert_eq!(Upward::decode(&[]), Err(Error::Impossible { part: "body" }));
        assert_eq!(Downward::decode(&[]), Err(Error::Impossible { part: "body" }));
        assert!(matches!(Downward::decode(b"HTTP/1.1"), Err(Error::NotAMessage { length: 8, .. })));
    }
}
