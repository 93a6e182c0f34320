//! Which metrics are published. Each is paid for by the month, so their number is known before the first is sent, and the
//! finest are left out where a plan's `metrics_max` has no room for them.

use std::collections::BTreeSet;

use doorbuster_model::slo::{Rule, Scope, Slo};
use doorbuster_model::threshold::Names;

use super::metric::{EXCHANGES, OBJECTIVE};

/// How finely exchanges are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// By region.
    Region,
    /// By journey and step, over all regions.
    Step,
    /// By region, journey and step.
    RegionStep,
}

impl Level {
    /// All of them, the coarsest first.
    const ALL: [Self; 3] = [Self::Region, Self::Step, Self::RegionStep];

    /// What people read where it is left out.
    const fn shown(self) -> &'static str {
        match self {
            Self::Region => "requests by region",
            Self::Step => "requests by journey and step",
            Self::RegionStep => "requests by region, journey and step",
        }
    }

    /// How many times it tells them apart.
    fn count(self, names: &Names) -> u64 {
        let regions = names.regions.len() as u64;
        let steps = names.journeys.iter().map(|(_, steps)| steps.len() as u64).sum::<u64>();
        match self {
            Self::Region => regions,
            Self::Step => steps,
            Self::RegionStep => regions * steps,
        }
    }
}

/// An objective in a scope.
pub(crate) type Series = (String, Scope);

/// Each objective, its names resolved, in each of its scopes.
pub(crate) fn series(slo: &Slo, regions: &[String]) -> Vec<Series> {
    let mut series = Vec::new();
    for objective in &slo.objectives {
        series.extend(objective.scopes(regions).into_iter().map(|scope| (objective.text.clone(), scope)));
    }
    series
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// How finely exchanges are told apart.
    pub levels: Vec<Level>,
    /// Which objectives, in which scopes.
    pub series: BTreeSet<Series>,
    /// The number of metrics.
    pub metrics: u64,
    /// What there is no room for.
    pub left_out: Vec<&'static str>,
}

impl Catalogue {
    /// What fits into `metrics_max`: the sign of life and the regions' silence, objectives in the global scope and then in
    /// regions, exchanges by region, by step, and by both.
    ///
    /// # Errors
    /// A sentence when not even the objectives in their global scopes fit.
    pub(crate) fn new(
        names: &Names,
        series: &[Series],
        rules: &[Rule],
        min_failures: u64,
        metrics_max: u32,
    ) -> Result<Self, String> {
        let room = u64::from(metrics_max);
        // Two windows, and the failures of the long one where a rule asks for some.
        let of_rule = 2 + u64::from(min_failures > 0);
        let of_series = OBJECTIVE.len() as u64 + rules.len() as u64 * of_rule;
        let is_first = |(objective, scope): &&Series| {
            *scope == Scope::Global || !series.contains(&(objective.clone(), Scope::Global))
        };
        let first: BTreeSet<Series> = series.iter().filter(is_first).cloned().collect();
        let all: BTreeSet<Series> = series.iter().cloned().collect();
        let of = |series: &BTreeSet<Series>| 1 + names.regions.len() as u64 + series.len() as u64 * of_series;
        if of(&first) > room {
            return Err(format!(
                "the objectives alone are {} metrics of CloudWatch, and the plan's export.cloudwatch.metrics_max is {metrics_max}; raise it, or promise less",
                of(&first)
            ));
        }
        let mut left_out = Vec::new();
        let series = if of(&all) > room {
            left_out.push("objectives in single regions");
            first
        } else {
            all
        };
        let mut catalogue = Self { levels: Vec::new(), metrics: of(&series), series, left_out };
        for level in Level::ALL {
            let metrics = level.count(names) * EXCHANGES.len() as u64;
            // What is finer than something that had no room has none either, so that nobody wonders which were taken.
            if catalogue.left_out.is_empty() && catalogue.metrics + metrics <= room {
                catalogue.metrics += metrics;
                catalogue.levels.push(level);
            } else {
                catalogue.left_out.push(level.shown());
            }
        }
        Ok(catalogue)
    }

    /// Whether an objective in a scope is published.
    pub(crate) fn has(&self, objective: &str, scope: &Scope) -> bool {
        self.series.contains(&(objective.to_owned(), scope.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    fn catalogue(metrics_max: u32) -> Result<Catalogue, String> {
        let slo = samples::slo();
        Catalogue::new(&samples::names(), &samples::series(), &slo.rules, slo.min_failures, metrics_max)
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_finest_on() {
        // Two objectives, two regions and the global scope, two rules with three metrics each; three steps.
        let (life, objective, region) = (1 + 2, 5 + 2 * 3, 2 * 3);
        let (step, both) = (3 * 3, 2 * 3 * 3);
        let all = life + 6 * objective + region + step + both;
        let objectives = "objectives in single regions";
        let [by_region, by_step, by_both] = Level::ALL.map(Level::shown);
        for (room, metrics, left_out) in [
            (all, all, vec![]),
            (all - 1, all - both, vec![by_both]),
            (all - both - 1, all - both - step, vec![by_step, by_both]),
            (life + 6 * objective, life + 6 * objective, vec![by_region, by_step, by_both]),
            (life + 6 * objective - 1, life + 2 * objective, vec![objectives, by_region, by_step, by_both]),
        ] {
            let made = catalogue(room).unwrap();
            assert_eq!((made.metrics, made.left_out), (u64::from(metrics), left_out), "{room}");
        }
        let refused = catalogue(life + 2 * objective - 1).unwrap_err();
        assert!(refused.contains("the objectives alone are 25 metrics"), "{refused}");
    }

    #[test]
    fn an_objective_about_one_region_stays_with_that_region() {
        let tokyo = ("tokyo availability 99%".to_owned(), Scope::Region("tokyo".to_owned()));
        let series = [samples::series(), vec![tokyo.clone()]].concat();
        let slo = samples::slo();
        let made = Catalogue::new(&samples::names(), &series, &slo.rules, slo.min_failures, 40).unwrap();
        assert_eq!(made.left_out.len(), 4);
        assert!(made.has(&tokyo.0, &tokyo.1) && made.series.len() == 3);
    }
}
