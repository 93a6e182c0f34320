//! What a page says of its own encoding.
//!
//! The HTML standard's "prescan a byte stream to determine its encoding" (section 13.2.3.2), step by step: browsers look
//! for `<meta>` before they parse, and in a way of their own.

use super::Charset;

/// How far browsers look, in bytes.
const BYTES_MAX: usize = 1_024;

/// The encoding that a page says it has. Its word cannot be that it is in UTF-16, since it was read as ASCII.
pub(super) fn prescan(page: &[u8]) -> Option<Charset> {
    let page = page.get(..BYTES_MAX).unwrap_or(page);
    if page.starts_with(b"<\0?\0x\0") {
        return Charset::of_label(b"utf-16le");
    }
    if page.starts_with(b"\0<\0?\0x") {
        return Charset::of_label(b"utf-16be");
    }
    Scanner { page, at: 0 }.meta().or_else(|| of_xml(page)).map(readable)
}

/// An encoding by which the page could be read so far.
fn readable(charset: Charset) -> Charset {
    match charset.name() {
        "UTF-16BE" | "UTF-16LE" => Charset::default(),
        "x-user-defined" => Charset::of_label(b"windows-1252").unwrap_or_default(),
        _ => charset,
    }
}

/// Whether `begin`, with which a page begins, is as much of it as is looked at: the rest says nothing else.
pub(super) fn is_enough(begin: &[u8]) -> bool {
    // What a declaration of XML says, a `<meta>` behind it says better.
    begin.len() >= BYTES_MAX || Scanner { page: begin, at: 0 }.meta().is_some()
}

struct Scanner<'a> {
    page: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// The encoding of the first `<meta>` that has one. `None` also where the bytes end.
    fn meta(&mut self) -> Option<Charset> {
        loop {
            let rest = self.page.get(self.at..).filter(|rest| !rest.is_empty())?;
            let begins =
                |word: &[u8]| rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
            let is_letter = |at: usize| rest.get(at).is_some_and(u8::is_ascii_alphabetic);
            if begins(b"<!--") {
                // The hyphens that begin a comment may be those that end it.
                self.at += 2 + memchr::memmem::find(&rest[2..], b"-->")? + b"-->".len();
            } else if begins(b"<meta") && rest.get(5).is_some_and(|next| is_blank(*next) || *next == b'/') {
                self.at += 5;
                if let Some(charset) = self.of_meta()? {
                    return Some(charset);
                }
            } else if begins(b"<") && (is_letter(1) || (begins(b"</") && is_letter(2))) {
                self.at += rest.iter().position(|byte| is_blank(*byte) || *byte == b'>')?;
                while self.attribute()?.is_some() {}
            } else if begins(b"<!") || begins(b"</") || begins(b"<?") {
                self.at += memchr::memchr(b'>', rest)? + 1;
            } else {
                self.at += 1;
                // Nothing else begins anything.
                self.at += memchr::memchr(b'<', self.page.get(self.at..)?)?;
            }
        }
    }

    /// What the attributes of a `<meta>` say, if they say anything; `None` where the bytes end.
    fn of_meta(&mut self) -> Option<Option<Charset>> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let (mut is_pragma, mut needs_pragma, mut charset) = (false, None, None);
        while let Some((name, value)) = self.attribute()? {
            if names.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => is_pragma = value == b"content-type",
                b"content" if needs_pragma.is_none() => {
                    charset = of_content(&value);
                    needs_pragma = charset.map(|_| true);
                }
                b"charset" => {
                    charset = Charset::of_label(&value);
                    needs_pragma = Some(false);
                }
                _ => {}
            }
            names.push(name);
        }
        Some(charset.filter(|_| needs_pragma.is_some_and(|needs| !needs || is_pragma)))
    }

    /// The next attribute of a tag, in lower case ("get an attribute"); `Some(None)` where the tag has no more, `None`
    /// where the bytes end.
    fn attribute(&mut self) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
        while is_blank(self.byte()?) || self.byte()? == b'/' {
            self.at += 1;
        }
        if self.byte()? == b'>' {
            return Some(None);
        }
        let mut name = Vec::new();
        loop {
            match self.byte()? {
                b'=' if !name.is_empty() => break,
                b'/' | b'>' => return Some(Some((name, Vec::new()))),
                byte if is_blank(byte) => {
                    self.skip_blanks()?;
                    if self.byte()? != b'=' {
                        return Some(Some((name, Vec::new())));
                    }
                    break;
                }
                byte => name.push(byte.to_ascii_lowercase()),
            }
            self.at += 1;
        }
        self.at += 1;
        self.skip_blanks()?;
        let mut value = Vec::new();
        let quote = Some(self.byte()?).filter(|byte| matches!(byte, b'"' | b'\''));
        if quote.is_some() {
            self.at += 1;
        }
        loop {
            let byte = self.byte()?;
            let is_end = quote.map_or(is_blank(byte) || byte == b'>', |quote| byte == quote);
            if is_end {
                self.at += usize::from(quote.is_some());
                return Some(Some((name, value)));
            }
            value.push(byte.to_ascii_lowercase());
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.page.get(self.at).copied()
    }

    fn skip_blanks(&mut self) -> Option<()> {
        while is_blank(self.byte()?) {
            self.at += 1;
        }
        Some(())
    }
}

/// White space of HTML.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// `text/html; charset=…`, in lower case ("extracting a character encoding from a meta element").
fn of_content(content: &[u8]) -> Option<Charset> {
    let mut rest = content;
    loop {
        rest = &rest[memchr::memmem::find(rest, b"charset")? + b"charset".len()..];
        let value = rest.trim_ascii_start();
        let Some(value) = value.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let label = match *value.first()? {
            quote @ (b'"' | b'\'') => {
                let quoted = &value[1..];
                &quoted[..memchr::memchr(quote, quoted)?]
            }
            _ => {
                let end = value.iter().position(|byte| is_blank(*byte) || *byte == b';');
                &value[..end.unwrap_or(value.len())]
            }
        };
        return Charset::of_label(label);
    }
}

/// `<?xml version="1.0" encoding="…"?>` ("get an XML encoding").
fn of_xml(page: &[u8]) -> Option<Charset> {
    let declaration = page.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memchr(b'>', declaration)?];
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let begin = |text: &[u8]| text.iter().position(|byte| *byte > b' ').unwrap_or(text.len());
    let after = &declaration[at..];
    let value = after[begin(after)..].strip_prefix(b"=")?;
    let value = &value[begin(value)..];
    let quote = value.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let quoted = &value[1..];
    let label = &quoted[..memchr::memchr(*quote, quoted)?];
    Charset::of_label(label).filter(|_| label.iter().all(|byte| *byte > b' '))
}
