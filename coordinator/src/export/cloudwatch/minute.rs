//! A minute's figures as datums.

use std::collections::BTreeMap;

use doorbuster_model::slo::Standing;
use doorbuster_model::tally::Part;
use doorbuster_model::threshold::Names;
use doorbuster_model::{Histogram, Tally};

use super::batch::latency_ms;
use super::catalogue::{Catalogue, Level};
use super::datum::{Datum, Figures, MetricId, Unit};
use super::metric;
use crate::export::counters::Counters;
use crate::export::gathered::STEPS_MAX;

/// A step's exchanges in a minute.
#[derive(Clone, Debug, Default, PartialEq)]
struct StepMinute {
    requests: u64,
    errors: u64,
    /// Of the step's own requests.
    latency: Histogram,
}

/// A region, and a journey with its step, by their places; without one, all together.
type Dimensions = (Option<usize>, Option<(u16, u16)>);

impl StepMinute {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.latency.merge(&other.latency);
    }
}

/// What agents counted in a minute, by region, journey and step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Minute(BTreeMap<(usize, u16, u16), StepMinute>);

impl Minute {
    /// Takes what was counted in a region. Steps beyond [`STEPS_MAX`] are left out: their number is the plan's, and a plan
    /// with so many has no room for them among its metrics.
    pub(crate) fn count(&mut self, region: usize, tally: &Tally) {
        for (key, exchanges) in &tally.exchanges {
            let place = (region, key.journey, key.step);
            if self.0.len() >= STEPS_MAX && !self.0.contains_key(&place) {
                continue;
            }
            let figures = self.0.entry(place).or_default();
            figures.requests += exchanges.requests;
            figures.errors += exchanges.errors_total();
            if key.part == Part::Main {
                figures.latency.merge(&exchanges.latency);
            }
        }
    }

    /// The datums of these exchanges, told apart as the catalogue says.
    pub(crate) fn datums(&self, at_s: i64, catalogue: &Catalogue, names: &Names) -> Vec<Datum> {
        let mut datums = Vec::new();
        for level in &catalogue.levels {
            let mut merged: BTreeMap<Dimensions, StepMinute> = BTreeMap::new();
            for ((region, journey, step), figures) in &self.0 {
                let place = match level {
                    Level::Region => (Some(*region), None),
                    Level::Step => (None, Some((*journey, *step))),
                    Level::RegionStep => (Some(*region), Some((*journey, *step))),
                };
                merged.entry(place).or_default().merge(figures);
            }
            for ((region, step), figures) in &merged {
                let region = region.and_then(|region| names.regions.get(region)).map(String::as_str);
                let step = step.and_then(|step| step_of(names, step));
                let of = |name| metric::of_exchanges(name, region, step);
                datums.push(one(of(metric::REQUESTS), at_s, Unit::Count, figures.requests as f64));
                datums.push(one(of(metric::ERRORS), at_s, Unit::Count, figures.errors as f64));
                if let Some(values) = latency_ms(&figures.latency) {
                    let metric = of(metric::LATENCY);
                    datums.push(Datum { metric, at_s, unit: Unit::Milliseconds, figures: values });
                }
            }
        }
        datums
    }
}

/// The names of a step: its journey's, and its own.
fn step_of(names: &Names, (journey, step): (u16, u16)) -> Option<(&str, &str)> {
    let (journey, steps) = names.journeys.get(usize::from(journey))?;
    Some((journey.as_str(), steps.get(usize::from(step))?.as_str()))
}

/// The datums of what objectives stand at, and of regions; `before` are the counters of a minute ago. `FailedInWindow` is
/// told where rules ask for failures (`min_failures`).
pub(crate) fn standing(
    at_s: i64,
    catalogue: &Catalogue,
    standing: &Standing,
    [before, now]: [&Counters; 2],
    min_failures: u64,
) -> Vec<Datum> {
    let mut datums = vec![one(metric::of_life(), at_s, Unit::Count, 1.0)];
    for region in &standing.regions {
        let is_silent = f64::from(u8::from(region.is_silent));
        datums.push(one(metric::of_silence(&region.region), at_s, Unit::Count, is_silent));
    }
    for told in &standing.objectives {
        let (objective, scope) = (told.objective.as_str(), &told.scope);
        if !catalogue.has(objective, scope) {
            continue;
        }
        let risen = now.of(objective, scope).since(&before.of(objective, scope));
        for (name, count) in [
            (metric::TOTAL, risen.total),
            (metric::GOOD, risen.good),
            (metric::FAILED, risen.failed),
            (metric::SUSPECTED, risen.suspected),
        ] {
            let metric = metric::of_objective(name, objective, scope);
            datums.push(one(metric, at_s, Unit::Count, count as f64));
        }
        if let Some(spent) = told.budget_spent {
            let metric = metric::of_objective(metric::BUDGET_LEFT, objective, scope);
            datums.push(one(metric, at_s, Unit::Percent, 100.0 * (1.0 - spent)));
        }
        for reading in &told.burns {
            if let Some(burn) = reading.burn {
                let metric = metric::of_burn(objective, scope, &reading.rule, reading.window_s);
                datums.push(one(metric, at_s, Unit::None, burn));
            }
            if reading.is_long && min_failures > 0 {
                let metric = metric::of_failures(objective, scope, &reading.rule);
                datums.push(one(metric, at_s, Unit::Count, reading.count.failed as f64));
            }
        }
    }
    datums
}

