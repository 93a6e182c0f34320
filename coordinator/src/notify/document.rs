//! The JSON document of a notice, as webhooks and programs behind SNS get it. `docs/alerts.md` describes it.

use indexmap::IndexMap;
use serde::Serialize;

use super::message::{Message, rfc3339};

/// The value of `schema`. Within this version keys are added, never renamed or removed.
const SCHEMA: &str = "doorbuster.alert/1";

#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    schema: &'static str,
    /// The same at every attempt, and of no other notice.
    key: String,
    incident: &'a str,
    sequence: u32,
    status: &'static str,
    test: bool,
    severity: &'static str,
    kind: &'static str,
    rule: Option<&'a str>,
    plan: &'a str,
    target: Option<&'a str>,
    objective: Option<&'a str>,
    scope: &'a str,
    region: Option<&'a str>,
    at: String,
    began_at: String,
    summary: &'a str,
    details: IndexMap<&'a str, &'a str>,
    doorbuster: &'static str,
}

impl<'a> Document<'a> {
    pub(super) fn of(message: &Message<'a>) -> Self {
        let notice = message.notice;
        Self {
            schema: SCHEMA,
            key: message.key(),
            incident: &notice.incident,
            sequence: notice.sequence,
            status: message.status(),
            test: message.is_test,
            severity: message.severity(),
            kind: message.kind(),
            rule: message.rule(),
            plan: message.plan,
            target: message.link,
            objective: notice.objective.as_deref(),
            scope: message.scope(),
            region: message.region(),
            at: rfc3339(notice.at_s),
            began_at: rfc3339(notice.began_s),
            summary: &notice.summary,
            details: notice.details.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            doorbuster: env!("CARGO_PKG_VERSION"),
        }
    }
}
