//! What a set of exchanges came to.

use std::collections::BTreeMap;

use doorbuster_model::cdn::Layer;
use doorbuster_model::{ErrorClass, tally};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distribution;

/// What a set of exchanges came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Exchanges {
    /// Exchanges attempted.
    pub requests: u64,
    /// Exchanges whose head was fully written: what the server's log can know.
    pub requests_sent: u64,
    /// Exchanges given up because the run ended: neither good nor failed.
    pub cut: u64,
    /// Failed exchanges.
    pub errors: u64,
    /// Failed exchanges by class.
    pub errors_by_class: ErrorsByClass,
    /// Failed exchanges by whose failure it is, as far as answers and connections tell.
    pub errors_by_layer: ErrorsByLayer,
    /// Answers by HTTP status: `{"200": 12}`.
    pub statuses: BTreeMap<String, u64>,
    /// Complete answers that are not what the journey expects: the class `expectation`.
    pub business_failures: u64,
    /// Body bytes over the wire.
    pub bytes_wire: u64,
    /// Body bytes after decoding, of the answers that were decoded.
    pub bytes_decoded: u64,
    /// How many answers were decoded.
    pub decoded_sampled: u64,
    /// From the intended start to the end of the answer: complete good answers, and timeouts at the time waited.
    pub latency_ms: Distribution,
    /// From the actual send to the end of the answer: the same exchanges.
    pub service_ms: Distribution,
    /// Waiting for a connection, its opening included.
    pub queue_ms: Distribution,
    /// From the actual send to the answer's head.
    pub first_byte_ms: Distribution,
    /// Failures other than timeouts, from the intended start: never among the latencies.
    pub failed_ms: Distribution,
}

/// Failed exchanges by class: a count for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct ErrorsByClass {
    /// The name did not resolve.
    pub dns: u64,
    /// No connection.
    pub connect: u64,
    /// No TLS session.
    pub tls: u64,
    /// Something took longer than its limit.
    pub timeout: u64,
    /// The connection broke before the answer's head was complete.
    pub reset: u64,
    /// What came is not HTTP, or breaks a limit on heads.
    pub protocol: u64,
    /// An answer whose status the journey does not accept.
    pub status: u64,
    /// A complete answer that is not what the journey expects.
    pub expectation: u64,
    /// The body broke off, could not be decoded, or was over the limit.
    pub body: u64,
}

impl ErrorsByClass {
    fn of(errors: &[u64; ErrorClass::ALL.len()]) -> Self {
        let count = |class: ErrorClass| errors[class as usize];
        Self {
            dns: count(ErrorClass::Dns),
            connect: count(ErrorClass::Connect),
            tls: count(ErrorClass::Tls),
            timeout: count(ErrorClass::Timeout),
            reset: count(ErrorClass::Reset),
            protocol: count(ErrorClass::Protocol),
            status: count(ErrorClass::Status),
            expectation: count(ErrorClass::Expectation),
            body: count(ErrorClass::Body),
        }
    }
}

/// Failed exchanges by whose failure it is: a count for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct ErrorsByLayer {
    /// The content delivery network, its functions and its firewall.
    pub edge: u64,
    /// The load balancer.
    pub balancer: u64,
    /// The shop.
    pub origin: u64,
    /// The generator's own machine.
    pub generator: u64,
}

impl ErrorsByLayer {
    fn of(layers: &[u64; Layer::ALL.len()]) -> Self {
        let count = |layer: Layer| layers[layer as usize];
        Self {
            edge: count(Layer::Edge),
            balancer: count(Layer::Balancer),
            origin: count(Layer::Origin),
            generator: count(Layer::Generator),
        }
    }
}

impl Exchanges {
    pub(super) fn of(exchanges: &tally::Exchanges) -> Self {
        Self {
            requests: exchanges.requests,
            requests_sent: exchanges.requests_sent,
            cut: exchanges.cut,
            errors: exchanges.errors_total(),
            errors_by_class: ErrorsByClass::of(&exchanges.errors),
            errors_by_layer: ErrorsByLayer::of(&exchanges.layers),
            statuses: exchanges.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
            business_failures: exchanges.business_failures(),
            bytes_wire: exchanges.bytes_wire,
            bytes_decoded: exchanges.bytes_decoded,
            decoded_sampled: exchanges.decoded_sampled,
            latency_ms: Distribution::of(&exchanges.latency),
            service_ms: Distribution::of(&exchanges.service),
            queue_ms: Distribution::of(&exchanges.queue),
            first_byte_ms: Distribution::of(&exchanges.first_byte),
            failed_ms: Distribution::of(&exchanges.failed),
        }
    }
}
