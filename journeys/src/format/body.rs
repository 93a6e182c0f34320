//! What a step sends as its body.

use bytes::Bytes;
use doorbuster_notation::{Fault, Fields, Key, Kind, Node, parse_size};
use http::Method;

use super::Reader;
use crate::encoding::Encoding;
use crate::fields::{Content, Part};
use crate::form::BOUNDARY;
use crate::journey::Body;
use crate::template::{Piece, Template};

/// The largest file that is made up for an upload: as much as a body may have.
const FILLER_BYTES_MAX: u64 = 4 << 20;

/// A body and the type that goes with it.
pub(super) struct Written {
    pub(super) body: Body,
    pub(super) content_type: Option<String>,
    pub(super) is_graphql: bool,
}

impl Reader {
    /// The body that one of the keys for bodies gives.
    pub(super) fn body(&mut self, fields: &mut Fields<'_>, method: &Method, has_type: bool) -> Written {
        let mut written = Written { body: Body::None, content_type: None, is_graphql: false };
        let entries = ["form", "json", "body", "multipart", "graphql"].map(|kind| fields.entry(kind));
        let mut found: Vec<(&Key, &Node)> = entries.into_iter().flatten().collect();
        found.sort_by_key(|(key, _)| key.place);
        let Some((key, node)) = found.first() else {
            return written;
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
        match key.name.as_str() {
            "form" => {
                written.content_type = Some("application/x-www-form-urlencoded".to_owned());
                let fields = self.fields(node, Encoding::Form);
                written.body = match fields.as_fixed() {
                    Some(text) => Body::Fixed(Bytes::from(text)),
                    None => Body::Fields(fields),
                };
                return written;
            }
            "multipart" => {
                written.content_type = Some(format!("multipart/form-data; boundary={BOUNDARY}"));
                written.body = Body::Parts(self.parts(node));
                return written;
            }
            "json" => {
                self.json(node, &mut template);
                written.content_type = Some("application/json".to_owned());
            }
            "graphql" => {
                self.graphql(node, &mut template);
                written.content_type = Some("application/json".to_owned());
                written.is_graphql = true;
            }
            _ => {
                template = self.verbatim(node, "a text").unwrap_or_default();
                if !has_type {
                    let message = "a raw body needs a content-type header; write for example headers: { content-type: text/plain }";
                    self.faults.add(key.place, message);
                }
            }
        }
        written.body = match template.as_fixed() {
            Some(text) => Body::Fixed(Bytes::from(text.to_owned())),
            None => Body::Filled(template),
        };
        written
    }

    /// `{ query: …, variables: {…}, operation: Name }` as GraphQL over HTTP sends it.
    fn graphql(&mut self, node: &Node, out: &mut Template) {
        let fields = Fields::of(node, "graphql");
        let Some(mut fields) = self.faults.keep(fields) else { return };
        let query = fields.required("query").and_then(|node| node.scalar("a GraphQL document as text"));
        let operation = fields.optional("operation").map(|node| node.scalar("an operation's name"));
        let variables = fields.optional("variables");
        fields.finish(&mut self.faults);
        out.text("{\"query\":");
        // A document holds $names of its own, so nothing is inserted into it.
        let query = self.faults.keep(query).unwrap_or_default();
        out.text(&serde_json::Value::from(query).to_string());
        if let Some(operation) = operation.and_then(|operation| self.faults.keep(operation)) {
            out.text(",\"operationName\":");
            out.text(&serde_json::Value::from(operation).to_string());
        }
        if let Some(variables) = variables {
            out.text(",\"variables\":");
            self.json(variables, out);
        }
        out.text("}");
    }

    /// `{ note: text, photo: { file: a.png, type: image/png, size: 20KB } }`
    fn parts(&mut self, node: &Node) -> Vec<Part> {
        let entries = node.map("names with their values, such as { note: hello }");
        let mut parts = Vec::new();
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let items = match &value.kind {
                Kind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(value),
            };
            for item in items {
                let name = self.verbatim_text(&key.name, key.place);
                let part = match &item.kind {
                    Kind::Map(_) => {
                        self.file(item).map(|(file, content)| Part { name, file: Some(file), content })
                    }
                    _ => {
                        let text = self.verbatim(
                            item,
                            "a text, a number, or a file such as { file: a.txt, text: hello }",
                        );
                        text.map(|text| Part { name, file: None, content: Content::Text(text) })
                    }
                };
                parts.extend(part);
            }
        }
        parts
    }

