//! Selectors as a pass of our own matches them: by tests that an element passes or not at its start tag.
//!
//! What selectors of journeys say every day is read, and no more: the rest is left to `lol_html`, which reads any selector
//! that can be matched while a page streams by. Where both read one, both mean the same.

mod read;

use crate::needle::Needle;

/// The most compounds of a pattern: a pass notes in one word which of them an element matches.
pub(crate) const COMPOUNDS_MAX: usize = 64;

/// A selector list: an element matches one of the alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    alternatives: Box<[Box<[Compound]>]>,
}

/// What one element must be like: `a.product[href]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compound {
    /// Whether what comes before it is asked of its parent (`>`), not of any element around it.
    pub(crate) is_child: bool,
    tests: Box<[Test]>,
    /// What must stand in the page where an element passes the tests.
    pub(crate) needle: Option<Needle>,
}

/// One thing that is asked of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Any,
    Tag(Box<str>),
    Id(Box<str>),
    Class(Box<str>),
    Has(Box<str>),
    Compares(Comparison),
    /// Its number among its parent's children.
    Nth(Step),
    /// Its number among those of its name.
    NthOfType(Step),
    /// It passes none of these.
    Not(Box<[Test]>),
}

/// The value of an attribute beside another one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    name: Box<str>,
    how: How,
    value: Box<str>,
    case: Case,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// `=`
    Equal,
    /// `~=`
    Word,
    /// `|=`
    Dash,
    /// `^=`
    Begin,
    /// `$=`
    End,
    /// `*=`
    Part,
}

/// Whether letters in both cases are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Matters,
    Ignored,
    /// Ignored for elements of HTML.
    IgnoredInHtml,
}

/// `an+b`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    step: i32,
    offset: i32,
}

/// An element as its start tag shows it.
pub(crate) struct Element<'e> {
    pub(crate) name: &'e [u8],
    pub(crate) attributes: &'e [Attribute<'e>],
    /// False in drawings.
    pub(crate) is_html: bool,
    /// Its number among its parent's children, from 1.
    pub(crate) number: i32,
    /// Its number among those of its name; only counted where a pattern asks for it.
    pub(crate) number_of_type: i32,
}

/// An attribute as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a [u8],
    /// Empty where there is none.
    pub(crate) value: &'a [u8],
}

impl Pattern {
    /// That of a selector; `None` for one that is not read here. A text that is no selector gives any of these.
    pub(crate) fn of(selector: &str) -> Option<Self> {
        let alternatives = read::alternatives(selector)?;
        let count: usize = alternatives.iter().map(Vec::len).sum();
        let alternatives = alternatives.into_iter().map(Vec::into_boxed_slice).collect();
        (count <= COMPOUNDS_MAX).then_some(Self { alternatives })
    }

    /// What is asked of an element and those around it, the outermost first; at least one for each alternative.
    pub(crate) fn alternatives(&self) -> impl Iterator<Item = &[Compound]> {
        self.alternatives.iter().map(|compounds| &**compounds)
    }

    /// Where to begin to read `html` for a form that matches: before every element that may; its end when there is none.
    pub(crate) fn begin(&self, html: &[u8]) -> usize {
        let first = |compounds: &[Compound]| {
            let first = compounds.first().filter(|first| !first.counts())?;
            Some(first.needle.as_ref()?.begin(html))
        };
        self.alternatives().map(|compounds| first(compounds).unwrap_or(0)).min().unwrap_or(0)
    }
}

impl Compound {
    fn new(is_child: bool, tests: Vec<Test>) -> Self {
        let rank = |test: &&Test| match test {
            Test::Id(_) => 0,
            Test::Class(_) => 1,
            Test::Compares(_) => 2,
            _ => 3,
        };
        let mut telling: Vec<&Test> = tests.iter().collect();
        telling.sort_by_key(rank);
        let needle = telling.into_iter().find_map(Test::needle);
        Self { is_child, tests: tests.into(), needle }
    }

