//! The ledger of a probe: what was counted goes in; what people are to be told, and how everything stands, comes out. The
//! only place that takes the ledger's own types apart.

use std::collections::BTreeMap;

use doorbuster_model::slo::{
    AlertStatus, AlertView, BurnReading, Count, Ledger, NO_DATA, Notice, NoticeKind, ObjectiveStanding,
    Oddities, Probed, ProbedStep, RegionStanding, Saved, Scope, SeriesKey, Silence, Slo, Standing, Unsaved,
};
use doorbuster_model::threshold::Names;
use doorbuster_model::{Plan, report};

use super::board::{AlertRow, Board, BurnRow, ObjectiveRow, RegionRow};
use super::changes::{journey_name, region_name, step_name};
use super::wall::{next_beat_s, seconds};
use crate::Error;
use crate::export::Counter;

/// Real traffic that somebody else counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The objective's text.
    pub objective: String,
    /// When, in seconds since 1970.
    pub at_s: i64,
    /// Events that were good.
    pub good: u64,
    /// All events.
    pub total: u64,
}

/// A probe's ledger.
pub(crate) struct Book {
    ledger: Ledger,
    /// The plan's objectives, their names resolved.
    slo: Slo,
    /// What nobody wants to hear of, by its id, as the ledger knows it.
    silences: BTreeMap<String, Silence>,
}

impl Book {
    /// The ledger of a plan as it was saved, or an empty one.
    ///
    /// # Errors
    /// When the plan says nothing of probes or of objectives, or names what it does not have.
    pub(crate) fn open(plan: &Plan, names: &Names, saved: Option<Saved>) -> Result<Self, Error> {
        let lacks = |key: &str, example: &str| {
            Error::Usage(format!("the plan \"{}\" has no `{key}`; add for example {example}", plan.name))
        };
        let probe = plan.probe.ok_or_else(|| lacks("probe", "probe: { every: 20s }"))?;
        let example = "slo: { objectives: [\"availability 99.99% over 30d\"] }";
        let mut slo = plan.slo.clone().ok_or_else(|| lacks("slo", example))?;
        slo.resolve(names).map_err(Error::Usage)?;
        let ledger = match saved {
            Some(saved) => Ledger::restore(&slo, &names.regions, probe.every_s, saved),
            None => Ledger::new(&slo, &names.regions, probe.every_s),
        };
        // What was taken back while nobody probed must be known, or nobody would take it back.
        let silences =
            ledger.silences().iter().map(|silence| (silence.id.clone(), silence.clone())).collect();
        Ok(Self { ledger, slo, silences })
    }

    /// The plan's objectives, their names resolved.
    pub(crate) fn slo(&self) -> &Slo {
        &self.slo
    }

    /// A walk of a region ended, whose agent's second 0 began then.
    pub(crate) fn walked(&mut self, names: &Names, region: usize, start_unix_ns: u64, walk: &report::Probed) {
        let step = |step: &report::ProbedStep| ProbedStep {
            step: step_name(names, walk.journey, step.step).to_owned(),
            is_good: step.failure.is_none(),
            latency_ns: step.latency_ns,
        };
        self.ledger.probed(&Probed {
            region: region_name(names, region).to_owned(),
            journey: journey_name(names, walk.journey).to_owned(),
            at_s: seconds(start_unix_ns.saturating_add(walk.began_ns)),
            steps: walk.steps.iter().map(step).collect(),
            is_good: walk.is_good,
        });
    }

    /// A region is at work, though nothing has come of it yet.
    pub(crate) fn heard(&mut self, names: &Names, region: usize, at_s: i64) {
        self.ledger.heard(region_name(names, region), at_s);
    }

    /// Somebody counted real traffic.
    pub(crate) fn counted(&mut self, counted: &Counted) {
        let Counted { objective, at_s, good, total } = counted;
        self.ledger.counted(objective, &Scope::Global, *at_s, *good, *total);
    }

    /// Up to when real traffic was counted for an objective, by its text, in seconds since 1970.
    pub(crate) fn counted_until(&self, objective: &str) -> Option<i64> {
        self.ledger.counted_until(objective)
    }

    /// What could not be taken as it came.
    pub(crate) fn oddities(&self) -> Oddities {
        self.ledger.oddities()
    }

    /// The last evaluation, in seconds since 1970.
    pub(crate) fn evaluated_until(&self) -> Option<i64> {
        self.ledger.evaluated_until()
    }

    /// What people are to be told at `at_s`, a multiple of ten seconds.
    pub(crate) fn evaluate(&mut self, at_s: i64) -> Vec<Notice> {
        self.ledger.evaluate(at_s)
    }

    /// What has changed since the last call.
    pub(crate) fn unsaved(&mut self) -> Unsaved {
        self.ledger.unsaved()
    }

