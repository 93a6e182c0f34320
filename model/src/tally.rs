//! What a stretch of time came to: counts and histograms per key.

mod place;

use std::collections::BTreeMap;

use crate::cdn::{Counts, Layer, Says};
use crate::{ErrorClass, Histogram, Sample};

pub use place::{POPS_MAX, Place};

/// An arrival that starts later than this after its intended start counts as late.
pub const LATE_NS: u64 = 10_000_000;
/// The most distinct failures that are kept with an example; more are counted under the counter
/// `failures_not_kept`.
pub const FAILURES_MAX: usize = 50;
/// The most distinct counters.
pub const COUNTERS_MAX: usize = 64;
/// The most paths of answers that belong to no class of content; answers of more are counted under the counter
/// `unclassified_not_kept`.
pub const UNCLASSIFIED_MAX: usize = 20;
/// How much of such a path is kept.
const PATH_BYTES_MAX: usize = 200;

/// Which exchange of a step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The step's own request.
    Main,
    /// An asset of its page.
    Asset,
    /// A hop that a redirect led to.
    Hop,
}

/// What a sample belongs to. Journey and step are positions in the plan and in the journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Position of the journey in the plan.
    pub journey: u16,
    /// Position of the step among the journey's requests.
    pub step: u16,
    /// Which exchange of the step.
    pub part: Part,
    /// Position among the run's sections ([`crate::Pace::sections`]), by intended start.
    pub section: u16,
}

/// Counts and histograms of the exchanges of one key. All durations in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanges {
    /// Exchanges attempted.
    pub requests: u64,
    /// Exchanges whose head was fully written: what a server's log can know.
    pub requests_sent: u64,
    /// Exchanges given up because the run ended; they have no time and no outcome.
    pub cut: u64,
    /// Failures by [`ErrorClass`], in its order.
    pub errors: [u64; ErrorClass::ALL.len()],
    /// Failures by the [`Layer`] that they belong to, in its order, as far as somebody could tell.
    pub layers: [u64; Layer::ALL.len()],
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Body bytes over the wire.
    pub bytes_wire: u64,
    /// Body bytes after decoding, of those that were decoded.
    pub bytes_decoded: u64,
    /// How many answers were decoded.
    pub decoded_sampled: u64,
    /// From the intended start: complete good answers, and timeouts.
    pub latency: Histogram,
    /// From the actual send: the same exchanges, as far as they were sent.
    pub service: Histogram,
    /// Waiting for a connection, its opening included.
    pub queue: Histogram,
    /// From the actual send to the answer's head.
    pub first_byte: Histogram,
    /// Failures other than timeouts, from the intended start.
    pub failed: Histogram,
    /// Pages: from the document's intended start to the last asset's end.
    pub page: Histogram,
}

impl Exchanges {
    /// All failures.
    pub fn errors_total(&self) -> u64 {
        self.errors.iter().sum()
    }

    /// Failed expectations: complete answers that are not what the journey expects.
    pub fn business_failures(&self) -> u64 {
        self.errors[ErrorClass::Expectation as usize]
    }

    fn record(&mut self, sample: &Sample) {
        let since = |from_ns: u64, to_ns: u64| to_ns.saturating_sub(from_ns) / 1_000;
        let times = &sample.times;
        self.requests += 1;
        self.bytes_wire += sample.bytes_wire;
        if let Some(bytes) = sample.bytes_decoded {
            self.bytes_decoded += bytes;
            self.decoded_sampled += 1;
        }
        if let Some(status) = sample.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        if let Some(error) = sample.error {
            self.errors[error as usize] += 1;
            if let Some(layer) = sample.layer {
                self.layers[layer as usize] += 1;
            }
        }
        if let Some(sent_ns) = times.sent_ns {
            self.requests_sent += 1;
            self.queue.record_us(since(times.handled_ns, sent_ns));
        }
        if sample.cut {
            self.cut += 1;
            return;
        }
        if times.sent_ns.is_none() && sample.error == Some(ErrorClass::Timeout) {
            // The longest waits are those that ended without a connection.
            self.queue.record_us(since(times.handled_ns, times.ended_ns));
        }
        if !sample.counts_as_latency() {
            self.failed.record_us(since(times.intended_ns, times.ended_ns));
            return;
        }
        self.latency.record_us(since(times.intended_ns, times.ended_ns));
        if let Some(sent_ns) = times.sent_ns {
            self.service.record_us(since(sent_ns, times.ended_ns));
            if let Some(first_byte_ns) = times.first_byte_ns {
                self.first_byte.record_us(since(sent_ns, first_byte_ns));
            }
        }
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.requests_sent += other.requests_sent;
        self.cut += other.cut;
        for (mine, theirs) in self.errors.iter_mut().zip(other.errors) {
            *mine += theirs;
        }
        for (mine, theirs) in self.layers.iter_mut().zip(other.layers) {
            *mine += theirs;
        }
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.bytes_wire += other.bytes_wire;
        self.bytes_decoded += other.bytes_decoded;
        self.decoded_sampled += other.decoded_sampled;
        self.latency.merge(&other.latency);
        self.service.merge(&other.service);
        self.queue.merge(&other.queue);
        self.first_byte.merge(&other.first_byte);
        self.failed.merge(&other.failed);
        self.page.merge(&other.page);
    }
}

