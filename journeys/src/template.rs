//! Texts with `${variables}`, cut into segments once, so that filling one is a walk over a short list.

use std::borrow::Cow;

use crate::encoding::Encoding;
use crate::failure::{Failure, quote};
use crate::journey::Journey;
use crate::value::Value;
use crate::walk::Shopper;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A variable of the journey, by its number.
    Slot(u16),
    /// `${shopper.number}`
    ShopperNumber,
    /// `${shopper.name}`
    ShopperName,
    /// `${shopper.email}`
    ShopperEmail,
    /// `${shopper.mark}`
    ShopperMark,
    /// `${run.id}`
    RunId,
    /// `${env.NAME}`: a secret, by its number.
    Secret(u16),
}

impl Source {
    /// Whether the shopper's marker stands in it.
    pub(crate) fn is_marked(self) -> bool {
        matches!(self, Self::ShopperName | Self::ShopperEmail | Self::ShopperMark)
    }
}

/// The variables that every journey has.
pub(crate) const SOURCES: [(&str, Source); 5] = [
    ("shopper.number", Source::ShopperNumber),
    ("shopper.name", Source::ShopperName),
    ("shopper.email", Source::ShopperEmail),
    ("shopper.mark", Source::ShopperMark),
    ("run.id", Source::RunId),
];

/// A piece of a template as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// The name between `${` and `}`.
    Variable(&'a str),
}

/// Cuts a text into literal pieces and variables; `$${` stands for a literal `${`.
///
/// # Errors
/// A sentence when a `${` is not closed or holds no name.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, found) = rest.split_at(at);
        if before.ends_with('$') {
            pieces.extend([Piece::Text(&before[..at - 1]), Piece::Text("${")]);
            rest = &found[2..];
            continue;
        }
        let Some(end) = found.find('}') else {
            return Err(format!("\"{}\" is not closed with }}; write $${{ for a literal ${{", short(found)));
        };
        let name = found[2..end].trim();
        if name.is_empty() {
            return Err("${} names no variable; write $${ for a literal ${".to_owned());
        }
        pieces.extend([Piece::Text(before), Piece::Variable(name)]);
        rest = &found[end + 1..];
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(Box<str>),
    Value(Source, Encoding),
}

/// A precompiled text with places for values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template {
    segments: Vec<Segment>,
}

impl Template {
    /// A template without variables.
    pub(crate) fn fixed(text: impl Into<Box<str>>) -> Self {
        let mut template = Self::default();
        template.text(&text.into());
        template
    }

    /// Appends literal text, already in the encoding of its place.
    pub(crate) fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(Segment::Text(last)) = self.segments.last_mut() {
            *last = format!("{last}{text}").into_boxed_str();
        } else {
            self.segments.push(Segment::Text(text.into()));
        }
    }

    /// Appends a place for a value.
    pub(crate) fn value(&mut self, source: Source, encoding: Encoding) {
        self.segments.push(Segment::Value(source, encoding));
    }

    /// True when nothing was appended.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The text, when it holds no variable.
    pub(crate) fn as_fixed(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [] => Some(""),
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with `value` in the place of every variable, for checks before there are values.
    pub(crate) fn sketch(&self, value: &str) -> String {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text,
                Segment::Value(..) => value,
            })
            .collect()
    }

    /// Appends the text with all values to `out`, which is `what` (`the target`) to people.
    ///
    /// # Errors
    /// A failure when `out` grows over `bytes_max`, or a variable has no value.
    pub(crate) fn fill(
        &self,
        values: &Values<'_>,
        out: &mut String,
        what: &str,
        bytes_max: usize,
    ) -> Result<(), Failure> {
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => out.push_str(text),
                Segment::Value(source, Encoding::JsonNumber) => json_number(values, *source, out)?,
                Segment::Value(source, Encoding::JsonValue) => json_value(values, *source, out)?,
                Segment::Value(source, encoding) => encoding.write(&values.of(*source)?, out),
            }
            check_length(out, what, bytes_max)?;
        }
        Ok(())
    }

    /// The text with all values, borrowed when it holds no variable.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub(crate) fn filled(
        &self,
        values: &Values<'_>,
        what: &str,
        bytes_max: usize,
    ) -> Result<Cow<'_, str>, Failure> {
        if let Some(text) = self.as_fixed() {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::new();
        self.fill(values, &mut out, what, bytes_max)?;
        Ok(Cow::Owned(out))
    }
}

