//! `headers`: what a step adds to its request.

use doorbuster_notation::{Fault, Key, Node};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};

use super::Reader;
use crate::journey::Headers;

/// Headers that describe the message or the connection, so that only the engine can know them, and those that say
/// who is asking.
const ENGINE_HEADERS: [HeaderName; 9] = [
    CONNECTION,
    CONTENT_LENGTH,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
    HeaderName::from_static("x-doorbuster-run"),
];

impl Reader {
    /// `{ accept-language: ja }`; variables may stand in the values.
    pub(super) fn headers(&mut self, node: &Node) -> Headers {
        let mut headers = Headers::default();
        let entries = node.map("header names with their values");
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let name = self.header_name(key);
            let template = self.verbatim(value, "a header's value as text");
            let (Some(name), Some(template)) = (name, template) else {
                continue;
            };
            if ENGINE_HEADERS.contains(&name) {
                let message = format!("the header \"{name}\" follows from the request itself; leave it out");
                self.faults.add(key.place, message);
            }
            match template.as_fixed().map(HeaderValue::from_str) {
                None => headers.filled.push((name, template)),
                Some(Ok(value)) => headers.fixed.push((name, value)),
                Some(Err(_)) => {
                    self.faults.add(value.place, format!("{} cannot be a header's value", value.found()));
                }
            }
        }
        headers
    }

    /// A header's name.
    pub(super) fn header_name(&mut self, key: &Key) -> Option<HeaderName> {
        let name = HeaderName::from_bytes(key.name.as_bytes());
        let name =
            name.map_err(|_| Fault::new(key.place, format!("\"{}\" cannot be a header's name", key.name)));
        self.faults.keep(name)
    }
}
