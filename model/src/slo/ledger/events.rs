//! What comes in: probes, counts of real traffic, signs of life.

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::time::CATCH_UP_MAX_S;
use crate::slo::confirm::Subject;
use crate::slo::count::Count;
use crate::slo::probed::Probed;
use crate::slo::scope::{Scope, SeriesKey};
use crate::slo::series::TIME_MAX_S;

/// How far in the future an event may be: clocks differ a little.
pub(super) const FUTURE_S: i64 = 60;
/// The most events that wait for the time to be known.
const EARLY_MAX: usize = 10_000;
/// A gap in the counts of real traffic: they are told about by the minute, some minutes late.
const TRAFFIC_GAP_S: i64 = 300;

/// Something from beyond the time that is known, or from long before one that is in doubt: it waits for the next evaluation, which knows better. So what comes when a
/// machine wakes up, before anybody could say how late it is, is not taken for nonsense.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Early {
    Probed(Probed),
    Counted { key: SeriesKey, at_s: i64, good: u64, total: u64 },
    Heard { region: String, at_s: i64 },
}

impl Early {
    fn at_s(&self) -> i64 {
        match self {
            Self::Probed(probed) => probed.at_s,
            Self::Counted { at_s, .. } | Self::Heard { at_s, .. } => *at_s,
        }
    }
}

impl Ledger {
    /// Counts a probe, and with it that its region is alive.
    pub fn probed(&mut self, probed: &Probed) {
        if self.is_early(probed.at_s) {
            self.wait(Early::Probed(probed.clone()));
        } else {
            self.take_probed(probed);
        }
    }

    /// Counts real traffic of an objective, by its text, in a scope.
    pub fn counted(&mut self, objective: &str, scope: &Scope, at_s: i64, good: u64, total: u64) {
        let is_it = |key: &SeriesKey| key.objective == objective && key.scope == *scope;
        let Some(place) = self.entries.iter().position(|entry| is_it(&entry.key)) else {
            self.oddities.unknown += 1;
            return;
        };
        if self.is_early(at_s) {
            let key = self.entries[place].key.clone();
            self.wait(Early::Counted { key, at_s, good, total });
        } else {
            self.take_counted(place, at_s, good, total);
        }
    }

    /// When the newest counts of real traffic came that an objective has, by its text. Whoever counts goes on from there.
    pub fn counted_until(&self, objective: &str) -> Option<i64> {
        let of_objective = self.entries.iter().filter(|entry| entry.key.objective == objective);
        of_objective.filter_map(|entry| entry.counted.last_heard_s).max()
    }

    /// The last evaluation: since when nobody has looked whether anything fires.
    pub fn evaluated_until(&self) -> Option<i64> {
        self.evaluated_s
    }

    /// Notes that a region is alive though it had no result.
    pub fn heard(&mut self, region: &str, at_s: i64) {
        if self.is_early(at_s) {
            self.wait(Early::Heard { region: region.to_owned(), at_s });
        } else {
            self.take_heard(region, at_s);
        }
    }

    fn is_early(&self, at_s: i64) -> bool {
        let is_doubted = self.doubted_until_s.is_some();
        self.now_s
            .is_none_or(|now_s| at_s > now_s + FUTURE_S || (is_doubted && at_s < now_s - CATCH_UP_MAX_S))
    }

    fn wait(&mut self, early: Early) {
        if self.early.len() < EARLY_MAX {
            self.early.push(early);
        } else {
            self.oddities.not_kept += 1;
        }
    }

    /// Takes what waited, now that the time is known. What is still in the future is not trusted.
    pub(super) fn admit_early(&mut self, now_s: i64) {
        for early in std::mem::take(&mut self.early) {
            if early.at_s() > now_s + FUTURE_S {
                self.oddities.in_future += 1;
                continue;
            }
            match early {
                Early::Probed(probed) => self.take_probed(&probed),
                Early::Heard { region, at_s } => self.take_heard(&region, at_s),
                Early::Counted { key, at_s, good, total } => {
                    match self.entries.iter().position(|entry| entry.key == key) {
                        Some(place) => self.take_counted(place, at_s, good, total),
                        None => self.oddities.unknown += 1,
                    }
                }
            }
        }
    }

    fn take_heard(&mut self, region: &str, at_s: i64) {
        match self.regions.iter().position(|name| name == region) {
            Some(region) if at_s >= -TIME_MAX_S => {
                self.watches[region].hear(at_s, self.terms.no_data_after_s);
            }
            Some(_) => self.oddities.too_old += 1,
            None => self.oddities.unknown += 1,
        }
    }

