//! `expect`: what an answer must be like.

use doorbuster_notation::{Fault, Fields, Kind, Node};

use super::{Reader, pattern};
use crate::expect::{CssExpect, CssWhat, Expect};

impl Reader {
    /// Reads the expectations of a step.
    pub(super) fn expect(&mut self, node: &Node) -> Expect {
        let mut expect = Expect { line: node.place.line, ..Expect::default() };
        let fields = Fields::of(node, "expect");
        let Some(mut fields) = self.faults.keep(fields) else {
            return expect;
        };
        if let Some(node) = fields.optional("status") {
            expect.status = self.faults.keep(statuses(node)).unwrap_or_default();
        }
        for (key, wanted) in [("has", true), ("lacks", false)] {
            for node in fields.optional(key).map(one_or_more).unwrap_or_default() {
                if let Some(template) = self.text(node) {
                    expect.texts.push((wanted, template, node.place.line));
                }
            }
        }
        for node in fields.optional("matches").map(one_or_more).unwrap_or_default() {
            if let Some(pattern) = self.faults.keep(pattern(node)) {
                expect.matches.push((pattern, node.place.line));
            }
        }
        if let Some(node) = fields.optional("css") {
            expect.css = self.css(node);
        }
        if let Some(node) = fields.optional("header") {
            let entries = node.map("header names with their values");
            for (key, value) in self.faults.keep(entries).unwrap_or_default() {
                let name = self.header_name(key);
                let value = self.verbatim(value, "a header's value as text");
                expect.headers.extend(name.zip(value));
            }
        }
        fields.finish(&mut self.faults);
        expect
    }

    fn text(&mut self, node: &Node) -> Option<crate::template::Template> {
        let template = self.verbatim(node, "a text, or a list of texts")?;
        if template.is_empty() {
            self.faults.add(node.place, "found an empty text, which every body has; expected a text");
            return None;
        }
        Some(template)
    }

    fn css(&mut self, node: &Node) -> Vec<CssExpect> {
        let entries = node.map("selectors with the text of their first match, or { count: N }");
        let mut expects = Vec::new();
        for (key, value) in self.faults.keep(entries).unwrap_or_default() {
            let selector = self.selector(&key.name, key.place);
            let what = match &value.kind {
                Kind::Map(_) => self.count(value).map(CssWhat::Count),
                _ => self.verbatim(value, "a text, or { count: N }").map(CssWhat::Text),
            };
            if let (Some(selector), Some(what)) = (selector, what) {
                expects.push(CssExpect { selector, what, line: key.place.line });
            }
        }
        expects
    }

    fn count(&mut self, node: &Node) -> Option<usize> {
        let fields = Fields::of(node, "what is expected of a selector");
        let mut fields = self.faults.keep(fields)?;
        let count = fields.required("count").and_then(|node| node.integer(0, 1_000_000));
        fields.finish(&mut self.faults);
        usize::try_from(self.faults.keep(count)?).ok()
    }
}

fn one_or_more(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn statuses(node: &Node) -> Result<Vec<u16>, Fault> {
    let status = |node: &Node| {
        let number = node.integer(100, 599).ok().and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| node.expected("a status from 100 to 599, or a list of them"))
    };
    let nodes = one_or_more(node);
    if nodes.is_empty() {
        return Err(Fault::new(
            node.place,
            "found an empty list, expected a status from 100 to 599, or a list of them",
        ));
    }
    nodes.iter().map(status).collect()
}
