//! Where in a page a selector's first match can begin, found without reading the page as HTML.
//!
//! Reading HTML costs a hundred times what looking for a word costs. What a selector's first part asks for (an id, a
//! class, a value, a tag) stands in the tag of an element that holds every match, so that what comes before the word
//! first comes need not be read.

use memchr::memmem;

/// Elements whose text is no HTML, and comments: a word in one of them begins nothing.
const RAW: [(&[u8], &[u8]); 9] = [
    (b"<!--", b"-->"),
    (b"<script", b"</script"),
    (b"<style", b"</style"),
    (b"<textarea", b"</textarea"),
    (b"<title", b"</title"),
    (b"<template", b"</template"),
    (b"<noscript", b"</noscript"),
    (b"<iframe", b"</iframe"),
    (b"<xmp", b"</xmp"),
];

/// What must stand in the page before anything can match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needle {
    /// This word, in a tag.
    Word(Box<str>),
    /// A tag of this name.
    Tag(Box<str>),
}

impl Needle {
    /// That of a selector; `None` when there is none that could be relied on.
    pub(crate) fn of(selector: &str) -> Option<Self> {
        // Lists, siblings, positions and escapes would ask for more than a word.
        if selector.contains([',', ':', '+', '~', '\\', '|']) {
            return None;
        }
        let mut depth = 0_u32;
        let end = selector.trim_start().find(|character| {
            match character {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && (character == '>' || char::is_whitespace(character))
        });
        let first = selector.trim_start();
        let first = &first[..end.unwrap_or(first.len())];
        let word_behind = |mark: char| {
            let outside = first.split('[').next().unwrap_or_default();
            let word = outside.split(mark).nth(1)?.split(['#', '.']).next()?;
            is_plain(word).then(|| Self::Word(word.into()))
        };
        let tag = || {
            let tag = first.split(['#', '.', '[']).next()?;
            is_plain(tag).then(|| Self::Tag(tag.to_ascii_lowercase().into()))
        };
        word_behind('#').or_else(|| word_behind('.')).or_else(tag)
    }

    /// Where to begin to read `html` for this: before the first element that can match; its end when there is none.
    pub(crate) fn begin(&self, html: &[u8]) -> usize {
        let first = match self {
            Self::Word(word) => memmem::find(html, word.as_bytes()),
            Self::Tag(tag) => memchr::memchr_iter(b'<', html).find(|at| {
                let name = html.get(at + 1..at + 1 + tag.len());
                name.is_some_and(|name| name.eq_ignore_ascii_case(tag.as_bytes()))
            }),
        };
        let Some(at) = first else { return html.len() };
        // The first of what may begin a tag since the last one ended: a value may hold such a sign, too.
        let before = memchr::memrchr(b'>', &html[..at]).map_or(0, |end| end + 1);
        let tag = memchr::memchr(b'<', &html[before..=at]).map_or(0, |tag| before + tag);
        raw_around(html, at).unwrap_or(tag)
    }
}

/// Where the raw text or comment begins that `at` lies in, if it lies in one.
fn raw_around(html: &[u8], at: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(next) = memchr::memchr(b'<', html.get(from..=at)?) {
        let open = from + next;
        from = open + 1;
        // One look at the next letter rules most tags out.
        let letter = html.get(from)?.to_ascii_lowercase();
        if !matches!(letter, b'!' | b's' | b't' | b'n' | b'i' | b'x') {
            continue;
        }
        let raw = RAW.iter().find(|(word, _)| begins_with(&html[open..], word));
        if let Some((_, close)) = raw {
            let first = close[0];
            let mut ends = memchr::memchr_iter(first, &html[from..=at]).map(|end| from + end);
            match ends.find(|end| begins_with(&html[*end..], close)) {
                Some(end) => from = end + 1,
                None => return Some(open),
            }
        }
    }
    None
}

fn begins_with(html: &[u8], word: &[u8]) -> bool {
    html.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// Letters, digits, hyphens and underscores: what nobody writes as a character reference.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::Needle;

    #[test]
    fn the_first_part_of_a_selector_is_what_is_looked_for() {
        let word = |word: &str| Some(Needle::Word(word.into()));
        for (selector, expected) in [
            ("form#buy input[name=csrf]", word("buy")),
            ("a.product", word("product")),
            ("  #a.b > c", word("a")),
            ("input[name=\"csrf\"]", Some(Needle::Tag("input".into()))),
            ("input[name]", Some(Needle::Tag("input".into()))),
            ("H1", Some(Needle::Tag("h1".into()))),
            ("a[href=\"/p/7\"]", Some(Needle::Tag("a".into()))),
            ("a, b", None),
            ("a:not(.b)", None),
            ("*", None),
            ("[data-a]", None),
        ] {
            assert_eq!(Needle::of(selector), expected, "{selector}");
        }
    }

    #[test]
    fn reading_begins_before_whatever_may_match() {
        let begin = |selector: &str, html: &str| Needle::of(selector).unwrap().begin(html.as_bytes());
        assert_eq!(begin("#buy", "<p>x</p><form id=buy>"), 8);
        assert_eq!(begin("#buy", "<p>x</p>"), 8);
        assert_eq!(begin("#buy", "a<script>if (a<b) '#buy'</script><i id=buy>"), 1);
        assert_eq!(begin("#buy", "<SCRIPT>x</SCRIPT><i id=buy>"), 18);
        assert_eq!(begin("#buy", "<!-- <i id=buy> --><i id=buy>"), 0);
        assert_eq!(begin("h1", "<p><H1>"), 3);
        assert_eq!(begin("a.product", "<p><a title=\"x<y\" class=product>"), 3);
    }
}
