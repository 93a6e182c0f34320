//! Attributes as they are written.

use super::is_blank;
use crate::pattern::Attribute;

/// The attribute that begins at `begin`, and where it ends; `None` where the page ends in it. One with an equals sign and
/// no value ends with its tag, at the closing mark.
pub(super) fn attribute(html: &[u8], begin: usize) -> Option<(Attribute<'_>, usize, bool)> {
    let is_name = |byte: u8| !is_blank(byte) && !matches!(byte, b'=' | b'/' | b'>');
    // Whatever begins a name belongs to it.
    let mut at = begin + 1;
    while is_name(*html.get(at)?) {
        at += 1;
    }
    let name = &html[begin..at];
    at = behind_blanks(html, at)?;
    if html[at] != b'=' {
        return Some((Attribute { name, value: b"" }, at, false));
    }
    at = behind_blanks(html, at + 1)?;
    let rest = &html[at..];
    match rest[0] {
        b'>' => Some((Attribute { name, value: b"" }, at, true)),
        quote @ (b'"' | b'\'') => {
            let length = memchr::memchr(quote, &rest[1..])?;
            Some((Attribute { name, value: &rest[1..=length] }, at + length + 2, false))
        }
        _ => {
            let length = rest.iter().position(|byte| is_blank(*byte) || *byte == b'>')?;
            Some((Attribute { name, value: &rest[..length] }, at + length, false))
        }
    }
}

/// Where the next byte stands that is no white space.
fn behind_blanks(html: &[u8], at: usize) -> Option<usize> {
    Some(at + html.get(at..)?.iter().position(|byte| !is_blank(*byte))?)
}