    fn take_counted(&mut self, place: usize, at_s: i64, good: u64, total: u64) {
        if total == 0 {
            return;
        }
        let event = Count { total, failed: total - good.min(total), suspected: 0 };
        if !self.add(place, at_s, with(event), event) {
            self.oddities.too_old += 1;
            return;
        }
        let gap_min_s = self.traffic_gap_s();
        let entry = &mut self.entries[place];
        if self.objectives[entry.objective].objective.is_traffic {
            entry.counted.hear(at_s, gap_min_s);
        }
    }

    /// How far apart counts of real traffic are when there is a gap between them.
    pub(super) fn traffic_gap_s(&self) -> i64 {
        self.terms.no_data_after_s.max(TRAFFIC_GAP_S)
    }

    fn take_probed(&mut self, probed: &Probed) {
        let Some(region) = self.regions.iter().position(|name| *name == probed.region) else {
            self.oddities.unknown += 1;
            return;
        };
        if probed.at_s < -TIME_MAX_S {
            self.oddities.too_old += 1;
            return;
        }
        self.watches[region].hear(probed.at_s, self.terms.no_data_after_s);
        for objective in 0..self.objectives.len() {
            for (step, is_good) in self.objectives[objective].objective.events(probed) {
                let subject =
                    Subject { objective, journey: probed.journey.clone(), step: step.map(str::to_owned) };
                self.take_event(subject, region, probed.at_s, is_good);
            }
        }
    }

    fn take_event(&mut self, subject: Subject, region: usize, at_s: i64, is_good: bool) {
        let objective = subject.objective;
        let confirmed = match &mut self.confirm {
            Some(confirm) => {
                let confirmed = confirm.note(subject, region, at_s, is_good);
                if confirmed.is_none() && !is_good {
                    self.oddities.not_followed += 1;
                }
                confirmed
            }
            None => None,
        };
        // Where nobody can confirm it, a failure counts at once.
        let event = Count {
            total: 1,
            failed: u64::from(!is_good && confirmed.is_none()),
            suspected: u64::from(!is_good && confirmed.is_some()),
        };
        if !self.add_of_region(objective, region, at_s, with(event), event) {
            self.oddities.too_old += 1;
        }
        let confirmation = |count: Count| Count {
            failed: count.failed.saturating_add(1),
            suspected: count.suspected.saturating_sub(1),
            ..count
        };
        for (region, at_s) in confirmed.unwrap_or_default() {
            self.add_of_region(
                objective,
                region,
                at_s,
                confirmation,
                Count { failed: 1, ..Count::default() },
            );
        }
    }

    /// Everything that was counted of what came after this process's first evaluation, by objective and scope. No figure
    /// ever falls: an event that is confirmed to have failed stays among the suspected.
    pub fn counters(&self) -> impl Iterator<Item = (&SeriesKey, Count)> {
        self.entries.iter().map(|entry| (&entry.key, entry.risen))
    }

    /// Changes the buckets of a region's own series and of the global one. False where any of them is not kept.
    fn add_of_region(
        &mut self,
        objective: usize,
        region: usize,
        at_s: i64,
        change: impl Fn(Count) -> Count,
        rise: Count,
    ) -> bool {
        let watched = &self.objectives[objective];
        let places = [watched.global, watched.by_region.get(region).copied().flatten()];
        let mut is_kept = true;
        for place in places.into_iter().flatten() {
            is_kept &= self.add(place, at_s, &change, rise);
        }
        is_kept
    }

    /// Changes a bucket, and says by how much what was ever counted rises.
    fn add(&mut self, place: usize, at_s: i64, change: impl FnOnce(Count) -> Count, rise: Count) -> bool {
        let entry = &mut self.entries[place];
        let is_kept = match self.evaluated_s {
            Some(evaluated_s) if at_s >= -TIME_MAX_S => {
                entry.series.apply(at_s, evaluated_s, &self.terms.windows, change)
            }
            _ => false,
        };
        // What another process counted is not half counted here: a confirmation may come after a restart.
        if is_kept && self.counting_from_s.is_some_and(|from_s| at_s > from_s) {
            entry.risen.include(rise);
        }
        is_kept
    }
}

/// A count with an event more.
fn with(event: Count) -> impl Fn(Count) -> Count {
    move |mut count| {
        count.include(event);
        count
    }
}
