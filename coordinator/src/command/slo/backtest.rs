//! `doorbuster slo backtest`: when which alert would have fired.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use doorbuster_model::slo::{Backtest, Backtested, MIN_FAILURES, Rule};
use doorbuster_notation::{Share, parse_share};
use jiff::Timestamp;

use super::events::read_events;
use crate::prepare::read_text;
use crate::{Error, Verdict, tell};

/// Say when which alert would have fired on events of the past, how late, and what of the budget was spent by then.
///
/// Rules are evaluated at every multiple of 10 s, from the first at or after the first event to the first at or after the
/// last. A window of length W at time t holds the events with t − W < timestamp ≤ t. A rule fires when the budget burns at
/// its factor or faster in both of its windows, and resolves when it no longer does in the short one. Exit codes: 0, or 2
/// when the events or the rules cannot be read.
#[derive(Args, Clone, Debug)]
pub(super) struct BacktestCommand {
    /// The events: a CSV file with the header timestamp,good,total, or an NDJSON file of objects with these keys; the
    /// timestamp is unix seconds, and lines may come in any order
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// The rules: a YAML file with the list `rules` of { name, severity, factor, long, short } [default: page-14.4, page-6,
    /// ticket-3, ticket-1]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The share of events that must be good
    #[arg(long, value_name = "SHARE", value_parser = objective, default_value = "99.99%")]
    objective: Share,
    /// The failures that a rule's long window must have seen before it fires; 0 for none
    #[arg(long, value_name = "N", default_value_t = MIN_FAILURES)]
    min_failures: u64,
    /// Leave out the events before this time (RFC 3339, or unix seconds)
    #[arg(long, value_name = "TIME", value_parser = from_time, allow_negative_numbers = true)]
    from: Option<i64>,
    /// Leave out the events after this time
    #[arg(long, value_name = "TIME", value_parser = to_time, allow_negative_numbers = true)]
    to: Option<i64>,
    /// Show alerts as people would get them: one for each incident, instead of everything that each rule did
    #[arg(long)]
    incidents: bool,
    /// Write what each rule did as JSON: [{"rule", "event": "firing" or "resolved", "at": unix seconds}], in order of time
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    json: Option<PathBuf>,
}

impl BacktestCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        if let (Some(from_s), Some(to_s)) = (self.from, self.to)
            && from_s > to_s
        {
            return Err(Error::Usage("--from lies after --to; exchange them".to_owned()));
        }
        let rules = self.rules.as_deref().map_or_else(|| Ok(Rule::defaults()), read_rules)?;
        let mut backtest = Backtest::new(self.objective, rules, self.min_failures);
        read_events(&self.events, |event| {
            event.check()?;
            let is_wanted = self.from.is_none_or(|from_s| event.at_s >= from_s)
                && self.to.is_none_or(|to_s| event.at_s <= to_s);
            if is_wanted { backtest.add(event) } else { Ok(()) }
        })?;
        let backtested = backtest.run().ok_or_else(|| {
            let file = self.events.display();
            Error::Usage(match (self.from, self.to) {
                (None, None) => format!("{file}: it has no events"),
                _ => format!("{file}: it has no events between --from and --to"),
            })
        })?;
        self.show(&backtested)?;
        if let Some(path) = &self.json {
            tell::write_backtest(&backtested, path)?;
        }
        Ok(Verdict::Pass)
    }

    fn show(&self, backtested: &Backtested) -> Result<(), Error> {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let table = tell::backtested(backtested, self.incidents, colour);
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(table.as_bytes()).and_then(|()| stdout.flush()) {
            // A reader that has seen enough (`| head`) changes nothing.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|source| Error::System { what: "writing the table", source }),
        }
    }
}

fn read_rules(path: &Path) -> Result<Vec<Rule>, Error> {
    let text = read_text(path, "the rules", "check the path, or see docs/slo.md for rules to start from")?;
    Ok(Rule::read(&path.display().to_string(), &text)?)
}

/// A share that leaves a budget.
fn objective(text: &str) -> Result<Share, String> {
    let share = parse_share(text)?;
    if share.parts_per_billion == 1_000_000_000 {
        return Err("100% leaves no budget to spend; write for example 99.99%".to_owned());
    }
    Ok(share)
}

/// The first whole second at a time or after it.
fn from_time(text: &str) -> Result<i64, String> {
    time(text).map(|(second, has_rest)| second + i64::from(has_rest))
}

/// The last whole second at a time or before it.
fn to_time(text: &str) -> Result<i64, String> {
    time(text).map(|(second, _)| second)
}

/// A time's whole seconds, and whether there is more of it.
fn time(text: &str) -> Result<(i64, bool), String> {
    if let Ok(second) = text.parse() {
        return Ok((second, false));
    }
    let time: Timestamp = text.parse().map_err(|_| {
        format!("\"{text}\" is no time; write for example 2026-11-27T00:00:00Z, or 1795737600 (unix seconds)")
    })?;
    // Before 1970 whole seconds are counted towards it.
    let (second, rest_ns) = (time.as_second(), time.subsec_nanosecond());
    Ok((second - i64::from(rest_ns < 0), rest_ns != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_or_unix_seconds() {
        for (text, from_s, to_s) in [
            ("0", 0, 0),
            ("-5", -5, -5),
            ("1795737600", 1_795_737_600, 1_795_737_600),
            ("2026-11-27T00:00:00Z", 1_795_737_600, 1_795_737_600),
            ("2026-11-27T09:00:00+09:00", 1_795_737_600, 1_795_737_600),
            ("2026-11-27T00:00:00.5Z", 1_795_737_601, 1_795_737_600),
            ("1969-12-31T23:59:58.5Z", -1, -2),
        ] {
            assert_eq!((from_time(text), to_time(text)), (Ok(from_s), Ok(to_s)), "{text}");
        }
        assert!(from_time("yesterday").unwrap_err().contains("2026-11-27T00:00:00Z"));
        assert!(objective("100%").is_err() && objective("99.99").is_err() && objective("0%").is_ok());
    }
}
