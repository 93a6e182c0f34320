//! What must survive a crash: pages of counts, and a memo of everything else.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::events::Early;
use super::{Entry, Ledger};
use crate::slo::alert::{Alert, Begun};
use crate::slo::confirm::{Subject, Track};
use crate::slo::notice::{AlertStatus, AlertView, NO_DATA, Notice, NoticeKind, incident};
use crate::slo::page::Unsaved;
use crate::slo::rule::Severity;
use crate::slo::scope::{Scope, SeriesKey};
use crate::slo::silence::Silence;
use crate::slo::standing::Oddities;
use crate::slo::watch::Watch;

/// How a memo is to be read.
const VERSION: u32 = 1;

/// A ledger without its counts, as JSON.
#[derive(Serialize, Deserialize)]
struct Memo {
    version: u32,
    evaluated_s: Option<i64>,
    now_s: Option<i64>,
    listening_since_s: i64,
    #[serde(default)]
    doubted_until_s: Option<i64>,
    regions: Vec<(String, Watch)>,
    series: Vec<SeriesMemo>,
    tracks: Vec<TrackMemo>,
    silences: Vec<Silence>,
    owed: Vec<Notice>,
    resolved: VecDeque<AlertView>,
    early: Vec<Early>,
    oddities: Oddities,
}

/// An objective in a scope, where there is more to say of it than its counts.
#[derive(Serialize, Deserialize)]
struct SeriesMemo {
    key: SeriesKey,
    /// The names of the rules that fire.
    firing: Vec<String>,
    page: Option<Alert>,
    ticket: Option<Alert>,
    paged_s: Option<i64>,
    #[serde(default)]
    begun: [Begun; 2],
    counted: Watch,
}

/// The last probes of a subject from one region.
#[derive(Serialize, Deserialize)]
struct TrackMemo {
    objective: String,
    journey: String,
    step: Option<String>,
    region: String,
    track: Track,
}

impl Ledger {
    /// What changed since it was last asked. It is to be kept as a whole or not at all.
    pub fn unsaved(&mut self) -> Unsaved {
        let mut unsaved = Unsaved::default();
        for entry in &mut self.entries {
            let (pages, dropped) = entry.series.take_changed();
            unsaved.pages.extend(pages.into_iter().map(|page| (entry.key.clone(), page)));
            let dropped =
                dropped.into_iter().map(|(length_s, start_s)| (entry.key.clone(), length_s, start_s));
            unsaved.dropped.extend(dropped);
        }
        if let Some(evaluated_s) = self.evaluated_s.filter(|_| self.doubted_until_s.is_none()) {
            unsaved.dropped.extend(self.forsaken.take_past(evaluated_s));
        }
        // A memo is plain data under texts, so that it always can be written.
        let memo = serde_json::to_vec(&self.memo()).unwrap_or_default();
        if memo != self.last_memo {
            unsaved.memo = Some(memo.clone());
            self.last_memo = memo;
        }
        unsaved
    }

    fn memo(&self) -> Memo {
        Memo {
            version: VERSION,
            evaluated_s: self.evaluated_s,
            now_s: self.now_s,
            listening_since_s: self.listening_since_s,
            doubted_until_s: self.doubted_until_s,
            regions: self.regions.iter().cloned().zip(self.watches.iter().cloned()).collect(),
            series: self.entries.iter().filter_map(|entry| self.series_memo(entry)).collect(),
            tracks: self.track_memos(),
            silences: self.silences.clone(),
            owed: self.owed.clone(),
            resolved: self.resolved.clone(),
            early: self.early.clone(),
            oddities: self.oddities,
        }
    }

    fn series_memo(&self, entry: &Entry) -> Option<SeriesMemo> {
        let has_alerts = entry.firing != 0
            || entry.alerts.iter().any(Option::is_some)
            || entry.begun != [Begun::default(); 2]
            || entry.paged_s.is_some();
        if !has_alerts && entry.counted == Watch::default() {
            return None;
        }
        let rules = self.terms.rules.iter().enumerate();
        let firing =
            rules.filter(|(nth, _)| entry.firing & (1 << nth) != 0).map(|(_, rule)| rule.name.clone());
        Some(SeriesMemo {
            key: entry.key.clone(),
            firing: firing.collect(),
            page: entry.alert(Severity::Page).cloned(),
            ticket: entry.alert(Severity::Ticket).cloned(),
            paged_s: entry.paged_s,
            begun: entry.begun,
            counted: entry.counted.clone(),
        })
    }

