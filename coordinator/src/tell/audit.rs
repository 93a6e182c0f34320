//! An audit as programs read it: JSON (`doorbuster.audit/1`) and JUnit.

mod document;

use doorbuster_model::cdn::audit::{Proof, Ruling};

use super::junit::{self, Case, Ending, Suite};
use crate::audited::{Audited, named};

pub(super) use self::document::Audit;

/// The audit as a JSON document.
///
/// # Errors
/// None that comes from an audit: what [`serde_json`] says.
pub(super) fn json(audited: &Audited) -> serde_json::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(&Audit::of(audited))?;
    json.push(b'\n');
    Ok(json)
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
    junit::document(&audited.name, &audited.started_at.to_string(), time_s, &suites)
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
        assert_eq!(document["schema"], "doorbuster.audit/1");
        assert_eq!(document["run"]["job"], "audit");
        assert_eq!(document["verdict"], "fail");
        assert_eq!(document["rulings"]["not-applicable"], 2);
        assert_eq!(document["declared"], true);
        let tokyo = &document["regions"]["tokyo"];
        assert_eq!((&tokyo["requests"], &tokyo["handshakes"]), (&Value::from(41), &Value::from(5)));
        assert_eq!(tokyo["counters"]["html_searched"], 3);
        let kept = &tokyo["promises"][0];
        assert_eq!(kept["class"], "static");
        assert_eq!((&kept["verdict"], &kept["rule"]), (&Value::from("fail"), &Value::from("hit-ratio")));
        assert_eq!(kept["evidence"]["headers"][0][1], "Miss from cloudfront");
        let near = &document["regions"]["london"]["promises"][3];
        assert_eq!((&near["class"], &near["rule"]), (&Value::Null, &Value::Null));
        assert_eq!(document["reasons"][0]["region"], "tokyo");
    }

    #[test]
    fn an_audit_can_be_read_again() {
        let text = String::from_utf8(json(&two_regions()).unwrap()).unwrap();
        let read: Audit = serde_json::from_str(&text).unwrap();
        assert_eq!(read, Audit::of(&two_regions()));
        assert_eq!(read.regions.keys().collect::<Vec<_>>(), ["tokyo", "london"], "the plan's order stays");
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