/// Whether what was written into `out`, which is `what` to people, keeps to its limit.
///
/// # Errors
/// A failure when it does not.
pub(crate) fn check_length(out: &str, what: &str, bytes_max: usize) -> Result<(), Failure> {
    if out.len() <= bytes_max {
        return Ok(());
    }
    Err(Failure::new(format!("{what} is longer than {bytes_max} bytes once its values are in")))
}

/// `${name:number}`: a text that is a number of JSON (RFC 8259), as it is.
fn json_number(values: &Values<'_>, source: Source, out: &mut String) -> Result<(), Failure> {
    let text = values.of(source)?;
    let text = text.trim();
    if serde_json::from_str::<serde_json::Number>(text).is_err() {
        return Err(Failure::new(format!("{} is to go into JSON as a number, and is none", quote(text))));
    }
    out.push_str(text);
    Ok(())
}

/// `${name:json}`: a list as an array of texts, a text that is JSON as it is.
fn json_value(values: &Values<'_>, source: Source, out: &mut String) -> Result<(), Failure> {
    if let Source::Slot(slot) = source
        && let Some(Value::List(items)) = values.value(slot)
    {
        out.push('[');
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index == 0 { "\"" } else { ",\"" });
            Encoding::Json.write(item, out);
            out.push('"');
        }
        out.push(']');
        return Ok(());
    }
    let text = values.of(source)?;
    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
        return Err(Failure::new(format!("{} is to go into JSON as it is, and is no JSON", quote(&text))));
    }
    out.push_str(&text);
    Ok(())
}

/// What variables stand for at one moment of a walk.
pub(crate) struct Values<'a> {
    /// Whose walk it is.
    pub(crate) shopper: &'a Shopper,
    /// The values set so far, in no order; a number stands in it once.
    pub(crate) bound: &'a [(u16, Value)],
    /// Whose variables they are.
    pub(crate) journey: &'a Journey,
}

impl<'a> Values<'a> {
    /// The value of a variable, where it has one.
    pub(crate) fn value(&self, slot: u16) -> Option<&'a Value> {
        self.bound.iter().find(|(bound, _)| *bound == slot).map(|(_, value)| value)
    }

    /// What a source stands for.
    ///
    /// # Errors
    /// A failure that names a variable without a value.
    pub(crate) fn of(&self, source: Source) -> Result<Cow<'a, str>, Failure> {
        Ok(match source {
            Source::Slot(slot) => self.value(slot).ok_or_else(|| self.unset(slot))?.text(),
            Source::ShopperNumber => Cow::Owned(self.shopper.number.to_string()),
            // With a marker alone they are short enough for the fields of real forms, and told apart all the same.
            Source::ShopperName => Cow::Owned(format!("Shopper {}", self.shopper.mark())),
            Source::ShopperEmail => Cow::Owned(format!("shopper.{}@example.com", self.shopper.mark())),
            Source::ShopperMark => Cow::Owned(self.shopper.mark()),
            Source::RunId => Cow::Borrowed(&self.shopper.run.id),
            Source::Secret(number) => Cow::Borrowed(self.journey.secrets.value(number)),
        })
    }

    /// A variable that is set only where the walk did not get, by a step that was skipped for example.
    fn unset(&self, slot: u16) -> Failure {
        let name = self.journey.names.get(usize::from(slot)).map_or("?", |name| name);
        Failure::new(format!("the variable \"{name}\" has no value"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Piece::*, pieces};

    #[test]
    fn texts_are_cut_into_pieces() {
        for (text, expected) in [
            ("", vec![]),
            ("plain $5 {x} $", vec![Text("plain $5 {x} $")]),
            ("${a}", vec![Variable("a")]),
            ("/p/${a}/${ b }", vec![Text("/p/"), Variable("a"), Text("/"), Variable("b")]),
            ("$${a} ${b}", vec![Text("${"), Text("a} "), Variable("b")]),
        ] {
            assert_eq!(pieces(text).unwrap(), expected as Vec<Piece<'_>>, "{text}");
        }
        assert!(pieces("a ${b").unwrap_err().contains("not closed"));
        assert!(pieces("${ }").unwrap_err().contains("names no variable"));
    }
}
