//! `doorbuster slo backtest`: when which alert would have fired.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use doorbuster_model::slo::{Backtest, Backtested, Event, MIN_FAILURES, Rule, Transition};
use doorbuster_notation::{Share, parse_share};
use jiff::Timestamp;

use super::events::read_events;
use super::history::Subject;
use crate::command::options::KeptOptions;
use crate::command::print::{colour, print};
use crate::prepare::read_text;
use crate::{Error, Verdict, tell};

/// The share of a file's events that must be good, unless another is given.
const OBJECTIVE: &str = "99.99%";
/// Why a share of everything cannot be tried.
const NO_BUDGET: &str = "100% leaves no budget to spend; write for example 99.99%";

/// Say when which alert would have fired on events of the past, how late, and what of the budget was spent by then.
///
/// Rules are evaluated at every multiple of 10 s, from the first at or after the first event to the first at or after the
/// last. A window of length W at time t holds the events with t − W < timestamp ≤ t. A rule fires when the budget burns at
/// its factor or faster in both of its windows, and resolves when it no longer does in the short one. Without events nothing
/// fires. Exit codes: 0, 2 when the events or the rules cannot be read, 3 when the store cannot.
#[derive(Args, Clone, Debug)]
pub(super) struct BacktestCommand {
    /// The events: a CSV file with the header timestamp,good,total, or an NDJSON file of objects with these keys; the
    /// timestamp is unix seconds, and lines may come in any order
    #[arg(long, value_name = "FILE", required_unless_present = "plan", conflicts_with = "plan")]
    events: Option<PathBuf>,
    /// Instead of a file: what a probe of this plan counted, and the plan's rules and guard unless others are given
    #[arg(long, value_name = "PLAN", requires = "of")]
    plan: Option<PathBuf>,
    /// The objective of the plan whose events are meant
    #[arg(long, value_name = "OBJECTIVE", requires = "plan")]
    of: Option<String>,
    /// Where they were counted: global, or a region
    #[arg(long, value_name = "SCOPE", requires = "plan")]
    scope: Option<String>,
    #[command(flatten)]
    kept: KeptOptions,
    /// The rules: a YAML file with the list `rules` of { name, severity, factor, long, short } [default: page-14.4, page-6,
    /// ticket-3, ticket-1]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The share of events that must be good [default: the plan's, or 99.99%]
    #[arg(long, value_name = "SHARE", value_parser = objective)]
    objective: Option<Share>,
    /// The failures that a rule's long window must have seen before it fires; 0 for none [default: the plan's, or 3]
    #[arg(long, value_name = "N")]
    min_failures: Option<u64>,
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
        let rules = self.rules.as_deref().map(read_rules).transpose()?;
        let (backtest, source) = match (&self.events, &self.plan, &self.of) {
            (Some(file), _, _) => (self.of_file(file, rules)?, file.display().to_string()),
            (None, Some(plan), Some(of)) => self.of_store(plan, of, rules)?,
            // The command line is not taken without one of them.
            _ => return Err(Error::Usage("give --events FILE, or --plan PLAN --of OBJECTIVE".to_owned())),
        };
        match backtest.run() {
            Some(backtested) => {
                self.show(&backtested)?;
                self.write(&backtested.transitions)?;
            }
            None => {
                let between = if self.from.or(self.to).is_some() { " between --from and --to" } else { "" };
                say(&format!("{source}: no events{between}, so no rule did anything"));
                self.write(&[])?;
            }
        }
        Ok(Verdict::Pass)
    }

    /// The backtest of a file's events.
    fn of_file(&self, file: &Path, rules: Option<Vec<Rule>>) -> Result<Backtest, Error> {
        let share = self.objective.map_or_else(|| parse_share(OBJECTIVE).map_err(Error::Usage), Ok)?;
        let rules = rules.unwrap_or_else(Rule::defaults);
        let mut backtest = Backtest::new(share, rules, self.min_failures.unwrap_or(MIN_FAILURES));
        read_events(file, |event| {
            event.check()?;
            if self.is_wanted(event) { backtest.add(event) } else { Ok(()) }
        })?;
        Ok(backtest)
    }

    /// The backtest of what a probe counted, and where that is from.
    fn of_store(&self, plan: &Path, of: &str, rules: Option<Vec<Rule>>) -> Result<(Backtest, String), Error> {
        let subject = Subject::of_plan(plan, of, self.scope.as_deref())?;
        let place = self.kept.kept()?.place;
        let (from_s, to_s) = (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX));
        let history = subject.history(&place, from_s, to_s)?;
        let share = self.objective.unwrap_or(subject.share);
        if share.parts_per_billion == 1_000_000_000 {
            return Err(Error::Usage(NO_BUDGET.to_owned()));
        }
        let min_failures = self.min_failures.unwrap_or(subject.min_failures);
        let shown = subject.shown();
        let mut backtest = Backtest::new(share, rules.unwrap_or(subject.rules), min_failures);
        for event in history.events.into_iter().filter(|event| self.is_wanted(*event)) {
            backtest.add(event).map_err(Error::Usage)?;
        }
        if let Some(until) = history.coarse_until_s.and_then(|at_s| Timestamp::from_second(at_s).ok()) {
            say(&format!("up to {until} counts are known by 5 min alone, and so are the times of alerts"));
        }
        Ok((backtest, shown))
    }

    fn is_wanted(&self, event: Event) -> bool {
        self.from.is_none_or(|from_s| event.at_s >= from_s) && self.to.is_none_or(|to_s| event.at_s <= to_s)
    }

    fn write(&self, transitions: &[Transition]) -> Result<(), Error> {
        self.json.as_deref().map_or(Ok(()), |path| tell::write_backtest(transitions, path))
    }

    fn show(&self, backtested: &Backtested) -> Result<(), Error> {
        print(&tell::backtested(backtested, self.incidents, colour()))
    }
}

fn read_rules(path: &Path) -> Result<Vec<Rule>, Error> {
    let text = read_text(path, "the rules", "check the path, or see docs/slo.md for rules to start from")?;
    Ok(Rule::read(&path.display().to_string(), &text)?)
}

/// Says something beside the result.
fn say(line: &str) {
    // Where standard error is closed, the result still comes.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A share that leaves a budget.
fn objective(text: &str) -> Result<Share, String> {
    let share = parse_share(text)?;
    if share.parts_per_billion == 1_000_000_000 {
        return Err(NO_BUDGET.to_owned());
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
