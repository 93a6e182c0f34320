//! The tags and texts of a page, told apart as `lol_html` does it: the HTML standard's tokenizer (section 13.2.5), and as
//! much of its parser as says what is text.
//!
//! What hardly any page has, and is hard to tell, is not told: MathML, CDATA sections, `plaintext`, scripts that write
//! scripts in comments.

mod attribute;
mod kind;

use memchr::memmem;

use crate::pattern::Attribute;
use attribute::attribute;
use kind::{Kind, Raw, ends_drawing, holds_html, kind};

/// The most attributes of a tag.
const ATTRIBUTES_MAX: usize = 1_000;

/// The page goes on in a way that is not told here.
#[derive(Debug)]
pub(super) struct Unsure;

/// What a page is made of, but for what nobody asks for: comments and the like.
pub(super) enum Token<'a> {
    Start(Tag<'a>),
    /// An end tag, by its name.
    End(&'a [u8]),
    /// A text up to the next tag or comment; whether it may hold character references.
    Text(&'a [u8], bool),
}

/// A start tag; its attributes are those of [`Tokens::attributes`].
pub(super) struct Tag<'a> {
    pub(super) name: &'a [u8],
    /// Where it begins.
    pub(super) start: usize,
    /// False in drawings.
    pub(super) is_html: bool,
    /// False for an element without an end.
    pub(super) can_have_content: bool,
}

/// Goes over a page.
pub(super) struct Tokens<'a> {
    html: &'a [u8],
    at: usize,
    /// The element whose raw text comes now.
    raw: Option<(&'a [u8], Raw)>,
    /// Drawings (`true`) and what they hold of HTML (`false`), as far as they are open, the innermost last.
    drawings: Vec<bool>,
    attributes: Vec<Attribute<'a>>,
}

/// How a tag ends.
struct End {
    /// Where the next thing begins.
    at: usize,
    is_self_closing: bool,
    /// Its last attribute has an equals sign and no value.
    lacks_value: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a [u8]) -> Self {
        Self { html, at: 0, raw: None, drawings: Vec::new(), attributes: Vec::new() }
    }

    /// How far the page was read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The attributes of the start tag that was told last.
    pub(super) fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// What comes next; `None` at the end. A tag without an end is none.
    ///
    /// # Errors
    /// When that is not known here.
    pub(super) fn token(&mut self) -> Result<Option<Token<'a>>, Unsure> {
        if let Some((name, raw)) = self.raw.take() {
            let text = self.raw_text(name, raw)?;
            if !text.is_empty() {
                return Ok(Some(Token::Text(text, raw == Raw::Escapable)));
            }
        }
        loop {
            let begin = self.at;
            let markup = self.markup().unwrap_or(self.html.len());
            if markup > begin {
                self.at = markup;
                return Ok(Some(Token::Text(&self.html[begin..markup], true)));
            }
            let Some(mark) = self.html.get(begin + 1) else { return Ok(None) };
            let skipped = match (mark, self.html.get(begin + 2)) {
                (b'!', _) => self.declaration(begin + 2)?,
                (b'/', Some(letter)) if letter.is_ascii_alphabetic() => {
                    let token = self.end_tag(begin + 2)?;
                    return Ok(self.told(token));
                }
                (b'/', Some(b'>')) => Some(begin + 3),
                (b'/' | b'?', _) => self.behind(b'>', begin + 2),
                _ => {
                    let token = self.start_tag(begin)?;
                    return Ok(self.told(token));
                }
            };
            self.at = skipped.unwrap_or(self.html.len());
        }
    }

    /// What was read; what has no end is the page's.
    fn told(&mut self, token: Option<Token<'a>>) -> Option<Token<'a>> {
        if token.is_none() {
            self.at = self.html.len();
        }
        token
    }

    /// Where a tag, a comment or the like begins next; other such signs are text.
    fn markup(&self) -> Option<usize> {
        let mut from = self.at;
        loop {
            let at = from + memchr::memchr(b'<', self.html.get(from..)?)?;
            let begins = match self.html.get(at + 1)? {
                b'/' => at + 2 < self.html.len(),
                b'!' | b'?' => true,
                letter => letter.is_ascii_alphabetic(),
            };
            if begins {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// The place behind the next `mark`.
    fn behind(&self, mark: u8, from: usize) -> Option<usize> {
        Some(from + memchr::memchr(mark, self.html.get(from..)?)? + 1)
    }

    /// Where a comment, a document type or what looks like one ends that begins with `<!` before `at`.
    fn declaration(&self, at: usize) -> Result<Option<usize>, Unsure> {
        let rest = self.html.get(at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix(b"--") {
            return Ok(comment_length(comment).map(|length| at + 2 + length));
        }
        if self.is_drawing() && rest.starts_with(b"[CDATA[") {
            return Err(Unsure);
        }
        Ok(self.behind(b'>', at))
    }

    /// The end tag whose name begins at `at`.
    fn end_tag(&mut self, at: usize) -> Result<Option<Token<'a>>, Unsure> {
        let name = self.name(at);
        let Some(end) = self.rest_of_tag(at + name.len(), false)? else { return Ok(None) };
        self.at = end.at;
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        let leaves = match self.drawings.as_slice() {
            [.., true] => is(b"svg") || is(b"p") || is(b"br"),
            [.., true, false] => holds_html(name),
            _ => false,
        };
        if leaves {
            self.drawings.pop();
        }
        Ok(Some(Token::End(name)))
    }

    /// The start tag that begins at `start`.
    fn start_tag(&mut self, start: usize) -> Result<Option<Token<'a>>, Unsure> {
        let name = self.name(start + 1);
        let Some(end) = self.rest_of_tag(start + 1 + name.len(), true)? else { return Ok(None) };
        self.at = end.at;
        let kind = kind(name);
        match kind {
            Kind::Unknown => return Err(Unsure),
            Kind::Svg => self.drawings.push(true),
            _ if self.is_drawing() => self.in_drawing(name, end.is_self_closing),
            // What comes then is not its text for lol_html.
            Kind::Raw(_) if end.lacks_value => return Err(Unsure),
            Kind::Raw(raw) => self.raw = Some((name, raw)),
            Kind::Void | Kind::Other => {}
        }
        let is_html = !self.is_drawing();
        let can_have_content = if is_html { kind != Kind::Void } else { !end.is_self_closing };
        Ok(Some(Token::Start(Tag { name, start, is_html, can_have_content })))
    }

    /// A start tag inside a drawing: some end it, some hold HTML.
    fn in_drawing(&mut self, name: &[u8], is_self_closing: bool) {
        let is_layout = |attribute: &Attribute<'_>| {
            [b"color".as_slice(), b"size", b"face"]
                .iter()
                .any(|known| attribute.name.eq_ignore_ascii_case(known))
        };
        let is_font = name.eq_ignore_ascii_case(b"font") && self.attributes.iter().any(is_layout);
        if is_font || ends_drawing(name) {
            self.drawings.pop();
        } else if holds_html(name) && !is_self_closing {
            self.drawings.push(false);
        }
    }

    fn is_drawing(&self) -> bool {
        self.drawings.last() == Some(&true)
    }

    /// The name of a tag.
    fn name(&self, at: usize) -> &'a [u8] {
        let rest = self.html.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| is_blank(*byte) || matches!(byte, b'/' | b'>'));
        &rest[..length.unwrap_or(rest.len())]
    }

    /// Reads a tag from behind its name; `None` when it has no end.
    fn rest_of_tag(&mut self, mut at: usize, keeps: bool) -> Result<Option<End>, Unsure> {
        let html = self.html;
        self.attributes.clear();
        while let Some(byte) = html.get(at) {
            match byte {
                b'>' => {
                    return Ok(Some(End { at: at + 1, is_self_closing: false, lacks_value: false }));
                }
                b'/' if html.get(at + 1) == Some(&b'>') => {
                    return Ok(Some(End { at: at + 2, is_self_closing: true, lacks_value: false }));
                }
                b'/' => at += 1,
                byte if is_blank(*byte) => at += 1,
                _ => {
                    let Some((attribute, behind, lacks_value)) = attribute(html, at) else { return Ok(None) };
                    if keeps && self.attributes.len() >= ATTRIBUTES_MAX {
                        return Err(Unsure);
                    }
                    self.attributes.extend(Some(attribute).filter(|_| keeps));
                    if lacks_value {
                        return Ok(Some(End { at: behind + 1, is_self_closing: false, lacks_value }));
                    }
                    at = behind;
                }
            }
        }
        Ok(None)
    }

    /// The text of an element that holds nothing else, up to its end tag.
    fn raw_text(&mut self, name: &[u8], raw: Raw) -> Result<&'a [u8], Unsure> {
        let rest = self.html.get(self.at..).unwrap_or_default();
        let is_end = |at: &usize| {
            let found = rest.get(at + 2..).unwrap_or_default();
            let behind = found.get(name.len());
            found.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
                && behind.is_some_and(|byte| is_blank(*byte) || matches!(byte, b'/' | b'>'))
        };
        let end = memmem::find_iter(rest, b"</").find(is_end);
        let text = &rest[..end.unwrap_or(rest.len())];
        if raw == Raw::Script && writes_scripts(text) {
            return Err(Unsure);
        }
        self.at += text.len();
        Ok(text)
    }
}

/// White space of HTML.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// How long a comment is behind `<!--`, its end included.
fn comment_length(text: &[u8]) -> Option<usize> {
    if let Some(end) = [b">".as_slice(), b"->"].iter().find(|end| text.starts_with(end)) {
        return Some(end.len());
    }
    let is_end = |at: &usize| text[..*at].ends_with(b"--") || text[..*at].ends_with(b"--!");
    memchr::memchr_iter(b'>', text).find(is_end).map(|at| at + 1)
}

/// Whether a script may hold others, in a comment, so that it does not end with the first end tag.
fn writes_scripts(text: &[u8]) -> bool {
    let Some(comment) = memmem::find(text, b"<!--") else { return false };
    let is_script = |at: usize| {
        let name = text.get(comment + at + 1..).and_then(|rest| rest.get(..6));
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"script"))
    };
    memchr::memchr_iter(b'<', &text[comment..]).any(is_script)
}
