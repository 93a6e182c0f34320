//! CSS selectors, parsed once where they hold no variables.

use std::borrow::Cow;

use lol_html::Selector;

use crate::failure::{Failure, quote};
use crate::needle::Needle;
use crate::template::{Template, Values};

/// The longest selector once its values are in, in bytes.
const SELECTOR_BYTES_MAX: usize = 4_096;

/// A selector as a journey file gives it.
#[derive(Clone, Debug)]
pub(crate) enum CssSelector {
    /// Without variables: the parsed selector, its text, and what to look for first.
    Fixed(Selector, Box<str>, Option<Needle>),
    /// With variables: parsed for each answer.
    Filled(Template),
}

impl CssSelector {
    /// Checks and precompiles a selector.
    ///
    /// # Errors
    /// A sentence when it is not a selector that can be matched while a page streams by.
    pub(crate) fn new(template: Template) -> Result<Self, String> {
        match template.as_fixed() {
            Some(text) => Ok(Self::Fixed(parse(text)?, text.into(), Needle::of(text))),
            None => parse(&template.sketch("x")).map(|_| Self::Filled(template)),
        }
    }

    /// Where in a page the first match may begin.
    pub(crate) fn begin(&self, html: &[u8]) -> usize {
        match self {
            Self::Fixed(_, _, Some(needle)) => needle.begin(html),
            Self::Fixed(_, _, None) | Self::Filled(_) => 0,
        }
    }

    /// The selector for one answer, and its text for messages.
    ///
    /// # Errors
    /// A failure when the values make it unreadable or too long.
    pub(crate) fn resolve(&self, values: &Values<'_>) -> Result<(Cow<'_, Selector>, Cow<'_, str>), Failure> {
        match self {
            Self::Fixed(selector, text, _) => Ok((Cow::Borrowed(selector), Cow::Borrowed(text))),
            Self::Filled(template) => {
                let text = template.filled(values, "the selector", SELECTOR_BYTES_MAX)?;
                let selector = parse(&text).map_err(Failure::new)?;
                Ok((Cow::Owned(selector), text))
            }
        }
    }
}

fn parse(text: &str) -> Result<Selector, String> {
    text.parse().map_err(|error| {
        let error = format!("{error}");
        format!("{} is not a selector that can be used here: {}", quote(text), error.trim_end_matches('.'))
    })
}
