//! Colour on a terminal, when it is wanted.

/// Paints, or leaves text as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether colour is wanted.
    pub(crate) on: bool,
}

impl Paint {
    /// What held.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What cannot be judged.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What failed.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Red when there is anything to count.
    pub(super) fn red_above_zero(self, count: u64, text: String) -> String {
        if count > 0 { self.red(&text) } else { text }
    }

    fn with(self, code: &str, text: &str) -> String {
        // Source: ECMA-48, select graphic rendition; 39 is the default foreground.
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[39m") } else { text.to_owned() }
    }
}
