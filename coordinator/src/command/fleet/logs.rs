//! `doorbuster fleet logs`: what a fleet's functions logged.

use std::time::Duration;

use clap::Args;
use doorbuster_notation::parse_duration;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::places::{PlaceOptions, apart, conclude};
use crate::command::print::warn;
use crate::fleet::logs::{LINES_MAX, Line, lines};
use crate::runtime::block_on;
use crate::tell::plain;
use crate::{Error, Verdict};

/// Show what the functions of a fleet logged, in all regions by time.
#[derive(Args, Clone, Debug)]
pub(super) struct LogsCommand {
    #[command(flatten)]
    places: PlaceOptions,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_duration)]
    since: Duration,
    /// What the probes logged, instead of the agents
    #[arg(long)]
    probe: bool,
}

impl LogsCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let function = if self.probe { "probe" } else { "agent" };
        let back_ms = i64::try_from(self.since.as_millis()).unwrap_or(i64::MAX);
        let since_ms = Timestamp::now().as_millisecond().saturating_sub(back_ms).max(0);
        let (found, failed) = block_on(async {
            let open = Box::pin(self.places.open()).await?;
            Ok(apart(join_all(open.iter().map(|place| Box::pin(lines(place, function, since_ms)))).await))
        })?;
        if found.iter().any(|(_, is_cut)| *is_cut) {
            warn(&format!(
                "there is more than the first {LINES_MAX} lines of a region; ask for less with --since"
            ));
        }
        let mut all: Vec<Line> = found.into_iter().flat_map(|(lines, _)| lines).collect();
        all.sort_by_key(|line| line.at_ms);
        let told = || all.iter().map(told).collect::<Vec<_>>();
        self.places.tell(
            || json!({ "schema": "doorbuster.fleet-logs/1", "lines": told() }),
            || all.iter().map(shown).collect(),
        )?;
        conclude(failed, Verdict::Pass)
    }
}

fn told(line: &Line) -> Value {
    json!({ "at": at(line), "region": line.region, "text": line.text })
}

fn shown(line: &Line) -> String {
    format!("{} {} {}\n", at(line), line.region, plain(&line.text))
}

/// RFC 3339, UTC, to the millisecond.
fn at(line: &Line) -> String {
    let at = Timestamp::from_millisecond(line.at_ms).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_and_region() {
        let line = Line {
            at_ms: 1_795_737_600_123,
            region: "eu-west-2".to_owned(),
            text: "an \u{1b}[31magent".to_owned(),
        };
        assert_eq!(shown(&line), "2026-11-27T00:00:00.123Z eu-west-2 an  [31magent\n");
        assert_eq!(told(&line)["region"], "eu-west-2");
    }
}
