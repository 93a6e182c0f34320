//! What people are told: each incident once, and nothing of what is inhibited or silenced.

use std::time::Duration;

use doorbuster_notation::show_duration;

use super::{Entry, Ledger, place_of};
use crate::slo::alert::Alert;
use crate::slo::budget::Budget;
use crate::slo::notice::{AlertStatus, AlertView, Notice, NoticeKind, incident};
use crate::slo::rule::Severity;
use crate::slo::scope::{Scope, SeriesKey};

/// The most alerts that are remembered when they are over.
const RESOLVED_MAX: usize = 50;
/// The most notices that wait for a silence to end.
const OWED_MAX: usize = 1_000;

/// An alert that is over.
#[derive(Debug)]
pub(super) struct Ended {
    /// The entry's position.
    pub(super) place: usize,
    pub(super) severity: Severity,
    pub(super) alert: Alert,
}

impl Ledger {
    /// Tells what is over and what began. Pages come first: a ticket may be inhibited by them.
    pub(super) fn tell(&mut self, at_s: i64, ended: Vec<Ended>, notices: &mut Vec<Notice>) {
        if self.doubted_until_s.is_none() {
            self.silences.retain(|silence| silence.to_s > at_s);
        }
        let (due, owed): (Vec<Notice>, Vec<Notice>) = std::mem::take(&mut self.owed)
            .into_iter()
            .partition(|notice| !self.is_silenced(notice.objective.as_deref(), &notice.scope, at_s));
        self.owed = owed;
        notices.extend(due);
        for Ended { place, severity, alert } in ended {
            let notice = self.burn_notice(place, severity, &alert, AlertStatus::Resolved, at_s);
            self.remember(&notice, alert.rule, alert.is_told);
            if alert.is_told {
                self.tell_unless_silenced(notice, at_s, notices);
            }
        }
        for place in 0..self.entries.len() {
            let is_paging = self.entries[place].alert(Severity::Page).is_some_and(Alert::is_firing);
            if is_paging && !self.is_alert_silenced(place, at_s) {
                self.entries[place].paged_s = Some(at_s);
            }
        }
        for severity in Severity::ALL {
            for place in 0..self.entries.len() {
                let untold = self.entries[place].alert(severity).filter(|alert| alert.wants_telling());
                let Some(alert) = untold else { continue };
                if self.is_alert_silenced(place, at_s) || self.is_inhibited(place, severity, at_s) {
                    continue;
                }
                notices.push(self.burn_notice(place, severity, alert, AlertStatus::Firing, at_s));
                if let Some(alert) = &mut self.entries[place].alerts[place_of(severity)] {
                    alert.is_told = true;
                }
            }
        }
    }

    /// Tells that something is over, as soon as no silence covers it.
    pub(super) fn tell_unless_silenced(&mut self, notice: Notice, at_s: i64, notices: &mut Vec<Notice>) {
        if !self.is_silenced(notice.objective.as_deref(), &notice.scope, at_s) {
            notices.push(notice);
        } else if self.owed.len() < OWED_MAX {
            self.owed.push(notice);
        }
    }

    pub(super) fn remember(&mut self, notice: &Notice, rule: String, is_told: bool) {
        self.resolved.push_front(AlertView {
            incident: notice.incident.clone(),
            status: AlertStatus::Resolved,
            severity: notice.severity,
            rule,
            objective: notice.objective.clone(),
            scope: notice.scope.clone(),
            since_s: notice.at_s,
            is_silenced: false,
            is_inhibited: false,
            is_told,
        });
        self.resolved.truncate(RESOLVED_MAX);
    }

    pub(super) fn scope_of(&self, region: usize) -> Scope {
        self.regions.get(region).cloned().map_or(Scope::Global, Scope::Region)
    }

    pub(super) fn is_silenced(&self, objective: Option<&str>, scope: &Scope, at_s: i64) -> bool {
        self.silences.iter().any(|silence| silence.covers(objective, scope, at_s))
    }

    pub(super) fn is_alert_silenced(&self, place: usize, at_s: i64) -> bool {
        let key = &self.entries[place].key;
        self.is_silenced(Some(&key.objective), &key.scope, at_s)
    }

    /// Whether a page speaks for it, of the same scope or of all regions: one that fires, or did until so lately that the
    /// ticket may be about the same failures. A page that nobody hears speaks for none.
    pub(super) fn is_inhibited(&self, place: usize, severity: Severity, at_s: i64) -> bool {
        let entry = &self.entries[place];
        let global = self.objectives[entry.objective].global.and_then(|global| self.entries.get(global));
        let speaks =
            |entry: &Entry| entry.paged_s.is_some_and(|paged_s| at_s - paged_s <= self.terms.linger_s);
        severity == Severity::Ticket && (speaks(entry) || global.is_some_and(speaks))
    }

    fn burn_notice(
        &self,
        place: usize,
        severity: Severity,
        alert: &Alert,
        status: AlertStatus,
        at_s: i64,
    ) -> Notice {
        let entry = &self.entries[place];
        let SeriesKey { objective, scope } = &entry.key;
        let mut details = vec![("severity".to_owned(), severity.to_string())];
        let mut how = String::new();
        let known = self.terms.rules.iter().zip(&self.terms.places).find(|(rule, _)| rule.name == alert.rule);
        if let Some((rule, (long, short))) = known {
            let (long, short) = (entry.series.sums()[*long], entry.series.sums()[*short]);
            let burns = [long, short].map(|count| shown(count.certain().burn(entry.share)));
            let [long_s, short_s] = [rule.long_s, rule.short_s].map(lasting);
            how = match status {
                AlertStatus::Resolved => format!("its budget no longer burns {} times too fast", rule.factor),
                _ => format!(
                    "its budget burns {} times too fast over {long_s}, {} over {short_s}",
                    burns[0], burns[1]
                ),
            };
            details.extend(
                [
                    ("factor", rule.factor.to_string()),
                    ("long", long_s),
                    ("short", short_s),
                    ("burn_long", burns[0].clone()),
                    ("burn_short", burns[1].clone()),
                    ("failed", long.failed.to_string()),
                    ("total", long.total.to_string()),
                    ("suspected", long.suspected.to_string()),
                ]
                .map(|(name, value)| (name.to_owned(), value)),
            );
        }
        let budget = entry.series.budget();
        let budget = Budget { objective: entry.share, good: budget.good(), total: budget.total };
        let left = budget.spent().map_or("n/a".to_owned(), |spent| format!("{:.1} %", (1.0 - spent) * 100.0));
        details.push(("budget_left".to_owned(), left));
        Notice {
            incident: incident(Some(objective), scope, severity.word(), alert.since_s),
            sequence: u32::from(status == AlertStatus::Resolved),
            status,
            severity,
            kind: NoticeKind::Burn { rule: alert.rule.clone() },
            objective: Some(objective.clone()),
            scope: scope.clone(),
            at_s,
            began_s: alert.since_s,
            summary: format!("{objective} ({scope}): {how}"),
            details,
        }
    }
}

pub(super) fn lasting(seconds: u32) -> String {
    show_duration(Duration::from_secs(u64::from(seconds)))
}

/// A burn rate for people.
fn shown(burn: Option<f64>) -> String {
    burn.map_or("n/a".to_owned(), |burn| format!("{burn:.1}"))
}
