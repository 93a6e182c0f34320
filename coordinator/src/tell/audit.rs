//! An audit as programs read it: JSON (`doorbuster.audit/1`) and JUnit.

use std::collections::BTreeMap;

use doorbuster_model::cdn::Evidence;
use doorbuster_model::cdn::audit::{Proof, Ruling};
use indexmap::IndexMap;
use serde::Serialize;

use super::junit::{Case, Ending, Suite, document};
use crate::audited::{Audited, RegionAudit, named};
use crate::outcome::{Reason, Verdict};

/// The value of `schema`. Within this version keys are added, never renamed or removed.
const SCHEMA: &str = "doorbuster.audit/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    run: Run<'a>,
    /// `pass`, `fail` or `invalid`.
    verdict: Verdict,
    /// Why the verdict is not `pass`; those that invalidate come first.
    reasons: Vec<ReasonRow<'a>>,
    /// Whether somebody declared what the edge has promised. Where nobody did, what is usual is looked for, and only what is
    /// critical fails the audit.
    declared: bool,
    /// How often promises were found so, over all regions.
    rulings: IndexMap<&'static str, usize>,
    /// Per region by its name, in the plan's order.
    regions: IndexMap<&'a str, RegionRow<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    id: &'a str,
    name: &'a str,
    job: &'static str,
    started_at: String,
    finished_at: String,
    target: Option<&'a str>,
    doorbuster: &'static str,
}

#[derive(Serialize)]
struct ReasonRow<'a> {
    kind: &'static str,
    message: &'a str,
    region: Option<&'a str>,
    invalidates: bool,
}

#[derive(Serialize)]
struct RegionRow<'a> {
    requests: u64,
    /// What else was counted by a name, such as limits that were reached.
    counters: &'a BTreeMap<String, u64>,
    promises: Vec<PromiseRow<'a>>,
}

#[derive(Serialize)]
struct PromiseRow<'a> {
    /// A class of content; `null` for what is about the edge as a whole.
    class: Option<&'a str>,
    promise: &'a str,
    title: &'a str,
    /// `pass`, `fail`, `warn`, `info` or `not-applicable`.
    verdict: &'static str,
    observed: &'a str,
    /// What is broken; `null` where nothing is.
    rule: Option<&'a str>,
    remedy: Option<&'a str>,
    evidence: Option<EvidenceRow<'a>>,
}

#[derive(Serialize)]
struct EvidenceRow<'a> {
    method: &'a str,
    url: &'a str,
    /// `null` where no answer came.
    status: Option<u16>,
    request_headers: Vec<[&'a str; 2]>,
    headers: Vec<[&'a str; 2]>,
    note: &'a str,
}

/// The audit as a JSON document.
///
/// # Errors
/// None that comes from an audit: what [`serde_json`] says.
pub(super) fn json(audited: &Audited) -> serde_json::Result<Vec<u8>> {
    let rulings = Ruling::ALL.iter().map(|ruling| (ruling.word(), audited.count(*ruling)));
    let document = Document {
        schema: SCHEMA,
        run: Run {
            id: &audited.id,
            name: &audited.name,
            job: "audit",
            started_at: audited.started_at.to_string(),
            finished_at: audited.finished_at.to_string(),
            target: audited.target.as_deref(),
            doorbuster: env!("CARGO_PKG_VERSION"),
        },
        verdict: audited.verdict,
        reasons: audited.reasons.iter().map(reason).collect(),
        declared: audited.is_declared,
        rulings: rulings.collect(),
        regions: audited.regions.iter().map(|region| (region.name.as_str(), of_region(region))).collect(),
    };
    let mut json = serde_json::to_vec_pretty(&document)?;
    json.push(b'\n');
    Ok(json)
}

fn reason(reason: &Reason) -> ReasonRow<'_> {
    ReasonRow {
        kind: reason.kind,
        message: &reason.message,
        region: reason.region.as_deref(),
        invalidates: reason.invalidates,
    }
}

fn of_region(region: &RegionAudit) -> RegionRow<'_> {
    RegionRow {
        requests: region.requests,
        counters: &region.counters,
        promises: region.proofs.iter().map(promise).collect(),
    }
}

fn promise(proof: &Proof) -> PromiseRow<'_> {
    PromiseRow {
        class: told(&proof.class),
        promise: &proof.promise,
        title: &proof.title,
        verdict: proof.ruling.word(),
        observed: &proof.observed,
        rule: told(&proof.rule),
        remedy: told(&proof.remedy),
        evidence: proof.evidence.as_ref().map(evidence),
    }
}

