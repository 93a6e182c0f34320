//! How everything stands.

use std::time::Duration;

use super::{Entry, Ledger};
use crate::slo::budget::Budget;
use crate::slo::gaps::{common, seconds};
use crate::slo::notice::{AlertView, incident};
use crate::slo::rule::Severity;
use crate::slo::scope::Scope;
use crate::slo::standing::{BurnReading, ObjectiveStanding, RegionStanding, Standing};

impl Ledger {
    /// How everything stands: what was counted up to the last evaluation, and silence up to `now_s`.
    pub fn standing(&self, now_s: i64) -> Standing {
        let after_s = self.terms.no_data_after_s;
        let regions = self.regions.iter().zip(&self.watches).map(|(region, watch)| RegionStanding {
            region: region.clone(),
            last_heard_s: watch.last_heard_s,
            is_silent: watch.is_silent(now_s, after_s),
        });
        Standing {
            at_s: now_s,
            objectives: self.entries.iter().map(|entry| self.objective_standing(entry, now_s)).collect(),
            regions: regions.collect(),
            alerts: self.alert_views(now_s),
        }
    }

    fn objective_standing(&self, entry: &Entry, now_s: i64) -> ObjectiveStanding {
        let objective = &self.objectives[entry.objective].objective;
        let count = entry.series.budget();
        let budget_spent = Budget { objective: entry.share, good: count.good(), total: count.total }.spent();
        ObjectiveStanding {
            objective: entry.key.objective.clone(),
            scope: entry.key.scope.clone(),
            share: entry.share,
            window_s: objective.window_s,
            count,
            budget_spent,
            gaps_s: self.gaps_s(entry, now_s),
            burns: self.burns(entry),
            exhausted_in_s: budget_spent.and_then(|spent| self.exhausted_in_s(entry, spent)),
        }
    }

    fn burns(&self, entry: &Entry) -> Vec<BurnReading> {
        let sums = entry.series.sums();
        let rules = self.terms.rules.iter().zip(&self.terms.places);
        let windows = rules.flat_map(|(rule, (long, short))| {
            [(rule, rule.long_s, true, sums[*long]), (rule, rule.short_s, false, sums[*short])]
        });
        let reading = windows.map(|(rule, window_s, is_long, count)| BurnReading {
            rule: rule.name.clone(),
            severity: rule.severity,
            factor: rule.factor,
            window_s,
            is_long,
            burn: count.certain().burn(entry.share),
            is_burning: count.certain().burns(entry.share, rule.factor),
            count,
        });
        reading.collect()
    }

    /// What is left of the budget ÷ how fast it burns through the long window in which it burns fastest.
    fn exhausted_in_s(&self, entry: &Entry, spent: f64) -> Option<u64> {
        if spent >= 1.0 {
            return Some(0);
        }
        let sums = entry.series.sums();
        let burns = self.terms.places.iter().filter_map(|(long, _)| sums[*long].certain().burn(entry.share));
        let burn = burns.max_by(f64::total_cmp).filter(|burn| *burn > 0.0)?;
        let window_s = f64::from(self.objectives[entry.objective].objective.window_s);
        let left_s = (1.0 - spent).max(0.0) * window_s / burn;
        Duration::try_from_secs_f64(left_s).ok().map(|left| left.as_secs())
    }

    /// The seconds of the objective's window, since the first event, in which nothing could be counted: all regions are
    /// silent together, or the one that it is about.
    fn gaps_s(&self, entry: &Entry, now_s: i64) -> u64 {
        let watched = &self.objectives[entry.objective];
        let Some(first_s) = entry.series.first_s() else { return 0 };
        let after_s = first_s.max(now_s.saturating_sub(i64::from(watched.objective.window_s)));
        let gap_min_s = self.terms.no_data_after_s;
        if watched.objective.is_traffic {
            return seconds(&entry.counted.gaps(after_s, now_s, self.traffic_gap_s()));
        }
        let of = |region: usize| self.watches[region].gaps(after_s, now_s, gap_min_s);
        let stretches = match &entry.key.scope {
            Scope::Region(name) => self.regions.iter().position(|region| region == name).map(of),
            Scope::Global => (0..self.watches.len()).map(of).reduce(|all, one| common(&all, &one)),
        };
        stretches.map_or(0, |stretches| seconds(&stretches))
    }

    fn alert_views(&self, at_s: i64) -> Vec<AlertView> {
        let mut views = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            for severity in Severity::ALL {
                let Some(alert) = entry.alert(severity) else { continue };
                let key = &entry.key;
                views.push(AlertView {
                    incident: incident(Some(&key.objective), &key.scope, severity.word(), alert.since_s),
                    status: alert.status,
                    severity,
                    rule: alert.rule.clone(),
                    objective: Some(key.objective.clone()),
                    scope: key.scope.clone(),
                    since_s: alert.since_s,
                    is_silenced: self.is_alert_silenced(place, at_s),
                    is_inhibited: self.is_inhibited(place, severity, at_s),
                    is_told: alert.is_told,
                });
            }
        }
        views.extend(self.silent_views(at_s));
        views.extend(self.resolved.iter().cloned());
        views
    }
}
