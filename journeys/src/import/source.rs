//! Finds where in an answer a value stands, and how a journey takes it from there.

use http::HeaderName;
use regex::Regex;
use serde_json::Value as Json;

use super::archive::{Content, Entry};
use super::name::words;
use super::page::{Tag, look};
use super::selector::{Chosen, of_value};
use super::visit::Visit;
use super::yaml::Yaml;
use crate::check::plain;

/// The most elements with a value whose selectors are tried.
const TAGS_MAX: usize = 10;
/// The most places of a value in a document that are compared.
const PLACES_MAX: usize = 100;
/// How much text before a value may tell where it stands, in bytes.
const CONTEXT_BYTES_MAX: usize = 60;
/// Headers that say nothing about a visit.
const IDLE_HEADERS: &[&str] =
    &["set-cookie", "date", "expires", "etag", "last-modified", "content-length", "age", "cf-ray"];

/// A place that a value can be taken from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// What the value is called there.
    pub(super) key: String,
    /// What it stands in.
    pub(super) around: String,
    /// As `extract` writes it.
    pub(super) from: Vec<(String, Yaml)>,
}

/// Where `value`, which is sent as `used`, can be taken from the answer to a visit.
pub(super) fn find(visit: &Visit<'_>, value: &str, used: &str) -> Option<Source> {
    let Visit { request, answer, .. } = visit;
    in_body(answer, value, used)
        .or_else(|| in_headers(answer, value))
        .or_else(|| in_cookies(answer, value))
        // Cookies stay, also those that came with a redirect.
        .or_else(|| in_cookies(request, value))
}

fn in_body(answer: &Entry, value: &str, used: &str) -> Option<Source> {
    let runs = value.split(|character: char| !character.is_ascii_alphanumeric());
    let needle = runs.max_by_key(|run| run.len()).filter(|run| !run.is_empty())?;
    let body = answer.body.as_deref().filter(|body| body.contains(needle))?;
    match answer.content() {
        Content::Html(html) => in_page(html, value).or_else(|| in_text(body, value)),
        Content::Json(json) => in_json(json, value, used).or_else(|| in_text(body, value)),
        Content::Other(text) => in_text(text, value),
        Content::None => None,
    }
}

/// An attribute or the text of an element.
fn in_page(html: &str, value: &str) -> Option<Source> {
    let mut tags = look(html, Some(value), |tag| attribute_with(tag, value).is_some());
    tags.sort_by_key(rank);
    tags.iter().take(TAGS_MAX).find_map(|tag| {
        let attribute = attribute_with(tag, value).filter(|_| !tag.has_text);
        let Chosen { selector, position } = of_value(html, tag, attribute, value)?;
        let mut from = vec![("css".to_owned(), Yaml::Text(selector))];
        from.extend(attribute.map(|attribute| ("attribute".to_owned(), Yaml::text(attribute))));
        if position > 0 {
            from.push(("pick".to_owned(), Yaml::plain(position)));
        }
        Some(Source { key: called(tag, attribute), around: String::new(), from })
    })
}

/// The attribute that holds the value, if it is one that changes while the element stays the same.
fn attribute_with<'t>(tag: &'t Tag, value: &str) -> Option<&'t str> {
    let is_taken = |name: &str| {
        matches!(name, "value" | "content" | "href" | "src" | "action") || name.starts_with("data-")
    };
    let mut attributes = tag.attributes.iter();
    attributes.find(|(name, held)| held == value && is_taken(name)).map(|(name, _)| name.as_str())
}

fn rank(tag: &Tag) -> u8 {
    match tag.name.as_str() {
        _ if tag.has_text => 2,
        "input" | "meta" => 0,
        _ => 1,
    }
}

fn called(tag: &Tag, attribute: Option<&str>) -> String {
    if let Some(data) = attribute.and_then(|attribute| attribute.strip_prefix("data-")) {
        return data.to_owned();
    }
    let names = ["name", "property", "id", "class"].into_iter().find_map(|key| tag.attribute(key));
    names.unwrap_or_default().to_owned()
}

/// A member of a JSON document; among several the one that is called as the value is used.
fn in_json(json: &str, value: &str, used: &str) -> Option<Source> {
    let document: Json = serde_json::from_str(json).ok()?;
    let mut places = Vec::new();
    let mut path = Vec::new();
    collect(&document, value, &mut path, &mut places);
    let wanted = words(used);
    let is_alike = |place: &Vec<Segment>| {
        let (key, around) = names(place);
        let told = [words(&around), words(&key)].concat();
        words(&key) == wanted || (!wanted.is_empty() && told.ends_with(&wanted))
    };
    let place = places.iter().find(|place| is_alike(place)).or_else(|| places.first())?;
    let (key, around) = names(place);
    let path: String = place.iter().map(Segment::show).collect();
    Some(Source { key, around, from: vec![("json".to_owned(), Yaml::text(format!("${path}")))] })
}

/// A step into a JSON document.
#[derive(Clone, Debug)]
enum Segment {
    Member(String),
    Item(usize),
}

impl Segment {
    /// As RFC 9535 writes it.
    fn show(&self) -> String {
        match self {
            Self::Item(number) => format!("[{number}]"),
            Self::Member(name) if is_shorthand(name) => format!(".{name}"),
            Self::Member(name) => format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")),
        }
    }
}

