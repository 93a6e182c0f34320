//! What a step takes from its answer for later steps.

use std::borrow::Cow;

use http::HeaderName;
use rand_core::Rng;
use regex::bytes::Regex;
use serde_json::Value as Json;
use serde_json_path::JsonPath;

use crate::check::plain;
use crate::expect::{Looked, Scene};
use crate::failure::Failure;
use crate::scan::{MATCHES_MAX, Query, Take, VALUE_BYTES_MAX};
use crate::selector::CssSelector;
use crate::template::Values;
use crate::think::below;
use crate::value::Value;

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
    /// A cookie that the shopper would now send to the answer's address.
    Cookie(Box<str>),
    /// The status of the answer.
    Status,
    /// The address of the answer, after redirects.
    Url,
}

/// Which of several values is taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pick {
    /// The one with this number, from 0; the first is 0.
    Nth(usize),
    /// The last.
    Last,
    /// Any, by one draw.
    Random,
    /// All of them, as a list.
    All,
    /// By weights of the first, the second and so on.
    Weighted(Vec<u32>),
    /// Any that this variable's companion, a list with this number, does not hold yet.
    Fresh(u16),
}

impl Pick {
    /// The last number of interest; `None` when all values have to be known.
    pub(crate) fn until(&self) -> Option<usize> {
        match self {
            Self::Nth(number) => Some(*number),
            Self::Weighted(weights) => Some(weights.len().saturating_sub(1)),
            Self::Last | Self::Random | Self::All | Self::Fresh(_) => None,
        }
    }
}

impl Extract {
    /// True when taking the value needs the body.
    pub(crate) fn wants_body(&self) -> bool {
        matches!(self.from, From::Css(..) | From::Regex(_) | From::Json(..))
    }

    /// True when taking the value needs the headers.
    pub(crate) fn wants_headers(&self) -> bool {
        matches!(self.from, From::Header(_))
    }

    /// True when taking the value needs the shopper's cookies.
    pub(crate) fn wants_cookies(&self) -> bool {
        matches!(self.from, From::Cookie(_))
    }

    /// True when the value may be an address, which a page's `<base href>` may change.
    pub(crate) fn takes_address(&self) -> bool {
        let From::Css(_, Some(attribute)) = &self.from else { return false };
        matches!(&**attribute, "href" | "src" | "action" | "formaction")
    }

