//! YAML as a tree in which every value and every key knows its place.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, Spanned};

use crate::{Fault, Place};

/// The largest file that is read: 1 MiB.
pub const BYTES_MAX: usize = 1 << 20;

/// A key of a mapping, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where the key stands.
    pub place: Place,
    /// The key as text.
    pub name: String,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where the value begins.
    pub place: Place,
    /// What the value is.
    pub kind: Kind,
}

/// What a value is, as YAML's core schema resolves it.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<(Key, Node)>),
}

/// Reads one YAML document.
///
/// # Errors
/// A fault with its place when the text is over [`BYTES_MAX`], is not YAML, repeats a key, or holds more than one
/// document.
pub fn parse(text: &str) -> Result<Node, Fault> {
    if text.len() > BYTES_MAX {
        return Err(Fault::new(
            Place::default(),
            format!(
                "the file has {} bytes, and at most {BYTES_MAX} (1 MiB) are read; move data out of it",
                text.len()
            ),
        ));
    }
    let raw: Spanned<Raw> = serde_saphyr::from_str(text).map_err(|error| fault_of(&error))?;
    Ok(node_of(raw))
}

fn fault_of(error: &Error) -> Fault {
    let error = error.without_snippet();
    let place = error.location().map(place_of).unwrap_or_default();
    let message = error.to_string();
    // The place is told apart by our own prefix: cut the library's own words about it.
    let message = message.split(" at line ").next().unwrap_or(&message).trim().to_owned();
    Fault::new(place, format!("this is not valid YAML: {message}"))
}

fn place_of(location: Location) -> Place {
    Place { line: location.line(), column: location.column() }
}

/// The tree as the deserializer hands it over, before places are folded into nodes.
enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn node_of(raw: Spanned<Raw>) -> Node {
    let place = place_of(raw.referenced);
    let kind = match raw.value {
        Raw::Null => Kind::Null,
        Raw::Bool(value) => Kind::Bool(value),
        Raw::Int(value) => Kind::Int(value),
        Raw::Float(value) => Kind::Float(value),
        Raw::Text(value) => Kind::Text(value),
        Raw::List(items) => Kind::List(items.into_iter().map(node_of).collect()),
        Raw::Map(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    (Key { place: place_of(key.referenced), name: key.value }, node_of(value))
                })
                .collect(),
        ),
    };
    Node { place, kind }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Raw, E> {
        i64::try_from(value).map(Raw::Int).map_err(|_| E::custom(format!("the number {value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

impl Node {
    /// What was found, for messages: `a list`, `the text "x"`, `the number 5`.
    pub fn found(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Bool(value) => format!("{value}"),
            Kind::Int(value) => format!("the number {value}"),
            Kind::Float(value) => format!("the number {value}"),
            Kind::Text(value) if value.chars().count() > 60 => {
                format!("the text \"{}…\"", value.chars().take(60).collect::<String>())
            }
            Kind::Text(value) => format!("the text \"{value}\""),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
        }
    }

    /// A fault at this value: found this, expected `expected`.
    pub fn expected(&self, expected: &str) -> Fault {
        Fault::new(self.place, format!("found {}, expected {expected}", self.found()))
    }

    /// A scalar as its text: numbers and booleans are spelled out.
    ///
    /// # Errors
    /// A fault naming `expected` when this is nothing, a list or a mapping.
    pub fn scalar(&self, expected: &str) -> Result<String, Fault> {
        match &self.kind {
            Kind::Text(value) => Ok(value.clone()),
            Kind::Int(value) => Ok(value.to_string()),
            Kind::Float(value) => Ok(value.to_string()),
            Kind::Bool(value) => Ok(value.to_string()),
            Kind::Null | Kind::List(_) | Kind::Map(_) => Err(self.expected(expected)),
        }
    }

    /// A value by a parser of text whose message says what is wrong with it.
    ///
    /// # Errors
    /// A fault at this place with the parser's message.
    pub fn parse_with<T>(
        &self,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Fault> {
        parse(&self.scalar(expected)?).map_err(|message| Fault::new(self.place, message))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// A fault when it is neither.
    pub fn boolean(&self) -> Result<bool, Fault> {
        match self.kind {
            Kind::Bool(value) => Ok(value),
            _ => Err(self.expected("true or false")),
        }
    }

    /// A whole number from `least` to `most`.
    ///
    /// # Errors
    /// A fault naming the bounds when it is not a whole number between them.
    pub fn integer(&self, least: u64, most: u64) -> Result<u64, Fault> {
        match self.kind {
            Kind::Int(value) => u64::try_from(value).ok().filter(|value| (least..=most).contains(value)),
            _ => None,
        }
        .ok_or_else(|| self.expected(&format!("a whole number from {least} to {most}")))
    }

    /// The items of a list.
    ///
    /// # Errors
    /// A fault naming `expected` when this is not a list.
    pub fn list(&self, expected: &str) -> Result<&[Self], Fault> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.expected(expected)),
        }
    }

    /// The entries of a mapping.
    ///
    /// # Errors
    /// A fault naming `expected` when this is not a mapping.
    pub fn map(&self, expected: &str) -> Result<&[(Key, Self)], Fault> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(self.expected(expected)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};
    use crate::Place;

    #[test]
    fn every_value_knows_its_place() {
        let node = parse("name: friday\nload:\n  - { hold: 5/s, for: 10s }\n").unwrap();
        let entries = node.map("a mapping").unwrap();
        assert_eq!(entries[1].0.place, Place { line: 2, column: 1 });
        let items = entries[1].1.list("a list").unwrap();
        let (key, value) = &items[0].map("a mapping").unwrap()[1];
        assert_eq!((key.name.as_str(), key.place), ("for", Place { line: 3, column: 18 }));
        assert_eq!(
            (&value.kind, value.place),
            (&Kind::Text("10s".to_owned()), Place { line: 3, column: 23 })
        );
    }

    #[test]
    fn broken_text_is_a_fault_with_a_place() {
        let fault = parse("a: [1, 2\nb: 3\n").unwrap_err();
        assert!(fault.place.line >= 1, "{fault:?}");
        assert!(
            parse("a: 1\na: 2\n").unwrap_err().message.contains("duplicate"),
            "repeated keys are refused"
        );
        assert!(parse(&"#".repeat(2 << 20)).unwrap_err().message.contains("1 MiB"));
    }

    #[test]
    fn billion_laughs_are_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let line = format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(","));
            text.push_str(&line);
        }
        assert!(parse(&text).is_err());
    }
}
