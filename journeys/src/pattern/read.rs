//! Reads selectors: <https://www.w3.org/TR/selectors-4/#grammar>, as far as journeys use it.

use super::{Case, Comparison, Compound, How, Step, Test};

/// Attributes whose values HTML compares without regard to case (HTML standard, section 4.16.2).
const CASELESS: [&str; 46] = [
    "accept",
    "accept-charset",
    "align",
    "alink",
    "axis",
    "bgcolor",
    "charset",
    "checked",
    "clear",
    "codetype",
    "color",
    "compact",
    "declare",
    "defer",
    "dir",
    "direction",
    "disabled",
    "enctype",
    "face",
    "frame",
    "hreflang",
    "http-equiv",
    "lang",
    "language",
    "link",
    "media",
    "method",
    "multiple",
    "nohref",
    "noresize",
    "noshade",
    "nowrap",
    "readonly",
    "rel",
    "rev",
    "rules",
    "scope",
    "scrolling",
    "selected",
    "shape",
    "target",
    "text",
    "type",
    "valign",
    "valuetype",
    "vlink",
];

/// The alternatives of a selector list, each with its compounds, the outermost first. `None` where there is anything
/// else: escapes, letters that are not ASCII, comments, namespaces, siblings.
pub(super) fn alternatives(text: &str) -> Option<Vec<Vec<Compound>>> {
    let mut reader = Reader { rest: text };
    let mut alternatives = Vec::new();
    loop {
        alternatives.push(reader.alternative()?);
        if reader.rest.is_empty() {
            return Some(alternatives);
        }
        reader.expect(",")?;
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// `form#buy > input`, with the blanks around it.
    fn alternative(&mut self) -> Option<Vec<Compound>> {
        let (mut compounds, mut is_child) = (Vec::new(), false);
        loop {
            self.skip_blanks();
            compounds.push(self.compound(is_child)?);
            let has_blanks = self.skip_blanks();
            is_child = self.take(">");
            let goes_on = is_child || (has_blanks && !self.rest.is_empty() && !self.rest.starts_with(','));
            if !goes_on {
                return Some(compounds);
            }
        }
    }

    /// `input[name=csrf]`
    fn compound(&mut self, is_child: bool) -> Option<Compound> {
        let before = self.rest.len();
        let mut tests = Vec::new();
        if !self.take("*") {
            tests.extend(self.word().map(tag));
        }
        while let Some(mark) = self.rest.chars().next().filter(|mark| "#.[:".contains(*mark)) {
            tests.push(self.test(mark)?);
        }
        (self.rest.len() < before).then(|| Compound::new(is_child, tests))
    }

    /// One test behind its mark.
    fn test(&mut self, mark: char) -> Option<Test> {
        self.rest = self.rest.get(1..)?;
        match mark {
            '#' => Some(Test::Id(self.word()?.into())),
            '.' => Some(Test::Class(self.word()?.into())),
            '[' => self.attribute(),
            _ => self.pseudo_class(),
        }
    }

    /// `name="csrf" i]`
    fn attribute(&mut self) -> Option<Test> {
        self.skip_blanks();
        let name = self.word()?.to_ascii_lowercase().into_boxed_str();
        self.skip_blanks();
        if self.take("]") {
            return Some(Test::Has(name));
        }
        let how = match self.rest.chars().next()? {
            '=' => How::Equal,
            '~' => How::Word,
            '|' => How::Dash,
            '^' => How::Begin,
            '$' => How::End,
            '*' => How::Part,
            _ => return None,
        };
        if how != How::Equal {
            self.rest = self.rest.get(1..)?;
        }
        self.expect("=")?;
        self.skip_blanks();
        let value = self.quoted()?.or_else(|| self.word())?.into();
        self.skip_blanks();
        let case = match self.word() {
            Some("i" | "I") => Case::Ignored,
            Some("s" | "S") => Case::Matters,
            Some(_) => return None,
            None if CASELESS.contains(&&*name) => Case::IgnoredInHtml,
            None => Case::Matters,
        };
        self.skip_blanks();
        self.expect("]")?;
        Some(Test::Compares(Comparison { name, how, value, case }))
    }

    /// A text in quotes; `Some(None)` where none begins.
    fn quoted(&mut self) -> Option<Option<&'a str>> {
        let Some(quote) = self.rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else {
            return Some(None);
        };
        let (text, rest) = self.rest.get(1..)?.split_once(quote)?;
        self.rest = rest;
        let is_plain = text.is_ascii() && !text.contains(['\\', '\n', '\r', '\x0c', '\0']);
        is_plain.then_some(Some(text))
    }

    fn pseudo_class(&mut self) -> Option<Test> {
        let first = Step { step: 0, offset: 1 };
        match self.word()? {
            "first-child" => Some(Test::Nth(first)),
            "first-of-type" => Some(Test::NthOfType(first)),
            "nth-child" => self.step().map(Test::Nth),
            "nth-of-type" => self.step().map(Test::NthOfType),
            "not" => self.not(),
            _ => None,
        }
    }

    /// `(.a, [b])`: each is one test, since `lol_html` takes several for alternatives.
    fn not(&mut self) -> Option<Test> {
        self.expect("(")?;
        let mut tests = Vec::new();
        loop {
            self.skip_blanks();
            let test = if self.take("*") {
                Test::Any
            } else if let Some(name) = self.word() {
                tag(name)
            } else {
                let mark = self.rest.chars().next().filter(|mark| "#.[:".contains(*mark))?;
                self.test(mark).filter(|test| !matches!(test, Test::Not(_)))?
            };
            tests.push(test);
            self.skip_blanks();
            if !self.take(",") {
                self.expect(")")?;
                return Some(Test::Not(tests.into()));
            }
        }
    }

    /// `(2n+1)`
    fn step(&mut self) -> Option<Step> {
        self.expect("(")?;
        let (text, rest) = self.rest.split_once(')')?;
        self.rest = rest;
        let text = text.trim_matches(is_blank);
        let (step, offset): (i32, i32) = match (text, text.split_once('n')) {
            ("odd", _) => (2, 1),
            ("even", _) => (2, 0),
            (_, None) => (0, text.parse().ok()?),
            (_, Some((step, offset))) => {
                let step = match step {
                    "" | "+" => 1,
                    "-" => -1,
                    _ => step.parse().ok()?,
                };
                let offset = if offset.is_empty() {
                    0
                } else {
                    offset.parse().ok().filter(|_| offset.starts_with(['+', '-']))?
                };
                (step, offset)
            }
        };
        Some(Step { step, offset })
    }

    /// An identifier.
    fn word(&mut self) -> Option<&'a str> {
        let is_begin = |character: char| character.is_ascii_alphabetic() || character == '_';
        let is_rest = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        let without_hyphen = self.rest.strip_prefix('-').unwrap_or(self.rest);
        if !without_hyphen.starts_with(is_begin) {
            return None;
        }
        let length = self.rest.find(|character| !is_rest(character)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        // A letter that is not ASCII, or an escape, would belong to it.
        let is_whole = !rest.starts_with(|character: char| !character.is_ascii() || character == '\\');
        self.rest = rest;
        is_whole.then_some(word)
    }

    fn take(&mut self, mark: &str) -> bool {
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, mark: &str) -> Option<()> {
        self.take(mark).then_some(())
    }

    /// Whether there were any.
    fn skip_blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches(is_blank);
        self.rest.len() < before
    }
}

fn tag(name: &str) -> Test {
    Test::Tag(name.to_ascii_lowercase().into())
}

/// White space of CSS.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c')
}
