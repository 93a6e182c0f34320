//! A backtest under way: rules and alerts from evaluation to evaluation.

use super::sweep::Sweep;
use super::{Backtest, Incident, Transition, evaluation_of};
use crate::slo::alert::{Alert, Signal, linger_s, step};
use crate::slo::objective::WINDOW_DEFAULT_S;
use crate::slo::rule::Severity;
use crate::slo::series::BUCKET_S;

/// A backtest under way.
pub(super) struct Course<'a> {
    backtest: &'a Backtest,
    sweep: Sweep<'a>,
    from_s: i64,
    /// By rule: its firing that goes on.
    open: Vec<Option<usize>>,
    alerts: [Option<Alert>; 2],
    /// By severity: the incident that people know of.
    known: [Option<usize>; 2],
    /// When a page fired last, and for how long it speaks for tickets.
    paged_s: Option<i64>,
    linger_s: i64,
    pub(super) transitions: Vec<Transition>,
    pub(super) firings: Vec<Incident>,
    pub(super) incidents: Vec<Incident>,
}

impl<'a> Course<'a> {
    /// Before the first evaluation, which is at `from_s`.
    pub(super) fn new(backtest: &'a Backtest, from_s: i64) -> Self {
        Self {
            backtest,
            sweep: Sweep::new(&backtest.history, &backtest.rules, i64::from(WINDOW_DEFAULT_S)),
            from_s,
            open: vec![None; backtest.rules.len()],
            alerts: [None, None],
            known: [None, None],
            paged_s: None,
            linger_s: linger_s(&backtest.rules),
            transitions: Vec::new(),
            firings: Vec::new(),
            incidents: Vec::new(),
        }
    }

    /// The evaluation after one. Where no window has anything, nothing changes until something comes.
    pub(super) fn next(&self, at_s: i64) -> i64 {
        if self.sweep.is_idle() {
            self.sweep.next_filled().map_or(i64::MAX, evaluation_of)
        } else {
            at_s + BUCKET_S
        }
    }

    /// Moves the windows on to an evaluation, and carries rules and alerts on.
    pub(super) fn evaluate(&mut self, at_s: i64) {
        self.sweep.advance(at_s);
        let backtest = self.backtest;
        let mut signals = Vec::with_capacity(backtest.rules.len());
        for (nth, rule) in backtest.rules.iter().enumerate() {
            let (long, short) = self.sweep.sums(nth);
            let before = self.open[nth].is_some();
            let is_firing = rule.fires(before, backtest.objective, backtest.failures_min, long, short);
            if is_firing != before {
                self.transitions.push(Transition { rule: rule.name.clone(), is_firing, at_s });
                if let Some(open) = self.open[nth].take() {
                    self.firings[open].resolved_s = Some(at_s);
                } else {
                    self.open[nth] = Some(self.firings.len());
                    self.firings.push(self.incident(nth, at_s));
                }
            }
            signals.push(Signal {
                rule,
                is_firing,
                would_fire: false,
                has_data: short.total > 0,
                keep_s: i64::from(rule.short_s),
            });
        }
        self.tell(at_s, &signals);
    }

    /// Carries the alerts on as a ledger does, and notes what people would have been told.
    fn tell(&mut self, at_s: i64, signals: &[Signal<'_>]) {
        for (place, severity) in Severity::ALL.into_iter().enumerate() {
            if step(&mut self.alerts[place], severity, at_s, signals).is_some()
                && let Some(known) = self.known[place].take()
            {
                self.incidents[known].resolved_s = Some(at_s);
            }
        }
        if self.alerts[0].as_ref().is_some_and(Alert::is_firing) {
            self.paged_s = Some(at_s);
        }
        let is_spoken_for = self.paged_s.is_some_and(|paged_s| at_s - paged_s <= self.linger_s);
        for place in 0..self.alerts.len() {
            let Some(alert) = self.alerts[place].as_mut().filter(|alert| alert.wants_telling()) else {
                continue;
            };
            // A page speaks for the ticket.
            if place > 0 && is_spoken_for {
                continue;
            }
            alert.is_told = true;
            let began = self.backtest.rules.iter().position(|rule| rule.name == alert.rule);
            self.known[place] = Some(self.incidents.len());
            self.incidents.push(self.incident(began.unwrap_or(0), at_s));
        }
    }

    /// An incident that a rule begins.
    fn incident(&self, nth: usize, at_s: i64) -> Incident {
        let rule = &self.backtest.rules[nth];
        let earliest_s = at_s - i64::from(rule.long_s) + 1;
        let first_failure_s = self.sweep.first_failure_s(nth).map_or(at_s, |first_s| first_s.max(earliest_s));
        let window_s = i64::from(WINDOW_DEFAULT_S);
        // The first evaluation covers the time since the one before.
        let covered_s = (at_s - self.from_s + BUCKET_S).min(window_s);
        let burn = self.sweep.budget().burn(self.backtest.objective);
        Incident {
            rule: rule.name.clone(),
            severity: rule.severity,
            fired_s: at_s,
            resolved_s: None,
            first_failure_s,
            budget_spent: burn.map(|burn| burn * covered_s as f64 / window_s as f64),
        }
    }
}
