//! What Doorbuster's metrics are called in CloudWatch, and which dimensions they have. Who publishes them and who makes
//! alarms of them both ask here.

use std::time::Duration;

use doorbuster_model::slo::Scope;
use doorbuster_notation::show_duration;

use super::datum::{DIMENSION_VALUE_BYTES_MAX, MetricId};

/// Exchanges of a minute.
pub(crate) const REQUESTS: &str = "Requests";
/// Failed ones among them.
pub(crate) const ERRORS: &str = "Errors";
/// Their latencies.
pub(crate) const LATENCY: &str = "Latency";
/// Events of an objective in a minute.
pub(crate) const TOTAL: &str = "Total";
/// Good ones.
pub(crate) const GOOD: &str = "Good";
/// Failed ones.
pub(crate) const FAILED: &str = "Failed";
/// Suspected ones.
pub(crate) const SUSPECTED: &str = "Suspected";
/// The share of the budget that is left.
pub(crate) const BUDGET_LEFT: &str = "BudgetLeft";
/// How fast the budget burns in a window.
pub(crate) const BURN_RATE: &str = "BurnRate";
/// Confirmed failures in a rule's long window.
pub(crate) const FAILED_IN_WINDOW: &str = "FailedInWindow";
/// 1 while a region was not heard of for too long, otherwise 0.
pub(crate) const REGION_SILENT: &str = "RegionSilent";
/// 1 in every minute in which this process evaluates.
pub(crate) const HEARTBEAT: &str = "Heartbeat";

/// What is known of an objective in a scope, beside its windows.
pub(crate) const OBJECTIVE: [&str; 5] = [TOTAL, GOOD, FAILED, SUSPECTED, BUDGET_LEFT];
/// What is known of a step's exchanges.
pub(crate) const EXCHANGES: [&str; 3] = [REQUESTS, ERRORS, LATENCY];

/// A metric of exchanges, with those dimensions that are told.
pub(crate) fn of_exchanges(name: &str, region: Option<&str>, step: Option<(&str, &str)>) -> MetricId {
    let journey = step.map(|(journey, _)| ("Journey", journey));
    let step = step.map(|(_, step)| ("Step", step));
    let dimensions = [region.map(|region| ("Region", region)), journey, step];
    metric(name, dimensions.into_iter().flatten())
}

/// A metric of an objective in a scope.
pub(crate) fn of_objective(name: &str, objective: &str, scope: &Scope) -> MetricId {
    let scope = scope.to_string();
    metric(name, [("Objective", objective), ("Scope", scope.as_str())])
}

/// The burn rate of a window of a rule.
pub(crate) fn of_burn(objective: &str, scope: &Scope, rule: &str, window_s: u32) -> MetricId {
    let window = show_duration(Duration::from_secs(window_s.into()));
    let scope = scope.to_string();
    let dimensions =
        [("Objective", objective), ("Scope", scope.as_str()), ("Rule", rule), ("Window", window.as_str())];
    metric(BURN_RATE, dimensions)
}

/// How many failures a rule's long window holds.
pub(crate) fn of_failures(objective: &str, scope: &Scope, rule: &str) -> MetricId {
    let scope = scope.to_string();
    metric(FAILED_IN_WINDOW, [("Objective", objective), ("Scope", scope.as_str()), ("Rule", rule)])
}

/// Whether a region is silent.
pub(crate) fn of_silence(region: &str) -> MetricId {
    metric(REGION_SILENT, [("Region", region)])
}

/// The sign of life.
pub(crate) fn of_life() -> MetricId {
    metric(HEARTBEAT, [])
}

fn metric<'a>(name: &str, dimensions: impl IntoIterator<Item = (&'a str, &'a str)>) -> MetricId {
    let dimensions = dimensions.into_iter().map(|(name, value)| (name.to_owned(), value_of(value))).collect();
    MetricId { name: name.to_owned(), dimensions }
}

/// A name as a dimension's value: what is not printable ASCII stands as its number, and what is too long is cut.
fn value_of(name: &str) -> String {
    let mut value = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            ' ' | '!'..='~' => value.push(c),
            c => value.push_str(&format!("_u{:04x}", u32::from(c))),
        }
    }
    // All of it is ASCII by now, so it may be cut anywhere.
    value.truncate(DIMENSION_VALUE_BYTES_MAX);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_told_apart_by_name_and_dimensions() {
        let burn = of_burn("home p(latency < 200ms) 99.9%", &Scope::Region("tokyo".into()), "page-6", 21_600);
        let expected = [
            ("Objective", "home p(latency < 200ms) 99.9%"),
            ("Scope", "tokyo"),
            ("Rule", "page-6"),
            ("Window", "6h"),
        ];
        let dimensions: Vec<(&str, &str)> =
            burn.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((burn.name.as_str(), dimensions), ("BurnRate", expected.to_vec()));
        let both = of_exchanges(REQUESTS, Some("tokyo"), Some(("checkout", "pay")));
        let names: Vec<&str> = both.dimensions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Region", "Journey", "Step"]);
        assert_eq!(of_exchanges(REQUESTS, None, Some(("checkout", "pay"))).dimensions.len(), 2);
    }

    #[test]
    fn names_that_cloudwatch_does_not_know_are_spelled_out() {
        assert_eq!(value_of("東京"), "_u6771_u4eac");
        assert_eq!(value_of("a\tb"), "a_u0009b");
        assert_eq!(value_of(&"é".repeat(500)).len(), DIMENSION_VALUE_BYTES_MAX);
    }
}
