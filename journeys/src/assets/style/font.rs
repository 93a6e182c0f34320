//! Fonts: which a style sheet declares, and which it uses.

use std::collections::HashSet;

use super::address::address;
use super::syntax::split_outside;

/// The most words of a family's name without quotes, behind a font's size.
const FAMILY_WORDS_MAX: usize = 8;

/// A font that is declared.
pub(super) struct Font {
    pub(super) family: String,
    pub(super) source: Option<String>,
}

/// The font that a block declares.
pub(super) fn font(block: &str) -> Font {
    let mut font = Font { family: String::new(), source: None };
    for declaration in split_outside(block, ';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "font-family" => font.family = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase(),
            "src" => font.source = split_outside(value, ',').find_map(source),
            _ => {}
        }
    }
    font
}

/// The address of a font's source, when it is a file that browsers of today read.
fn source(entry: &str) -> Option<String> {
    let entry = entry.trim();
    if !entry.to_ascii_lowercase().starts_with("url(") {
        return None;
    }
    let lower = entry.to_ascii_lowercase();
    if let Some((_, format)) = lower.split_once("format(") {
        let known = ["woff2", "woff", "truetype", "opentype", "collection"];
        if !known.iter().any(|known| format.trim_start_matches(['"', '\'']).starts_with(known)) {
            return None;
        }
    }
    address(entry)
}

/// The families that declarations of `font` and `font-family` name.
pub(super) fn families(declarations: &str) -> HashSet<&str> {
    let mut families = HashSet::new();
    for declaration in declarations.split([';', '{', '}']) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let is_short = name.trim() == "font";
        if !is_short && name.trim() != "font-family" {
            continue;
        }
        for part in value.split(',') {
            let part = part.trim().trim_end_matches("!important").trim();
            families.insert(part.trim_matches(['"', '\'']));
            // It has size and style in front of the first family.
            families.extend(last_words(part).filter(|_| is_short));
        }
    }
    families
}

/// What may be the name at the end of a text: what stands in quotes there, or the last word, the last two and so on.
fn last_words(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.strip_suffix(['"', '\'']).and_then(|text| text.rsplit(['"', '\'']).next());
    let blanks = text.rmatch_indices(char::is_whitespace).take(FAMILY_WORDS_MAX);
    quoted.into_iter().chain(blanks.map(move |(at, blank)| &text[at + blank.len()..]))
}
