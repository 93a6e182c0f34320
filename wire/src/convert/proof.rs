//! What an audit says of promises.

use doorbuster_model::cdn::Evidence;
use doorbuster_model::cdn::audit::{Proof, Ruling};

use super::exchange::{headers_from_proto, headers_to_proto};
use super::narrow;
use super::tally::{member, position};
use crate::{Error, proto};

pub(super) fn to_proto(proof: &Proof) -> proto::Proof {
    let evidence = |evidence: &Evidence| proto::Evidence {
        method: evidence.method.clone(),
        url: evidence.url.clone(),
        status: u32::from(evidence.status),
        asked: headers_to_proto(&evidence.asked),
        answered: headers_to_proto(&evidence.answered),
        note: evidence.note.clone(),
    };
    proto::Proof {
        class: proof.class.clone(),
        promise: proof.promise.clone(),
        title: proof.title.clone(),
        ruling: position(&Ruling::ALL, &proof.ruling),
        observed: proof.observed.clone(),
        rule: proof.rule.clone(),
        remedy: proof.remedy.clone(),
        evidence: proof.evidence.as_ref().map(evidence),
    }
}

pub(super) fn from_proto(proof: proto::Proof) -> Result<Proof, Error> {
    let evidence = |evidence: proto::Evidence| {
        Ok::<_, Error>(Evidence {
            method: evidence.method,
            url: evidence.url,
            status: narrow(evidence.status, "status")?,
            asked: headers_from_proto(evidence.asked),
            answered: headers_from_proto(evidence.answered),
            note: evidence.note,
        })
    };
    Ok(Proof {
        class: proof.class,
        promise: proof.promise,
        title: proof.title,
        ruling: member(&Ruling::ALL, proof.ruling, "ruling")?,
        observed: proof.observed,
        rule: proof.rule,
        remedy: proof.remedy,
        evidence: proof.evidence.map(evidence).transpose()?,
    })
}
