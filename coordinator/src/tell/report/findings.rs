//! Broken promises of the edge.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::distribution::three_decimals;
use crate::outcome;
use crate::promises::seen;

/// A broken promise of the edge: where single answers broke it with the first of them as evidence, or what many together
/// came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Finding {
    /// The rule that is broken: `private-hit`.
    pub rule: String,
    /// `critical`, `error`, `warning` or `info`; the first two fail a run.
    pub severity: String,
    /// The region that saw it.
    pub region: String,
    /// The edge location that answered, where it said so; of what is judged by rate `null` where several did.
    pub pop: Option<String>,
    /// The class of content.
    pub class: String,
    /// Who is to be asked: `edge`, `balancer`, `origin` or `generator`.
    pub layer: String,
    /// What was asked for: a URL without secrets; empty where it is judged by rate.
    pub url: String,
    /// What was seen: the request, the status and the parts of the answer's head that show it; or the figures.
    pub evidence: String,
    /// The first answer's status; `null` where it is judged by rate.
    pub status: Option<u16>,
    /// Its request's headers, a line each, without secrets.
    pub asked: Vec<String>,
    /// Its headers, a line each, without secrets.
    pub answered: Vec<String>,
    /// How many answers it is about.
    pub count: u64,
    /// When it was seen first, in seconds since the start; `null` where it is judged by rate.
    pub first_s: Option<f64>,
    /// When it was seen last, in seconds since the start.
    pub last_s: Option<f64>,
    /// What is wrong where the rule is broken.
    pub condition: String,
    /// What to change.
    pub remedy: String,
}

impl Finding {
    pub(super) fn of(finding: &outcome::Finding) -> Self {
        let (rule, evidence) = (finding.rule, &finding.evidence);
        let seconds = |ns: u64| three_decimals(ns as f64 / 1e9);
        let line = |(name, value): &(String, String)| format!("{name}: {value}");
        Self {
            rule: rule.id().to_owned(),
            severity: finding.severity.word().to_owned(),
            region: finding.region.clone(),
            pop: finding.pop.map(|pop| pop.to_string()),
            class: finding.class.clone(),
            layer: rule.layer().word().to_owned(),
            url: evidence.url.clone(),
            evidence: seen(finding),
            status: finding.seen_ns.map(|_| evidence.status),
            asked: evidence.asked.iter().map(line).collect(),
            answered: evidence.answered.iter().map(line).collect(),
            count: finding.count,
            first_s: finding.seen_ns.map(|(first_ns, _)| seconds(first_ns)),
            last_s: finding.seen_ns.map(|(_, last_ns)| seconds(last_ns)),
            condition: rule.condition().to_owned(),
            remedy: rule.remedy().to_owned(),
        }
    }

    /// Whether it fails a run that is valid.
    pub(crate) fn fails(&self) -> bool {
        matches!(self.severity.as_str(), "critical" | "error")
    }
}
