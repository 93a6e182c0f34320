//! What each second of a run came to, for programs: lines of JSON, and HdrHistogram logs with an interval per second.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use doorbuster_model::tally::Exchanges;
use doorbuster_model::{Histogram, Part, Report, Tick};
use doorbuster_wire::{FromAgent, Message};
use jiff::Timestamp;
use serde::Serialize;

use super::hlog::{Interval, Subject, log};
use crate::store::TickRow;

/// What a second of a region came to for one kind of exchange of a step.
#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since the start.
    second: u32,
    region: &'a str,
    journey: String,
    step: String,
    /// `main`, `asset` or `hop`.
    part: &'static str,
    requests: u64,
    errors: u64,
    /// Given up because the run ended.
    cut: u64,
    bytes_wire: u64,
    /// Latencies in microseconds, to three digits, and how often there was each: they may be merged.
    latency_us: Vec<(u64, u64)>,
}

/// A line of JSON per step and kind of exchange. `journeys` has the names of journeys and of their steps by position.
///
/// # Errors
/// When the row holds no tick.
pub(crate) fn lines(row: &TickRow, journeys: &[(String, Vec<String>)]) -> io::Result<String> {
    let tick = tick(row)?;
    let mut sums: BTreeMap<(u16, u16, Part), Exchanges> = BTreeMap::new();
    for (key, exchanges) in &tick.tally.exchanges {
        sums.entry((key.journey, key.step, key.part)).or_default().merge(exchanges);
    }
    let mut text = String::new();
    for ((journey, step, part), exchanges) in sums {
        let named = journeys.get(usize::from(journey));
        let step_named = named.and_then(|(_, steps)| steps.get(usize::from(step)));
        let line = Line {
            second: row.second,
            region: &row.region,
            journey: named.map_or_else(|| format!("journey {journey}"), |(name, _)| name.clone()),
            step: step_named.map_or_else(|| format!("step {step}"), String::clone),
            part: match part {
                Part::Main => "main",
                Part::Asset => "asset",
                Part::Hop => "hop",
            },
            requests: exchanges.requests,
            errors: exchanges.errors_total(),
            cut: exchanges.cut,
            bytes_wire: exchanges.bytes_wire,
            latency_us: exchanges.latency.values_us().collect(),
        };
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}

/// Latency and service times of a region's seconds.
type Times = Vec<(u32, Histogram, Histogram)>;

/// Logs of every region that grow second by second.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    regions: BTreeMap<String, Times>,
}

impl Logs {
    /// Takes a further second.
    ///
    /// # Errors
    /// When the row holds no tick.
    pub(crate) fn add(&mut self, row: &TickRow) -> io::Result<()> {
        let exchanges = tick(row)?.tally.exchanges_where(|_| true);
        let times = self.regions.entry(row.region.clone()).or_default();
        times.push((row.second, exchanges.latency, exchanges.service));
        Ok(())
    }

    /// Each region's name, and its log.
    ///
    /// # Errors
    /// What the histogram library says when it refuses what was counted.
    pub(crate) fn written(&self, run: &str, started_at: Timestamp) -> io::Result<Vec<(String, Vec<u8>)>> {
        let written = |(region, times): (&String, &Times)| {
            let intervals: Vec<Interval<'_>> = times
                .iter()
                .map(|(second, latency, service)| Interval {
                    start: Duration::from_secs(u64::from(*second)),
                    length: Duration::from_secs(1),
                    latency,
                    service,
                })
                .collect();
            Ok((region.clone(), log(Subject { run, started_at, region }, &intervals)?))
        };
        self.regions.iter().map(written).collect()
    }
}

fn tick(row: &TickRow) -> io::Result<Tick> {
    match FromAgent::decode(&row.bytes).map_err(io::Error::other)? {
        FromAgent::Report(Report::Tick(tick)) => Ok(*tick),
        _ => Err(io::Error::other("what was kept of a second is no tick")),
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_model::sample::Times as SampleTimes;
    use doorbuster_model::{Health, Key, Sample, Tally};
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use serde_json::{Value, json};

    use super::*;

    fn row(second: u32, sections: u16) -> TickRow {
        let mut tally = Tally::default();
        for section in 0..sections {
            let key = Key { journey: 0, step: 1, part: Part::Main, section };
            let times = SampleTimes {
                intended_ns: 0,
                handled_ns: 0,
                sent_ns: Some(0),
                first_byte_ns: Some(1_000),
                ended_ns: 2_000_000,
            };
            tally.record(&Sample { status: Some(200), bytes_wire: 10, ..Sample::new(key, times) });
        }
        let tick = Tick { second, tally, health: Health::default() };
        let frame = FromAgent::Report(Report::Tick(Box::new(tick))).encode().unwrap();
        TickRow { second, region: "tokyo".to_owned(), bytes: frame[4..].to_vec() }
    }

    #[test]
    fn a_line_is_what_a_step_came_to_in_a_second() {
        let journeys = [("browse".to_owned(), vec!["home".to_owned(), "product".to_owned()])];
        let text = lines(&row(7, 2), &journeys).unwrap();
        let line: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(
            line,
            json!({ "second": 7, "region": "tokyo", "journey": "browse", "step": "product", "part": "main",
                    "requests": 2, "errors": 0, "cut": 0, "bytes_wire": 20, "latency_us": [[2_000, 2]] })
        );
        let unnamed = lines(&row(7, 1), &[]).unwrap();
        assert!(unnamed.contains("\"journey 0\"") && unnamed.contains("\"step 1\""), "{unnamed}");
        let broken = TickRow { bytes: b"nothing".to_vec(), ..row(7, 1) };
        assert!(lines(&broken, &journeys).is_err());
    }

    #[test]
    fn a_log_has_an_interval_per_second_and_tag() {
        let mut logs = Logs::default();
        logs.add(&row(0, 1)).unwrap();
        logs.add(&row(3, 2)).unwrap();
        let started_at: Timestamp = "2026-11-27T00:00:00Z".parse().unwrap();
        let written = logs.written("7f3a", started_at).unwrap();
        assert_eq!(written.len(), 1);
        let (region, log) = &written[0];
        assert_eq!(region, "tokyo");
        let starts: Vec<Duration> = IntervalLogIterator::new(log)
            .filter_map(|entry| match entry.unwrap() {
                LogEntry::Interval(interval) => Some(interval.start_timestamp()),
                _ => None,
            })
            .collect();
        let at = Duration::from_secs;
        assert_eq!(starts, [at(0), at(0), at(3), at(3)]);
    }
}
