//! Findings with their evidence.

use doorbuster_model::Report;
use doorbuster_model::cdn::{Evidence, Finding, FindingKey, Pop, Rule};

use super::exchange::{headers_from_proto, headers_to_proto};
use super::narrow;
use super::tally::{class_from_proto, pop_from_proto};
use crate::{Error, proto};

pub(super) fn to_proto(second: u32, findings: &[(FindingKey, Finding)], not_kept: u64) -> proto::Findings {
    let finding = |(key, finding): &(FindingKey, Finding)| proto::Finding {
        rule: key.rule.id().to_owned(),
        class: u32::from(key.class.0),
        pop: key.pop.map_or(0, Pop::code),
        count: finding.count,
        first_ns: finding.first_ns,
        last_ns: finding.last_ns,
        method: finding.evidence.method.clone(),
        url: finding.evidence.url.clone(),
        status: u32::from(finding.evidence.status),
        asked: headers_to_proto(&finding.evidence.asked),
        answered: headers_to_proto(&finding.evidence.answered),
        note: finding.evidence.note.clone(),
    };
    proto::Findings { second, findings: findings.iter().map(finding).collect(), not_kept }
}

/// Findings of a rule that is not known here are counted as not kept.
pub(super) fn from_proto(came: proto::Findings) -> Result<Report, Error> {
    let mut not_kept = came.not_kept;
    let mut findings = Vec::with_capacity(came.findings.len());
    for finding in came.findings {
        match Rule::named(&finding.rule) {
            Some(rule) => findings.push(one(rule, finding)?),
            None => not_kept = not_kept.saturating_add(finding.count),
        }
    }
    Ok(Report::Findings { second: came.second, findings, not_kept })
}

fn one(rule: Rule, finding: proto::Finding) -> Result<(FindingKey, Finding), Error> {
    let key = FindingKey { rule, class: class_from_proto(finding.class)?, pop: pop_from_proto(finding.pop)? };
    let evidence = Evidence {
        method: finding.method,
        url: finding.url,
        status: narrow(finding.status, "status")?,
        asked: headers_from_proto(finding.asked),
        answered: headers_from_proto(finding.answered),
        note: finding.note,
    };
    let (count, first_ns, last_ns) = (finding.count, finding.first_ns, finding.last_ns);
    Ok((key, Finding { count, first_ns, last_ns, evidence }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_another_version_is_counted() {
        let finding = |rule: &str| proto::Finding { rule: rule.to_owned(), count: 3, ..Default::default() };
        let came =
            proto::Findings { second: 1, findings: vec![finding("hit-ratio"), finding("new")], not_kept: 4 };
        let Ok(Report::Findings { second: 1, findings, not_kept: 7 }) = from_proto(came) else {
            panic!("other findings came out than went in");
        };
        assert_eq!((findings.len(), findings[0].0.rule), (1, Rule::HitRatio));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let finding = proto::Finding { rule: "hit-ratio".to_owned(), ..Default::default() };
        for (finding, part) in [
            (proto::Finding { class: 32, ..finding.clone() }, "content class"),
            (proto::Finding { class: 256, ..finding.clone() }, "content class"),
            (proto::Finding { pop: 7, ..finding.clone() }, "edge location"),
            (proto::Finding { status: 65_536, ..finding }, "status"),
        ] {
            let came = proto::Findings { second: 0, findings: vec![finding], not_kept: 0 };
            assert_eq!(from_proto(came), Err(Error::Impossible { part }));
        }
    }
}