/// `member-name-shorthand` of RFC 9535, as far as it is ASCII.
fn is_shorthand(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Notes where the value stands. Names with control characters would need escapes of their own; they are left out.
fn collect(node: &Json, value: &str, path: &mut Vec<Segment>, places: &mut Vec<Vec<Segment>>) {
    if places.len() >= PLACES_MAX {
        return;
    }
    match node {
        Json::Object(members) => {
            for (name, inner) in members.iter().filter(|(name, _)| !name.contains(char::is_control)) {
                path.push(Segment::Member(name.clone()));
                collect(inner, value, path, places);
                path.pop();
            }
        }
        Json::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                path.push(Segment::Item(number));
                collect(inner, value, path, places);
                path.pop();
            }
        }
        Json::String(_) | Json::Number(_) if plain(node) == value => places.push(path.clone()),
        _ => {}
    }
}

/// The names of a place: its own, and that of what it stands in.
fn names(place: &[Segment]) -> (String, String) {
    let mut names = place.iter().rev().filter_map(|segment| match segment {
        Segment::Member(name) => Some(name.clone()),
        Segment::Item(_) => None,
    });
    let mut next = || names.next().unwrap_or_default();
    (next(), next())
}

/// A text behind a name: `csrfToken":"…` in a script for example.
fn in_text(text: &str, value: &str) -> Option<Source> {
    let is_plain = |character: char| !character.is_whitespace() && !"\"'&<>\\".contains(character);
    if !value.chars().all(is_plain) {
        return None;
    }
    let (before, _) = text.split_once(value)?;
    let from = before.len().saturating_sub(CONTEXT_BYTES_MAX);
    let before = before.get(before.ceil_char_boundary(from)..)?;
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
    let without_marks = before.trim_end_matches(|character: char| !is_name(character));
    let key =
        without_marks.rsplit(|character: char| !is_name(character)).next().filter(|key| key.len() >= 3)?;
    let context = before.get(without_marks.len() - key.len()..)?;
    let is_told = context.len() > key.len() && context.len() <= key.len() + 12 && !context.contains('\n');
    let pattern = format!("{}([^\"'&<>\\\\\\s]+)", regex::escape(context));
    let found = Regex::new(&pattern).ok().filter(|_| is_told)?;
    let first = found.captures(text)?.get(1)?;
    let source = Source {
        key: key.to_owned(),
        around: String::new(),
        from: vec![("regex".to_owned(), Yaml::Text(pattern))],
    };
    (first.as_str() == value).then_some(source)
}

fn in_headers(answer: &Entry, value: &str) -> Option<Source> {
    let mut headers = answer.answer_headers.iter();
    let is_meant = |(name, held): &&(String, String)| {
        let is_name = HeaderName::from_bytes(name.as_bytes()).is_ok();
        held == value && is_name && !IDLE_HEADERS.contains(&name.as_str())
    };
    let (name, _) = headers.find(is_meant)?;
    let from = vec![("header".to_owned(), Yaml::text(name.as_str()))];
    Some(Source { key: name.clone(), around: String::new(), from })
}

/// A cookie whose value is sent in other ways, too. (As a cookie it goes by itself.)
fn in_cookies(answer: &Entry, value: &str) -> Option<Source> {
    let lines = answer.answer_headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut cookies = lines.flat_map(|(_, lines)| lines.split('\n')).filter_map(|line| {
        let (name, rest) = line.split_once('=')?;
        Some((name.trim(), rest.split(';').next()?.trim()))
    });
    let (name, _) = cookies.find(|(name, held)| *held == value && !name.is_empty())?;
    let from = vec![("cookie".to_owned(), Yaml::text(name))];
    Some(Source { key: name.to_owned(), around: String::new(), from })
}

#[cfg(test)]
mod tests {
    use super::{in_json, in_page, in_text};

    fn shown(source: Option<super::Source>) -> String {
        source.map(|source| format!("{} {:?}", source.key, source.from)).unwrap_or_default()
    }

    #[test]
    fn the_place_that_is_called_as_the_value_is_used_comes_first() {
        let json = r#"{"a": {"id": "x-1"}, "cart": {"id": "x-1", "odd name": [{"n": 1042}]}}"#;
        assert_eq!(shown(in_json(json, "x-1", "cartId")), r#"id [("json", Text("$.cart.id"))]"#);
        assert_eq!(shown(in_json(json, "x-1", "")), r#"id [("json", Text("$.a.id"))]"#);
        assert_eq!(shown(in_json(json, "1042", "n")), r#"n [("json", Text("$.cart['odd name'][0].n"))]"#);
        assert_eq!(shown(in_json(json, "x-2", "")), "");
    }

    #[test]
    fn a_page_tells_by_attributes_texts_and_scripts() {
        let html = r#"<meta name="csrf-token" content="t1"><form id="a"><input name="csrf" value="t2"></form>
            <form id="b"><input name="csrf" value="t3"></form><b id="order-number"> DB-1 </b>
            <script>window.state = {"apiToken":"t&4","cartToken":"t5"}</script>"#;
        for (value, expected) in [
            (
                "t1",
                r#"csrf-token [("css", Text("meta[name=\"csrf-token\"]")), ("attribute", Text("content"))]"#,
            ),
            ("t2", r#"csrf [("css", Text("input[name=\"csrf\"]")), ("attribute", Text("value"))]"#),
            ("t3", r#"csrf [("css", Text("form#b input[name=\"csrf\"]")), ("attribute", Text("value"))]"#),
            ("DB-1", r#"order-number [("css", Text("b#order-number"))]"#),
            ("t6", ""),
        ] {
            assert_eq!(shown(in_page(html, value)), expected, "{value}");
        }
        let expected = r#"cartToken [("regex", Text("cartToken\":\"([^\"'&<>\\\\\\s]+)"))]"#;
        assert_eq!(shown(in_text(html, "t5")), expected);
        assert_eq!(shown(in_text(html, "t&4")), "");
    }
}
