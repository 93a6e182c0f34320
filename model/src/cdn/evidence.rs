//! What proves a finding: a request and an answer's head, without anybody's secrets, and of a bounded size.

use std::fmt;

/// The most headers of a head.
const HEADERS_MAX: usize = 40;
/// The longest value in characters.
const VALUE_CHARS_MAX: usize = 300;
/// The longest address in characters.
const URL_CHARS_MAX: usize = 1_000;
/// Stands for a secret.
const HIDDEN: &str = "(hidden)";

/// Headers and parameters whose names hold one of these are secrets.
const SECRET: &[&str] = &[
    "auth",
    "token",
    "secret",
    "passw",
    "session",
    "csrf",
    "xsrf",
    "api-key",
    "apikey",
    "api_key",
    "signature",
    "credential",
    "email",
];
/// Parameters of exactly these names are secrets.
const SECRET_PARAMETERS: &[&str] = &["code", "key", "pass", "pwd", "sid", "sig"];
/// Headers that hold addresses.
const ADDRESSES: &[&str] = &["location", "content-location", "referer"];

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
    /// Takes down what is fit to be shown.
    pub fn new<'a>(
        method: &str,
        url: &str,
        status: u16,
        asked: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        answered: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        note: &str,
    ) -> Self {
        let shown = |(name, value): (&[u8], &[u8])| {
            (cut(&String::from_utf8_lossy(name), VALUE_CHARS_MAX), header(name, value))
        };
        Self {
            method: cut(method, VALUE_CHARS_MAX),
            url: cut(&address(url), URL_CHARS_MAX),
            status,
            asked: asked.into_iter().take(HEADERS_MAX).map(shown).collect(),
            answered: answered.into_iter().take(HEADERS_MAX).map(shown).collect(),
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

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|secret| name.contains(secret))
}

/// A header's value without secrets. Of cookies, names and attributes stay: they are what findings are about.
fn header(name: &[u8], value: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let value = String::from_utf8_lossy(value);
    let value = value.trim();
    if name.eq_ignore_ascii_case("cookie") {
        let pairs: Vec<String> = value.split(';').map(|pair| hidden(pair.trim())).collect();
        return cut(&pairs.join("; "), VALUE_CHARS_MAX);
    }
    if name.eq_ignore_ascii_case("set-cookie") {
        let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
        let semicolon = if attributes.is_empty() { "" } else { ";" };
        return cut(&format!("{}{semicolon}{attributes}", hidden(pair)), VALUE_CHARS_MAX);
    }
    if is_secret(&name) {
        return HIDDEN.to_owned();
    }
    if ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return cut(&address(value), URL_CHARS_MAX);
    }
    cut(value, VALUE_CHARS_MAX)
}

/// `name=value` without its value.
fn hidden(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}

/// An address without its fragment and without the values of secret parameters.
fn address(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let parameter = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        let is_hidden =
            is_secret(name) || SECRET_PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_hidden { hidden(pair) } else { pair.to_owned() }
    };
    let parameters: Vec<String> = query.split('&').map(parameter).collect();
    format!("{path}?{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(name: &str, value: &str) -> String {
        header(name.as_bytes(), value.as_bytes())
    }

    #[test]
    fn secrets_are_hidden_and_what_matters_is_shown() {
        for (name, value, expected) in [
            ("Cookie", "sid=42; AWSALB=x=y", "sid=(hidden); AWSALB=(hidden)"),
            ("Set-Cookie", "sid=42; Path=/; HttpOnly", "sid=(hidden); Path=/; HttpOnly"),
            ("set-cookie", "sid=42", "sid=(hidden)"),
            ("Authorization", "Basic c2hvcDpw", "(hidden)"),
            ("X-CSRF-Token", "1", "(hidden)"),
            ("X-Cache", "Hit from cloudfront", "Hit from cloudfront"),
            ("Vary", "Cookie", "Cookie"),
            ("Location", "/pay?token=1&step=2#x", "/pay?token=(hidden)&step=2"),
            ("Age", " 5 ", "5"),
            ("X-Odd", "a\u{1b}[31mb", "a\u{fffd}[31mb"),
        ] {
            assert_eq!(shown(name, value), expected, "{name}");
        }
        assert_eq!(
            address("https://s.test/a?q=tent&utm_source=x&Email=a@b.c&sid=1"),
            "https://s.test/a?q=tent&utm_source=x&Email=(hidden)&sid=(hidden)"
        );
        assert_eq!(shown("X-Long", &"é".repeat(1_000)).chars().count(), VALUE_CHARS_MAX + 1);
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
