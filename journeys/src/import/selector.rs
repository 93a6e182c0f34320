//! Short CSS selectors: for a value that stands in a page, and for a link that was followed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use url::Url;

use super::looks::{Looks, looks};
use super::page::Tag;
use crate::scan::{Query, Take, scan};
use crate::selector::Css;

/// The most classes of an element that are tried.
const CLASSES_MAX: usize = 4;
/// The most elements around one that are tried.
const AROUND_MAX: usize = 3;
/// The last position of a value that is told by its number.
const POSITION_MAX: usize = 99;

/// A selector, and the position of what is meant among its matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) selector: String,
    pub(super) position: usize,
}

/// A link among others of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) chosen: Chosen,
    /// What the page writes.
    pub(super) href: String,
    /// What of the address differs between the links of the selector; empty where there is only one.
    pub(super) own_parts: Vec<String>,
}

/// The selector of an element by its id or its class, if it has one worth keeping.
pub(super) fn told_by(tag: &Tag) -> Option<String> {
    by_id(tag).or_else(|| by_class(tag).into_iter().next())
}

/// Selectors that may tell an element, the shortest and surest first.
pub(super) fn candidates(tag: &Tag, attribute: Option<&str>) -> Vec<String> {
    let name = &tag.name;
    let mut own: Vec<String> = by_id(tag).into_iter().collect();
    for key in ["name", "property", "itemprop", "rel", "formaction", "action"] {
        if Some(key) != attribute {
            own.extend(tag.attribute(key).and_then(|value| by_attribute(name, key, value)));
        }
    }
    if name == "button" || name == "input" {
        let value = tag.attribute("value").filter(|_| attribute != Some("value"));
        own.extend(value.and_then(|value| by_attribute(name, "value", value)));
    }
    let data = attribute.filter(|attribute| attribute.starts_with("data-") && is_identifier(attribute));
    own.extend(data.map(|data| format!("{name}[{data}]")));
    own.extend(by_class(tag));
    let mut all = own.clone();
    for around in tag.around.iter().take(AROUND_MAX) {
        all.extend(own.iter().map(|own| format!("{around} {own}")));
        all.push(format!("{around} {name}"));
    }
    all
}

/// The best selector under which `value`, an attribute of `tag` or its text, is found again.
pub(super) fn of_value(html: &str, tag: &Tag, attribute: Option<&str>, value: &str) -> Option<Chosen> {
    let found = matches(html, candidates(tag, attribute), attribute);
    let first = found.iter().find(|(_, values)| values.first().is_some_and(|first| first == value));
    if let Some((selector, _)) = first {
        return Some(Chosen { selector: selector.clone(), position: 0 });
    }
    found.into_iter().find_map(|(selector, values)| {
        let position = values.iter().position(|found| found == value)?;
        (position <= POSITION_MAX).then_some(Chosen { selector, position })
    })
}

/// The best selector for a link to `target` from a page whose addresses are relative to `base`: one that only this link
/// has, or all links of its kind.
pub(super) fn of_link(html: &str, tag: &Tag, base: &Url, target: &Url) -> Option<Link> {
    let selectors = candidates(tag, Some("href")).into_iter().chain(by_beginning(tag)).collect();
    matches(html, selectors, Some("href")).into_iter().find_map(|(selector, hrefs)| {
        let addresses: Vec<Option<Url>> = hrefs.iter().map(|href| address(base, href)).collect();
        let position = addresses.iter().position(|address| address.as_ref() == Some(target))?;
        let distinct: BTreeSet<&Option<Url>> = addresses.iter().collect();
        let own_parts = if distinct.len() == 1 {
            Vec::new()
        } else {
            let others: Option<Vec<&Url>> = distinct.into_iter().map(Option::as_ref).collect();
            own_parts(target, &others.filter(|others| others.iter().all(|other| is_alike(other, target)))?)
        };
        let href = hrefs.get(position)?.clone();
        Some(Link { chosen: Chosen { selector, position }, href, own_parts })
    })
}

