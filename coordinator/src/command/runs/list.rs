//! `doorbuster runs list`: which runs are kept, and how they went.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use doorbuster_notation::parse_duration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::command::options::KeptOptions;
use crate::command::print::{colour, print, warn};
use crate::runs::{Archive, Known};
use crate::{Error, runtime, tell};

/// List the runs that are kept, the newest first.
#[derive(Args, Clone, Debug)]
pub(super) struct ListCommand {
    /// Only runs of this job
    #[arg(long, value_parser = ["rehearse", "hit", "gate"])]
    job: Option<String>,
    /// Only runs of the plan of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only runs of this verdict; those without are under way, or were stopped before they ended
    #[arg(long, value_parser = ["pass", "fail", "invalid", "none"])]
    verdict: Option<String>,
    /// Only runs that began since then: a duration ago (7d), a date, or a time with its zone (UTC)
    #[arg(long, value_parser = since, value_name = "WHEN")]
    since: Option<Since>,
    /// The most runs to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// As JSON, with whole ids
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    kept: KeptOptions,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Ago(Duration),
    At(Timestamp),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = parse_duration(text) {
        return Ok(Since::Ago(ago));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at));
    }
    let day = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC));
    day.map(|day| Since::At(day.timestamp())).map_err(|_| {
        format!("\"{text}\" is no time; write for example 7d, 2026-11-27 or 2026-11-27T08:00:00Z")
    })
}

impl Since {
    fn ms(self, now: Timestamp) -> i64 {
        match self {
            Self::Ago(ago) => {
                now.as_millisecond().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
            }
            Self::At(at) => at.as_millisecond(),
        }
    }
}

/// A run as programs are told of it.
#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    name: &'a str,
    job: &'a str,
    /// RFC 3339, UTC.
    began: String,
    length_s: f64,
    verdict: &'a str,
    requests: u64,
    errors: u64,
    p95_ms: Option<f64>,
    /// `null` where the run's folder is not here.
    folder: Option<&'a Path>,
    /// Whether the store has it.
    stored: bool,
}

impl ListCommand {
    pub(super) fn run(&self) -> Result<(), Error> {
        let kept = self.kept.kept()?;
        let since_ms = self.since.map_or(i64::MIN, |since| since.ms(Timestamp::now()));
        let (all, trouble) = runtime::block_on(async {
            let archive = Archive::open(&kept).await;
            let trouble = archive.trouble.clone();
            let all = archive.runs(since_ms).await;
            archive.close().await;
            Ok((all?, trouble))
        })?;
        if let Some(trouble) = trouble {
            warn(&format!("{trouble}; only folders are listed"));
        }
        let wanted: Vec<Known> = all.iter().filter(|known| self.is_wanted(known)).cloned().collect();
        let (shown, left_off) = wanted.split_at(wanted.len().min(self.limit));
        if self.json {
            let told: Vec<Told<'_>> = shown.iter().map(told).collect();
            let text = serde_json::to_string_pretty(&told)
                .map_err(|error| Error::System { what: "writing the list", source: error.into() })?;
            return print(&format!("{text}\n"));
        }
        print(&tell::runs(shown, &all, left_off.len(), colour()))
    }

    fn is_wanted(&self, known: &Known) -> bool {
        let head = &known.head;
        let is = |wanted: &Option<String>, word: &str| wanted.as_deref().is_none_or(|wanted| wanted == word);
        is(&self.job, &head.job) && is(&self.name, &head.name) && is(&self.verdict, &head.verdict)
    }
}

fn told(known: &Known) -> Told<'_> {
    let head = &known.head;
    let began = Timestamp::from_millisecond(head.began_ms);
    Told {
        id: &head.id,
        name: &head.name,
        job: &head.job,
        began: began.map_or_else(|_| String::new(), |began| began.to_string()),
        length_s: head.length_ms as f64 / 1e3,
        verdict: &head.verdict,
        requests: head.requests,
        errors: head.errors,
        p95_ms: head.p95_us.map(|us| us as f64 / 1e3),
        folder: known.folder.as_deref(),
        stored: known.is_stored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_duration_ago_a_day_or_a_time() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (text, at) in [
            ("36h", "2026-11-26T00:00:00Z"),
            ("2026-11-25", "2026-11-25T00:00:00Z"),
            ("2026-11-25T09:00:00+09:00", "2026-11-25T00:00:00Z"),
        ] {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(since(text).unwrap().ms(now), at.as_millisecond(), "{text}");
        }
        assert!(since("yesterday").unwrap_err().contains("write for example 7d"));
    }
}
