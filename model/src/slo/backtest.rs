//! When alerts would have fired: rules over events of the past, evaluated as a ledger evaluates them.
//!
//! Evaluations are at every multiple of 10 s, from the first at or after the first event to the first at or after the
//! last. A window of length W at a time t holds the events with t − W < timestamp ≤ t, whatever came before the first
//! event. A rule fires at the first evaluation where both windows burn (and the long one has enough failures), and resolves
//! at the first where the short one does not; a window without events burns 0. Events may come in any order.

mod course;
mod sweep;

#[cfg(test)]
mod tests;

use doorbuster_notation::Share;

use self::course::Course;
use super::history::History;
use super::rule::{Rule, Severity};
use super::series::BUCKET_S;

/// Buckets of a page: some minutes to an hour.
const ROWS: usize = 360;
/// The latest time, and as far before 1970 the earliest: the end of the year 9999.
const TIME_MAX_S: i64 = 253_402_300_799;

/// Good and all events of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in unix seconds.
    pub at_s: i64,
    /// Good ones.
    pub good: u64,
    /// All of them.
    pub total: u64,
}

/// A rule began or ceased to fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The rule, by its name.
    pub rule: String,
    /// Whether it began.
    pub is_firing: bool,
    /// When, in unix seconds.
    pub at_s: i64,
}

/// An alert from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The rule that fired (first), by its name.
    pub rule: String,
    /// What it asks of people.
    pub severity: Severity,
    /// When, in unix seconds.
    pub fired_s: i64,
    /// When it was over; none where it was not by the last evaluation.
    pub resolved_s: Option<i64>,
    /// The first of the failures that led to it: each came within the rule's short window of the one before, and all
    /// within its long window.
    pub first_failure_s: i64,
    /// The share of a budget of 30 days that was spent by then. Where the events go back less far, days like those that
    /// they cover are thought to have been before.
    pub budget_spent: Option<f64>,
}

/// What a backtest found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtested {
    /// The first evaluation, in unix seconds.
    pub from_s: i64,
    /// The last one.
    pub until_s: i64,
    /// How many entries there were.
    pub entries: u64,
    /// The failures among all events.
    pub failed: u128,
    /// All events.
    pub total: u128,
    /// What each rule did, in order of time, then of the bytes of its name.
    pub transitions: Vec<Transition>,
    /// The same, from beginning to end.
    pub firings: Vec<Incident>,
    /// What people would have been told: grouped, kept for a while, and without the tickets that a page speaks for.
    pub incidents: Vec<Incident>,
}

/// Rules, and the events that they are to be tried on.
#[derive(Clone, Debug)]
pub struct Backtest {
    objective: Share,
    /// By name, in the order of its bytes.
    rules: Vec<Rule>,
    failures_min: u64,
    /// Of each bucket: all events, failures, and in which second of it the first failure was, from 1.
    history: History<ROWS>,
    /// The first and the last event.
    span: Option<(i64, i64)>,
    entries: u64,
    failed: u128,
    total: u128,
}

impl Event {
    /// Whether it can be.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn check(&self) -> Result<(), String> {
        let Self { at_s, good, total } = self;
        if good > total {
            return Err(format!(
                "good is {good}, and total {total}: there cannot be more good events than events"
            ));
        }
        if !(-TIME_MAX_S..=TIME_MAX_S).contains(at_s) {
            return Err(format!(
                "the timestamp {at_s} lies beyond the year 9999; write unix seconds, not milliseconds"
            ));
        }
        Ok(())
    }
}

impl Backtest {
    /// No events yet. A rule fires only where its long window has `min_failures` failures.
    pub fn new(objective: Share, mut rules: Vec<Rule>, min_failures: u64) -> Self {
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        // Buckets as long as can be, so that every window is made of whole ones.
        let windows = rules.iter().flat_map(|rule| [rule.long_s, rule.short_s]).map(i64::from);
        let bucket_s = windows.fold(BUCKET_S, greatest_common_divisor);
        Self {
            objective,
            rules,
            failures_min: min_failures,
            history: History::new(bucket_s),
            span: None,
            entries: 0,
            failed: 0,
            total: 0,
        }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// A sentence that says why it cannot be.
    pub fn add(&mut self, event: Event) -> Result<(), String> {
        event.check()?;
        let Event { at_s, good, total } = event;
        let failed = total - good;
        let bucket = self.history.bucket_of(at_s);
        let second = (at_s - (bucket - self.history.bucket_s())).unsigned_abs();
        let mut fits = true;
        self.history.change(bucket, |[all, failures, first]| {
            let (Some(all), Some(failures)) = (all.checked_add(total), failures.checked_add(failed)) else {
                fits = false;
                return [all, failures, first];
            };
            let is_earlier = failed > 0 && (first == 0 || second < first);
            [all, failures, if is_earlier { second } else { first }]
        });
        if !fits {
            return Err("the totals of some seconds come to more than 64 bits hold".to_owned());
        }
        let (first_s, last_s) = self.span.unwrap_or((at_s, at_s));
        self.span = Some((first_s.min(at_s), last_s.max(at_s)));
        self.entries += 1;
        self.failed += u128::from(failed);
        self.total += u128::from(total);
        Ok(())
    }

    /// Tries the rules on the events. `None` where there are none.
    pub fn run(&self) -> Option<Backtested> {
        let (first_s, last_s) = self.span?;
        let (from_s, until_s) = (evaluation_of(first_s), evaluation_of(last_s));
        let mut course = Course::new(self, from_s);
        let mut at_s = from_s;
        loop {
            course.evaluate(at_s);
            if at_s >= until_s {
                break;
            }
            at_s = course.next(at_s).min(until_s);
        }
        Some(Backtested {
            from_s,
            until_s,
            entries: self.entries,
            failed: self.failed,
            total: self.total,
            transitions: course.transitions,
            firings: course.firings,
            incidents: course.incidents,
        })
    }

    /// About how much memory the events take, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.history.memory_bytes()
    }
}

/// The first evaluation at a time or after it.
fn evaluation_of(at_s: i64) -> i64 {
    at_s + (-at_s).rem_euclid(BUCKET_S)
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