/// Where a link leads, without fragment.
pub(super) fn address(base: &Url, href: &str) -> Option<Url> {
    let mut url = base.join(href.trim()).ok()?;
    url.set_fragment(None);
    Some(url)
}

/// Whether two links have the same shape: `/p/1` and `/p/2`, or `?page=2` and `?page=3`.
fn is_alike(one: &Url, other: &Url) -> bool {
    let keys = |url: &Url| url.query_pairs().map(|(key, _)| key.into_owned()).collect::<BTreeSet<String>>();
    let segments = |url: &Url| url.path().split('/').skip(1).map(str::to_owned).collect::<Vec<String>>();
    let (one_segments, other_segments) = (segments(one), segments(other));
    let has_keys = !keys(one).is_empty();
    let is_same_place = if one_segments.len() < 2 || (has_keys && one.path() == other.path()) {
        one.path() == other.path() && has_keys
    } else {
        one_segments.len() == other_segments.len() && one_segments.first() == other_segments.first()
    };
    one.origin() == other.origin() && keys(one) == keys(other) && is_same_place
}

/// The parts of an address that not all of the others have.
fn own_parts(target: &Url, others: &[&Url]) -> Vec<String> {
    let parts = |url: &Url| {
        let segments = url.path().split('/').map(super::target::decoded);
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        segments.chain(values).collect::<Vec<String>>()
    };
    let is_shared = |part: &String| others.iter().all(|other| parts(other).contains(part));
    parts(target).into_iter().filter(|part| !part.is_empty() && !is_shared(part)).collect()
}

/// What each selector finds, those that are none left out.
fn matches(html: &str, selectors: Vec<String>, attribute: Option<&str>) -> Vec<(String, Vec<String>)> {
    let take = attribute.map_or(Take::Text, Take::Attribute);
    let mut texts = Vec::new();
    let mut queries = Vec::new();
    for text in selectors {
        if let Ok(selector) = text.parse::<Css>() {
            queries.push(Query { selector: Cow::Owned(selector), take, until: None });
            texts.push(text);
        }
    }
    let found = scan(html.as_bytes(), &queries).unwrap_or_default();
    texts.into_iter().zip(found).map(|(text, found)| (text, found.values)).collect()
}

fn by_id(tag: &Tag) -> Option<String> {
    let id = tag.attribute("id").filter(|id| is_lasting(id))?;
    Some(format!("{}#{id}", tag.name))
}

fn by_class(tag: &Tag) -> Vec<String> {
    let classes = tag.attribute("class").unwrap_or_default().split_ascii_whitespace();
    let lasting = classes.filter(|class| is_lasting(class)).take(CLASSES_MAX);
    lasting.map(|class| format!("{}.{class}", tag.name)).collect()
}

/// `input[name="csrf"]`, when the value can stand in quotes as it is.
fn by_attribute(name: &str, key: &str, value: &str) -> Option<String> {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/?=[]".contains(&byte);
    let is_short = (1..=80).contains(&value.len());
    let lasts = looks(value) != Looks::Random;
    (is_short && lasts && value.bytes().all(is_safe)).then(|| format!("{name}[{key}=\"{value}\"]"))
}

/// `a[href^="/p/"]`, for a link that ends with an id.
fn by_beginning(tag: &Tag) -> Option<String> {
    let path = tag.attribute("href")?.split(['?', '#']).next()?;
    let (begin, last) = path.rsplit_once('/')?;
    let is_id = looks(last) != Looks::Fixed || last.parse::<u64>().is_ok();
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    let is_short = (2..=80).contains(&begin.len());
    (is_id && is_short && begin.bytes().all(is_safe)).then(|| format!("{}[href^=\"{begin}/\"]", tag.name))
}

/// Whether an id or a class is a word that will be there tomorrow.
fn is_lasting(name: &str) -> bool {
    let numbers = name.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_digit));
    is_identifier(name) && name.len() <= 40 && !numbers && looks(name) != Looks::Random
}

fn is_identifier(name: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.bytes().all(is_known)
}
