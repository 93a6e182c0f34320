//! What a step sends: method, target, headers, limits.

use std::time::Duration;

use doorbuster_notation::{Fault, Fields, Kind, Node, parse_duration};
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::Reader;
use super::body::Written;
use crate::encoding::Encoding;
use crate::journey::Request;

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
        let Written { body, content_type, is_graphql } = self.body(fields, method, has_type);
        let (follow_redirects, timeout) = self.sending(fields);
        let mut request = Request {
            method: method.clone(),
            target: target?,
            query,
            headers,
            body,
            submit: None,
            is_graphql,
            follow_redirects,
            timeout,
        };
        let content_type =
            content_type.filter(|_| !has_type).and_then(|kind| HeaderValue::try_from(kind).ok());
        request.headers.fixed.extend(content_type.map(|kind| (CONTENT_TYPE, kind)));
        Some(request)
    }

    /// Whether redirects are followed, and the time limit.
    pub(super) fn sending(&mut self, fields: &mut Fields<'_>) -> (bool, Option<Duration>) {
        let timeout = fields.optional("timeout").and_then(|node| self.faults.keep(timeout(node)));
        let redirects = fields.optional("redirects").and_then(|node| self.faults.keep(follows(node)));
        (redirects.unwrap_or(true), timeout)
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