/// What became of the journeys of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journeys {
    /// Begun.
    pub started: u64,
    /// Walked to the end.
    pub completed: u64,
    /// Ended by a failure.
    pub failed: u64,
    /// Left by a shopper, as the journey says some do.
    pub abandoned: u64,
    /// Cut off when the run ended.
    pub cut: u64,
}

impl Journeys {
    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        self.started += other.started;
        self.completed += other.completed;
        self.failed += other.failed;
        self.abandoned += other.abandoned;
        self.cut += other.cut;
    }
}

/// When arrivals (closed model: iterations) really started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Started.
    pub started: u64,
    /// Started over [`LATE_NS`] after their intended start.
    pub late: u64,
    /// Intended start to the moment when the engine handles it; first steps and later ones.
    pub lag: Histogram,
}

/// How connections were opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Opened.
    pub opened: u64,
    /// Name look-ups.
    pub dns: Histogram,
    /// TCP handshakes.
    pub connect: Histogram,
    /// TLS handshakes.
    pub tls: Histogram,
}

/// A kind of failure, with how often it came and the first message of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How often.
    pub count: u64,
    /// An example: what was attempted, on what, why it failed.
    pub example: String,
}

/// Everything that was counted in a stretch of time (a second of one agent, or a whole run of all).
/// [`Tally::merge`] is associative and commutative, save for which example of a failure is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Exchanges per key.
    pub exchanges: BTreeMap<Key, Exchanges>,
    /// Journeys by their position in the plan.
    pub journeys: BTreeMap<u16, Journeys>,
    /// What the edge did, by class of content, section and edge location.
    pub caching: BTreeMap<Place, Counts>,
    /// Answers that belong to no class, by path.
    pub unclassified: BTreeMap<String, u64>,
    /// Arrivals and their lag.
    pub arrivals: Arrivals,
    /// Connections.
    pub connections: Connections,
    /// Answers that were a firewall's challenge.
    pub challenges: u64,
    /// Visible limits and other counters, by name.
    pub counters: BTreeMap<String, u64>,
    /// Failures by journey, step and class.
    pub failures: BTreeMap<(u16, u16, ErrorClass), Failures>,
}

impl Tally {
    /// Counts an exchange.
    pub fn record(&mut self, sample: &Sample) {
        self.exchanges.entry(sample.key).or_default().record(sample);
        if sample.status.is_some() {
            let place = Place { class: sample.class, section: sample.key.section, pop: sample.head.pop };
            match self.caching.get_mut(&place) {
                Some(counts) => counts.record(sample),
                None => {
                    self.caching.entry(place).or_default().record(sample);
                    self.bound_pops();
                }
            }
            self.challenges += u64::from(sample.head.says.any(Says::CHALLENGED));
            if sample.head.says.any(Says::UNREADABLE) {
                self.count("cdn_headers_unreadable", 1);
            }
        }
        if let Some(opened) = &sample.opened {
            self.connections.opened += 1;
            self.connections.connect.record_us(opened.connect_ns / 1_000);
            if let Some(dns_ns) = opened.dns_ns {
                self.connections.dns.record_us(dns_ns / 1_000);
            }
            if let Some(tls_ns) = opened.tls_ns {
                self.connections.tls.record_us(tls_ns / 1_000);
            }
        }
    }