    /// These and no others are what nobody wants to hear of.
    pub(crate) fn silence(&mut self, wanted: Vec<Silence>) {
        let wanted: BTreeMap<String, Silence> =
            wanted.into_iter().map(|silence| (silence.id.clone(), silence)).collect();
        for id in self.silences.keys().filter(|id| !wanted.contains_key(*id)) {
            self.ledger.unsilence(id);
        }
        for (id, silence) in &wanted {
            if self.silences.get(id) != Some(silence) {
                self.ledger.silence(silence.clone());
            }
        }
        self.silences = wanted;
    }

    /// How everything stands, with what was counted up to the last evaluation.
    pub(crate) fn standing(&self, now_s: i64) -> Standing {
        self.ledger.standing(now_s)
    }

    /// What was counted since this process began, for whoever reads counters.
    pub(crate) fn counters(&self) -> Vec<Counter> {
        let counter = |(key, count): (&SeriesKey, Count)| Counter {
            objective: key.objective.clone(),
            scope: key.scope.clone(),
            count,
        };
        self.ledger.counters().map(counter).collect()
    }

    /// The same with everything that was counted, for whoever looks on. Alerts stay what they were when people were told:
    /// nobody but the probe itself says that one fires or is over.
    pub(crate) fn complete(&self, now_s: i64) -> Standing {
        let mut copy = self.ledger.clone();
        drop(copy.evaluate(next_beat_s(now_s)));
        let alerts = self.ledger.standing(now_s).alerts;
        Standing { at_s: now_s, alerts, ..copy.standing(now_s) }
    }
}

/// What fires and was told, as it would be told if it had just begun: for whoever must be told anew.
pub(crate) fn firing(standing: &Standing) -> Vec<Notice> {
    // What was told goes on, whoever silences it now; what nobody was told is the ledger's to tell.
    let is_told = |alert: &&AlertView| alert.status == AlertStatus::Firing && alert.is_told;
    let notice = |alert: &AlertView| {
        let kind = if alert.rule == NO_DATA {
            NoticeKind::NoData
        } else {
            NoticeKind::Burn { rule: alert.rule.clone() }
        };
        let about = alert.objective.as_deref().unwrap_or("no data");
        Notice {
            incident: alert.incident.clone(),
            sequence: 0,
            status: AlertStatus::Firing,
            severity: alert.severity,
            kind,
            objective: alert.objective.clone(),
            scope: alert.scope.clone(),
            at_s: standing.at_s,
            began_s: alert.since_s,
            summary: format!("{about}, {}: still firing", alert.scope),
            details: Vec::new(),
        }
    };
    standing.alerts.iter().filter(is_told).map(notice).collect()
}

/// How everything stands, as it is shown.
pub(crate) fn board(standing: &Standing) -> Board {
    let is_open = |alert: &&AlertView| alert.status != AlertStatus::Resolved;
    Board {
        at_s: standing.at_s,
        evaluated_s: Some(standing.at_s),
        objectives: standing.objectives.iter().map(objective).collect(),
        regions: standing.regions.iter().map(region).collect(),
        alerts: standing.alerts.iter().filter(is_open).map(alert).collect(),
    }
}

fn objective(standing: &ObjectiveStanding) -> ObjectiveRow {
    ObjectiveRow {
        objective: standing.objective.clone(),
        scope: standing.scope.to_string(),
        share: standing.share.parts_per_billion as f64 / 1e9,
        window_s: standing.window_s,
        total: standing.count.total,
        failed: standing.count.failed,
        suspected: standing.count.suspected,
        budget_left: standing.budget_spent.map(|spent| 1.0 - spent),
        exhausted_in_s: standing.exhausted_in_s,
        gaps_s: standing.gaps_s,
        burns: standing.burns.iter().map(burn).collect(),
    }
}

fn burn(reading: &BurnReading) -> BurnRow {
    BurnRow {
        rule: reading.rule.clone(),
        severity: reading.severity.word().to_owned(),
        factor: reading.factor.to_string(),
        window_s: reading.window_s,
        is_long: reading.is_long,
        burn: reading.burn,
        is_burning: reading.is_burning,
    }
}

fn region(standing: &RegionStanding) -> RegionRow {
    RegionRow {
        region: standing.region.clone(),
        last_heard_s: standing.last_heard_s,
        is_silent: standing.is_silent,
    }
}

fn alert(view: &AlertView) -> AlertRow {
    AlertRow {
        incident: view.incident.clone(),
        status: word(view.status).to_owned(),
        severity: view.severity.word().to_owned(),
        rule: view.rule.clone(),
        objective: view.objective.clone(),
        scope: view.scope.to_string(),
        since_s: view.since_s,
        is_silenced: view.is_silenced,
        is_inhibited: view.is_inhibited,
    }
}

fn word(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Pending => "pending",
        AlertStatus::Firing => "firing",
        AlertStatus::Resolved => "resolved",
    }
}

/// A notice as a line.
pub(crate) fn line(notice: &Notice) -> String {
    let severity = notice.severity.word();
    format!("alert {}: {severity} {}: {}", word(notice.status), notice.scope, notice.summary)
}

#[cfg(test)]
#[path = "book/tests.rs"]
mod tests;
