//! A business failure: the exchange worked, but the answer was not what the journey expects.

/// The longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 200;
/// How much of a value found in a page is quoted, in characters.
const QUOTE_CHARS_MAX: usize = 50;

/// Why a journey ended early: what was expected, what was found, and which line of which file expects it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// For people, at most 200 characters: `expected status 200, got 503`.
    pub message: String,
    /// The name of the refusal that the answer is: `sold-out`.
    pub refusal: Option<Box<str>>,
    /// True when the journey goes on elsewhere (`try`), so that this is no failure of the target.
    pub is_tolerated: bool,
}

/// What kind of expectation was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The status is not one that the step accepts.
    Status,
    /// The status is accepted, and something else is not as expected.
    Expectation,
    /// The journey itself says so (`fail`).
    Said,
}

impl Failure {
    /// A failed expectation whose message is cut to its limit.
    pub(crate) fn new(message: String) -> Self {
        Self {
            kind: FailureKind::Expectation,
            message: clip(message, MESSAGE_CHARS_MAX),
            refusal: None,
            is_tolerated: false,
        }
    }

    /// A status that the step does not accept.
    pub(crate) fn status(message: String) -> Self {
        Self { kind: FailureKind::Status, ..Self::new(message) }
    }
}

/// A value in quotes for a message: control characters escaped, cut when long.
pub(crate) fn quote(value: &str) -> String {
    let head: String = value.chars().take(QUOTE_CHARS_MAX + 1).collect();
    format!("\"{}\"", clip(head, QUOTE_CHARS_MAX).escape_debug())
}

fn clip(text: String, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text,
        // The last character gives way to the mark, so that the whole keeps to its limit.
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, quote};

    #[test]
    fn messages_and_quotes_keep_to_their_limits() {
        assert_eq!(Failure::new("é".repeat(200)).message.chars().count(), 200);
        let long = Failure::new("é".repeat(201)).message;
        assert_eq!((long.chars().count(), long.ends_with('…')), (200, true));
        assert_eq!(quote("a\"b\n"), r#""a\"b\n""#);
        assert!(quote(&"x".repeat(1_000)).len() < 60);
    }
}
