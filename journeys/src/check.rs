//! Comparisons: what a value of an answer, or a variable, must be like.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Number, Value as Json};

use crate::failure::{Failure, quote};
use crate::template::{Template, Values};

/// The longest text to compare with once its values are in, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1_024;

/// All that one value must be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Check {
    pub(crate) tests: Vec<Test>,
}

/// One comparison.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Equal to a text.
    Is(Template),
    /// Equal to a value of JSON, as which the template is read. Only of JSON.
    IsJson(Template),
    /// Another text than this, or none.
    Not(Template),
    /// Contains a text.
    Has(Template),
    /// Contains no such text.
    Lacks(Template),
    /// A pattern matches somewhere.
    Matches(Regex),
    /// A number in this relation to another one.
    Number(Relation, Template),
    /// There are so many values.
    Count(Relation, u64),
}

/// How a number stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Above,
    Below,
    AtLeast,
    AtMost,
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Above => ordering.is_gt(),
            Self::Below => ordering.is_lt(),
            Self::AtLeast => ordering.is_ge(),
            Self::AtMost => ordering.is_le(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Equal => "",
            Self::Above => "above ",
            Self::Below => "below ",
            Self::AtLeast => "at least ",
            Self::AtMost => "at most ",
        }
    }
}

/// The values that a check looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// What they are to people: `header location`, `#total`.
    pub(crate) name: &'a str,
    /// The values; a check of one looks at the first.
    pub(crate) found: Found<'a>,
    /// How many there are.
    pub(crate) count: usize,
}

/// Values of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// Texts.
    Texts(&'a [String]),
    /// Nodes of a JSON document.
    Nodes(&'a [&'a Json]),
}

/// Why a check is not met, or that it could not be made.
pub(crate) enum Unmet {
    /// `expected #total to be "3", got "4"`
    Because(String),
    /// A value that the check needs is not there.
    Cannot(Failure),
}

impl From<Failure> for Unmet {
    fn from(failure: Failure) -> Self {
        Self::Cannot(failure)
    }
}

impl Check {
    /// Whether values themselves are looked at, not only how many there are.
    pub(crate) fn wants_values(&self) -> bool {
        self.tests.iter().any(|test| !matches!(test, Test::Count(..)))
    }

    /// True when a missing piece of the answer could change the outcome although nothing contradicts it yet.
    pub(crate) fn is_about_absence(&self) -> bool {
        self.tests.iter().any(|test| match test {
            // So many as are there stay there, whatever else comes.
            Test::Count(relation, _) => *relation != Relation::AtLeast,
            Test::Not(_) | Test::Lacks(_) => true,
            _ => false,
        })
    }

    /// The last value (from 0) that is of interest; `None` when all of them have to be known.
    pub(crate) fn until(&self) -> Option<usize> {
        let needed = |test: &Test| match test {
            Test::Count(Relation::AtLeast, count) => usize::try_from(*count).unwrap_or(usize::MAX),
            _ => 1,
        };
        let most = self.tests.iter().map(needed).max().unwrap_or(1);
        (!self.is_about_absence()).then_some(most.saturating_sub(1))
    }

    /// Makes every comparison.
    ///
    /// # Errors
    /// The first that does not hold.
    pub(crate) fn judge(&self, subject: &Subject<'_>, values: &Values<'_>) -> Result<(), Unmet> {
        self.tests.iter().try_for_each(|test| test.judge(subject, values))
    }
}

impl Test {
    fn judge(&self, subject: &Subject<'_>, values: &Values<'_>) -> Result<(), Unmet> {
        let name = subject.name;
        let fill = |template: &Template| {
            template.filled(values, "the expected text", TEXT_BYTES_MAX).map(|text| text.trim().to_owned())
        };
        let (expectation, holds) = match self {
            Self::Is(template) => {
                let text = fill(template)?;
                (format!("to be {}", quote(&text)), subject.any(|found| found == text))
            }
            Self::Not(template) => {
                let text = fill(template)?;
                (format!("not to be {}", quote(&text)), !subject.any(|found| found == text))
            }
            Self::Has(template) => {
                let text = fill(template)?;
                (format!("to have {}", quote(&text)), subject.any(|found| found.contains(&text)))
            }
            Self::Lacks(template) => {
                let text = fill(template)?;
                (format!("to lack {}", quote(&text)), !subject.any(|found| found.contains(&text)))
            }
            Self::Matches(pattern) => {
                (format!("to match /{pattern}/"), subject.any(|found| pattern.is_match(found)))
            }
            Self::IsJson(template) => {
                let text = fill(template)?;
                let expected: Json = serde_json::from_str(&text)
                    .map_err(|why| Failure::new(format!("{} is no JSON: {why}", quote(&text))))?;
                (format!("to be {}", clip(&text)), subject.any_node(|node| same(node, &expected)))
            }
            Self::Number(relation, template) => {
                let text = fill(template)?;
                let bound = number(&text)
                    .ok_or_else(|| Failure::new(format!("{} is no number to compare with", quote(&text))))?;
                let holds = subject.any(|found| {
                    number(found)
                        .and_then(|found| found.partial_cmp(&bound))
                        .is_some_and(|o| relation.holds(o))
                });
                (format!("to be {}{text}", relation.words()), holds)
            }
            Self::Count(relation, count) => {
                if relation.holds((subject.count as u64).cmp(count)) {
                    return Ok(());
                }
                let wanted = match (relation, count) {
                    (Relation::Equal, 0) => "no".to_owned(),
                    _ => format!("{}{count} of", relation.words()),
                };
                return Err(Unmet::Because(format!("expected {wanted} {name}, got {}", subject.count)));
            }
        };
        if holds {
            Ok(())
        } else {
            Err(Unmet::Because(format!("expected {name} {expectation}, {}", subject.got())))
        }
    }
}

impl Subject<'_> {
    /// Whether a text passes `test`: any header, else the first.
    fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        match self.found {
            Found::Texts(texts) => texts.iter().any(|text| test(text.trim())),
            Found::Nodes(nodes) => nodes.first().is_some_and(|node| test(plain(node).trim())),
        }
    }

    fn any_node(&self, test: impl Fn(&Json) -> bool) -> bool {
        match self.found {
            Found::Texts(_) => false,
            Found::Nodes(nodes) => nodes.first().is_some_and(|node| test(node)),
        }
    }

    fn got(&self) -> String {
        match self.found {
            Found::Texts([first, ..]) => format!("got {}", quote(first)),
            Found::Nodes([first, ..]) => format!("got {}", clip(&first.to_string())),
            Found::Texts([]) | Found::Nodes([]) => "got none".to_owned(),
        }
    }
}

/// A text of JSON without its quotes, anything else as JSON writes it.
pub(crate) fn plain(node: &Json) -> String {
    match node {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// JSON, cut for a message.
fn clip(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Equality of JSON, in which 1 and 1.0 are the same number, and the order of keys does not matter.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => same_number(left, right),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

fn same_number(left: &Number, right: &Number) -> bool {
    left == right || (left.as_f64() == right.as_f64() && (left.is_f64() || right.is_f64()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::same;

    #[test]
    fn numbers_are_equal_by_value_and_large_ones_exactly() {
        for (left, right, expected) in [
            (json!(1), json!(1.0), true),
            (json!({"a": [1, "x"], "b": null}), json!({"b": null, "a": [1.0, "x"]}), true),
            (json!("1"), json!(1), false),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), false),
            (json!([1]), json!([1, 2]), false),
            (json!({"a": 1}), json!({"b": 1}), false),
        ] {
            assert_eq!(same(&left, &right), expected, "{left} {right}");
        }
    }
}