    /// Counts a page: `us` microseconds from the document's intended start to the last asset's end.
    pub fn record_page_us(&mut self, key: Key, us: u64) {
        self.exchanges.entry(key).or_default().page.record_us(us);
    }

    /// Counts how late something was handled: an arrival's first step (`arrival`), or a later step.
    pub fn record_lag(&mut self, lag_ns: u64, arrival: bool) {
        self.arrivals.lag.record_us(lag_ns / 1_000);
        if arrival {
            self.arrivals.started += 1;
            self.arrivals.late += u64::from(lag_ns > LATE_NS);
        }
    }

    /// Raises a counter.
    pub fn count(&mut self, name: &str, by: u64) {
        if let Some(counter) = self.counters.get_mut(name) {
            *counter += by;
        } else if self.counters.len() < COUNTERS_MAX {
            self.counters.insert(name.to_owned(), by);
        } else {
            *self.counters.entry("counters_not_kept".to_owned()).or_default() += by;
        }
    }

    /// Notes a failure of a step with an example message.
    pub fn fail(&mut self, journey: u16, step: u16, class: ErrorClass, message: impl FnOnce() -> String) {
        self.add_failures((journey, step, class), 1, message);
    }

    /// Notes the path, without its query, of an answer that belongs to no class.
    pub fn note_unclassified(&mut self, path: &str) {
        // Paths are ASCII once they are parsed, so they may be cut anywhere.
        self.add_unclassified(path.get(..PATH_BYTES_MAX).unwrap_or(path), 1);
    }

    /// Those that come first in the alphabet are kept, so that it does not matter in which order they came.
    fn add_unclassified(&mut self, path: &str, count: u64) {
        if let Some(known) = self.unclassified.get_mut(path) {
            *known += count;
            return;
        }
        let is_full = self.unclassified.len() >= UNCLASSIFIED_MAX;
        if is_full && self.unclassified.last_key_value().is_some_and(|(last, _)| last.as_str() < path) {
            self.count("unclassified_not_kept", count);
            return;
        }
        self.unclassified.insert(path.to_owned(), count);
        if is_full && let Some((_, left_out)) = self.unclassified.pop_last() {
            self.count("unclassified_not_kept", left_out);
        }
    }

    /// Leaves out edge locations that there are too many of.
    fn bound_pops(&mut self) {
        let left_out = place::bound(&mut self.caching);
        if left_out > 0 {
            self.count("pops_not_kept", left_out);
        }
    }

    fn add_failures(&mut self, key: (u16, u16, ErrorClass), count: u64, example: impl FnOnce() -> String) {
        if let Some(failures) = self.failures.get_mut(&key) {
            failures.count += count;
        } else if self.failures.len() < FAILURES_MAX {
            self.failures.insert(key, Failures { count, example: example() });
        } else {
            self.count("failures_not_kept", count);
        }
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (key, theirs) in &other.exchanges {
            self.exchanges.entry(*key).or_default().merge(theirs);
        }
        for (journey, theirs) in &other.journeys {
            self.journeys.entry(*journey).or_default().merge(theirs);
        }
        for (place, theirs) in &other.caching {
            self.caching.entry(*place).or_default().merge(theirs);
        }
        self.bound_pops();
        for (path, count) in &other.unclassified {
            self.add_unclassified(path, *count);
        }
        self.arrivals.started += other.arrivals.started;
        self.arrivals.late += other.arrivals.late;
        self.arrivals.lag.merge(&other.arrivals.lag);
        self.connections.opened += other.connections.opened;
        self.connections.dns.merge(&other.connections.dns);
        self.connections.connect.merge(&other.connections.connect);
        self.connections.tls.merge(&other.connections.tls);
        self.challenges += other.challenges;
        for (name, by) in &other.counters {
            self.count(name, *by);
        }
        for (key, theirs) in &other.failures {
            self.add_failures(*key, theirs.count, || theirs.example.clone());
        }
    }

    /// All exchanges of the keys that `wanted` accepts, merged.
    pub fn exchanges_where(&self, wanted: impl Fn(&Key) -> bool) -> Exchanges {
        let mut sum = Exchanges::default();
        self.exchanges.iter().filter(|(key, _)| wanted(key)).for_each(|(_, exchanges)| sum.merge(exchanges));
        sum
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
#[path = "tally/tests.rs"]
mod tests;
