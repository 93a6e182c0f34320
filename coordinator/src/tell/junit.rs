//! JUnit XML: a test case per threshold and region, so that a pipeline shows which promise broke.
//!
//! One suite per region and one called `global`. A threshold is a case of the region that it names, or of `global`.
//! Failures are thresholds that do not hold, errors are what makes a run invalid.

mod suite;

use super::numbers::observed;
use super::report::{Reason, Report, Threshold, report};
use crate::outcome::{Outcome, Verdict};

pub(super) use suite::{Case, Ending, Suite, document};

/// The suite of what is about no region.
const GLOBAL: &str = "global";
/// The `kind` of a reason that a threshold gave; the threshold has its own case.
const THRESHOLD: &str = "threshold";

/// The run as a JUnit XML document.
pub(crate) fn junit(outcome: &Outcome) -> String {
    let report = report(outcome);
    let regions = report.regions.keys().map(|name| Some(name.as_str()));
    let suites: Vec<Suite> = std::iter::once(None).chain(regions).map(|name| suite(&report, name)).collect();
    let time_s = outcome.run.finished_at.duration_since(outcome.run.started_at).as_secs_f64().max(0.0);
    document(&report.run.name, &report.run.started_at, time_s, &suites)
}

/// The suite of a region, or of what is about none that took part.
fn suite(report: &Report, region: Option<&str>) -> Suite {
    let belongs = |named: &Option<String>| {
        named.as_deref().filter(|named| report.regions.contains_key(*named)) == region
    };
    let invalidating: Vec<&Reason> = report
        .reasons
        .iter()
        .filter(|reason| reason.invalidates && (region.is_none() || belongs(&reason.region)))
        .collect();
    let mut cases = vec![validity(report, &invalidating, region.is_none())];
    cases.extend(report.thresholds.iter().filter(|threshold| belongs(&threshold.region)).map(threshold));
    let others = report
        .reasons
        .iter()
        .filter(|reason| !reason.invalidates && reason.kind != THRESHOLD && belongs(&reason.region));
    cases.extend(others.map(|reason| Case {
        name: reason.kind.clone(),
        ending: Ending::Failed { kind: reason.kind.clone(), message: reason.message.clone() },
    }));
    Suite { name: region.unwrap_or(GLOBAL).to_owned(), cases }
}

fn validity(report: &Report, invalidating: &[&Reason], global: bool) -> Case {
    let name = if global { "the run is valid" } else { "the region is valid" }.to_owned();
    let messages: Vec<&str> = invalidating.iter().map(|reason| reason.message.as_str()).collect();
    let ending = match invalidating.first() {
        Some(first) => Ending::Broken { kind: first.kind.clone(), message: messages.join("\n") },
        // No reason was given, but the verdict stands.
        None if global && report.verdict == Verdict::Invalid => {
            Ending::Broken { kind: "invalid".to_owned(), message: "the run is invalid".to_owned() }
        }
        None => Ending::Passed,
    };
    Case { name, ending }
}

fn threshold(threshold: &Threshold) -> Case {
    let ending = if threshold.ok {
        Ending::Passed
    } else {
        let seen = match threshold.observed {
            Some(_) => format!("observed {}", observed(threshold.observed, &threshold.unit)),
            None => "the sample cannot support this figure; send more requests".to_owned(),
        };
        Ending::Failed { kind: THRESHOLD.to_owned(), message: format!("{}: {seen}", threshold.rule) }
    };
    Case { name: threshold.rule.clone(), ending }
}