fn one(metric: MetricId, at_s: i64, unit: Unit, value: f64) -> Datum {
    Datum { metric, at_s, unit, figures: Figures::One(value) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::export::samples;

    const AT_S: i64 = 1_800_000_000;

    fn catalogue(metrics_max: u32) -> Catalogue {
        let slo = samples::slo();
        Catalogue::new(&samples::names(), &samples::series(), &slo.rules, slo.min_failures, metrics_max)
            .unwrap()
    }

    fn minute() -> Minute {
        let mut minute = Minute::default();
        for region in 0..2 {
            minute.count(region, &samples::tally());
        }
        minute
    }

    fn value(datums: &[Datum], metric: &MetricId) -> Option<f64> {
        let found = datums.iter().find(|datum| datum.metric == *metric)?;
        match &found.figures {
            Figures::One(value) => Some(*value),
            Figures::Many(values) => Some(values.iter().map(|(_, count)| count).sum()),
        }
    }

    #[test]
    fn as_many_metrics_are_published_as_were_announced() {
        for metrics_max in [500, 90, 60, 30] {
            let catalogue = catalogue(metrics_max);
            let counters = samples::counters();
            let mut datums = minute().datums(AT_S, &catalogue, &samples::names());
            datums.extend(standing(AT_S, &catalogue, &samples::standing(), [&counters, &counters], 3));
            let metrics: BTreeSet<&MetricId> = datums.iter().map(|datum| &datum.metric).collect();
            assert_eq!(metrics.len() as u64, catalogue.metrics, "{metrics_max}: {:?}", catalogue.left_out);
            assert_eq!(datums.len(), metrics.len(), "each once");
        }
    }

    #[test]
    fn exchanges_are_merged_as_finely_as_they_are_told() {
        let datums = minute().datums(AT_S, &catalogue(500), &samples::names());
        let of = |name, region, step| value(&datums, &metric::of_exchanges(name, region, step));
        let pay = Some(("checkout", "pay"));
        assert_eq!(of(metric::REQUESTS, Some("tokyo"), pay), Some(2.0));
        assert_eq!(of(metric::REQUESTS, None, pay), Some(4.0));
        assert_eq!(of(metric::REQUESTS, Some("tokyo"), None), Some(5.0));
        assert_eq!(of(metric::ERRORS, Some("tokyo"), None), Some(1.0));
        assert_eq!(of(metric::LATENCY, None, pay), Some(2.0), "failed answers have no latency");
    }

    #[test]
    fn events_are_those_of_the_minute() {
        let (before, now) = (Counters::default(), samples::counters());
        let datums = standing(AT_S, &catalogue(500), &samples::standing(), [&before, &now], 3);
        let (objective, scope) = samples::series().swap_remove(0);
        let of = |name| value(&datums, &metric::of_objective(name, &objective, &scope));
        assert_eq!(
            [of(metric::TOTAL), of(metric::GOOD), of(metric::FAILED)],
            [Some(1_000.0), Some(998.0), Some(2.0)]
        );
        assert_eq!(of(metric::BUDGET_LEFT), Some(-1_900.0), "overspent twenty times");
        let later = standing(AT_S, &catalogue(500), &samples::standing(), [&now, &now], 3);
        assert_eq!(value(&later, &metric::of_objective(metric::TOTAL, &objective, &scope)), Some(0.0));
    }

    #[test]
    fn a_window_without_events_publishes_no_burn_rate() {
        let mut told = samples::standing();
        told.objectives[0].burns[0].burn = None;
        let counters = samples::counters();
        let datums = standing(AT_S, &catalogue(500), &told, [&counters, &counters], 0);
        let reading = &told.objectives[0].burns[0];
        let burn = metric::of_burn(
            &told.objectives[0].objective,
            &told.objectives[0].scope,
            &reading.rule,
            reading.window_s,
        );
        assert_eq!(value(&datums, &burn), None);
        assert!(
            datums.iter().all(|datum| datum.metric.name != metric::FAILED_IN_WINDOW),
            "nobody asks for it"
        );
        assert_eq!(value(&datums, &metric::of_life()), Some(1.0));
        assert_eq!(value(&datums, &metric::of_silence("london")), Some(1.0));
    }
}
