//! `extract`: values taken from an answer for later steps.

use doorbuster_notation::{Fault, Fields, Key, Kind, Node};
use http::HeaderName;
use serde_json_path::JsonPath;

use super::{Reader, pattern};
use crate::extract::{Extract, From, Pick};
use crate::scan::{MATCHES_MAX, VALUE_BYTES_MAX};

const SOURCES: &str = "one of css, regex, json or header";

impl Reader {
    /// `{ name: { css: … }, … }`; the names count as set behind this step.
    pub(super) fn extracts(&mut self, node: &Node) -> Vec<Extract> {
        let entries = node.map("variables with where they come from, such as { title: { css: h1 } }");
        let mut extracts: Vec<Extract> = Vec::new();
        for (key, node) in self.faults.keep(entries).unwrap_or_default() {
            let slot = self.variable(&key.name, key.place);
            if let (Some(extract), Some(slot)) = (self.extract(key, node), slot) {
                extracts.push(Extract { slot, ..extract });
            } else if let Some(slot) = slot {
                // Its own fault was told; that its users find it unset would be a second one.
                self.variables.set(slot, key.place.line);
            }
        }
        for extract in &extracts {
            self.variables.set(extract.slot, extract.line);
        }
        extracts
    }

    fn extract(&mut self, key: &Key, node: &Node) -> Option<Extract> {
        let fields = Fields::of(node, "an extract");
        let mut fields = self.faults.keep(fields)?;
        let sources = ["css", "regex", "json", "header"].map(|kind| fields.entry(kind));
        let mut sources: Vec<(&Key, &Node)> = sources.into_iter().flatten().collect();
        sources.sort_by_key(|(key, _)| key.place);
        let attribute = fields.entry("attribute");
        let pick = fields.optional("pick").map_or(Ok(Pick::Nth(0)), read_pick);
        let pick = self.faults.keep(pick);
        let default = fields.optional("default").and_then(|node| self.faults.keep(read_default(node)));
        let place = fields.place();
        let known = self.faults.faults.len();
        fields.finish(&mut self.faults);
        let [(kind, source)] = sources.as_slice() else {
            match sources.get(1) {
                Some((second, _)) => {
                    let message = format!(
                        "found both \"{}\" and \"{}\", expected {SOURCES}",
                        sources[0].0.name, second.name
                    );
                    self.faults.add(second.place, message);
                }
                None if self.faults.faults.len() == known => {
                    self.faults.add(place, format!("an extract needs {SOURCES}"))
                }
                None => {}
            }
            return None;
        };
        if let (Some((attribute, _)), true) = (attribute, kind.name != "css") {
            self.faults.add(attribute.place, format!("\"attribute\" goes with css, not with {}", kind.name));
        }
        let from = self.from(kind, source, attribute.map(|(_, node)| node))?;
        Some(Extract {
            slot: 0,
            name: key.name.as_str().into(),
            from,
            pick: pick?,
            default,
            line: key.place.line,
        })
    }

    fn from(&mut self, kind: &Key, source: &Node, attribute: Option<&Node>) -> Option<From> {
        match kind.name.as_str() {
            "css" => {
                let attribute = match attribute.map(|node| node.scalar("an attribute's name")) {
                    None => None,
                    Some(name) => Some(self.faults.keep(name)?.to_ascii_lowercase().into_boxed_str()),
                };
                let text = self.faults.keep(source.scalar("a CSS selector"))?;
                Some(From::Css(self.selector(&text, source.place)?, attribute))
            }
            "regex" => self.faults.keep(pattern(source)).map(From::Regex),
            "json" => self.faults.keep(json_path(source)),
            _ => self.faults.keep(header(source)),
        }
    }
}

fn json_path(node: &Node) -> Result<From, Fault> {
    node.parse_with("a JSONPath such as $.items[0].id", |text| {
        let path = JsonPath::parse(text)
            .map_err(|error| format!("\"{text}\" is not a JSONPath (RFC 9535): {error}"))?;
        Ok(From::Json(path, text.into()))
    })
}

fn header(node: &Node) -> Result<From, Fault> {
    node.parse_with("a header's name", |text| {
        let name = HeaderName::from_bytes(text.as_bytes());
        name.map(From::Header).map_err(|_| format!("\"{text}\" cannot be a header's name"))
    })
}

fn read_pick(node: &Node) -> Result<Pick, Fault> {
    let pick = match &node.kind {
        Kind::Text(text) if text == "first" => Some(Pick::Nth(0)),
        Kind::Text(text) if text == "last" => Some(Pick::Last),
        Kind::Text(text) if text == "random" => Some(Pick::Random),
        Kind::Int(number) => {
            usize::try_from(*number).ok().filter(|number| *number < MATCHES_MAX).map(Pick::Nth)
        }
        _ => None,
    };
    pick.ok_or_else(|| node.expected("first, last, random, or a number from 0 to 9999"))
}

fn read_default(node: &Node) -> Result<Box<str>, Fault> {
    let text = node.scalar("a text")?;
    if text.len() > VALUE_BYTES_MAX {
        return Err(Fault::new(node.place, format!("a default has at most {VALUE_BYTES_MAX} bytes")));
    }
    Ok(text.into_boxed_str())
}
