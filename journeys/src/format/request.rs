//! What a step sends, and above all its body.

use bytes::Bytes;
use doorbuster_notation::{Fault, Fields, Key, Kind, Node, parse_duration};
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::time::Duration;

use super::Reader;
use crate::encoding::Encoding;
use crate::journey::{Body, Request};
use crate::template::Template;

/// The methods by key.
pub(super) const METHODS: [(&str, Method); 6] = [
    ("get", Method::GET),
    ("head", Method::HEAD),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

/// The longest time limit of a step: one hour.
const TIMEOUT_MAX: Duration = Duration::from_secs(3_600);

impl Reader {
    /// The request whose method key was found.
    pub(super) fn request(
        &mut self,
        fields: &mut Fields<'_>,
        method: &Method,
        target: &Node,
    ) -> Option<Request> {
        let target = self.target(target);
        let query =
            fields.optional("query").map(|node| self.fields(node, Encoding::Query)).unwrap_or_default();
        let headers = fields.optional("headers").map(|node| self.headers(node)).unwrap_or_default();
        let has_type = headers.names().any(|name| *name == CONTENT_TYPE);
        let (body, content_type) = self.body(fields, method, has_type);
        let timeout = fields.optional("timeout").and_then(|node| self.faults.keep(timeout(node)));
        let redirects = fields.optional("redirects").and_then(|node| self.faults.keep(follows(node)));
        let mut request = Request {
            method: method.clone(),
            target: target?,
            query,
            headers,
            body,
            follow_redirects: redirects.unwrap_or(true),
            timeout,
        };
        if let Some(content_type) = content_type.filter(|_| !has_type) {
            request.headers.fixed.push((CONTENT_TYPE, HeaderValue::from_static(content_type)));
        }
        Some(request)
    }

    fn body(
        &mut self,
        fields: &mut Fields<'_>,
        method: &Method,
        has_type: bool,
    ) -> (Body, Option<&'static str>) {
        let entries = ["form", "json", "body"].map(|kind| fields.entry(kind));
        let mut found: Vec<(&Key, &Node)> = entries.into_iter().flatten().collect();
        found.sort_by_key(|(key, _)| key.place);
        let Some((key, node)) = found.first() else {
            return (Body::None, None);
        };
        if let Some((second, _)) = found.get(1) {
            let message = format!("found both \"{}\" and \"{}\", expected one body", key.name, second.name);
            self.faults.add(second.place, message);
        }
        if *method == Method::GET || *method == Method::HEAD {
            let method = method.as_str().to_lowercase();
            let message = format!(
                "\"{}\" is a body, and {method} sends none; use post, or query for a search",
                key.name
            );
            self.faults.add(key.place, message);
        }
        let mut template = Template::default();
        let content_type = match key.name.as_str() {
            "form" => {
                template = self.fields(node, Encoding::Form);
                Some("application/x-www-form-urlencoded")
            }
            "json" => {
                self.json(node, &mut template);
                Some("application/json")
            }
            _ => {
                template = self.verbatim(node, "a text").unwrap_or_default();
                if !has_type {
                    let message = "a raw body needs a content-type header; write for example headers: { content-type: text/plain }";
                    self.faults.add(key.place, message);
                }
                None
            }
        };
        let body = match template.as_fixed() {
            Some(text) => Body::Fixed(Bytes::from(text.to_owned())),
            None => Body::Filled(template),
        };
        (body, content_type)
    }

    /// Appends a value as JSON; texts and keys are templates.
    fn json(&mut self, node: &Node, out: &mut Template) {
        match &node.kind {
            Kind::Null => out.text("null"),
            Kind::Bool(value) => out.text(&value.to_string()),
            Kind::Int(value) => out.text(&value.to_string()),
            Kind::Float(value) => match serde_json::Number::from_f64(*value) {
                Some(number) => out.text(&number.to_string()),
                None => {
                    self.faults.add(node.place, format!("{}, and JSON knows no such number", node.found()))
                }
            },
            Kind::Text(text) => self.json_text(text, node, out),
            Kind::List(items) => {
                out.text("[");
                for (index, item) in items.iter().enumerate() {
                    out.text(if index == 0 { "" } else { "," });
                    self.json(item, out);
                }
                out.text("]");
            }
            Kind::Map(entries) => {
                out.text("{");
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.text(if index == 0 { "" } else { "," });
                    self.json_text(&key.name, value, out);
                    out.text(":");
                    self.json(value, out);
                }
                out.text("}");
            }
        }
    }

    fn json_text(&mut self, text: &str, node: &Node, out: &mut Template) {
        out.text("\"");
        self.encoded(text, node.place, Encoding::Json, out);
        out.text("\"");
    }
}

fn timeout(node: &Node) -> Result<Duration, Fault> {
    let timeout = node.parse_with("a duration such as 5s", parse_duration)?;
    if timeout < Duration::from_millis(1) || timeout > TIMEOUT_MAX {
        return Err(node.expected("a timeout from 1ms to 1h"));
    }
    Ok(timeout)
}

fn follows(node: &Node) -> Result<bool, Fault> {
    match &node.kind {
        Kind::Text(text) if text == "follow" => Ok(true),
        Kind::Text(text) if text == "stop" => Ok(false),
        _ => Err(node.expected("follow or stop")),
    }
}