    fn track_memos(&self) -> Vec<TrackMemo> {
        let mut memos = Vec::new();
        for (subject, tracks) in self.confirm.iter().flat_map(|confirm| confirm.tracks()) {
            for (region, track) in self.regions.iter().zip(tracks).filter(|(_, track)| !track.is_empty()) {
                memos.push(TrackMemo {
                    objective: self.objectives[subject.objective].objective.text.clone(),
                    journey: subject.journey.clone(),
                    step: subject.step.clone(),
                    region: region.clone(),
                    track: track.clone(),
                });
            }
        }
        memos
    }

    /// Takes up what a memo says; one that cannot be read is counted, and the counts go on without it.
    pub(super) fn recall(&mut self, bytes: Vec<u8>) {
        match serde_json::from_slice::<Memo>(&bytes) {
            Ok(memo) if memo.version == VERSION => self.take_up(memo),
            _ if bytes.is_empty() => {}
            _ => self.oddities.not_read += 1,
        }
        self.last_memo = bytes;
        if let Some(evaluated_s) = self.evaluated_s {
            self.jump(evaluated_s);
        }
    }

    fn take_up(&mut self, memo: Memo) {
        self.evaluated_s = memo.evaluated_s;
        self.now_s = memo.now_s;
        self.listening_since_s = memo.listening_since_s;
        self.doubted_until_s = memo.doubted_until_s;
        self.silences = memo.silences;
        self.owed = memo.owed;
        self.resolved = memo.resolved;
        self.early = memo.early;
        let not_read = self.oddities.not_read;
        self.oddities = memo.oddities;
        self.oddities.not_read += not_read;
        for (region, watch) in memo.regions {
            match self.regions.iter().position(|name| *name == region) {
                Some(place) => self.watches[place] = watch,
                None => {
                    if let Some(silent) = watch.silent.filter(|silent| silent.is_told) {
                        let scope = Scope::Region(region);
                        self.disown(NoticeKind::NoData, silent.severity, None, scope, silent.since_s);
                    }
                }
            }
        }
        memo.series.into_iter().for_each(|series| self.take_up_series(series));
        for memo in memo.tracks {
            let objective =
                self.objectives.iter().position(|watched| watched.objective.text == memo.objective);
            let region = self.regions.iter().position(|name| *name == memo.region);
            if let (Some(confirm), Some(objective), Some(region)) = (&mut self.confirm, objective, region) {
                let subject = Subject { objective, journey: memo.journey, step: memo.step };
                confirm.restore(subject, region, memo.track);
            }
        }
    }

    fn take_up_series(&mut self, memo: SeriesMemo) {
        let SeriesMemo { key, firing, page, ticket, paged_s, begun, counted } = memo;
        let alerts = [page, ticket];
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            (entry.counted, entry.paged_s, entry.begun) = (counted.clone(), paged_s, begun);
            for (nth, rule) in self.terms.rules.iter().enumerate() {
                if firing.contains(&rule.name) {
                    entry.firing |= 1 << nth;
                }
            }
            if entry.is_alerting {
                entry.alerts = alerts;
                return;
            }
        }
        if let Some(silent) = counted.silent.filter(|silent| silent.is_told) {
            let objective = Some(key.objective.clone());
            self.disown(NoticeKind::NoData, silent.severity, objective, key.scope.clone(), silent.since_s);
        }
        for (severity, alert) in Severity::ALL.into_iter().zip(alerts) {
            if let Some(alert) = alert.filter(|alert| alert.is_told) {
                let kind = NoticeKind::Burn { rule: alert.rule };
                self.disown(kind, severity, Some(key.objective.clone()), key.scope.clone(), alert.since_s);
            }
        }
    }

    /// Owes the end of an incident that was told and is no longer watched.
    fn disown(
        &mut self,
        kind: NoticeKind,
        severity: Severity,
        objective: Option<String>,
        scope: Scope,
        began_s: i64,
    ) {
        let word = if kind == NoticeKind::NoData { NO_DATA } else { severity.word() };
        self.owed.push(Notice {
            incident: incident(objective.as_deref(), &scope, word, began_s),
            sequence: 1,
            status: AlertStatus::Resolved,
            severity,
            kind,
            summary: format!("{} ({scope}) is no longer watched", objective.as_deref().unwrap_or(NO_DATA)),
            objective,
            scope,
            at_s: self.evaluated_s.unwrap_or(began_s),
            began_s,
            details: Vec::new(),
        });
    }
}
