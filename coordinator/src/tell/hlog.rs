//! HdrHistogram interval logs (V2, compressed), which the HdrHistogram tools read.
//!
//! One log per region. Each has an interval over the whole run per tag: `latency` (from the intended start) and
//! `service` (from the actual send). Values are microseconds; the column for the maximum is in milliseconds.

use std::io;
use std::time::{Duration, SystemTime};

use doorbuster_model::Histogram;
use doorbuster_model::histogram::VALUE_MAX_US;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::outcome::{Outcome, RegionOutcome, Run};

/// Microseconds in the unit of the column for the maximum.
const MICROSECONDS_PER_MILLISECOND: f64 = 1_000.0;

/// The log of one region.
///
/// # Errors
/// What the histogram library says when it refuses what was counted.
pub(crate) fn hlog(run: &Run, region: &RegionOutcome) -> io::Result<Vec<u8>> {
    let exchanges = Outcome::exchanges(&region.tally);
    let elapsed = Duration::try_from(run.finished_at.duration_since(run.started_at)).unwrap_or_default();
    let (mut log, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut writer = heading(run, region).begin_log_with(&mut log, &mut serializer)?;
    for (tag, histogram) in [("latency", &exchanges.latency), ("service", &exchanges.service)] {
        writer
            .write_histogram(&dense(histogram)?, Duration::ZERO, elapsed, Tag::new(tag))
            .map_err(|why| io::Error::other(why.to_string()))?;
    }
    Ok(log)
}

fn heading(run: &Run, region: &RegionOutcome) -> IntervalLogWriterBuilder {
    let started_at = SystemTime::from(run.started_at);
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[Doorbuster {}, run {}]", env!("CARGO_PKG_VERSION"), run.id))
        .add_comment(&format!("[Region: {}]", region.name))
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
