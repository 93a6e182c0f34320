//! What an audit says of one promise.

use super::super::evidence::Evidence;
use super::super::rules::Severity;

/// The most characters of what was observed.
pub(super) const OBSERVED_CHARS_MAX: usize = 160;

/// The promise that the page is there which an audit begins with. It is told only where it was not, and then nothing is
/// proved.
pub(super) const FIRST_PAGE: &str = "page";

/// How a promise was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruling {
    /// Kept.
    Pass,
    /// Broken: the audit fails.
    Fail,
    /// Broken, and promised by nobody; or it merely costs something.
    Warn,
    /// Worth knowing.
    Info,
    /// Not to be proved here.
    NotApplicable,
}

impl Ruling {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Warn, Self::Info, Self::NotApplicable];

    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// What a breach so grave is.
    pub(super) fn of(severity: Severity) -> Self {
        if severity.fails() {
            return Self::Fail;
        }
        if severity == Severity::Info { Self::Info } else { Self::Warn }
    }
}

/// What an audit says of one promise in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The class of content; empty for what is about the edge as a whole.
    pub class: String,
    /// The promise's name.
    pub promise: String,
    /// The promise in words.
    pub title: String,
    /// How it was found.
    pub ruling: Ruling,
    /// What was seen.
    pub observed: String,
    /// The rule that is broken; empty where none is.
    pub rule: String,
    /// What to change at the edge; empty where nothing is.
    pub remedy: String,
    /// The exchange that shows it.
    pub evidence: Option<Evidence>,
}

impl Proof {
    /// Whether it says that there was no page to prove anything by.
    pub fn is_of_missing_page(&self) -> bool {
        self.promise == FIRST_PAGE
    }
}
