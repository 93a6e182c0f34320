//! `${env.NAME}`: values from the environment, which no message and no report shows.

use url::form_urlencoded;

use crate::charset::Charset;
use crate::encoding::Encoding;

/// The secrets that a journey names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    known: Vec<Secret>,
}

#[derive(Clone)]
struct Secret {
    name: Box<str>,
    /// Set before the first walk.
    value: Box<str>,
    /// The value as it is written in the places where it may go, the longest first.
    shapes: Vec<String>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name)
    }
}

impl Secrets {
    /// The number of the secret with this name.
    pub(crate) fn number(&mut self, name: &str) -> Option<u16> {
        let position = self.known.iter().position(|secret| *secret.name == *name).unwrap_or_else(|| {
            self.known.push(Secret { name: name.into(), value: "".into(), shapes: Vec::new() });
            self.known.len() - 1
        });
        u16::try_from(position).ok()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The names, in the order of their first use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|secret| &*secret.name)
    }

    /// Sets the value of a secret that the journey names.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        for secret in self.known.iter_mut().filter(|secret| *secret.name == *name) {
            secret.value = value.into();
            secret.shapes = shapes(value);
        }
    }

    /// The value of the secret with this number; empty before it is set.
    pub(crate) fn value(&self, number: u16) -> &str {
        self.known.get(usize::from(number)).map_or("", |secret| &secret.value)
    }

    /// `text` with `***` in the place of every secret. Values of one or two characters are left: hiding them would
    /// show where they stand.
    pub(crate) fn redact(&self, text: String) -> String {
        let hidden = self.known.iter().flat_map(|secret| &secret.shapes);
        hidden.fold(text, |text, shape| if text.contains(shape) { text.replace(shape, "***") } else { text })
    }
}

/// A value in all encodings, but for what is too short to be hidden.
fn shapes(value: &str) -> Vec<String> {
    use Encoding::{Css, Form, Json, Link, Multipart, PathSegment, Query, Verbatim};
    let encoded = [Verbatim, Link, PathSegment, Query, Form, Json, Css, Multipart].map(|encoding| {
        let mut out = String::new();
        encoding.write(value, &mut out);
        out
    });
    let mut shapes: Vec<String> = encoded.into_iter().collect();
    // A form may be sent in any encoding.
    for charset in Charset::all().filter(|_| !value.is_ascii()) {
        let bytes = charset.encode(value);
        shapes.push(form_urlencoded::byte_serialize(&bytes).collect());
        shapes.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    shapes.retain(|shape| shape.len() > 2 && shape.contains(|character: char| character != '\u{fffd}'));
    shapes.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    shapes.dedup();
    shapes
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn a_secret_is_shown_nowhere() {
        let mut secrets = Secrets::default();
        assert_eq!(
            (secrets.number("A"), secrets.number("B"), secrets.number("A")),
            (Some(0), Some(1), Some(0))
        );
        secrets.set("A", "hunter2");
        secrets.set("B", "x");
        assert_eq!(secrets.redact("got hunter2, x and hunter2".to_owned()), "got ***, x and ***");
        assert!(!format!("{secrets:?}").contains("hunter2"));
        secrets.set("B", "p@ss&1");
        assert_eq!(secrets.redact("/?a=p%40ss%261 p@ss&1".to_owned()), "/?a=*** ***");
        assert_eq!((secrets.value(0), secrets.value(7)), ("hunter2", ""));
        secrets.set("B", "passé");
        assert_eq!(
            secrets.redact("a=pass%C3%A9&b=pass%E9&c=pass%26%23233%3B".to_owned()),
            "a=***&b=***&c=***"
        );
    }
}
