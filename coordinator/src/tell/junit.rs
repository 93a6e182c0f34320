//! JUnit XML: a test case per threshold and region, so that a pipeline shows which promise broke.
//!
//! One suite per region and one called `global`. A threshold is a case of the region that it names, or of `global`. Where
//! the plan declares what the edge has promised, each rule about it is a case of each region, otherwise those that fail
//! the run. Failures are thresholds and promises that do not hold, errors are what makes a run invalid.

mod suite;

use std::fmt::Write;

use doorbuster_model::cdn::Rule;

use super::numbers::{count, observed};
use super::report::{Finding, Reason, Report, Threshold, report};
use crate::outcome::{Outcome, Verdict};
use crate::promises;

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
        .filter(|reason| !reason.invalidates && belongs(&reason.region))
        .filter(|reason| reason.kind != THRESHOLD && reason.kind != promises::KIND);
    cases.extend(others.map(|reason| Case {
        name: reason.kind.clone(),
        ending: Ending::Failed { kind: reason.kind.clone(), message: reason.message.clone() },
    }));
    cases.extend(region.into_iter().flat_map(|region| promised(report, region)));
    Suite { name: region.unwrap_or(GLOBAL).to_owned(), cases }
}

/// The rules about the edge in a region.
fn promised(report: &Report, region: &str) -> Vec<Case> {
    let case = |rule: Rule| {
        let broken: Vec<&Finding> = (report.cdn.findings.iter())
            .filter(|finding| finding.rule == rule.id() && finding.region == region && finding.fails())
            .collect();
        let Some(first) = broken.first() else {
            return report.cdn.declared.then_some(Ending::Passed).map(|ending| (rule, ending));
        };
        let mut message = format!("{}: {}", first.condition, first.remedy);
        for finding in &broken {
            // Writing to a string cannot fail.
            let _ =
                write!(message, "\n{} times, {}: {}", count(finding.count), finding.class, finding.evidence);
        }
        Some((rule, Ending::Failed { kind: promises::KIND.to_owned(), message }))
    };
    let cases = Rule::all().filter_map(case);
    cases.map(|(rule, ending)| Case { name: format!("cdn {}", rule.id()), ending }).collect()
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
