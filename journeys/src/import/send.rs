//! What a step sends beside its address: headers, fields, bodies.

use std::collections::BTreeSet;

use http::HeaderName;

use super::archive::essence;
use super::body::Body;
use super::json::Json;
use super::multipart::Part;
use super::name::singular;
use super::script::Script;
use super::secret::credentials;
use super::submit::Change;
use super::told::{Told, told};
use super::yaml::Yaml;
use crate::scan::VALUE_BYTES_MAX;

/// Headers that browsers write by themselves, and those that only follow a request through somebody's systems.
const IDLE_HEADERS: &[&str] = &[
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "alt-used",
    "baggage",
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "date",
    "device-memory",
    "dnt",
    "downlink",
    "dpr",
    "ect",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "newrelic",
    "origin",
    "pragma",
    "priority",
    "purpose",
    "range",
    "referer",
    "rtt",
    "save-data",
    "sentry-trace",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "viewport-width",
    "width",
    "x-client-data",
    "x-doorbuster-run",
];
/// The beginnings of more of them.
const IDLE_BEGINNINGS: &[&str] = &[
    "sec-",
    "if-",
    "access-control-",
    "proxy-",
    "x-forwarded-",
    "x-b3-",
    "x-datadog-",
    "x-amzn-trace-",
    "x-newrelic-",
    "x-request-id",
    "x-correlation-id",
];

/// What is said of a body in which secrets and tokens are found by what they look like alone.
const RAW: &str =
    "the body is sent as it was recorded, but for what could be told in it; see that no secret is left there";

