//! Alerts: all rules of one severity, of one objective in one scope, are one alert, so that one incident is one alert.
//!
//! pending → firing → resolved. It is pending while a budget burns and too little is certain, firing from a rule's first
//! firing until none has fired for as long as alerts are kept, and it does not end without data that say so.

use serde::{Deserialize, Serialize};

use super::notice::AlertStatus;
use super::rule::{Rule, Severity};
use super::series::BUCKET_S;

/// What a rule shows at an evaluation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal<'a> {
    pub(super) rule: &'a Rule,
    /// Whether it fires.
    pub(super) is_firing: bool,
    /// Whether it would, if all that is suspected were certain and the guard were off.
    pub(super) would_fire: bool,
    /// Whether anything happened in its short window.
    pub(super) has_data: bool,
    /// For how long its alert goes on when it no longer fires.
    pub(super) keep_s: i64,
}

/// An alert that is pending or firing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alert {
    pub(super) status: AlertStatus,
    /// The rule that began it: the one with the highest factor, where several did.
    pub(super) rule: String,
    /// Since when it is pending or firing: what no other alert of its kind has.
    pub(super) since_s: i64,
    /// Until when it goes on, whatever the rules say.
    pub(super) hold_until_s: i64,
    /// The rule that fired last: its short window must have data before the alert may end.
    last_rule: String,
    /// Whether a rule fires, or did before data stopped. What merely goes on, and nobody was told, is not worth telling
    /// any more.
    is_burning: bool,
    /// Whether people know.
    pub(super) is_told: bool,
}

/// When alerts of one kind began: each later than the one before, though the clock may go back. What an incident is known
/// by has its begin in it, and must not come again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun(Option<i64>);

impl Begun {
    /// When the alert began that begins at `at_s`.
    pub(super) fn next(&mut self, at_s: i64) -> i64 {
        let since_s = self.0.map_or(at_s, |last_s| at_s.max(last_s.saturating_add(1)));
        self.0 = Some(since_s);
        since_s
    }
}

impl Alert {
    fn new(status: AlertStatus, signal: &Signal<'_>, at_s: i64) -> Self {
        Self {
            status,
            rule: signal.rule.name.clone(),
            since_s: at_s,
            hold_until_s: at_s,
            last_rule: signal.rule.name.clone(),
            is_burning: status == AlertStatus::Firing,
            is_told: false,
        }
    }

    /// Whether it fires.
    pub(super) fn is_firing(&self) -> bool {
        self.status == AlertStatus::Firing
    }

    /// Whether people should know and do not.
    pub(super) fn wants_telling(&self) -> bool {
        self.is_firing() && self.is_burning && !self.is_told
    }
}

/// For how long a page speaks for tickets when it is over: until their short windows hold nothing of its time.
pub(super) fn linger_s(rules: &[Rule]) -> i64 {
    let tickets = rules.iter().filter(|rule| rule.severity == Severity::Ticket);
    tickets.map(|rule| i64::from(rule.short_s)).max().unwrap_or(0)
}

