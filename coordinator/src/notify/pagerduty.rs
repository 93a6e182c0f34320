//! A service of PagerDuty, by Events API v2.

use indexmap::IndexMap;
use serde::Serialize;
use url::Url;

use super::answer::NotDelivered;
use super::client::Request;
use super::message::{Message, rfc3339};
use super::secret::Secret;
use super::token::token;
use crate::tell::shortened;

/// Where events go to, unless the plan names another address, such as that of PagerDuty's region in Europe.
const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
/// The longest key of an incident, and the longest summary. Source: PagerDuty, "Send an alert event".
const KEY_BYTES_MAX: usize = 255;
const SUMMARY_CHARS_MAX: usize = 1_024;

#[derive(Clone, Debug)]
pub(super) struct PagerDuty {
    url: Url,
    routing_key: Secret,
}

#[derive(Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: String,
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<&'a str>,
    payload: Payload<'a>,
}

#[derive(Serialize)]
struct Payload<'a> {
    summary: String,
    source: &'a str,
    severity: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
    group: &'a str,
    class: &'static str,
    custom_details: IndexMap<&'a str, String>,
}

impl PagerDuty {
    /// The service that the integration key belongs to.
    pub(super) fn new(url: Option<&Url>, routing_key: Secret) -> Result<Self, String> {
        let own = || Url::parse(EVENTS).map_err(|error| error.to_string());
        let url = url.cloned().map_or_else(own, Ok)?;
        Ok(Self { url, routing_key })
    }

    pub(super) fn request(&self, message: &Message<'_>) -> Result<Request, NotDelivered> {
        let notice = message.notice;
        let test = if message.is_test { "TEST: " } else { "" };
        let event = Event {
            routing_key: self.routing_key.reveal(),
            event_action: if message.is_firing() { "trigger" } else { "resolve" },
            // Of the incident, not of the letter: what resolves names what was triggered.
            dedup_key: token(&message.thread(), KEY_BYTES_MAX),
            client: "Doorbuster",
            client_url: message.link,
            payload: Payload {
                summary: shortened(&format!("{test}{}", notice.summary), SUMMARY_CHARS_MAX),
                source: message.plan,
                severity: if message.severity() == "page" { "critical" } else { "warning" },
                timestamp: rfc3339(notice.at_s),
                component: notice.objective.as_deref(),
                group: message.scope(),
                class: message.kind(),
                custom_details: message.facts().into_iter().collect(),
            },
        };
        let mut request = Request::json(self.url.clone(), &event)?;
        request.secrets.push(self.routing_key.clone());
        Ok(request)
    }
}
