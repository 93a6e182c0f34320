//! `extract`: values taken from an answer for later steps.

use doorbuster_notation::{Fault, Fields, Key, Kind, Node};
use http::HeaderName;

use super::{Reader, json_path, pattern};
use crate::extract::{Extract, From, Pick};
use crate::scan::{MATCHES_MAX, VALUE_BYTES_MAX};

/// The most weights of a pick.
const WEIGHTS_MAX: usize = 1_000;
const SOURCES: &str = "one of css, regex, json, header or cookie, or is the word status or url";

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
        let name: Box<str> = key.name.as_str().into();
        if let Kind::Text(word) = &node.kind {
            let from = match word.as_str() {
                "status" => From::Status,
                "url" => From::Url,
                _ => {
                    self.faults.faults.push(node.expected("status, url, or a mapping such as { css: h1 }"));
                    return None;
                }
            };
            let line = key.place.line;
            return Some(Extract { slot: 0, name, from, pick: Pick::Nth(0), default: None, line });
        }
        let fields = Fields::of(node, "an extract");
        let mut fields = self.faults.keep(fields)?;
        let sources = ["css", "regex", "json", "header", "cookie"].map(|kind| fields.entry(kind));
        let mut sources: Vec<(&Key, &Node)> = sources.into_iter().flatten().collect();
        sources.sort_by_key(|(key, _)| key.place);
        let attribute = fields.entry("attribute");
        let pick = match fields.optional("pick") {
            None => Some(Pick::Nth(0)),
            Some(Node { kind: Kind::Text(text), place }) if text == "fresh" => {
                let taken = self.hidden_variable(&format!(" taken {}", key.name), *place);
                taken.map(Pick::Fresh)
            }
            Some(node) => self.faults.keep(read_pick(node)),
        };
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
        Some(Extract { slot: 0, name, from, pick: pick?, default, line: key.place.line })
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
            "json" => {
                let text = self.faults.keep(source.scalar("a JSONPath such as $.items[0].id"))?;
                let path = self.faults.keep(json_path(&text, source.place))?;
                Some(From::Json(path.0, path.1))
            }
            "cookie" => {
                let name = self.faults.keep(source.scalar("a cookie's name"))?;
                Some(From::Cookie(name.into_boxed_str()))
            }
            _ => self.faults.keep(header(source)),
        }
    }
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
        Kind::Text(text) if text == "all" => Some(Pick::All),
        Kind::List(weights) if weights.len() <= WEIGHTS_MAX => {
            let weight = |node: &Node| {
                u32::try_from(node.integer(0, 1_000_000)?).map_err(|_| node.expected("a weight"))
            };
            let weights = weights.iter().map(weight).collect::<Result<Vec<_>, _>>()?;
            // The first has one, so that there is something to pick whatever the number of values.
            weights.first().is_some_and(|first| *first > 0).then_some(Pick::Weighted(weights))
        }
        Kind::Int(number) => {
            usize::try_from(*number).ok().filter(|number| *number < MATCHES_MAX).map(Pick::Nth)
        }
        _ => None,
    };
    pick.ok_or_else(|| {
        node.expected(
            "first, last, random, fresh, all, a number from 0 to 9999, or weights such as [60, 30, 10]",
        )
    })
}

fn read_default(node: &Node) -> Result<Box<str>, Fault> {
    let text = node.scalar("a text")?;
    if text.len() > VALUE_BYTES_MAX {
        return Err(Fault::new(node.place, format!("a default has at most {VALUE_BYTES_MAX} bytes")));
    }
    Ok(text.into_boxed_str())
}
