//! What an answer's head says about class and cache, as tallies count it.

use super::fields::{essence, number};
use super::status::{CacheStatus, x_cache};

/// The class of content that an answer belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// API, cart and checkout: never to be cached.
    Private,
    /// Assets: style sheets, scripts, images, fonts.
    Static,
    /// Pages.
    Html,
    /// Anything else.
    #[default]
    Unclassified,
}

impl Class {
    /// All classes, in order.
    pub const ALL: [Self; 4] = [Self::Private, Self::Static, Self::Html, Self::Unclassified];

    /// The word of the report and of thresholds.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Static => "static",
            Self::Html => "html",
            Self::Unclassified => "unclassified",
        }
    }

    /// The class of an answer to `path` with `content_type`. Private paths win over any type.
    pub fn of(path: &str, content_type: &str) -> Self {
        Self::of_path(path).with_type(content_type.as_bytes())
    }

    /// What the path alone says.
    fn of_path(path: &str) -> Self {
        let below =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path.as_bytes().get(1) {
            Some(b'a' | b'c') if ["/api", "/cart", "/checkout"].into_iter().any(below) => Self::Private,
            Some(b's') if below("/static") => Self::Static,
            _ => Self::Unclassified,
        }
    }

    /// The class of this path once the type is known too.
    fn with_type(self, content_type: &[u8]) -> Self {
        if self == Self::Private {
            return self;
        }
        let kind = essence(content_type);
        let is = |known: &[&str]| known.iter().any(|known| kind.eq_ignore_ascii_case(known.as_bytes()));
        let begins = |known: &str| {
            kind.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known.as_bytes()))
        };
        if is(&["text/html", "application/xhtml+xml"]) {
            Self::Html
        } else if is(&["text/css", "text/javascript", "application/javascript"])
            || begins("image/")
            || begins("font/")
        {
            Self::Static
        } else {
            self
        }
    }
}

/// What an answer's head says: class, cache status, Age, encoding, and whether a firewall challenged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The content class.
    pub class: Class,
    /// Hit, miss, …
    pub cache: CacheStatus,
    /// `Age` in seconds.
    pub age_s: Option<u32>,
    /// Whether the body came with a `Content-Encoding`.
    pub encoded: bool,
    /// Whether a web application firewall answered with a challenge instead of a page (`x-amzn-waf-action`).
    pub challenged: bool,
}

impl Observation {
    /// An answer to `path` of which no header was seen yet.
    pub fn begin(path: &str) -> Self {
        Self { class: Class::of_path(path), ..Self::default() }
    }

    /// Takes a header into account. Of Age and X-Cache that come more than once, the first counts; of the others,
    /// the last.
    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        // Most headers say nothing about a cache: their lengths tell.
        match name.len() {
            3 if self.age_s.is_none() && is("age") => self.age_s = number(value),
            7 if self.cache == CacheStatus::None && is("x-cache") => self.cache = x_cache(value).0,
            12 if is("content-type") => self.class = self.class.with_type(value),
            16 if is("content-encoding") => self.encoded = !value.eq_ignore_ascii_case(b"identity"),
            17 if is("x-amzn-waf-action") => self.challenged = value.eq_ignore_ascii_case(b"challenge"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_paths_win_over_types() {
        assert_eq!(Class::of("/cart", "text/html"), Class::Private);
        assert_eq!(Class::of("/cart/add", "text/html"), Class::Private);
        assert_eq!(Class::of("/cartoons", "text/html; charset=utf-8"), Class::Html);
        assert_eq!(Class::of("/x.svg", "image/svg+xml"), Class::Static);
        assert_eq!(Class::of("/x", "application/json"), Class::Unclassified);
    }

    #[test]
    fn a_challenge_is_seen() {
        let headers =
            [("X-Amzn-Waf-Action", "challenge"), ("Age", "17"), ("content-type", "Text/HTML; charset=x")];
        let mut observation = Observation::begin("/");
        for (name, value) in headers {
            observation.header(name.as_bytes(), value.as_bytes());
        }
        assert_eq!(observation.class, Class::Html);
        assert!(observation.challenged);
        assert_eq!((observation.age_s, observation.cache), (Some(17), CacheStatus::None));
    }
}
