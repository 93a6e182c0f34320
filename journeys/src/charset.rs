//! How texts are encoded: what a body is read as, and what forms are written in.
//!
//! A body's encoding is found as browsers find it: a byte order mark comes first, then what the Content-Type says, then
//! what a page says of itself within its first 1,024 bytes. Where nothing is said, browsers go by the language of their
//! user, which means windows-1252 for most of them; here it is UTF-8, so that a journey reads the same everywhere. JSON
//! is UTF-8 whatever is said of it (RFC 8259, section 8.1).

mod prescan;

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::Encoding;

use prescan::prescan;

/// All encodings of the Encoding Standard (<https://encoding.spec.whatwg.org/>), the default first.
static ENCODINGS: [&Encoding; 40] = [
    encoding_rs::UTF_8,
    encoding_rs::SHIFT_JIS,
    encoding_rs::EUC_JP,
    encoding_rs::ISO_2022_JP,
    encoding_rs::WINDOWS_1252,
    encoding_rs::GBK,
    encoding_rs::GB18030,
    encoding_rs::BIG5,
    encoding_rs::EUC_KR,
    encoding_rs::UTF_16LE,
    encoding_rs::UTF_16BE,
    encoding_rs::WINDOWS_874,
    encoding_rs::WINDOWS_1250,
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1253,
    encoding_rs::WINDOWS_1254,
    encoding_rs::WINDOWS_1255,
    encoding_rs::WINDOWS_1256,
    encoding_rs::WINDOWS_1257,
    encoding_rs::WINDOWS_1258,
    encoding_rs::ISO_8859_2,
    encoding_rs::ISO_8859_3,
    encoding_rs::ISO_8859_4,
    encoding_rs::ISO_8859_5,
    encoding_rs::ISO_8859_6,
    encoding_rs::ISO_8859_7,
    encoding_rs::ISO_8859_8,
    encoding_rs::ISO_8859_8_I,
    encoding_rs::ISO_8859_10,
    encoding_rs::ISO_8859_13,
    encoding_rs::ISO_8859_14,
    encoding_rs::ISO_8859_15,
    encoding_rs::ISO_8859_16,
    encoding_rs::IBM866,
    encoding_rs::KOI8_R,
    encoding_rs::KOI8_U,
    encoding_rs::MACINTOSH,
    encoding_rs::X_MAC_CYRILLIC,
    encoding_rs::X_USER_DEFINED,
    encoding_rs::REPLACEMENT,
];

/// An encoding; UTF-8 by default. Small, because the engine keeps one for each answer under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charset(
    /// Its position in `ENCODINGS`.
    u8,
);

impl Charset {
    const UTF_8: Self = Self(0);

    fn of(encoding: &'static Encoding) -> Self {
        let position = ENCODINGS.iter().position(|known| *known == encoding);
        position.and_then(|position| u8::try_from(position).ok()).map_or(Self::UTF_8, Self)
    }

    /// All that there are.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ENCODINGS.iter().copied().map(Self::of)
    }

    /// The encoding that a label means, `sjis` or `latin1` for example.
    pub(crate) fn of_label(label: &[u8]) -> Option<Self> {
        Encoding::for_label(label).map(Self::of)
    }

    /// What a form is sent in whose `accept-charset` is `accepted`, on a page in the encoding `page`.
    pub(crate) fn of_form(accepted: Option<&str>, page: Self) -> Self {
        let is_between = |character: char| character == ',' || character.is_ascii_whitespace();
        let mut labels = accepted.unwrap_or_default().split(is_between);
        let accepted = labels.find_map(|label| Self::of_label(label.as_bytes()));
        Self::of(accepted.unwrap_or(page).encoding().output_encoding())
    }

    fn encoding(self) -> &'static Encoding {
        ENCODINGS.get(usize::from(self.0)).copied().unwrap_or(encoding_rs::UTF_8)
    }

    /// The name that forms tell in `_charset_`.
    pub(crate) fn name(self) -> &'static str {
        self.encoding().name()
    }

    /// `text` in this encoding; what it has no bytes for becomes a character reference: `&#23665;`.
    pub(crate) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        self.encoding().encode(text).0
    }

    /// `text` in this encoding, without a copy where nothing changes.
    pub(crate) fn encoded(self, text: String) -> Bytes {
        let changed = match self.encode(&text) {
            Cow::Owned(bytes) => Some(bytes),
            Cow::Borrowed(_) => None,
        };
        Bytes::from(changed.unwrap_or_else(|| text.into_bytes()))
    }

    /// The query of an address in this encoding, before it is percent-encoded. What the encoding has no bytes for is
    /// percent-encoded already (URL Standard, "percent-encode after encoding").
    pub(crate) fn encode_query(self, query: &str) -> Cow<'_, [u8]> {
        let (bytes, _, is_lossy) = self.encoding().encode(query);
        if !is_lossy {
            return bytes;
        }
        let mut out = Vec::new();
        let mut from = 0;
        for (at, character) in query.char_indices() {
            let (_, _, is_missing) = self.encoding().encode(character.encode_utf8(&mut [0; 4]));
            if is_missing {
                out.extend_from_slice(&self.encode(&query[from..at]));
                out.extend_from_slice(format!("%26%23{}%3B", u32::from(character)).as_bytes());
                from = at + character.len_utf8();
            }
        }
        out.extend_from_slice(&self.encode(&query[from..]));
        Cow::Owned(out)
    }

    /// An address as a page in this encoding writes it, with what its query says in this encoding.
    pub(crate) fn link(self, link: String) -> String {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let query = link.split_once('?').map_or("", |(_, query)| query);
        if self == Self::UTF_8 || query.is_ascii() {
            return link;
        }
        let (query, fragment) = query.split_at(query.find('#').unwrap_or(query.len()));
        let begin = link.len() - query.len() - fragment.len();
        let mut out = link[..begin].to_owned();
        for byte in &*self.encode_query(query) {
            if byte.is_ascii_graphic() && *byte != b'#' {
                out.push(char::from(*byte));
            } else {
                let digits = [byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)]));
                out.extend(['%', digits[0], digits[1]]);
            }
        }
        out + fragment
    }
}

