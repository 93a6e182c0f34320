//! Text that came from outside, made fit to be shown on one line.

/// `text` on one line, without control characters and marks that turn the direction of writing: a target's answer
/// must not move the cursor of whoever reads about it.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() || turns_direction(c) { ' ' } else { c };
    text.chars().map(shown).collect::<String>().trim().to_owned()
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn escape_sequences_lose_their_power() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d "), "a [31mb c d");
        assert_eq!(plain("Zürich 東京"), "Zürich 東京");
    }
}
