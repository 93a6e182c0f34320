//! A channel of Slack, by an incoming webhook.

use serde_json::{Value, json};
use url::Url;

use super::answer::NotDelivered;
use super::client::Request;
use super::message::Message;
use super::secret::Secret;
use crate::tell::shortened;

/// The most fields of a section. Source: Slack, "Section block".
const FIELDS_MAX: usize = 10;
/// The most sections of fields; a message has at most 50 blocks.
const SECTIONS_MAX: usize = 4;
/// How much of a title and of a field is shown: escaped, each character takes at most five (`&amp;`), and Slack takes
/// 3,000 of a text and 2,000 of a field.
const TITLE_CHARS_MAX: usize = 500;
const FIELD_CHARS_MAX: usize = 300;

#[derive(Clone, Debug)]
pub(super) struct Slack {
    url: Url,
    secrets: [Secret; 2],
}

impl Slack {
    /// The webhook at an address, which is a secret as a whole.
    pub(super) fn new(address: &Secret) -> Result<Self, String> {
        let url = Url::parse(address.reveal()).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        let url = url.ok_or("it holds no http:// or https:// address")?;
        let path = Secret::new(url.path().trim_start_matches('/'));
        Ok(Self { url, secrets: [address.clone(), path] })
    }

    pub(super) fn request(&self, message: &Message<'_>) -> Result<Request, NotDelivered> {
        let title = escaped(&shortened(&message.title(), TITLE_CHARS_MAX));
        let mut blocks = vec![json!({
            "type": "section",
            "text": text(&format!("{} *{title}*", light(message))),
        })];
        let facts = message.facts();
        for facts in facts.chunks(FIELDS_MAX).take(SECTIONS_MAX) {
            let fields: Vec<Value> = facts.iter().map(|(name, value)| field(name, value)).collect();
            blocks.push(json!({ "type": "section", "fields": fields }));
        }
        let incident = escaped(&shortened(&message.notice.incident, FIELD_CHARS_MAX));
        blocks.push(json!({ "type": "context", "elements": [text(&format!("incident {incident}"))] }));
        // `text` is what notifications show.
        let document = json!({ "text": title, "blocks": blocks, "unfurl_links": false });
        let mut request = Request::json(self.url.clone(), &document)?;
        request.secrets.extend(self.secrets.clone());
        Ok(request)
    }
}

fn field(name: &str, value: &str) -> Value {
    let (name, value) = (shortened(name, FIELD_CHARS_MAX / 4), shortened(value, FIELD_CHARS_MAX));
    text(&format!("*{}*\n{}", escaped(&name), escaped(&value)))
}

fn text(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

fn light(message: &Message<'_>) -> &'static str {
    match (message.is_firing(), message.severity()) {
        (false, _) => ":large_green_circle:",
        (true, "page") => ":red_circle:",
        (true, _) => ":large_yellow_circle:",
    }
}

/// What Slack would take for a link or a mention becomes plain text. Source: Slack, "Formatting text for app surfaces".
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
