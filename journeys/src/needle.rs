//! Where in a page an element can be that a selector matches, found without reading the page as HTML.
//!
//! Reading HTML costs many times what looking for a word costs. What a selector asks of an element (an id, a class, a
//! value, a tag) stands in the element's tag, so that there is none before the word first comes, and none behind the
//! last.

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
    /// Where it stands first.
    pub(crate) fn first(&self, html: &[u8]) -> Option<usize> {
        match self {
            Self::Word(word) => memmem::find(html, word.as_bytes()),
            Self::Tag(tag) => memchr::memchr_iter(b'<', html).find(|at| begins_tag(&html[*at..], tag)),
        }
    }

    /// A place behind which no tag begins that it stands in.
    pub(crate) fn last(&self, html: &[u8]) -> Option<usize> {
        match self {
            // Forwards, which is faster by far than backwards.
            Self::Word(word) => memmem::find_iter(html, word.as_bytes()).last().map(|at| at + word.len()),
            Self::Tag(tag) => memchr::memrchr_iter(b'<', html).find(|at| begins_tag(&html[*at..], tag)),
        }
    }

    /// Where to begin to read `html` for this: before the first element that can match; its end when there is none.
    pub(crate) fn begin(&self, html: &[u8]) -> usize {
        let Some(at) = self.first(html) else { return html.len() };
        // The first of what may begin a tag since the last one ended: a value may hold such a sign, too.
        let before = memchr::memrchr(b'>', &html[..at]).map_or(0, |end| end + 1);
        let tag = memchr::memchr(b'<', &html[before..=at]).map_or(0, |tag| before + tag);
        raw_around(html, at).unwrap_or(tag)
    }
}

/// Whether `html` begins with a tag whose name begins so.
fn begins_tag(html: &[u8], tag: &str) -> bool {
    html.get(1..).is_some_and(|name| begins_with(name, tag.as_bytes()))
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

#[cfg(test)]
mod tests {
    use super::Needle;

    #[test]
    fn reading_begins_before_whatever_may_match() {
        let word = |word: &str, html: &str| Needle::Word(word.into()).begin(html.as_bytes());
        assert_eq!(word("buy", "<p>x</p><form id=buy>"), 8);
        assert_eq!(word("buy", "<p>x</p>"), 8);
        assert_eq!(word("buy", "a<script>if (a<b) '#buy'</script><i id=buy>"), 1);
        assert_eq!(word("buy", "<SCRIPT>x</SCRIPT><i id=buy>"), 18);
        assert_eq!(word("buy", "<!-- <i id=buy> --><i id=buy>"), 0);
        assert_eq!(word("product", "<p><a title=\"x<y\" class=product>"), 3);
        assert_eq!(Needle::Tag("h1".into()).begin(b"<p><H1>"), 3);
    }

    #[test]
    fn a_needle_stands_first_and_last() {
        let html = b"<a id=x>x</a><A id=y>a x<";
        for (needle, first, last) in [
            (Needle::Word("x".into()), Some(6), Some(24)),
            (Needle::Tag("a".into()), Some(0), Some(13)),
            (Needle::Tag("b".into()), None, None),
        ] {
            assert_eq!((needle.first(html), needle.last(html)), (first, last), "{needle:?}");
        }
    }
}
