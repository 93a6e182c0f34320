//! What proves a finding: a request and an answer's head, without anybody's secrets, and of a bounded size.

use std::fmt;

use super::redaction::{self, HIDDEN};

/// The most headers of a head.
const HEADERS_MAX: usize = 40;
/// The longest value in characters.
const VALUE_CHARS_MAX: usize = 300;
/// The longest address in characters.
const URL_CHARS_MAX: usize = 1_000;

/// A request and an answer's head.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The method.
    pub method: String,
    /// The whole address, without secrets.
    pub url: String,
    /// The answer's status.
    pub status: u16,
    /// The request's headers, without secrets.
    pub asked: Vec<(String, String)>,
    /// The answer's headers, without secrets.
    pub answered: Vec<(String, String)>,
    /// What the heads do not show.
    pub note: String,
}

impl Evidence {
    /// Stands for a secret.
    pub const HIDDEN: &'static str = HIDDEN;

    /// Takes down what is fit to be shown.
    pub fn new<'a>(
        method: &str,
        url: &str,
        status: u16,
        asked: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        answered: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        note: &str,
    ) -> Self {
        Self {
            method: cut(method, VALUE_CHARS_MAX),
            url: cut(&redaction::address(url), URL_CHARS_MAX),
            status,
            asked: asked.into_iter().take(HEADERS_MAX).map(header).collect(),
            answered: answered.into_iter().take(HEADERS_MAX).map(header).collect(),
            note: cut(note, VALUE_CHARS_MAX),
        }
    }

    /// The value of a header of the answer.
    pub fn answered(&self, name: &str) -> Option<&str> {
        let mut headers = self.answered.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Evidence {
    /// `GET https://shop.example.com/cart: 200, X-Cache: Hit from cloudfront, Age: 5; note`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.method, self.url, self.status)?;
        for (name, value) in &self.answered {
            write!(formatter, ", {name}: {value}")?;
        }
        if self.note.is_empty() { Ok(()) } else { write!(formatter, "; {}", self.note) }
    }
}

/// A text as far as it is shown: without control characters, which could paint a terminal.
fn cut(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    let mut shown: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A header as it is shown.
fn header((name, value): (&[u8], &[u8])) -> (String, String) {
    let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
    let chars_max = if redaction::holds_addresses(&name) { URL_CHARS_MAX } else { VALUE_CHARS_MAX };
    (cut(&name, VALUE_CHARS_MAX), cut(&redaction::header(&name, &value), chars_max))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_shown_is_bounded_and_paints_no_terminal() {
        let shown = |name: &str, value: &str| header((name.as_bytes(), value.as_bytes())).1;
        assert_eq!(shown("X-Odd", "a\u{1b}[31mb"), "a\u{fffd}[31mb");
        assert_eq!(shown("X-Long", &"é".repeat(1_000)).chars().count(), VALUE_CHARS_MAX + 1);
        assert_eq!(shown("Location", &"é".repeat(2_000)).chars().count(), URL_CHARS_MAX + 1);
    }

    #[test]
    fn evidence_reads_as_one_line() {
        let answered = [(&b"X-Cache"[..], &b"Hit from cloudfront"[..]), (&b"Age"[..], &b"5"[..])];
        let evidence = Evidence::new("GET", "https://s.test/cart", 200, [], answered, "");
        assert_eq!(
            evidence.to_string(),
            "GET https://s.test/cart: 200, X-Cache: Hit from cloudfront, Age: 5"
        );
        assert_eq!(evidence.answered("age"), Some("5"));
        let noted = Evidence { note: "shopper 3 is shown".to_owned(), ..evidence };
        assert!(noted.to_string().ends_with("Age: 5; shopper 3 is shown"));
    }

    fn any_bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..most)
    }

    proptest! {
        #[test]
        fn whatever_comes_is_bounded_and_no_cookie_is_shown(
            headers in prop::collection::vec((any_bytes(30), any_bytes(600)), 0..60),
            secret in "[a-z0-9]{12}",
        ) {
            let line = format!("sid={secret}; Path=/");
            let answered = headers.iter().map(|(name, value)| (&name[..], &value[..]));
            let answered = std::iter::once((&b"Set-Cookie"[..], line.as_bytes())).chain(answered);
            let url = format!("/?token={secret}");
            let evidence = Evidence::new("GET", &url, 200, [], answered, "");
            prop_assert!(evidence.answered.len() <= HEADERS_MAX);
            prop_assert!(evidence.answered.iter().all(|(_, value)| value.chars().count() <= URL_CHARS_MAX + 1));
            prop_assert!(!evidence.to_string().contains(&secret));
        }
    }
}
