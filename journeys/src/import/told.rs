//! What a text tells that is neither a form nor JSON: values with their names, and some that need none.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::looks::{Looks, looks};
use super::secret::is_card;

/// The most values of a text that are looked at.
const TOLD_MAX: usize = 1_000;

/// How texts write a value behind its name: as members, attributes and elements, and in lines. Where a value stands in
/// quotes, an escaped quote does not end it.
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"["']?([A-Za-z0-9_.\[\]-]{1,80})["']?\s*(?::|=>)\s*"((?:[^"\\\n]|\\.|\\)+)""#,
        r#"["']?([A-Za-z0-9_.\[\]-]{1,80})["']?\s*(?::|=>)\s*'((?:[^'\\\n]|\\.|''|\\)+)'"#,
        r#""([A-Za-z0-9_.\[\]-]{1,80})"\s*:\s*([0-9]+)"#,
        r#"([A-Za-z0-9_.:\[\]-]{1,80})\s*=\s*"((?:[^"<>\\]|\\.|\\)+)""#,
        r"([A-Za-z0-9_.:\[\]-]{1,80})\s*=\s*'((?:[^'<>\\]|\\.|\\)+)'",
        r#"([A-Za-z0-9_.\[\]-]{1,80})=([^\s"'<>&;,=]+)"#,
        r"<([A-Za-z0-9_.:-]{1,80})(?:\s[^<>]*)?>\s*([^<>\s][^<>]*?)\s*</",
        // A document within it is looked at by its own elements.
        r"<([A-Za-z0-9_.:-]{1,80})(?:\s[^<>]*)?>\s*<!\[CDATA\[((?:[^<]|<[^/!])+?)\]\]>",
        r#"(?m)^[ \t]*([A-Za-z0-9_.-]{1,80}):[ \t]*([^\s"'/][^\s"']*)[ \t\r]*$"#,
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// What tells itself: numbers in groups as cards have them, and words that may be tokens.
static BARE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [r"\b[0-9](?:[ -]?[0-9]){12,18}\b", r"[A-Za-z0-9_.~+/-]{12,}=*"]
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
});

/// A value in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// What it is called there; empty where it has no name.
    pub(super) key: String,
    pub(super) place: Range<usize>,
}

/// The values of `text`, in its order; none lies in another one.
pub(super) fn told(text: &str) -> Vec<Told> {
    let named = NAMED.iter().flat_map(|pattern| pattern.captures_iter(text)).filter_map(|captures| {
        let (key, value) = (captures.get(1)?, captures.get(2)?);
        Some(Told { key: key.as_str().to_owned(), place: value.range() })
    });
    let bare = BARE.iter().flat_map(|pattern| pattern.find_iter(text));
    // A variable behind a dollar sign would be a literal.
    let bare = bare.filter(|found| {
        let tells_itself = is_card(found.as_str()) || looks(found.as_str()) == Looks::Random;
        tells_itself && !text[..found.start()].ends_with('$')
    });
    let bare = bare.map(|found| Told { key: String::new(), place: found.range() });
    let mut all: Vec<Told> = named.chain(bare).collect();
    // What has a name comes before the same without one.
    all.sort_by_key(|told| (told.place.start, std::cmp::Reverse(told.place.end), told.key.is_empty()));
    let mut end = 0;
    all.retain(|told| {
        let is_apart = told.place.start >= end;
        end = if is_apart { told.place.end } else { end };
        is_apart
    });
    all.truncate(TOLD_MAX);
    all
}

#[cfg(test)]
mod tests {
    use super::{BARE, NAMED, told};

    #[test]
    fn values_are_told_with_their_names() {
        assert_eq!((NAMED.len(), BARE.len()), (9, 2));
        for (text, expected) in [
            ("<a><p:password>x y</p:password>\n<b id=\"7\" c='d'> e </b></a>", "p:password=x y id=7 c=d b=e"),
            ("user=jane&password=a%26b; x=1", "user=jane password=a%26b x=1"),
            ("{\"pass-word\": \"x\", \"n\": 12, oops}", "pass-word=x n=12"),
            ("name: jane\r\ntoken: abc\r\nsee: http://a\r\n", "name=jane token=abc see=http://a"),
            ("a line of words: and more", ""),
            ("<password><![CDATA[Geheim<77]]></password>", "password=Geheim<77"),
            ("<a>\n<![CDATA[<b>12</b><c d='e'/>]]></a>", "b=12 d=e"),
            (r#"{"password":"Pa\"55word"} x"#, r#"password=Pa\"55word"#),
            (r#"pass="a\"b" pin='c\'d'"#, r#"pass=a\"b pin=c\'d"#),
            ("password: 'Top$ecret'\n- pin: \"a b\"\nit: 'it''s'", "password=Top$ecret pin=a b it=it''s"),
            (r"path: 'c:\'", r"path=c:\"),
            ("['token' => 'x', \"n\" => \"y\"]", "token=x n=y"),
            ("card 4242 4242 4242 4242 and 1234 5678 9012 3456", "=4242 4242 4242 4242"),
            ("card=4242-4242-4242-4242", "card=4242-4242-4242-4242"),
            ("go 9f86d081884c7d659a2feaa0c55ad015!", "=9f86d081884c7d659a2feaa0c55ad015"),
            ("go $9f86d081884c7d659a2feaa0c55ad015", ""),
            ("", ""),
        ] {
            let found = told(text).into_iter().map(|told| format!("{}={}", told.key, &text[told.place]));
            assert_eq!(found.collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }
}
