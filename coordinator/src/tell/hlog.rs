//! HdrHistogram interval logs (V2, compressed), which the HdrHistogram tools read.
//!
//! One log per region. Each has intervals per tag: `latency` (from the intended start) and `service` (from the actual send).
//! After a run it is one interval over all of it; of a run that is kept, one per second. Values are microseconds; the column
//! for the maximum is in milliseconds.

use std::io;
use std::time::{Duration, SystemTime};

use doorbuster_model::Histogram;
use doorbuster_model::histogram::VALUE_MAX_US;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use jiff::Timestamp;

use crate::outcome::{Outcome, RegionOutcome, Run};

/// Microseconds in the unit of the column for the maximum.
const MICROSECONDS_PER_MILLISECOND: f64 = 1_000.0;

/// What a log is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    /// The run's id.
    pub(super) run: &'a str,
    /// When second 0 began.
    pub(super) started_at: Timestamp,
    /// The region's name.
    pub(super) region: &'a str,
}

/// What is counted in an interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval<'a> {
    /// Where it begins, from the start.
    pub(super) start: Duration,
    /// How long it is.
    pub(super) length: Duration,
    /// From the intended start.
    pub(super) latency: &'a Histogram,
    /// From the actual send.
    pub(super) service: &'a Histogram,
}

/// The log of one region.
///
/// # Errors
/// What the histogram library says when it refuses what was counted.
pub(crate) fn hlog(run: &Run, region: &RegionOutcome) -> io::Result<Vec<u8>> {
    let exchanges = Outcome::exchanges(&region.tally);
    let elapsed = Duration::try_from(run.finished_at.duration_since(run.started_at)).unwrap_or_default();
    let subject = Subject { run: &run.id, started_at: run.started_at, region: &region.name };
    let whole = Interval {
        start: Duration::ZERO,
        length: elapsed,
        latency: &exchanges.latency,
        service: &exchanges.service,
    };
    log(subject, &[whole])
}

/// The log of some intervals.
///
/// # Errors
/// As [`hlog`].
pub(super) fn log(subject: Subject<'_>, intervals: &[Interval<'_>]) -> io::Result<Vec<u8>> {
    let (mut log, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut writer = heading(subject).begin_log_with(&mut log, &mut serializer)?;
    for interval in intervals {
        for (tag, histogram) in [("latency", interval.latency), ("service", interval.service)] {
            writer
                .write_histogram(&dense(histogram)?, interval.start, interval.length, Tag::new(tag))
                .map_err(|why| io::Error::other(why.to_string()))?;
        }
    }
    Ok(log)
}

fn heading(subject: Subject<'_>) -> IntervalLogWriterBuilder {
    let started_at = SystemTime::from(subject.started_at);
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[Doorbuster {}, run {}]", env!("CARGO_PKG_VERSION"), subject.run))
        .add_comment(&format!("[Region: {}]", subject.region))
        .add_comment("[Values are in microseconds, Interval_Max is in milliseconds]")
        .add_comment("[Tags: latency, from the intended start; service, from the actual send]")
        .with_start_time(started_at)
        .with_base_time(started_at)
        .with_max_value_divisor(MICROSECONDS_PER_MILLISECOND);
    builder
}

/// The library's histogram with the same layout and counts.
fn dense(histogram: &Histogram) -> io::Result<hdrhistogram::Histogram<u64>> {
    let mut dense = hdrhistogram::Histogram::new_with_bounds(1, VALUE_MAX_US, 3).map_err(io::Error::other)?;
    for (value_us, count) in histogram.values_us() {
        dense.record_n(value_us, count).map_err(io::Error::other)?;
    }
    Ok(dense)
}
