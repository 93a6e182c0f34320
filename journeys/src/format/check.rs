//! Comparisons: a value to be equal to, or `{ above: 3 }` and the like.

use doorbuster_notation::{Fault, Fields, Kind, Node, parse_size};

use super::Reader;
use crate::check::{Check, Relation, Test};
use crate::template::Template;

const RELATIONS: [(&str, Relation); 4] = [
    ("above", Relation::Above),
    ("below", Relation::Below),
    ("at_least", Relation::AtLeast),
    ("at_most", Relation::AtMost),
];

impl Reader {
    /// What a text must be like.
    pub(super) fn check(&mut self, node: &Node) -> Option<Check> {
        if !matches!(node.kind, Kind::Map(_)) {
            let text = self.verbatim(node, "a text, or comparisons such as { above: 3 }")?;
            return Some(Check { tests: vec![Test::Is(text)] });
        }
        self.comparisons(node, Self::is_text)
    }

    /// What a node of JSON must be like: a text without a mapping's comparisons is a value of its own type.
    pub(super) fn json_check(&mut self, node: &Node) -> Option<Check> {
        if !matches!(node.kind, Kind::Map(_)) {
            return Some(Check { tests: vec![self.is_json(node)?] });
        }
        self.comparisons(node, Self::is_json)
    }

    fn is_text(&mut self, node: &Node) -> Option<Test> {
        self.verbatim(node, "a text").map(Test::Is)
    }

    fn is_json(&mut self, node: &Node) -> Option<Test> {
        let mut template = Template::default();
        self.json(node, &mut template);
        Some(Test::IsJson(template))
    }

    fn comparisons(&mut self, node: &Node, is: fn(&mut Self, &Node) -> Option<Test>) -> Option<Check> {
        let fields = Fields::of(node, "a comparison");
        let mut fields = self.faults.keep(fields)?;
        let known = self.faults.faults.len();
        let mut tests = Vec::new();
        if let Some(node) = fields.optional("is") {
            tests.extend(is(self, node));
        }
        for (key, test) in
            [("not", Test::Not as fn(Template) -> Test), ("has", Test::Has), ("lacks", Test::Lacks)]
        {
            if let Some(node) = fields.optional(key) {
                tests.extend(self.verbatim(node, "a text").map(test));
            }
        }
        if let Some(node) = fields.optional("matches") {
            tests.extend(self.faults.keep(text_pattern(node)).map(Test::Matches));
        }
        for (key, relation) in RELATIONS {
            if let Some(node) = fields.optional(key) {
                tests.extend(self.number(node).map(|number| Test::Number(relation, number)));
            }
        }
        if let Some(node) = fields.optional("count") {
            self.count(node, &mut tests);
        }
        fields.finish(&mut self.faults);
        if tests.is_empty() && self.faults.faults.len() == known {
            self.faults.add(node.place, "a comparison needs one of is, not, has, lacks, matches, above, below, at_least, at_most or count");
        }
        Some(Check { tests })
    }

    /// A number, a size such as 10KB, or a text with variables that becomes a number.
    fn number(&mut self, node: &Node) -> Option<Template> {
        if let Kind::Text(text) = &node.kind
            && !text.contains("${")
        {
            let bytes = self.faults.keep(node.parse_with("a number, or a size such as 10KB", parse_size))?;
            return Some(Template::fixed(bytes.to_string()));
        }
        self.verbatim(node, "a number, or a size such as 10KB")
    }

    /// `count: 2`, or `count: { at_least: 1 }`.
    fn count(&mut self, node: &Node, tests: &mut Vec<Test>) {
        const MOST: u64 = 1_000_000;
        if !matches!(node.kind, Kind::Map(_)) {
            let count = self.faults.keep(node.integer(0, MOST));
            tests.extend(count.map(|count| Test::Count(Relation::Equal, count)));
            return;
        }
        let fields = Fields::of(node, "a count");
        let Some(mut fields) = self.faults.keep(fields) else { return };
        for (key, relation) in RELATIONS {
            if let Some(node) = fields.optional(key) {
                let count = self.faults.keep(node.integer(0, MOST));
                tests.extend(count.map(|count| Test::Count(relation, count)));
            }
        }
        fields.finish(&mut self.faults);
    }
}

/// A pattern for values, which are texts.
fn text_pattern(node: &Node) -> Result<regex::Regex, Fault> {
    super::compiled(node, |text| regex::RegexBuilder::new(text).size_limit(super::PATTERN_BYTES_MAX).build())
}
