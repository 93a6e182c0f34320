//! Objectives, budgets, burn rates, alerts, and when regions were last heard of.

use std::collections::BTreeMap;
use std::time::Duration;

use doorbuster_model::slo::{AlertStatus, ObjectiveStanding, Severity, Standing};
use doorbuster_notation::show_duration;

use super::text::{Label, Page};
use crate::export::{Snapshot, severity_word};

/// Tells everything that objectives stand at.
pub(super) fn tell(page: &mut Page, snapshot: &Snapshot) {
    events(page, snapshot);
    budgets(page, &snapshot.standing);
    burns(page, &snapshot.standing);
    alerts(page, &snapshot.standing);
    regions(page, &snapshot.standing);
}

fn events(page: &mut Page, snapshot: &Snapshot) {
    let families = [
        (
            "doorbuster_slo_events_total",
            "Events that an objective is about: probes, or requests that were counted elsewhere.",
        ),
        (
            "doorbuster_slo_good_events_total",
            "Good ones among them; a failure that is confirmed late is taken from the good ones that follow.",
        ),
        ("doorbuster_slo_failed_events_total", "Failed ones among them, once they are confirmed."),
        ("doorbuster_slo_suspected_events_total", "Failures that were suspected, confirmed later or not."),
    ];
    for (position, (name, help)) in families.into_iter().enumerate() {
        let mut family = page.counter(name, help);
        for (objective, scope, risen) in snapshot.counters.iter() {
            let value = [risen.total, risen.good, risen.failed, risen.suspected][position];
            family.count(&[("objective", objective), ("scope", &scope.to_string())], value);
        }
    }
}

fn budgets(page: &mut Page, standing: &Standing) {
    let by_objective: BTreeMap<&str, &ObjectiveStanding> =
        standing.objectives.iter().map(|objective| (objective.objective.as_str(), objective)).collect();
    let mut family = page.gauge("doorbuster_slo_objective_ratio", "The share of events that must be good.");
    for (text, objective) in &by_objective {
        family.number(&[("objective", text)], objective.share.parts_per_billion as f64 / 1e9);
    }
    let mut family = page.gauge("doorbuster_slo_window_seconds", "Over how long an objective counts.");
    for (text, objective) in &by_objective {
        family.count(&[("objective", text)], u64::from(objective.window_s));
    }
    each(page, standing, "doorbuster_slo_budget_spent_ratio", BUDGET_SPENT, |objective| {
        objective.budget_spent
    });
    each(page, standing, "doorbuster_slo_budget_left_ratio", BUDGET_LEFT, |objective| {
        objective.budget_spent.map(|spent| 1.0 - spent)
    });
    each(page, standing, "doorbuster_slo_gap_seconds", GAPS, |objective| Some(objective.gaps_s as f64));
    each(page, standing, "doorbuster_slo_exhausted_in_seconds", EXHAUSTED, |objective| {
        objective.exhausted_in_s.map(|left_s| left_s as f64)
    });
}

const BUDGET_SPENT: &str = "The share of the error budget that is spent: 1 is all of it, more is overspent.";
const BUDGET_LEFT: &str = "The share of the error budget that is left; below 0 it is overspent.";
const GAPS: &str =
    "Time of the objective's window, since its first event, without data: neither good nor bad.";
const EXHAUSTED: &str = "Time until the budget is spent, should it burn on as it does.";

fn each(
    page: &mut Page,
    standing: &Standing,
    name: &'static str,
    help: &str,
    value: impl Fn(&ObjectiveStanding) -> Option<f64>,
) {
    let mut family = page.gauge(name, help);
    for objective in &standing.objectives {
        if let Some(value) = value(objective) {
            let scope = objective.scope.to_string();
            family.number(&[("objective", &objective.objective), ("scope", &scope)], value);
        }
    }
}

fn burns(page: &mut Page, standing: &Standing) {
    let mut family = page.gauge(
        "doorbuster_slo_burn_rate",
        "How fast the budget burns: 1 spends it exactly over the objective's window. Absent while a window has no events.",
    );
    for objective in &standing.objectives {
        let scope = objective.scope.to_string();
        for reading in &objective.burns {
            let Some(burn) = reading.burn else { continue };
            let window = show_duration(Duration::from_secs(reading.window_s.into()));
            let labels: [Label<'_>; 4] = [
                ("objective", &objective.objective),
                ("scope", &scope),
                ("rule", &reading.rule),
                ("window", &window),
            ];
            family.number(&labels, burn);
        }
    }
    let readings = standing.objectives.iter().flat_map(|objective| &objective.burns);
    let limits: BTreeMap<&str, (Severity, String)> =
        readings.map(|burn| (burn.rule.as_str(), (burn.severity, burn.factor.to_string()))).collect();
    let mut family = page
        .gauge("doorbuster_slo_burn_rate_limit", "The burn rate at which a rule fires, in both its windows.");
    for (rule, (severity, factor)) in &limits {
        let labels: [Label<'_>; 2] = [("rule", rule), ("severity", severity_word(*severity))];
        family.number(&labels, factor.parse().unwrap_or(f64::NAN));
    }
}

/// An alert's labels: those of one that fires again are the same.
type AlertKey<'a> = (&'a str, String, &'static str, &'a str);

/// Whether it is pending, whether it fires, whether a silence or a graver alert keeps it from being told.
type AlertState = [bool; 4];

fn alerts(page: &mut Page, standing: &Standing) {
    let mut alerts: BTreeMap<AlertKey<'_>, AlertState> = BTreeMap::new();
    for alert in &standing.alerts {
        let objective = alert.objective.as_deref().unwrap_or_default();
        let key = (objective, alert.scope.to_string(), severity_word(alert.severity), alert.rule.as_str());
        let state = alerts.entry(key).or_default();
        let is_on = alert.status != AlertStatus::Resolved;
        state[0] |= alert.status == AlertStatus::Pending;
        state[1] |= alert.status == AlertStatus::Firing;
        state[2] |= is_on && alert.is_silenced;
        state[3] |= is_on && alert.is_inhibited;
    }
    for (name, help, label, words) in [
        (
            "doorbuster_alert",
            "Whether an alert is in this state; in none of them it is resolved.",
            "state",
            [(0, "pending"), (1, "firing")],
        ),
        (
            "doorbuster_alert_muted",
            "Whether an alert that is on is kept from being told.",
            "by",
            [(2, "silence"), (3, "inhibition")],
        ),
    ] {
        let mut family = page.gauge(name, help);
        for ((objective, scope, severity, rule), state) in &alerts {
            for (position, word) in words {
                let labels: [Label<'_>; 5] = [
                    ("objective", objective),
                    ("scope", scope),
                    ("severity", severity),
                    ("rule", rule),
                    (label, word),
                ];
                family.flag(&labels, state[position]);
            }
        }
    }
}

fn regions(page: &mut Page, standing: &Standing) {
    let mut family =
        page.gauge("doorbuster_region_last_heard_timestamp_seconds", "When a region was last heard of.");
    for region in &standing.regions {
        if let Some(at_s) = region.last_heard_s {
            family.moment(&[("region", &region.region)], at_s);
        }
    }
    let mut family = page.gauge("doorbuster_region_silent", "Whether that is too long ago to know anything.");
    for region in &standing.regions {
        family.flag(&[("region", &region.region)], region.is_silent);
    }
    page.gauge(
        "doorbuster_evaluated_timestamp_seconds",
        "When windows and alerts were last evaluated. The page is served even where nothing is evaluated any more.",
    )
    .moment(&[], standing.at_s);
}
