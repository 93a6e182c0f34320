//! Who is told that no data come: from a region, or of real traffic. What is silent never looks healthy, and what is heard
//! again is believed when it has been heard for as long as it may be silent.

use super::Ledger;
use super::tell::lasting;
use crate::slo::notice::{AlertStatus, AlertView, NO_DATA, Notice, NoticeKind, incident};
use crate::slo::rule::Severity;
use crate::slo::scope::Scope;
use crate::slo::watch::{Silent, Watch};

/// What data come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A region, by its position.
    Region(usize),
    /// Counts of real traffic, by the position of their entry.
    Traffic(usize),
}

impl Ledger {
    /// Tells of what fell silent, and of what is heard again. A region is a ticket while others report; without any,
    /// nothing is watched at all. Real traffic that is not counted is a ticket: probes go on.
    pub(super) fn tell_of_silence(&mut self, at_s: i64, notices: &mut Vec<Notice>) {
        let after_s = self.terms.no_data_after_s;
        let is_blind = self.watches.iter().all(|watch| watch.is_silent(at_s, after_s));
        for source in self.sources() {
            let severity = match source {
                Source::Region(_) if is_blind => Severity::Page,
                _ => Severity::Ticket,
            };
            self.tell_of_source(source, severity, at_s, notices);
        }
    }

    fn tell_of_source(&mut self, source: Source, severity: Severity, at_s: i64, notices: &mut Vec<Notice>) {
        let (after_s, since_s) = (self.patience_s(source), self.listening_since_s);
        let watch = self.watch_mut(source);
        let (is_silent, is_back) = (watch.is_silent(at_s, after_s), watch.is_back(at_s, after_s));
        if watch.is_overdue(at_s, since_s, after_s) {
            watch.fall_silent(at_s, severity);
        }
        let Some(silent) = watch.silent.clone() else { return };
        if is_back {
            watch.silent = None;
            let notice = self.no_data_notice(source, &silent, AlertStatus::Resolved, at_s);
            self.remember(&notice, NO_DATA.to_owned(), silent.is_told);
            if silent.is_told {
                self.tell_unless_silenced(notice, at_s, notices);
            }
            return;
        }
        let (objective, scope) = self.about(source);
        if !is_silent || silent.is_told || self.is_silenced(objective.as_deref(), &scope, at_s) {
            return;
        }
        notices.push(self.no_data_notice(source, &silent, AlertStatus::Firing, at_s));
        self.watch_mut(source).silent = Some(Silent { is_told: true, ..silent });
    }

    /// What is silent, as alerts.
    pub(super) fn silent_views(&self, at_s: i64) -> Vec<AlertView> {
        let view = |source| {
            let silent = self.watch(source).silent.as_ref()?;
            let (objective, scope) = self.about(source);
            Some(AlertView {
                incident: incident(objective.as_deref(), &scope, NO_DATA, silent.since_s),
                status: AlertStatus::Firing,
                severity: silent.severity,
                rule: NO_DATA.to_owned(),
                since_s: silent.since_s,
                is_silenced: self.is_silenced(objective.as_deref(), &scope, at_s),
                is_inhibited: false,
                is_told: silent.is_told,
                objective,
                scope,
            })
        };
        self.sources().into_iter().filter_map(view).collect()
    }

    fn sources(&self) -> Vec<Source> {
        let is_traffic = |place: &usize| {
            let watched = self.entries.get(*place).and_then(|entry| self.objectives.get(entry.objective));
            watched.is_some_and(|watched| watched.objective.is_traffic)
        };
        let traffic = (0..self.entries.len()).filter(is_traffic).map(Source::Traffic);
        (0..self.watches.len()).map(Source::Region).chain(traffic).collect()
    }

    fn watch(&self, source: Source) -> &Watch {
        match source {
            Source::Region(region) => &self.watches[region],
            Source::Traffic(place) => &self.entries[place].counted,
        }
    }

    fn watch_mut(&mut self, source: Source) -> &mut Watch {
        match source {
            Source::Region(region) => &mut self.watches[region],
            Source::Traffic(place) => &mut self.entries[place].counted,
        }
    }

    /// For how long it may be silent.
    fn patience_s(&self, source: Source) -> i64 {
        match source {
            Source::Region(_) => self.terms.no_data_after_s,
            Source::Traffic(_) => self.traffic_gap_s(),
        }
    }

    /// The objective that it is about, if it is about one, and where.
    fn about(&self, source: Source) -> (Option<String>, Scope) {
        match source {
            Source::Region(region) => (None, self.scope_of(region)),
            Source::Traffic(place) => {
                let key = &self.entries[place].key;
                (Some(key.objective.clone()), key.scope.clone())
            }
        }
    }

    fn no_data_notice(&self, source: Source, silent: &Silent, status: AlertStatus, at_s: i64) -> Notice {
        let (objective, scope) = self.about(source);
        let name = objective.clone().unwrap_or_else(|| scope.to_string());
        let summary = match (status, source) {
            (AlertStatus::Resolved, Source::Region(_)) => format!("{name} reports again"),
            (AlertStatus::Resolved, Source::Traffic(_)) => format!("{name}: traffic is counted again"),
            _ => {
                let after_s = u32::try_from(self.patience_s(source)).unwrap_or(u32::MAX);
                format!("no data from {name} for over {}", lasting(after_s))
            }
        };
        let last_heard_s = self.watch(source).last_heard_s;
        let heard = last_heard_s.map_or("never".to_owned(), |last_heard_s| last_heard_s.to_string());
        Notice {
            incident: incident(objective.as_deref(), &scope, NO_DATA, silent.since_s),
            sequence: u32::from(status == AlertStatus::Resolved),
            status,
            severity: silent.severity,
            kind: NoticeKind::NoData,
            objective,
            scope,
            at_s,
            began_s: silent.since_s,
            summary,
            details: vec![("last_heard_s".to_owned(), heard)],
        }
    }
}
