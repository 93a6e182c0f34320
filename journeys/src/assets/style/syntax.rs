//! How style sheets are written: comments, quotes, rules and blocks.

/// The text without comments; those in quotes are none.
pub(super) fn without_comments(css: &str) -> String {
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
pub(super) fn split_outside(text: &str, separator: char) -> impl Iterator<Item = &str> {
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
pub(super) struct Rules<'a>(pub(super) &'a str);

/// One of them.
pub(super) struct Rule<'a> {
    pub(super) prelude: &'a str,
    pub(super) block: Option<&'a str>,
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