/// Carries the alert of a severity on to an evaluation. What was firing until then and is over is returned.
pub(super) fn step(
    alert: &mut Option<Alert>,
    severity: Severity,
    at_s: i64,
    signals: &[Signal<'_>],
) -> Option<Alert> {
    let firing = || of(severity, signals).filter(|signal| signal.is_firing);
    if let Some(gravest) = firing().max_by_key(|signal| signal.rule.factor) {
        let is_new = !alert.as_ref().is_some_and(Alert::is_firing);
        if is_new {
            *alert = None;
        }
        let alert = alert.get_or_insert_with(|| Alert::new(AlertStatus::Firing, gravest, at_s));
        // A rule that fires now may end at the next evaluation; from then on it is kept.
        let kept = firing().map(|signal| at_s + BUCKET_S + signal.keep_s);
        alert.is_burning = true;
        alert.hold_until_s = kept.fold(alert.hold_until_s, i64::max);
        if alert.last_rule != gravest.rule.name {
            alert.last_rule.clone_from(&gravest.rule.name);
        }
        return None;
    }
    if let Some(firing) = alert.as_mut().filter(|alert| alert.is_firing()) {
        let last = of(severity, signals).find(|signal| signal.rule.name == firing.last_rule);
        let has_data = last.is_none_or(|signal| signal.has_data);
        firing.is_burning &= !has_data;
        let is_over = at_s >= firing.hold_until_s && has_data;
        return if is_over { alert.take() } else { None };
    }
    match of(severity, signals).find(|signal| signal.would_fire) {
        Some(signal) if alert.is_none() => *alert = Some(Alert::new(AlertStatus::Pending, signal, at_s)),
        Some(_) => {}
        None => *alert = None,
    }
    None
}

/// The signals of the rules of one severity.
fn of<'s, 'a>(severity: Severity, signals: &'s [Signal<'a>]) -> impl Iterator<Item = &'s Signal<'a>> {
    signals.iter().filter(move |signal| signal.rule.severity == severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the usual pages show: a letter per rule, `f` firing, `p` pending, `-` nothing, ` ` no data.
    fn signals<'a>(rules: &'a [Rule], shown: &str) -> Vec<Signal<'a>> {
        let signal = |(rule, letter): (&'a Rule, char)| Signal {
            rule,
            is_firing: letter == 'f',
            would_fire: matches!(letter, 'f' | 'p'),
            has_data: letter != ' ',
            keep_s: i64::from(rule.short_s),
        };
        rules.iter().zip(shown.chars()).map(signal).collect()
    }

    /// Every change of the pages' alert: when, and what it is then.
    fn story(shown: &[(&str, i64)]) -> Vec<(i64, Option<AlertStatus>)> {
        let rules = Rule::defaults();
        let (mut alert, mut at_s, mut changes) = (None, 0, Vec::new());
        for (letters, evaluations) in shown {
            for _ in 0..*evaluations {
                at_s += BUCKET_S;
                let before = alert.as_ref().map(|alert: &Alert| alert.status);
                let ended = step(&mut alert, Severity::Page, at_s, &signals(&rules, letters));
                let after = alert.as_ref().map(|alert| alert.status);
                if ended.is_some() || before != after {
                    changes.push((at_s, after));
                }
                assert_eq!(ended.is_some(), before == Some(AlertStatus::Firing) && after.is_none());
            }
        }
        changes
    }

    const FIRING: Option<AlertStatus> = Some(AlertStatus::Firing);
    const PENDING: Option<AlertStatus> = Some(AlertStatus::Pending);

    #[test]
    fn pending_firing_resolved() {
        assert_eq!(
            story(&[("--", 1), ("p-", 2), ("f-", 3), ("--", 31)]),
            [(20, PENDING), (40, FIRING), (370, None)]
        );
        assert_eq!(
            story(&[("p-", 1), ("--", 1)]),
            [(10, PENDING), (20, None)],
            "nothing that anybody was told"
        );
        assert!(story(&[("--ff", 5)]).is_empty(), "the rules of another severity");
    }

    #[test]
    fn a_rule_that_flaps_is_one_incident() {
        let flaps = [("f-", 1), ("--", 29), ("f-", 1), ("--", 29), ("f-", 1), ("--", 30)];
        assert_eq!(story(&flaps), [(10, FIRING)]);
        // The slower rule keeps it for half an hour.
        assert_eq!(story(&[("ff", 1), ("--", 200)]), [(10, FIRING), (20 + 1_800, None)]);
        assert_eq!(story(&[("f-", 1), ("-f", 1), ("--", 200)]), [(10, FIRING), (30 + 1_800, None)]);
    }

    #[test]
    fn no_two_alerts_began_at_once() {
        let mut begun = Begun::default();
        let since = [10, 20, 10, 21, 500].map(|at_s| begun.next(at_s));
        assert_eq!(since, [10, 20, 21, 22, 500]);
    }

    #[test]
    fn without_data_nothing_is_over() {
        assert_eq!(story(&[("f-", 1), ("  ", 500), ("--", 1)]), [(10, FIRING), (5_020, None)]);
        assert_eq!(story(&[("p-", 1), ("  ", 1)]), [(10, PENDING), (20, None)], "but a suspicion is");
    }

    #[test]
    fn the_gravest_rule_gives_the_name() {
        let rules = Rule::defaults();
        let mut alert = None;
        step(&mut alert, Severity::Page, 10, &signals(&rules, "-f--"));
        step(&mut alert, Severity::Page, 20, &signals(&rules, "ff--"));
        assert_eq!(alert.map(|alert| alert.rule).as_deref(), Some("page-6"), "the one that began");
        let mut alert = None;
        step(&mut alert, Severity::Ticket, 10, &signals(&rules, "--ff"));
        assert_eq!(alert.map(|alert| alert.rule).as_deref(), Some("ticket-3"));
        assert_eq!((linger_s(&rules), linger_s(&rules[..2])), (6 * 3_600, 0));
    }
}