fn evidence(evidence: &Evidence) -> EvidenceRow<'_> {
    fn rows(headers: &[(String, String)]) -> Vec<[&str; 2]> {
        headers.iter().map(|(name, value)| [name.as_str(), value.as_str()]).collect()
    }
    EvidenceRow {
        method: &evidence.method,
        url: &evidence.url,
        status: (evidence.status != 0).then_some(evidence.status),
        request_headers: rows(&evidence.asked),
        headers: rows(&evidence.answered),
        note: &evidence.note,
    }
}

fn told(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The audit as a JUnit document: a suite per region with a case per promise. Warnings pass, since nobody promised
/// otherwise; what could not be proved is skipped; what makes the audit invalid is an error of a suite of its own.
pub(super) fn junit(audited: &Audited) -> String {
    let validity = Suite { name: "audit".to_owned(), cases: vec![validity(audited)] };
    let regions = audited
        .regions
        .iter()
        .map(|region| Suite { name: region.name.clone(), cases: region.proofs.iter().map(case).collect() });
    let suites: Vec<Suite> = std::iter::once(validity).chain(regions).collect();
    let time_s = audited.finished_at.duration_since(audited.started_at).as_secs_f64().max(0.0);
    document(&audited.name, &audited.started_at.to_string(), time_s, &suites)
}

fn validity(audited: &Audited) -> Case {
    let mut invalidating = audited.reasons.iter().filter(|reason| reason.invalidates).peekable();
    let ending = match invalidating.peek() {
        None => Ending::Passed,
        Some(first) => {
            let kind = first.kind.to_owned();
            let messages: Vec<&str> = invalidating.map(|reason| reason.message.as_str()).collect();
            Ending::Broken { kind, message: messages.join("\n") }
        }
    };
    Case { name: "the audit is valid".to_owned(), ending }
}

fn case(proof: &Proof) -> Case {
    let ending = match proof.ruling {
        Ruling::Fail => {
            let mut message = format!("{}\n{}", proof.observed, proof.remedy);
            if let Some(evidence) = &proof.evidence {
                message.push_str(&format!("\n{evidence}"));
            }
            Ending::Failed { kind: proof.rule.clone(), message }
        }
        Ruling::NotApplicable => Ending::Skipped { message: proof.observed.clone() },
        Ruling::Pass | Ruling::Warn | Ruling::Info => Ending::Passed,
    };
    Case { name: named(proof), ending }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::audited::tests::two_regions;

    #[test]
    fn the_json_document_has_every_promise_with_its_evidence() {
        let document: Value = serde_json::from_slice(&json(&two_regions()).unwrap()).unwrap();
        assert_eq!((&document["schema"], &document["verdict"]), (&Value::from(SCHEMA), &Value::from("fail")));
        assert_eq!(document["rulings"]["not-applicable"], 2);
        assert_eq!(document["declared"], true);
        assert_eq!(document["regions"]["tokyo"]["counters"]["handshakes"], 3);
        let kept = &document["regions"]["tokyo"]["promises"][0];
        assert_eq!(kept["class"], "static");
        assert_eq!((&kept["verdict"], &kept["rule"]), (&Value::from("fail"), &Value::from("hit-ratio")));
        assert_eq!(kept["evidence"]["headers"][0][1], "Miss from cloudfront");
        let near = &document["regions"]["london"]["promises"][3];
        assert_eq!((&near["class"], &near["rule"]), (&Value::Null, &Value::Null));
        assert_eq!(document["reasons"][0]["region"], "tokyo");
    }

    #[test]
    fn the_junit_document_has_a_case_per_promise() {
        let xml = junit(&two_regions());
        let document = roxmltree::Document::parse(&xml).unwrap_or_else(|why| panic!("{why}:\n{xml}"));
        let root = document.root_element();
        assert_eq!((root.attribute("tests"), root.attribute("failures")), (Some("9"), Some("1")));
        let suites: Vec<_> = root.children().filter(|node| node.has_tag_name("testsuite")).collect();
        let names: Vec<_> = suites.iter().map(|suite| suite.attribute("name").unwrap()).collect();
        assert_eq!(names, ["audit", "tokyo", "london"]);
        assert_eq!(suites[1].attribute("skipped"), Some("1"));
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.attribute("type"), Some("hit-ratio"));
        assert!(failure.text().unwrap().contains("Miss from cloudfront"));
    }
}