    /// Whether the element passes all tests.
    pub(crate) fn matches(&self, element: &Element<'_>) -> bool {
        self.tests.iter().all(|test| test.passes(element))
    }

    /// Whether the elements before one of the same parent matter.
    fn counts(&self) -> bool {
        self.tests.iter().any(Test::counts)
    }

    /// Whether those of each name have to be counted.
    pub(crate) fn counts_types(&self) -> bool {
        self.tests.iter().any(Test::counts_types)
    }
}

impl Test {
    fn passes(&self, element: &Element<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Tag(name) => element.name.eq_ignore_ascii_case(name.as_bytes()),
            Self::Id(id) => element.attribute("id") == Some(id.as_bytes()),
            Self::Class(class) => {
                let classes = element.attribute("class").unwrap_or_default();
                classes.split(is_blank).any(|found| found == class.as_bytes())
            }
            Self::Has(name) => element.attribute(name).is_some(),
            Self::Compares(comparison) => {
                let found = element.attribute(&comparison.name);
                found.is_some_and(|found| comparison.holds(found, element.is_html))
            }
            Self::Nth(step) => step.has(element.number),
            Self::NthOfType(step) => step.has(element.number_of_type),
            Self::Not(tests) => !tests.iter().any(|test| test.passes(element)),
        }
    }

    /// What stands in the page where an element passes. Values are compared as they are written, character references
    /// and all, so that the word itself must be there.
    fn needle(&self) -> Option<Needle> {
        match self {
            Self::Id(word) | Self::Class(word) => Some(Needle::Word(word.clone())),
            // Shorter ones stand everywhere.
            Self::Compares(Comparison { value, case: Case::Matters, .. }) if value.len() > 2 => {
                Some(Needle::Word(value.clone()))
            }
            Self::Tag(name) => Some(Needle::Tag(name.clone())),
            _ => None,
        }
    }

    fn counts(&self) -> bool {
        match self {
            Self::Nth(_) | Self::NthOfType(_) => true,
            Self::Not(tests) => tests.iter().any(Self::counts),
            _ => false,
        }
    }

    fn counts_types(&self) -> bool {
        match self {
            Self::NthOfType(_) => true,
            Self::Not(tests) => tests.iter().any(Self::counts_types),
            _ => false,
        }
    }
}

impl Comparison {
    fn holds(&self, found: &[u8], is_html: bool) -> bool {
        let value = self.value.as_bytes();
        let ignores_case = match self.case {
            Case::Matters => false,
            Case::Ignored => true,
            Case::IgnoredInHtml => is_html,
        };
        let is = |found: &[u8]| if ignores_case { found.eq_ignore_ascii_case(value) } else { found == value };
        let begins = || found.get(..value.len()).is_some_and(is);
        match self.how {
            How::Equal => is(found),
            How::Dash => is(found) || (found.get(value.len()) == Some(&b'-') && begins()),
            // What is nothing is a part of nothing (Selectors Level 4, section 6.2).
            _ if value.is_empty() => false,
            How::Word => found.split(is_blank).any(is),
            How::Begin => begins(),
            How::End => {
                found.len().checked_sub(value.len()).and_then(|from| found.get(from..)).is_some_and(is)
            }
            How::Part => found.windows(value.len()).any(is),
        }
    }
}

impl Step {
    fn has(self, number: i32) -> bool {
        let from_offset = number.wrapping_sub(self.offset);
        match self.step {
            0 => from_offset == 0,
            step => from_offset.signum() * step.signum() >= 0 && from_offset.wrapping_rem(step) == 0,
        }
    }
}

impl<'e> Element<'e> {
    /// The value of an attribute, whose name is given in lower case.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'e [u8]> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(found.value)
    }
}

/// White space of HTML.
fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

#[cfg(test)]
mod tests;
