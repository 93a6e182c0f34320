//! Writes YAML as this crate's README does: in flow style where it fits a line, and with quotes wherever a text would be
//! taken for something else.

use std::fmt::Display;

/// The longest line, in columns.
pub(super) const COLUMNS_MAX: usize = 120;

/// A value to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    /// Written as it is: a number, a duration, `true`, `~`.
    Plain(String),
    /// A text, which is read back as that text.
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Something that is written as it is.
    pub(super) fn plain(text: impl Display) -> Self {
        Self::Plain(text.to_string())
    }

    /// A text where a number is as good: whole numbers go without quotes.
    pub(super) fn loose(text: String) -> Self {
        let is_number = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
        if is_number { Self::Plain(text) } else { Self::Text(text) }
    }

    /// This on one line.
    fn flow(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Text(text) => scalar(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::flow).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Map(entries) => {
                let pair = |(key, value): &(String, Self)| format!("{}: {}", scalar(key), value.flow());
                let entries: Vec<String> = entries.iter().map(pair).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }

    /// Appends this as an item of a list whose dashes stand at `indent`.
    pub(super) fn item(&self, indent: usize, out: &mut String) {
        let lead = format!("{:indent$}- ", "");
        if line(&lead, &self.flow(), out) {
            return;
        }
        let inner = indent + 2;
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    let lead = if number == 0 { lead.clone() } else { format!("{:inner$}", "") };
                    value.entry(&lead, key, inner, out);
                }
            }
            Self::List(items) if !items.is_empty() => {
                out.push_str(lead.trim_end());
                out.push('\n');
                items.iter().for_each(|item| item.item(inner, out));
            }
            Self::Text(text) => long_text(&lead, text, inner, out),
            _ => whole_line(&lead, &self.flow(), out),
        }
    }

    /// Appends this as the value of `key`, which stands behind `lead`, in a mapping at `indent`.
    fn entry(&self, lead: &str, key: &str, indent: usize, out: &mut String) {
        let lead = format!("{lead}{}: ", scalar(key));
        if line(&lead, &self.flow(), out) {
            return;
        }
        let inner = indent + 2;
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                out.push_str(lead.trim_end());
                out.push('\n');
                let lead = format!("{:inner$}", "");
                entries.iter().for_each(|(key, value)| value.entry(&lead, key, inner, out));
            }
            Self::List(items) if !items.is_empty() => {
                out.push_str(lead.trim_end());
                out.push('\n');
                items.iter().for_each(|item| item.item(inner, out));
            }
            Self::Text(text) => long_text(&lead, text, inner, out),
            _ => whole_line(&lead, &self.flow(), out),
        }
    }
}

/// Appends a line when it is not too long; false when it is.
fn line(lead: &str, rest: &str, out: &mut String) -> bool {
    let fits = lead.chars().count() + rest.chars().count() <= COLUMNS_MAX;
    if fits {
        whole_line(lead, rest, out);
    }
    fits
}

fn whole_line(lead: &str, rest: &str, out: &mut String) {
    out.push_str(lead);
    out.push_str(rest);
    out.push('\n');
}

/// Appends a text that is too long for its line: as a block where it has lines that may stand as they are, otherwise in
/// double quotes over several lines, each but the last of which ends with a backslash.
fn long_text(lead: &str, text: &str, indent: usize, out: &mut String) {
    if is_block(text, indent) {
        out.push_str(lead);
        out.push_str("|-\n");
        for row in text.split('\n') {
            if !row.is_empty() {
                out.push_str(&format!("{:indent$}{row}", ""));
            }
            out.push('\n');
        }
        return;
    }
    out.push_str(lead);
    out.push('"');
    let mut width = lead.chars().count() + 1;
    for character in text.chars() {
        let mut unit = escaped(character);
        // One column is left for the backslash, or for the closing quote.
        if width + unit.chars().count() + 1 > COLUMNS_MAX {
            out.push_str(&format!("\\\n{:indent$}", ""));
            width = indent;
            if character == ' ' {
                unit = "\\ ".to_owned();
            }
        }
        width += unit.chars().count();
        out.push_str(&unit);
    }
    out.push_str("\"\n");
}