/// What an answer's Content-Type says of how its body is read; the default where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentType {
    kind: Kind,
    charset: Option<Charset>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    Page,
    Json,
    Other,
}

impl ContentType {
    /// That of a header's value.
    pub fn of(value: &[u8]) -> Self {
        let mut parts = value.split(|byte| *byte == b';');
        let essence = parts.next().unwrap_or_default().trim_ascii();
        let is = |known: &str| essence.eq_ignore_ascii_case(known.as_bytes());
        let suffix = essence.rsplit(|byte| *byte == b'+').next().unwrap_or_default();
        let kind = if essence.is_empty() {
            Kind::Unknown
        } else if is_page(essence) {
            Kind::Page
        } else if is("application/json") || is("text/json") || suffix.eq_ignore_ascii_case(b"json") {
            Kind::Json
        } else {
            Kind::Other
        };
        Self { kind, charset: parts.find_map(charset).and_then(Charset::of_label) }
    }

    /// Whether the answer is a page.
    pub fn is_page(self) -> bool {
        self.kind == Kind::Page
    }

    /// Whether a header's value is that of a page, for who wants to know nothing else: [`of`](Self::of) also looks for its
    /// encoding.
    pub fn names_page(value: &[u8]) -> bool {
        is_page(value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii())
    }

    /// `body`, an answer of this type, in UTF-8 and without byte order mark. One that is in UTF-8 is not copied, nor are
    /// bytes that are no UTF-8 replaced in it.
    pub fn text(self, body: &[u8]) -> Cow<'_, [u8]> {
        self.read(body).1
    }

    /// The encoding of `body`, and the body as [`text`](Self::text) gives it.
    pub fn read(self, body: &[u8]) -> (Charset, Cow<'_, [u8]>) {
        let (charset, mark) = self.charset(body);
        let text = body.get(mark..).unwrap_or_default();
        if charset == Charset::UTF_8 {
            return (charset, Cow::Borrowed(text));
        }
        let (text, _) = charset.encoding().decode_without_bom_handling(text);
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        (charset, text)
    }

    /// Whether a body that begins with `begin` is certainly read in the encoding in which [`text`](Self::text) reads that
    /// much of it.
    pub fn is_certain(self, begin: &[u8]) -> bool {
        let asks_page = matches!(self.kind, Kind::Page | Kind::Unknown) && self.charset.is_none();
        !asks_page || Encoding::for_bom(begin).is_some() || prescan::is_enough(begin)
    }

    /// The encoding of `body`, and how many bytes the mark has that says so.
    fn charset(self, body: &[u8]) -> (Charset, usize) {
        if let Some((encoding, mark)) = Encoding::for_bom(body)
            && (self.kind != Kind::Json || encoding == encoding_rs::UTF_8)
        {
            return (Charset::of(encoding), mark);
        }
        let charset = match self.kind {
            Kind::Json => None,
            Kind::Page | Kind::Unknown => self.charset.or_else(|| prescan(body)),
            Kind::Other => self.charset,
        };
        (charset.unwrap_or_default(), 0)
    }
}

/// Whether a type without its parameters is that of a page.
fn is_page(essence: &[u8]) -> bool {
    essence.eq_ignore_ascii_case(b"text/html") || essence.eq_ignore_ascii_case(b"application/xhtml+xml")
}

/// The value of a parameter of a Content-Type, if it is `charset`.
fn charset(parameter: &[u8]) -> Option<&[u8]> {
    let equals = parameter.iter().position(|byte| *byte == b'=')?;
    let (name, value) = parameter.split_at(equals);
    let value = value.get(1..)?.trim_ascii();
    let bare = value.strip_prefix(b"\"").map(|quoted| quoted.strip_suffix(b"\"").unwrap_or(quoted));
    name.trim_ascii().eq_ignore_ascii_case(b"charset").then_some(bare.unwrap_or(value))
}

#[cfg(test)]
mod tests;
