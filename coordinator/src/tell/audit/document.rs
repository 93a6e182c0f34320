//! The JSON document `doorbuster.audit/1`: what programs read of an audit.
//!
//! Every key is always present; `null` stands for what there is none of.

use std::collections::BTreeMap;

use doorbuster_model::cdn;
use doorbuster_model::cdn::audit::{Proof, Ruling};
use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::audited::{Audited, RegionAudit};
use crate::outcome::Verdict;
use crate::tell::report::Reason;

/// The value of `schema`.
const SCHEMA: &str = "doorbuster.audit/1";
/// The value of `run.job`.
const JOB: &str = "audit";

/// What an audit found out about each promise of an edge. `null` stands for what there is none of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Audit {
    /// Always `doorbuster.audit/1`. Within this version keys are added, never renamed or removed.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub schema: String,
    /// What the audit was.
    pub run: Run,
    /// `pass`, `fail` or `invalid`. Invalid wins over fail, and fail over pass.
    pub verdict: Verdict,
    /// Why the verdict is not `pass`; those that invalidate come first.
    pub reasons: Vec<Reason>,
    /// Whether somebody declared what the edge has promised. Where nobody did, what is usual is looked for, and only what is
    /// critical fails the audit.
    pub declared: bool,
    /// How often promises were found so, over all regions: `pass`, `fail`, `warn`, `info` and `not-applicable`.
    pub rulings: IndexMap<String, u64>,
    /// Per region by its name, in the plan's order.
    pub regions: IndexMap<String, Region>,
}

/// What the audit was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Run {
    /// Unique; sent to the target as `X-Doorbuster-Run`.
    pub id: String,
    /// The plan's name.
    pub name: String,
    /// Always `audit`.
    #[cfg_attr(test, schemars(extend("const" = JOB)))]
    pub job: String,
    /// When it began: RFC 3339, UTC.
    pub started_at: String,
    /// When the last report came: RFC 3339, UTC.
    pub finished_at: String,
    /// Where it went: a URL; `null` where each region has its own.
    pub target: Option<String>,
    /// The version of Doorbuster.
    pub doorbuster: String,
}

/// What was found out from one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Region {
    /// How many requests were sent from there.
    pub requests: u64,
    /// How many handshakes without a request were made from there, each on a connection of its own.
    pub handshakes: u64,
    /// What else was counted there by a name, such as limits that were reached.
    pub counters: BTreeMap<String, u64>,
    /// Per promise: class by class in the policy's order, then what is about the edge as a whole.
    pub promises: Vec<Promise>,
}

/// How a promise was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Promise {
    /// The class of content; `null` for what is about the edge as a whole.
    pub class: Option<String>,
    /// The promise's name: `kept`.
    pub promise: String,
    /// The promise in words.
    pub title: String,
    /// `pass`, `fail`, `warn`, `info` or `not-applicable`.
    pub verdict: String,
    /// What was seen.
    pub observed: String,
    /// The rule that is broken: `hit-ratio`; `null` where none is.
    pub rule: Option<String>,
    /// What to change at the edge; `null` where nothing is.
    pub remedy: Option<String>,
    /// The exchange that shows it; `null` where none does.
    pub evidence: Option<Evidence>,
}

/// An exchange that shows how a promise was found, without secrets and without bodies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Evidence {
    /// The request's method.
    pub method: String,
    /// Where it went: a URL.
    pub url: String,
    /// The answer's status; `null` where no answer came.
    pub status: Option<u16>,
    /// The request's own headers, over those that every request has: names and values.
    pub request_headers: Vec<[String; 2]>,
    /// The answer's headers: names and values.
    pub headers: Vec<[String; 2]>,
    /// What heads do not show.
    pub note: String,
}

impl Audit {
    /// What is told of an audit.
    pub(super) fn of(audited: &Audited) -> Self {
        let rulings = Ruling::ALL.iter().map(|ruling| {
            let count = audited.count(*ruling) as u64;
            (ruling.word().to_owned(), count)
        });
        let regions = audited.regions.iter().map(|region| (region.name.clone(), Region::of(region)));
        Self {
            schema: SCHEMA.to_owned(),
            run: Run::of(audited),
            verdict: audited.verdict,
            reasons: audited.reasons.iter().map(Reason::of).collect(),
            declared: audited.is_declared,
            rulings: rulings.collect(),
            regions: regions.collect(),
        }
    }
}

impl Run {
    fn of(audited: &Audited) -> Self {
        Self {
            id: audited.id.clone(),
            name: audited.name.clone(),
            job: JOB.to_owned(),
            started_at: audited.started_at.to_string(),
            finished_at: audited.finished_at.to_string(),
            target: audited.target.clone(),
            doorbuster: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl Region {
    fn of(region: &RegionAudit) -> Self {
        Self {
            requests: region.requests,
            handshakes: region.handshakes,
            counters: region.counters.clone(),
            promises: region.proofs.iter().map(Promise::of).collect(),
        }
    }
}

impl Promise {
    fn of(proof: &Proof) -> Self {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            class: told(&proof.class),
            promise: proof.promise.clone(),
            title: proof.title.clone(),
            verdict: proof.ruling.word().to_owned(),
            observed: proof.observed.clone(),
            rule: told(&proof.rule),
            remedy: told(&proof.remedy),
            evidence: proof.evidence.as_ref().map(Evidence::of),
        }
    }
}

impl Evidence {
    fn of(evidence: &cdn::Evidence) -> Self {
        let rows = |headers: &[(String, String)]| {
            headers.iter().map(|(name, value)| [name.clone(), value.clone()]).collect()
        };
        Self {
            method: evidence.method.clone(),
            url: evidence.url.clone(),
            status: (evidence.status != 0).then_some(evidence.status),
            request_headers: rows(&evidence.asked),
            headers: rows(&evidence.answered),
            note: evidence.note.clone(),
        }
    }
}
