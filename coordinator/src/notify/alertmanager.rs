//! Prometheus' Alertmanager, by its API v2.
//!
//! Alertmanager takes an alert for resolved once its `endsAt` is over. So a firing one says that it lasts for some
//! minutes, and is posted anew every minute while it fires (`reminders.rs`): the same alert to Alertmanager, because its
//! labels are the same. Should the coordinator be gone for longer than that, the alert resolves by itself.

use indexmap::IndexMap;
use serde::Serialize;
use url::Url;

use super::answer::NotDelivered;
use super::client::Request;
use super::message::{Message, rfc3339};

/// How long an alert lasts unless it is posted anew: Alertmanager's own default for alerts without an end.
const LASTS_S: i64 = 300;

#[derive(Clone, Debug)]
pub(super) struct Alertmanager {
    url: Url,
    lasts_s: i64,
}

/// Source: Alertmanager, `api/v2/openapi.yaml`, `postableAlert`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    /// What Alertmanager knows an alert by, so nothing here may change while an incident lasts.
    labels: IndexMap<&'static str, &'a str>,
    annotations: IndexMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

impl Alertmanager {
    /// The one at `base`, which ends with `/`.
    pub(super) fn new(base: &Url) -> Result<Self, String> {
        let url = base.join("api/v2/alerts").map_err(|error| error.to_string())?;
        Ok(Self { url, lasts_s: LASTS_S })
    }

    /// The same with alerts that last less long.
    #[cfg(test)]
    pub(super) fn lasting(self, lasts_s: i64) -> Self {
        Self { lasts_s, ..self }
    }

    pub(super) fn request(&self, message: &Message<'_>) -> Result<Request, NotDelivered> {
        let notice = message.notice;
        let ends_s = if message.is_firing() { message.now_s + self.lasts_s } else { notice.at_s };
        let alert = Alert {
            labels: labels(message),
            annotations: annotations(message),
            starts_at: rfc3339(notice.began_s),
            // Alertmanager refuses an end before the beginning.
            ends_at: rfc3339(ends_s.max(notice.began_s)),
            generator_url: message.link,
        };
        Request::json(self.url.clone(), &[alert])
    }
}

fn labels<'a>(message: &Message<'a>) -> IndexMap<&'static str, &'a str> {
    let alertname = match message.kind() {
        "burn" => "DoorbusterErrorBudgetBurn",
        _ => "DoorbusterNoData",
    };
    let mut labels = IndexMap::from([("alertname", alertname), ("severity", message.severity())]);
    labels.extend(message.notice.objective.as_deref().map(|objective| ("objective", objective)));
    labels.insert("scope", message.scope());
    labels.extend(message.region().map(|region| ("region", region)));
    labels.insert("plan", message.plan);
    labels.insert("incident", &message.notice.incident);
    labels.extend(message.is_test.then_some(("test", "true")));
    labels
}

fn annotations(message: &Message<'_>) -> IndexMap<&'static str, String> {
    let facts = message.facts().into_iter().map(|(name, value)| format!("{name}: {value}"));
    let facts: Vec<String> = facts.collect();
    IndexMap::from([("summary", message.notice.summary.clone()), ("description", facts.join("\n"))])
}
