//! Addresses in style sheets.

use super::syntax::without_comments;
use crate::assets::{ADDRESS_BYTES_MAX, PICTURES_MAX};

/// The address in `url(…)`, or in quotes.
pub(super) fn address(text: &str) -> Option<String> {
    written(text.trim()).map(|(address, _)| unescape(address))
}

/// The address with which a text begins, as it is written, and how much of the text that is.
fn written(text: &str) -> Option<(&str, usize)> {
    let inner = match text.get(..4) {
        Some(begin) if begin.eq_ignore_ascii_case("url(") => text[4..].trim_start(),
        _ => text,
    };
    let before = text.len() - inner.len();
    match inner.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => {
            let address = inner[1..].split(quote).next()?;
            Some((address, before + 1 + address.len()))
        }
        None if before > 0 => {
            let address = inner.split([')', '"', '\'']).next()?;
            Some((address.trim_end(), before + address.len()))
        }
        None => None,
    }
}

/// The addresses of all `url(…)` of some declarations.
pub(in crate::assets) fn addresses(declarations: &str) -> Vec<String> {
    let text = without_comments(declarations);
    let lower = text.to_ascii_lowercase();
    let mut at = 0;
    let mut found = Vec::new();
    while found.len() < PICTURES_MAX
        && let Some(next) = lower[at..].find("url(")
    {
        // An address that is longer than any that is fetched need not be read to its end.
        let begin = at + next;
        let end = text.floor_char_boundary((begin + 2 * ADDRESS_BYTES_MAX).min(text.len()));
        let (address, length) = written(&text[begin..end]).unwrap_or(("", "url(".len()));
        found.push(unescape(address));
        // What stands in an address is none.
        at = begin + length;
    }
    found
}

/// CSS escapes: a backslash before what is to be taken as it is, or before a code point in hex.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let mut code = String::new();
        while code.len() < 6
            && let Some(digit) = characters.next_if(char::is_ascii_hexdigit)
        {
            code.push(digit);
        }
        if code.is_empty() {
            out.extend(characters.next().filter(|next| *next != '\n'));
        } else {
            characters.next_if(|next| next.is_ascii_whitespace());
            out.push(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'));
        }
    }
    out
}