    fn file(&mut self, node: &Node) -> Option<((Template, Template), Content)> {
        let fields = Fields::of(node, "a file");
        let mut fields = self.faults.keep(fields)?;
        let name = fields.required("file");
        let name = self.faults.keep(name).and_then(|node| self.verbatim(node, "a file's name"));
        let kind = match fields.optional("type") {
            Some(node) => self.verbatim(node, "a media type such as image/png"),
            None => Some(Template::fixed("application/octet-stream")),
        };
        let (text, size) = (fields.optional("text"), fields.optional("size"));
        let place = fields.place();
        fields.finish(&mut self.faults);
        let content = match (text, size) {
            (Some(node), None) => self.verbatim(node, "the file's content as text").map(Content::Text),
            (None, Some(node)) => {
                let size = node.parse_with("a size such as 20KB", parse_size);
                let size = size.and_then(|bytes| {
                    let fits = usize::try_from(bytes).ok().filter(|_| bytes <= FILLER_BYTES_MAX);
                    fits.ok_or_else(|| node.expected("a size of at most 4MB"))
                });
                self.faults.keep(size).map(Content::Filler)
            }
            _ => {
                self.faults.add(place, "a file needs either text, its content, or size, as much filler");
                None
            }
        };
        Some(((name?, kind?), content?))
    }

    /// Appends a value as JSON; texts and keys are templates.
    pub(super) fn json(&mut self, node: &Node, out: &mut Template) {
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
            Kind::Text(text) => self.json_value(text, node, out),
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

    /// A text, or `${name:number}` and `${name:json}`, which are no texts.
    fn json_value(&mut self, text: &str, node: &Node, out: &mut Template) {
        let lone = self.lone_variable(text);
        let typed = lone.as_deref().and_then(|name| name.rsplit_once(':'));
        let encoding = match typed {
            Some((_, "number")) => Encoding::JsonNumber,
            Some((_, "json")) => Encoding::JsonValue,
            _ => return self.json_text(text, node, out),
        };
        if let Some(source) = typed.and_then(|(name, _)| self.source(name.trim(), node.place)) {
            out.value(source, encoding);
        }
    }

    fn json_text(&mut self, text: &str, node: &Node, out: &mut Template) {
        out.text("\"");
        self.encoded(text, node.place, Encoding::Json, out);
        out.text("\"");
    }

    /// Fields as `name=value&…`, names and values in `encoding`; a list repeats its name.
    pub(super) fn fields(&mut self, node: &Node, encoding: Encoding) -> crate::fields::Fields {
        let mut fields = crate::fields::Fields::default();
        let entries = node.map("names with their values, such as { q: lamp }");
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let values = match &value.kind {
                Kind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(value),
            };
            for value in values {
                let text =
                    self.faults.keep(value.scalar("a text, a number, or a list of them")).unwrap_or_default();
                let (mut name, mut template) = (Template::default(), Template::default());
                self.encoded(&key.name, key.place, encoding, &mut name);
                self.encoded(&text, value.place, encoding, &mut template);
                let lone = match self.pieces(&text, value.place).as_slice() {
                    [Piece::Variable(name)] => self.variables.number(name).map(|slot| (slot, encoding)),
                    _ => None,
                };
                fields.push(name, template, lone);
            }
        }
        fields
    }
}

/// A fault of a text that is no JSONPath.
pub(super) fn json_path(
    text: &str,
    place: doorbuster_notation::Place,
) -> Result<(serde_json_path::JsonPath, Box<str>), Fault> {
    let path = serde_json_path::JsonPath::parse(text)
        .map_err(|error| Fault::new(place, format!("\"{text}\" is not a JSONPath (RFC 9535): {error}")))?;
    Ok((path, text.into()))
}
