//! What a style sheet makes a browser fetch: other style sheets, fonts that are used, pictures that are drawn.

use std::collections::HashSet;

use url::Url;

use super::{ADDRESS_BYTES_MAX, Asset, Found, PICTURES_MAX, Picture, media};

/// The most conditions within each other.
const DEPTH_MAX: u32 = 20;
/// States of elements that no page is in when it was just opened.
const WAITING: [&str; 6] = [":hover", ":focus", ":active", ":target", ":checked", ":visited"];
/// The most fonts of one style sheet that are looked at.
const FONTS_MAX: usize = 100;
/// The most words of a family's name without quotes, behind a font's size.
const FAMILY_WORDS_MAX: usize = 8;

/// What a style sheet names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The style sheets that it imports, and the fonts that it declares and uses.
    pub assets: Vec<Asset>,
    /// Its pictures, fetched where a page has elements to draw them behind: see [`drawn`](super::drawn).
    pub pictures: Vec<Picture>,
}

impl Sheet {
    /// What remains when the sheet does not apply: what it imports, which does not apply either.
    #[must_use]
    pub fn unused(self) -> Self {
        let imports = self.assets.into_iter().filter(|asset| asset.is_style);
        Self {
            assets: imports.map(|asset| Asset { applies: false, ..asset }).collect(),
            pictures: Vec::new(),
        }
    }
}

/// What `css`, which came from `base`, names. Of a font's sources the first counts that is a file of a known format.
pub fn of_style(css: &[u8], base: &Url) -> Sheet {
    let css = String::from_utf8_lossy(css);
    let mut found = Found::new();
    look(&css, base, &mut found);
    Sheet { assets: found.assets, pictures: found.pictures }
}

/// A font that is declared.
struct Font {
    family: String,
    source: Option<String>,
}

/// Looks through the text of a style sheet.
pub(super) fn look(css: &str, base: &Url, found: &mut Found) {
    let css = without_comments(css);
    let mut may_import = true;
    let mut fonts: Vec<Font> = Vec::new();
    let mut used = String::new();
    for rule in Rules(&css) {
        let name = rule.prelude.trim_start().to_ascii_lowercase();
        match (name.as_str(), rule.block) {
            (prelude, None) if prelude.starts_with("@import") && may_import => {
                let address = address(&rule.prelude.trim_start()["@import".len()..]);
                if let Some(address) = address
                    && !found.add(&address, base, true)
                {
                    return;
                }
            }
            // Only these may stand before an import.
            (prelude, None) if prelude.starts_with("@charset") || prelude.starts_with("@layer") => {}
            (prelude, Some(block)) if prelude.starts_with("@font-face") && fonts.len() < FONTS_MAX => {
                may_import = false;
                fonts.push(font(block));
            }
            (prelude, block) => {
                may_import = false;
                let block = block.unwrap_or_default();
                used.push_str(&block.to_ascii_lowercase());
                used.push(';');
                pictures(prelude, rule.prelude, block, base, found, 0);
            }
        }
    }
    let families = families(&used);
    for font in fonts {
        let is_used = !font.family.is_empty() && families.contains(font.family.as_str());
        if let Some(source) = font.source.filter(|_| is_used)
            && !found.add(&source, base, false)
        {
            return;
        }
    }
}

/// Notes the pictures of a rule, or of the rules within one that applies.
fn pictures(lower: &str, prelude: &str, block: &str, base: &Url, found: &mut Found, depth: u32) {
    let condition = lower.strip_prefix("@media").map(media::matches);
    let is_group = condition == Some(true) || lower.starts_with("@supports") || lower.starts_with("@layer");
    if is_group && depth < DEPTH_MAX {
        for rule in Rules(block) {
            let lower = rule.prelude.trim_start().to_ascii_lowercase();
            pictures(&lower, rule.prelude, rule.block.unwrap_or_default(), base, found, depth + 1);
        }
        return;
    }
    if found.pictures.len() >= PICTURES_MAX
        || lower.starts_with('@')
        || !block.contains("url(") && !block.contains("URL(")
    {
        return;
    }
    let selectors: Vec<&str> = split_outside(prelude, ',').take(PICTURES_MAX).collect();
    for address in addresses(block) {
        for selector in &selectors {
            // What stands before or behind an element is drawn with it; what waits for a pointer is not.
            let element = selector.split("::").next().unwrap_or_default();
            let element = element.trim().trim_end_matches(":before").trim_end_matches(":after");
            if !element.is_empty() && !WAITING.iter().any(|state| element.contains(state)) {
                found.add_picture(element, &address, base);
            }
        }
    }
}

/// The families that declarations of `font` and `font-family` name.
fn families(declarations: &str) -> HashSet<&str> {
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

fn font(block: &str) -> Font {
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

/// The address in `url(…)`, or in quotes.
fn address(text: &str) -> Option<String> {
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
pub(super) fn addresses(declarations: &str) -> Vec<String> {
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

/// The text without comments; those in quotes are none.
fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let length = if from.starts_with("/*") {
            from.find("*/").map_or(from.len(), |end| end + 2)
        } else if from.starts_with('/') {
            out.push('/');
            1
        } else {
            let length = quoted_length(from);
            out.push_str(&from[..length]);
            length
        };
        rest = &from[length..];
    }
    out.push_str(rest);
    out
}

/// How long a text in quotes is, with them; a line end ends what is not closed.
fn quoted_length(text: &str) -> usize {
    let mut characters = text.char_indices();
    let Some((_, quote)) = characters.next() else { return 0 };
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\n' => return at,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The parts between `separator`, outside quotes and parentheses.
fn split_outside(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find_outside(text, &[separator]);
        rest = end.map(|end| &text[end + separator.len_utf8()..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// The first of these characters outside quotes and parentheses.
fn find_outside(text: &str, wanted: &[char]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_u32);
    while let Some(character) = text[at..].chars().next() {
        if matches!(character, '"' | '\'') {
            at += quoted_length(&text[at..]).max(1);
            continue;
        }
        if depth == 0 && wanted.contains(&character) {
            return Some(at);
        }
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '\\' => at += text[at + 1..].chars().next().map_or(0, char::len_utf8),
            _ => {}
        }
        at += character.len_utf8();
    }
    None
}

/// The rules of a style sheet: what stands before a block or a semicolon, and the block. Blocks of `@media` and the
/// like are one rule with all that they hold.
struct Rules<'a>(&'a str);

struct Rule<'a> {
    prelude: &'a str,
    block: Option<&'a str>,
}

impl<'a> Iterator for Rules<'a> {
    type Item = Rule<'a>;

    fn next(&mut self) -> Option<Rule<'a>> {
        let text = self.0.trim_start();
        if text.is_empty() {
            return None;
        }
        let end = find_outside(text, &[';', '{', '}']).unwrap_or(text.len());
        let prelude = &text[..end];
        if !text[end..].starts_with('{') {
            self.0 = text.get(end + 1..).unwrap_or("");
            return Some(Rule { prelude, block: None });
        }
        let inside = &text[end + 1..];
        let length = block_length(inside);
        self.0 = inside.get(length + 1..).unwrap_or("");
        Some(Rule { prelude, block: Some(&inside[..length]) })
    }
}

/// How long a block is, up to its closing brace.
fn block_length(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_u32);
    while let Some(next) = find_outside(&text[at..], &['{', '}']) {
        let here = at + next;
        if text[here..].starts_with('{') {
            depth += 1;
        } else if depth == 0 {
            return here;
        } else {
            depth -= 1;
        }
        at = here + 1;
    }
    text.len()
}
