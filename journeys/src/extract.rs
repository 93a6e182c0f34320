//! What a step takes from its answer for later steps.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};
use rand_core::Rng;
use regex::bytes::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use crate::expect::Scene;
use crate::failure::Failure;
use crate::scan::{Found, MATCHES_MAX, Query, Take, VALUE_BYTES_MAX};
use crate::selector::CssSelector;
use crate::template::Values;
use crate::think::below;

/// A value to take.
#[derive(Clone, Debug)]
pub(crate) struct Extract {
    /// The variable's number.
    pub(crate) slot: u16,
    /// The variable's name.
    pub(crate) name: Box<str>,
    /// Where it is taken from.
    pub(crate) from: From,
    /// Which of several.
    pub(crate) pick: Pick,
    /// What stands for a value that is not there.
    pub(crate) default: Option<Box<str>>,
    /// The line of the file.
    pub(crate) line: u64,
}

/// Where a value is taken from.
#[derive(Clone, Debug)]
pub(crate) enum From {
    /// The text of an element, or one of its attributes.
    Css(CssSelector, Option<Box<str>>),
    /// The first group of a pattern, or all of its match.
    Regex(Regex),
    /// A path into a JSON body (RFC 9535), and its text.
    Json(JsonPath, Box<str>),
    /// A header of the answer.
    Header(HeaderName),
}

/// Which of several values is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The one with this number, from 0; the first is 0.
    Nth(usize),
    /// The last.
    Last,
    /// Any, by one draw.
    Random,
}

impl Pick {
    /// The last number of interest; `None` when all values have to be known.
    fn until(self) -> Option<usize> {
        match self {
            Self::Nth(number) => Some(number),
            Self::Last | Self::Random => None,
        }
    }
}

impl Extract {
    /// True when taking the value needs the body.
    pub(crate) fn wants_body(&self) -> bool {
        !matches!(self.from, From::Header(_))
    }

    /// True when taking the value needs the headers.
    pub(crate) fn wants_headers(&self) -> bool {
        matches!(self.from, From::Header(_))
    }

    /// What to look for in the page, and the selector's text; `None` when this is not taken by selector.
    pub(crate) fn query(&self, values: &Values<'_>) -> Option<Result<(Query<'_>, Cow<'_, str>), Failure>> {
        let From::Css(selector, attribute) = &self.from else {
            return None;
        };
        let take = attribute.as_deref().map_or(Take::Text, Take::Attribute);
        let until = self.pick.until();
        Some(selector.resolve(values).map(|(selector, text)| (Query { selector, take, until }, text)))
    }

    /// Takes the value: from `found` (with the selector's text) when it is taken by selector.
    ///
    /// # Errors
    /// A failure naming what was looked for, when it is not there and has no default, or is too long.
    pub(crate) fn take(
        &self,
        scene: &Scene<'_>,
        headers: &HeaderMap,
        found: Option<(Found, Cow<'_, str>)>,
        json: &mut JsonBody,
        rng: &mut dyn Rng,
    ) -> Result<Box<str>, Failure> {
        let (values, looked_for) = match &self.from {
            From::Css(..) => {
                let (found, selector) = found.unwrap_or_default();
                if found.overflowed {
                    return Err(self.failure(&format!("{selector} matches more than can be kept"), scene));
                }
                (found.values, format!("matches {selector}"))
            }
            From::Regex(pattern) => (self.matches(pattern, scene.body), format!("matches /{pattern}/")),
            From::Json(path, text) => {
                let document = json.read(scene.body);
                let document =
                    document.map_err(|error| self.failure(&format!("no JSON body: {error}"), scene))?;
                (self.at_path(path, document), format!("is at {text}"))
            }
            From::Header(name) => {
                let values = headers.get_all(name).iter();
                let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                (values.collect(), format!("is in header {name}"))
            }
        };
        let count = values.len();
        match (self.choose(values, rng), &self.default) {
            (Some(value), _) if value.len() > VALUE_BYTES_MAX => {
                Err(self.failure(&format!("the value has over {VALUE_BYTES_MAX} bytes"), scene))
            }
            (Some(value), _) => Ok(value.into_boxed_str()),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) if count > 0 => {
                Err(self.failure(&format!("only {count} {looked_for}; the pick counts from 0"), scene))
            }
            (None, None) => Err(self.failure(&format!("nothing {looked_for}"), scene)),
        }
    }

    /// `nothing matches a.product (extract "product", checkout.yaml:12)`
    fn failure(&self, message: &str, scene: &Scene<'_>) -> Failure {
        let cut = if scene.cut { "; the body was longer than what is kept of it" } else { "" };
        Failure::new(format!("{message} (extract \"{}\", {}:{}{cut})", self.name, scene.file, self.line))
    }

    fn matches(&self, pattern: &Regex, body: &[u8]) -> Vec<String> {
        let most = self.pick.until().map_or(MATCHES_MAX, |until| (until + 1).min(MATCHES_MAX));
        let values = pattern.captures_iter(body).filter_map(|captures| {
            // A pattern with a group that took no part in this match gives no value.
            if captures.len() > 1 { captures.get(1) } else { captures.get(0) }
        });
        values.take(most).map(|value| lossy_text(value.as_bytes())).collect()
    }

    fn at_path(&self, path: &JsonPath, document: &Value) -> Vec<String> {
        let values = path.query(document).into_iter().filter(|value| !value.is_null());
        let values = values.map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        values.take(MATCHES_MAX).collect()
    }

    fn choose(&self, mut values: Vec<String>, rng: &mut dyn Rng) -> Option<String> {
        let number = match self.pick {
            Pick::Nth(number) => number,
            Pick::Last => values.len().checked_sub(1)?,
            Pick::Random if values.is_empty() => return None,
            Pick::Random => usize::try_from(below(u64::try_from(values.len()).ok()?, rng)).ok()?,
        };
        (number < values.len()).then(|| values.swap_remove(number))
    }
}

/// The text of a value, cut just above the limit of values.
fn lossy_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(VALUE_BYTES_MAX + 1)]).into_owned()
}

/// A body as JSON, read when it is first asked for.
#[derive(Default)]
pub(crate) struct JsonBody {
    document: Option<Result<Value, String>>,
}

impl JsonBody {
    fn read(&mut self, body: &[u8]) -> Result<&Value, String> {
        let document = self
            .document
            .get_or_insert_with(|| serde_json::from_slice(body).map_err(|error| error.to_string()));
        document.as_ref().map_err(Clone::clone)
    }
}
