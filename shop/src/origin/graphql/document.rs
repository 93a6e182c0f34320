//! A GraphQL document, read as far as its operations' names.
//! <https://spec.graphql.org/October2021/#sec-Document>

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Query => "query",
            Kind::Mutation => "mutation",
        }
    }
}

/// The named operations of a document, in order; none where its brackets do not match.
pub(super) fn operations(document: &str) -> Option<Vec<(Kind, &str)>> {
    let mut operations = Vec::new();
    // What is open.
    let mut brackets = Vec::new();
    // The words with which the definition begins: its kind and its name.
    let mut words = Vec::new();
    let mut is_head = true;
    for lexeme in (Lexemes { rest: document }) {
        match lexeme {
            Lexeme::Word(word) if is_head => words.push(word),
            Lexeme::Word(_) => {}
            Lexeme::Mark(open @ ('{' | '(' | '[')) => {
                if open == '{' && brackets.is_empty() {
                    operations.extend(operation_of(&words));
                }
                is_head = false;
                brackets.push(open);
            }
            Lexeme::Mark(close @ ('}' | ')' | ']')) => {
                if !is_pair(brackets.pop()?, close) {
                    return None;
                }
                // A selection set ends its definition.
                if close == '}' && brackets.is_empty() {
                    words.clear();
                    is_head = true;
                }
            }
            Lexeme::Mark(_) => is_head = false,
        }
    }
    brackets.is_empty().then_some(operations)
}

fn operation_of<'a>(words: &[&'a str]) -> Option<(Kind, &'a str)> {
    match words {
        ["query", name] => Some((Kind::Query, *name)),
        ["mutation", name] => Some((Kind::Mutation, *name)),
        _ => None,
    }
}

fn is_pair(open: char, close: char) -> bool {
    matches!((open, close), ('{', '}') | ('(', ')') | ('[', ']'))
}

/// What a document is made of, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lexeme<'a> {
    Word(&'a str),
    /// Any other character; for a string, its first quote.
    Mark(char),
}

struct Lexemes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Lexemes<'a> {
    type Item = Lexeme<'a>;

    fn next(&mut self) -> Option<Lexeme<'a>> {
        self.rest = after_ignored(self.rest);
        let first = self.rest.chars().next()?;
        if first == '"' {
            self.rest = after_string(self.rest);
            return Some(Lexeme::Mark(first));
        }
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let end = self.rest.find(|character: char| !is_word(character)).unwrap_or(self.rest.len());
        let (word, after_word) = self.rest.split_at(end);
        if word.is_empty() {
            self.rest = &self.rest[first.len_utf8()..];
            return Some(Lexeme::Mark(first));
        }
        self.rest = after_word;
        Some(Lexeme::Word(word))
    }
}

/// Leaves out white space, commas, byte order marks and comments.
fn after_ignored(mut text: &str) -> &str {
    let is_ignored = |character: char| matches!(character, ' ' | '\t' | '\r' | '\n' | ',' | '\u{feff}');
    loop {
        text = text.trim_start_matches(is_ignored);
        match text.strip_prefix('#') {
            Some(comment) => text = comment.find(['\r', '\n']).map_or("", |end| &comment[end..]),
            None => return text,
        }
    }
}

/// Leaves out a string with its quotes; one that does not end takes everything.
fn after_string(text: &str) -> &str {
    const BLOCK: &str = "\"\"\"";
    if let Some(mut rest) = text.strip_prefix(BLOCK) {
        while let Some((before, after)) = rest.split_once(BLOCK) {
            if !before.ends_with('\\') {
                return after;
            }
            rest = after;
        }
        return "";
    }
    let mut is_escaped = false;
    for (place, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return &text[place + 1..],
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::{Kind, operations};

    #[test]
    fn names_stand_before_the_outermost_braces() {
        let document = "
            # query Comment { a }
            query Products($search: String = \"} query Text {\", $f: F = {a: [1]}) @live(if: true) {
                products(search: $search) { edges { node { id } } }
            }
            fragment Part on Cart { id, query, mutation }
            mutation AddToCart { addToCart(note: \"\"\"a \\\"\"\" } b\"\"\") { cart { ...Part } } }
            query { a } { b } subscription News { c } query @live Late { d }
            query Last{e}";
        let expected = [(Kind::Query, "Products"), (Kind::Mutation, "AddToCart"), (Kind::Query, "Last")];
        assert_eq!(operations(document), Some(expected.to_vec()));
        assert_eq!(operations(""), Some(Vec::new()));
        assert_eq!(operations("query \"A\" { a }"), Some(Vec::new()));
    }

    #[test]
    fn brackets_must_match() {
        for document in
            ["query A {", "query A { a }}", "query A ( }", "query A { \"}", "{ # }", "query A { [ } ]"]
        {
            assert_eq!(operations(document), None, "{document}");
        }
    }

    #[test]
    fn anything_can_be_read() {
        for document in ["é ¡ {日本}", "\"", "\"\"\"", "\\", "#", "1a 2b", "\"\\", "\"\"\"\\\"\"\""] {
            // It must only come to an end.
            let _ = operations(document);
        }
    }
}
