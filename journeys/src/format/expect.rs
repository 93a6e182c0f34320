//! What an answer must be like: the keys of `expect`, and of all that asks the same of an answer.

use doorbuster_notation::{Fault, Fields, Kind, Node};

use super::{Reader, json_path, pattern};
use crate::expect::{CssExpect, Expect, GOOD, JsonExpect, Statuses};

impl Reader {
    /// The expectations of a step; without a word on the status, 200 to 399 is good.
    pub(super) fn expect(&mut self, node: &Node) -> Expect {
        let fields = Fields::of(node, "expect");
        let Some(mut fields) = self.faults.keep(fields) else {
            return Expect::default();
        };
        let mut expect = self.asked(&mut fields);
        fields.finish(&mut self.faults);
        if expect.status.is_empty() {
            expect.status = vec![GOOD];
        }
        expect
    }

    /// `{ sold-out: { has: "Sold out" } }`: answers that mean no, by name.
    pub(super) fn refusals(&mut self, node: &Node) -> Vec<(Box<str>, Expect)> {
        let entries = node.map("names with what tells each, such as { sold-out: { has: \"Sold out\" } }");
        let mut refusals = Vec::new();
        for (key, node) in self.faults.keep(entries).unwrap_or_default() {
            if !super::is_name(&key.name, "_.-") {
                let message =
                    format!("found the name \"{}\", expected letters, digits or any of _ . -", key.name);
                self.faults.add(key.place, message);
            }
            let fields = Fields::of(node, "a refusal");
            let Some(mut fields) = self.faults.keep(fields) else { continue };
            let asked = self.asked(&mut fields);
            let known = self.faults.faults.len();
            fields.finish(&mut self.faults);
            if asked.is_empty() && known == self.faults.faults.len() {
                self.faults
                    .add(node.place, "a refusal needs something that tells it, such as has: \"Sold out\"");
            }
            refusals.push((key.name.as_str().into(), asked));
        }
        refusals
    }

    /// The keys that ask something of an answer.
    pub(super) fn asked(&mut self, fields: &mut Fields<'_>) -> Expect {
        let mut expect = Expect::default();
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
        if let Some(node) = fields.optional("json") {
            expect.json = self.json_expects(node);
        }
        if let Some(node) = fields.optional("header") {
            let entries = node.map("header names with their values");
            for (key, value) in self.faults.keep(entries).unwrap_or_default() {
                let name = self.header_name(key);
                let check = self.check(value);
                expect.headers.extend(name.zip(check).map(|(name, check)| (name, check, key.place.line)));
            }
        }
        expect.size = fields.optional("size").and_then(|node| self.check(node).zip(Some(node.place.line)));
        expect.page = fields.optional("page").and_then(|node| self.check(node).zip(Some(node.place.line)));
        expect.redirect =
            fields.optional("redirect").and_then(|node| self.check(node).zip(Some(node.place.line)));
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

    /// A selector, several, or selectors with what their first match is like.
    fn css(&mut self, node: &Node) -> Vec<CssExpect> {
        let Kind::Map(entries) = &node.kind else {
            let mut expects = Vec::new();
            for node in one_or_more(node) {
                let text =
                    self.faults.keep(node.scalar("a CSS selector, a list of them, or selectors with texts"));
                let selector = text.and_then(|text| self.selector(&text, node.place));
                let line = node.place.line;
                expects.extend(selector.map(|selector| CssExpect { selector, check: at_least_one(), line }));
            }
            return expects;
        };
        let mut expects = Vec::new();
        for (key, value) in entries {
            let selector = self.selector(&key.name, key.place);
            let check = self.check(value);
            if let (Some(selector), Some(check)) = (selector, check) {
                expects.push(CssExpect { selector, check, line: key.place.line });
            }
        }
        expects
    }

    /// A path, several, or paths with what their first node is like.
    fn json_expects(&mut self, node: &Node) -> Vec<JsonExpect> {
        let mut expects = Vec::new();
        let Kind::Map(entries) = &node.kind else {
            for node in one_or_more(node) {
                let path = node.scalar("a JSONPath, a list of them, or paths with values");
                let path = path.and_then(|text| json_path(&text, node.place));
                let line = node.place.line;
                expects.extend(self.faults.keep(path).map(|(path, text)| JsonExpect {
                    path,
                    text,
                    check: at_least_one(),
                    line,
                }));
            }
            return expects;
        };
        for (key, value) in entries {
            let path = self.faults.keep(json_path(&key.name, key.place));
            let check = self.json_check(value);
            if let (Some((path, text)), Some(check)) = (path, check) {
                expects.push(JsonExpect { path, text, check, line: key.place.line });
            }
        }
        expects
    }
}

impl Expect {
    /// Nothing is asked.
    pub(super) fn is_empty(&self) -> bool {
        self.status.is_empty() && !self.wants_body() && !self.wants_headers() && self.page.is_none()
    }
}

fn at_least_one() -> crate::check::Check {
    use crate::check::{Check, Relation, Test};
    Check { tests: vec![Test::Count(Relation::AtLeast, 1)] }
}

fn one_or_more(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn statuses(node: &Node) -> Result<Vec<Statuses>, Fault> {
    const EXPECTED: &str = "a status from 100 to 599, or a list of them";
    let in_range = |number: u64| u16::try_from(number).ok().filter(|status| (100..=599).contains(status));
    let status = |node: &Node| {
        let statuses = match &node.kind {
            Kind::Int(number) => {
                u64::try_from(*number).ok().and_then(in_range).map(|status| (status, status))
            }
            // 2xx
            Kind::Text(text) => match text.strip_suffix("xx").map(str::parse::<u16>) {
                Some(Ok(class @ 1..=5)) => Some((class * 100, class * 100 + 99)),
                _ => None,
            },
            _ => None,
        };
        statuses.ok_or_else(|| node.expected(EXPECTED))
    };
    let nodes = one_or_more(node);
    if nodes.is_empty() {
        return Err(Fault::new(node.place, format!("found an empty list, expected {EXPECTED}")));
    }
    nodes.iter().map(status).collect()
}
