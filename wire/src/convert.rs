//! Between the model's nouns and protobuf's messages.

mod assignment;
mod buckets;
mod exchange;
mod finding;
mod probed;
mod proof;
mod tally;

use doorbuster_model::Report;

use crate::proto::{self, from_agent, to_agent};
use crate::{Error, FromAgent, Message, ToAgent, frame};

/// A number that must fit a smaller type.
fn narrow<T: TryFrom<u64>>(value: impl Into<u64>, part: &'static str) -> Result<T, Error> {
    T::try_from(value.into()).map_err(|_| Error::Impossible { part })
}

/// What protobuf makes of these bytes.
pub(crate) fn read<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, Error> {
    M::decode(bytes).map_err(|source| Error::NotAMessage { length: bytes.len(), source })
}

impl Message for ToAgent {
    fn encode(&self) -> Result<Vec<u8>, Error> {
        frame::framed(&proto::ToAgent::from(self))
    }

    fn decode(frame: &[u8]) -> Result<Self, Error> {
        read::<proto::ToAgent>(frame)?.try_into()
    }
}

impl From<&ToAgent> for proto::ToAgent {
    fn from(message: &ToAgent) -> Self {
        let body = match message {
            ToAgent::Hello { protocol, version } => {
                to_agent::Body::Hello(proto::Hello { protocol: *protocol, version: version.clone() })
            }
            ToAgent::Assign(assignment) => to_agent::Body::Assignment(assignment::to_proto(assignment)),
            ToAgent::Start { at_unix_ns } => to_agent::Body::Start(proto::Start { at_unix_ns: *at_unix_ns }),
            ToAgent::Lease { counter } => to_agent::Body::Lease(proto::Lease { counter: *counter }),
            ToAgent::Stop => to_agent::Body::Stop(proto::Stop {}),
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<proto::ToAgent> for ToAgent {
    type Error = Error;

    fn try_from(message: proto::ToAgent) -> Result<Self, Error> {
        Ok(match message.body.ok_or(Error::Impossible { part: "body" })? {
            to_agent::Body::Hello(hello) => Self::Hello { protocol: hello.protocol, version: hello.version },
            to_agent::Body::Assignment(assignment) => {
                Self::Assign(Box::new(assignment::from_proto(assignment)?))
            }
            to_agent::Body::Start(start) => Self::Start { at_unix_ns: start.at_unix_ns },
            to_agent::Body::Lease(lease) => Self::Lease { counter: lease.counter },
            to_agent::Body::Stop(proto::Stop {}) => Self::Stop,
        })
    }
}

impl Message for FromAgent {
    fn encode(&self) -> Result<Vec<u8>, Error> {
        frame::framed(&proto::FromAgent::from(self))
    }

    fn decode(frame: &[u8]) -> Result<Self, Error> {
        read::<proto::FromAgent>(frame)?.try_into()
    }
}

impl From<&FromAgent> for proto::FromAgent {
    fn from(message: &FromAgent) -> Self {
        let body = match message {
            FromAgent::Hello { protocol, version } => {
                from_agent::Body::Hello(proto::Hello { protocol: *protocol, version: version.clone() })
            }
            FromAgent::Report(Report::Started { clock_unix_ns, version, workers, descriptors_max }) => {
                from_agent::Body::Started(proto::Started {
                    clock_unix_ns: *clock_unix_ns,
                    version: version.clone(),
                    workers: *workers,
                    descriptors_max: *descriptors_max,
                })
            }
            FromAgent::Report(Report::Tick(tick)) => from_agent::Body::Tick(tally::tick_to_proto(tick)),
            FromAgent::Report(Report::Markers { second, markers }) => {
                from_agent::Body::Markers(exchange::markers_to_proto(*second, markers))
            }
            FromAgent::Report(Report::Findings { second, findings, not_kept }) => {
                from_agent::Body::Findings(finding::to_proto(*second, findings, *not_kept))
            }
            FromAgent::Report(Report::Exchange(exchange)) => {
                from_agent::Body::Exchange(exchange::to_proto(exchange))
            }
            FromAgent::Report(Report::Proof(proof)) => from_agent::Body::Proof(proof::to_proto(proof)),
            FromAgent::Report(Report::Probed(walks)) => from_agent::Body::Probed(probed::to_proto(walks)),
            FromAgent::Report(Report::Finished { ticks }) => {
                from_agent::Body::Finished(proto::Finished { ticks: *ticks })
            }
            FromAgent::Report(Report::Failed { message }) => {
                from_agent::Body::Failed(proto::Failed { message: message.clone() })
            }
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<proto::FromAgent> for FromAgent {
    type Error = Error;

    fn try_from(message: proto::FromAgent) -> Result<Self, Error> {
        Ok(match message.body.ok_or(Error::Impossible { part: "body" })? {
            from_agent::Body::Hello(hello) => {
                Self::Hello { protocol: hello.protocol, version: hello.version }
            }
            from_agent::Body::Started(started) => Self::Report(Report::Started {
                clock_unix_ns: started.clock_unix_ns,
                version: started.version,
                workers: started.workers,
                descriptors_max: started.descriptors_max,
            }),
            from_agent::Body::Tick(tick) => {
                Self::Report(Report::Tick(Box::new(tally::tick_from_proto(tick)?)))
            }
            from_agent::Body::Markers(markers) => Self::Report(exchange::markers_from_proto(markers)?),
            from_agent::Body::Findings(findings) => Self::Report(finding::from_proto(findings)?),
            from_agent::Body::Exchange(exchange) => {
                Self::Report(Report::Exchange(Box::new(exchange::from_proto(exchange)?)))
            }
            from_agent::Body::Proof(proof) => {
                Self::Report(Report::Proof(Box::new(proof::from_proto(proof)?)))
            }
            from_agent::Body::Probed(probed) => Self::Report(probed::from_proto(probed)?),
            from_agent::Body::Finished(finished) => Self::Report(Report::Finished { ticks: finished.ticks }),
            from_agent::Body::Failed(failed) => Self::Report(Report::Failed { message: failed.message }),
        })
    }
}