    /// What to look for in the page, and the selector's text; `None` when this is not taken by selector.
    pub(crate) fn query<'a>(
        &'a self,
        values: &'a Values<'_>,
    ) -> Option<Result<(Query<'a>, Cow<'a, str>), Failure>> {
        let From::Css(selector, attribute) = &self.from else {
            return None;
        };
        let take = attribute.as_deref().map_or(Take::Text, Take::Attribute);
        let until = self.pick.until();
        Some(selector.resolve(values).map(|(selector, text)| (Query { selector, take, until }, text)))
    }

    /// Takes the value, out of what `looked` gives next when it is taken by selector.
    ///
    /// # Errors
    /// A failure naming what was looked for, when it is not there and has no default, or is too long.
    pub(crate) fn take<'a>(
        &self,
        scene: &Scene<'_>,
        looked: &mut impl Iterator<Item = Looked<'a>>,
        rng: &mut dyn Rng,
    ) -> Result<Value, Failure> {
        let (values, looked_for) = match &self.from {
            From::Css(..) => {
                let (found, selector) = looked.next().unwrap_or_default();
                if found.overflowed {
                    return Err(self.failure(&format!("{selector} matches more than can be kept"), scene));
                }
                let values = found.values.into_iter();
                let values =
                    values.map(|value| if self.takes_address() { scene.charset.link(value) } else { value });
                (values.collect(), format!("matches {selector}"))
            }
            From::Regex(pattern) => (self.matches(pattern, scene.body), format!("matches /{pattern}/")),
            From::Json(path, text) => {
                let values = match scene.json() {
                    Ok(document) => at_path(path, document),
                    Err(_) if self.default.is_some() => Vec::new(),
                    Err(error) => return Err(self.failure(&format!("no JSON body: {error}"), scene)),
                };
                (values, format!("is at {text}"))
            }
            From::Header(name) => {
                let values = scene.headers.get_all(name).iter();
                let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                (values.collect(), format!("is in header {name}"))
            }
            From::Cookie(name) => (cookie(scene.cookies, name), format!("is in a cookie {name}")),
            From::Status => (vec![scene.status.to_string()], "is the status".to_owned()),
            From::Url => (vec![scene.url.to_string()], "is the address".to_owned()),
        };
        if values.iter().map(String::len).sum::<usize>() > VALUES_BYTES_MAX
            || values.iter().any(|value| value.len() > VALUE_BYTES_MAX)
        {
            return Err(self.failure(&format!("the value has over {VALUE_BYTES_MAX} bytes"), scene));
        }
        let count = values.len();
        match (self.choose(values, scene, rng), &self.default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(Value::Text(default.clone())),
            (None, None) if count > 0 && matches!(self.pick, Pick::Fresh(_)) => {
                Err(self.failure(&format!("all {count} that {looked_for} were taken before"), scene))
            }
            (None, None) if count > 0 => {
                Err(self.failure(&format!("only {count} {looked_for}; the pick counts from 0"), scene))
            }
            (None, None) => Err(self.failure(&format!("nothing {looked_for}"), scene)),
        }
    }

    /// The values that were taken before, and `text` with them, so that `pick: fresh` takes none of them again.
    ///
    /// # Errors
    /// A failure when that is more than a shopper remembers.
    pub(crate) fn remembered(&self, taken: u16, text: &str, scene: &Scene<'_>) -> Result<Value, Failure> {
        let before = scene.values.value(taken).map(Value::items).unwrap_or_default();
        let mut all = before.to_vec();
        // A default may be taken again and again.
        if !before.iter().any(|before| **before == *text) {
            all.push(text.into());
        }
        if all.len() > MATCHES_MAX || all.iter().map(|value| value.len()).sum::<usize>() > VALUES_BYTES_MAX {
            let most = format!("{MATCHES_MAX} values and {VALUES_BYTES_MAX} bytes of them");
            let message =
                format!("pick: fresh remembers at most {most}; pick: random needs to remember none");
            return Err(self.failure(&message, scene));
        }
        Ok(Value::List(all.into()))
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

    fn choose(&self, mut values: Vec<String>, scene: &Scene<'_>, rng: &mut dyn Rng) -> Option<Value> {
        let number = match &self.pick {
            Pick::All if values.is_empty() => return None,
            Pick::All => {
                return Some(Value::List(values.into_iter().map(String::into_boxed_str).collect()));
            }
            Pick::Nth(number) => *number,
            Pick::Last => values.len().checked_sub(1)?,
            Pick::Random => one_of(values.len(), rng)?,
            Pick::Weighted(weights) => {
                let weights = &weights[..weights.len().min(values.len())];
                let total = weights.iter().copied().map(u64::from).sum();
                by_weight(weights, below(total, rng))?
            }
            Pick::Fresh(taken) => {
                let taken = scene.values.value(*taken).map(Value::items).unwrap_or_default();
                values.retain(|value| !taken.iter().any(|taken| **taken == **value));
                one_of(values.len(), rng)?
            }
        };
        (number < values.len()).then(|| Value::Text(values.swap_remove(number).into_boxed_str()))
    }
}

/// The most that all values of one extract hold together, in bytes.
const VALUES_BYTES_MAX: usize = 4 << 20;

/// A number below `count`, by one draw; `None` when there is none.
fn one_of(count: usize, rng: &mut dyn Rng) -> Option<usize> {
    let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
    usize::try_from(below(count, rng)).ok()
}

/// The position that `draw`, a number below the sum of `weights`, falls on.
pub(crate) fn by_weight(weights: &[u32], draw: u64) -> Option<usize> {
    let mut draw = draw;
    weights.iter().position(|weight| {
        let weight = u64::from(*weight);
        let falls_here = draw < weight;
        draw = draw.saturating_sub(weight);
        falls_here
    })
}

fn at_path(path: &JsonPath, document: &Json) -> Vec<String> {
    let values = path.query(document).into_iter().filter(|value| !value.is_null());
    values.map(plain).take(MATCHES_MAX).collect()
}

/// The values of a cookie in the line that would be sent.
fn cookie(line: &str, name: &str) -> Vec<String> {
    let pairs = line.split("; ").filter_map(|pair| pair.split_once('='));
    pairs.filter(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).collect()
}

/// The text of a value, cut just above the limit of values.
fn lossy_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(VALUE_BYTES_MAX + 1)]).into_owned()
}