/// Whether a text can stand as a block of lines without being changed.
fn is_block(text: &str, indent: usize) -> bool {
    let is_blank = |character: char| matches!(character, ' ' | '\t' | '\n');
    let fits = |row: &str| {
        row.is_empty()
            || (!row.starts_with('\t')
                && !row.trim_matches(is_blank).is_empty()
                && row.chars().all(is_shown)
                && row.chars().count() + indent <= COLUMNS_MAX)
    };
    text.contains('\n')
        && !text.starts_with(is_blank)
        && !text.ends_with(is_blank)
        && text.split('\n').all(fits)
}

/// A text with quotes where it needs them.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let has_marks = text.contains(['"', '\\']);
    if has_marks && !text.contains('\'') && text.chars().all(is_shown) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    text.chars().for_each(|character| out.push_str(&escaped(character)));
    out.push('"');
    out
}

/// Whether YAML takes a text for a text without quotes, in flow style, too.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || "/_$".contains(first));
    let is_safe =
        |character: char| character.is_ascii_alphanumeric() || "/_.-=+$?&;@%~() ".contains(character);
    begins
        && !text.ends_with(' ')
        && text.chars().all(is_safe)
        && text.parse::<f64>().is_err()
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a character may stand as it is, in quotes or in a block.
pub(super) fn is_shown(character: char) -> bool {
    let is_hidden = character.is_control()
        || character.is_whitespace()
        || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    character == ' ' || !is_hidden
}

/// A character in double quotes.
fn escaped(character: char) -> String {
    match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        shown if is_shown(shown) => shown.to_string(),
        other if u32::from(other) <= 0xffff => format!("\\u{:04x}", u32::from(other)),
        other => format!("\\U{:08x}", u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use doorbuster_notation::{Kind, Node, parse};
    use proptest::prelude::*;

    use super::Yaml;

    fn written(value: &Yaml) -> String {
        let mut out = String::new();
        value.item(2, &mut out);
        out
    }

    fn read(text: &str) -> Node {
        parse(&format!("list:\n{text}")).unwrap_or_else(|fault| panic!("{text}\n{fault:?}"))
    }

    #[test]
    fn quotes_stand_where_they_are_needed() {
        for (text, expected) in [
            ("/c/lamps?page=2", "/c/lamps?page=2"),
            ("a.product", "a.product"),
            ("form#buy", "\"form#buy\""),
            ("${csrf}", "\"${csrf}\""),
            ("input[name=\"csrf\"]", "'input[name=\"csrf\"]'"),
            ("Jane Doe", "Jane Doe"),
            ("no", "\"no\""),
            ("12", "\"12\""),
            ("nan", "\"nan\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("it's \"it\"", "\"it's \\\"it\\\"\""),
            ("a\nb\u{a0}", "\"a\\nb\\u00a0\""),
        ] {
            assert_eq!(written(&Yaml::text(text)), format!("  - {expected}\n"), "{text}");
        }
        assert_eq!(written(&Yaml::loose("12".to_owned())), "  - 12\n");
        assert_eq!(written(&Yaml::loose("012".to_owned())), "  - \"012\"\n");
    }

    #[test]
    fn what_fits_no_line_is_broken_by_its_structure() {
        let map = |entries: &[(&str, Yaml)]| {
            Yaml::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
        };
        let query = Yaml::text(format!("query {{\n  {}\n}}", "a".repeat(100)));
        let value = map(&[
            ("step", Yaml::text("a")),
            ("graphql", map(&[("query", query)])),
            ("list", Yaml::List(vec![Yaml::text("b".repeat(60)), Yaml::text("c".repeat(60))])),
        ]);
        let expected = format!(
            "  - step: a\n    graphql:\n      query: |-\n        query {{\n          {}\n        }}\n    list:\n      - {}\n      - {}\n",
            "a".repeat(100),
            "b".repeat(60),
            "c".repeat(60)
        );
        assert_eq!(written(&value), expected);
        read(&expected);
    }

    proptest! {
        #[test]
        fn a_text_is_read_back_as_it_was(text in "(\\PC|[ \t\n\r\\\\\"'#:,${}\u{a0}\u{2028}]){0,300}") {
            let out = written(&Yaml::Map(vec![("key".to_owned(), Yaml::text(text.clone()))]));
            prop_assert!(out.lines().all(|line| line.chars().count() <= 120), "{}", out);
            let node = read(&out);
            let (_, list) = &node.map("").unwrap()[0];
            let (_, value) = &list.list("").unwrap()[0].map("").unwrap()[0];
            prop_assert_eq!(&value.kind, &Kind::Text(text));
        }
    }
}