impl Script<'_> {
    /// Adds the headers that matter.
    pub(super) fn headers(&mut self, step: usize, body: &Body, entries: &mut Vec<(String, Yaml)>) {
        let request = self.visit(step).request;
        let mut known = BTreeSet::new();
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            let is_idle = IDLE_HEADERS.contains(&name.as_str())
                || IDLE_BEGINNINGS.iter().any(|begin| name.starts_with(begin));
            let is_wanted = match name.as_str() {
                "accept" => value.contains("json"),
                "content-type" => is_type_needed(body, value),
                _ => !is_idle && HeaderName::from_bytes(name.as_bytes()).is_ok(),
            };
            if !is_wanted || !is_header_text(value) || !known.insert(name) {
                continue;
            }
            let text = match name.as_str() {
                "accept" | "content-type" => self.literal(value),
                "authorization" => {
                    let (scheme, credentials) = credentials(value);
                    let credentials = self.text(step, name, credentials);
                    format!("{} {credentials}", self.literal(scheme)).trim_start().to_owned()
                }
                _ => self.text(step, name, value),
            };
            headers.push((name.clone(), Yaml::loose(text)));
        }
        let has_type = headers.iter().any(|(name, _)| name == "content-type");
        if matches!(body, Body::Raw(_)) && !has_type {
            headers.push(("content-type".to_owned(), Yaml::text("text/plain")));
        }
        if !headers.is_empty() {
            entries.push(("headers".to_owned(), Yaml::Map(headers)));
        }
    }

    /// Adds what is sent.
    pub(super) fn body(&mut self, step: usize, body: &Body, entries: &mut Vec<(String, Yaml)>) {
        let (key, value) = match body {
            Body::None => return,
            Body::Lost(why) => return self.note(step, why),
            Body::Form(fields) => {
                let fields: Vec<(String, Yaml)> = fields
                    .iter()
                    .map(|(name, value)| (self.literal(name), Yaml::loose(self.text(step, name, value))))
                    .collect();
                ("form", Yaml::Map(grouped(fields)))
            }
            Body::Parts(parts) => {
                let parts: Vec<(String, Yaml)> = parts.iter().map(|part| self.part(step, part)).collect();
                ("multipart", Yaml::Map(grouped(parts)))
            }
            Body::Json(json) => ("json", self.json(step, "", json)),
            Body::GraphQl { query, operation, variables } => {
                let mut graphql = Vec::new();
                graphql.extend(operation.as_deref().map(|name| ("operation".to_owned(), Yaml::text(name))));
                // Nothing is inserted into a document, so that a secret in it can only be taken out.
                let query = self.secrets.replaced(query, |_| "***".to_owned());
                graphql.push(("query".to_owned(), Yaml::text(query)));
                let variables = variables.as_ref().map(|variables| self.json(step, "", variables));
                graphql.extend(variables.map(|variables| ("variables".to_owned(), variables)));
                self.graphql_errors(step);
                ("graphql", Yaml::Map(graphql))
            }
            Body::Raw(text) => {
                self.note(step, RAW);
                ("body", Yaml::Text(self.raw(step, text)))
            }
        };
        entries.push((key.to_owned(), value));
    }

    /// The fields of a form that somebody filled in.
    pub(super) fn filled(&mut self, step: usize, changes: Vec<(String, Change)>) -> Vec<(String, Yaml)> {
        let mut fields = Vec::new();
        for (name, change) in changes {
            let value = match change {
                Change::Checked(checked) => Yaml::plain(checked),
                Change::Values(values) => {
                    let mut texts: Vec<Yaml> =
                        values.iter().map(|value| Yaml::loose(self.text(step, &name, value))).collect();
                    match (texts.pop(), texts.is_empty()) {
                        (None, _) => Yaml::plain("~"),
                        (Some(only), true) => only,
                        (Some(last), false) => {
                            texts.push(last);
                            Yaml::List(texts)
                        }
                    }
                }
            };
            fields.push((self.literal(&name), value));
        }
        fields
    }

    /// A text with variables in the place of the values that it tells.
    fn raw(&mut self, step: usize, text: &str) -> String {
        let mut out = String::new();
        let mut from = 0;
        for Told { key, place } in told(text) {
            let value = &text[place.clone()];
            // What has no name may be anything, unless it was seen before or is a secret.
            if key.is_empty() && !self.is_known(step, value) {
                continue;
            }
            out.push_str(&self.literal(&text[from..place.start]));
            out.push_str(&self.text(step, &key, value));
            from = place.end;
        }
        out + &self.literal(&text[from..])
    }

    fn part(&mut self, step: usize, part: &Part) -> (String, Yaml) {
        let name = self.literal(&part.name);
        let Some(file) = &part.file else {
            return (name, Yaml::loose(self.text(step, &part.name, &part.value)));
        };
        let mut entries = vec![
            ("file".to_owned(), Yaml::text(self.literal(&file.name))),
            ("type".to_owned(), Yaml::text(self.literal(&file.mime))),
        ];
        if part.is_file() {
            // Recordings hold files in part or not at all, so that what is sent is only as long as what they hold.
            entries.push(("size".to_owned(), Yaml::plain(format!("{}B", part.value.len()))));
            self.note(step, "a file was uploaded; set the size of what is to be sent instead");
        } else {
            entries.push(("text".to_owned(), Yaml::text("")));
        }
        (name, Yaml::Map(entries))
    }

    /// A value of JSON under the name `key`, its types kept.
    fn json(&mut self, step: usize, key: &str, json: &Json) -> Yaml {
        match json {
            Json::Null => Yaml::plain("null"),
            Json::Bool(value) => Yaml::plain(value),
            Json::Int(number) => match self.resolve(step, key, &number.to_string()) {
                Some(name) => Yaml::text(format!("${{{name}:number}}")),
                None => Yaml::plain(number),
            },
            Json::Float(number) => Yaml::plain(format!("{number:?}")),
            Json::Text(text) => Yaml::Text(self.text(step, key, text)),
            Json::List(items) => {
                let key = singular(key);
                Yaml::List(items.iter().map(|item| self.json(step, &key, item)).collect())
            }
            Json::Map(members) => {
                let members =
                    members.iter().map(|(key, value)| (self.literal(key), self.json(step, key, value)));
                Yaml::Map(members.collect())
            }
        }
    }

    /// Errors in an answer fail a step, so that one whose recorded answer has some can only fail.
    fn graphql_errors(&mut self, step: usize) {
        let body = self.visit(step).answer.body.as_deref().unwrap_or_default();
        let document: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let errors = document.as_ref().and_then(|document| document.get("errors")?.as_array());
        if errors.is_some_and(|errors| !errors.is_empty()) {
            self.note(step, "the recorded answer has GraphQL errors, and errors fail the step");
        }
    }
}

/// Fields of the same name become one with a list.
pub(super) fn grouped(fields: impl IntoIterator<Item = (String, Yaml)>) -> Vec<(String, Yaml)> {
    let mut grouped: Vec<(String, Yaml)> = Vec::new();
    for (name, value) in fields {
        match grouped.iter_mut().find(|(known, _)| *known == name) {
            None => grouped.push((name, value)),
            Some((_, Yaml::List(values))) => values.push(value),
            Some((_, known)) => {
                let first = std::mem::replace(known, Yaml::List(Vec::new()));
                *known = Yaml::List(vec![first, value]);
            }
        }
    }
    grouped
}

/// Whether a body needs the recorded type, because it does not follow from the body.
fn is_type_needed(body: &Body, mime: &str) -> bool {
    match body {
        Body::Raw(_) => true,
        Body::Json(_) | Body::GraphQl { .. } => essence(mime) != "application/json",
        Body::None | Body::Form(_) | Body::Parts(_) | Body::Lost(_) => false,
    }
}

/// What a header can be written as.
fn is_header_text(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}
