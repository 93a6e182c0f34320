//! CSS selectors, parsed once where they hold no variables.

use std::borrow::Cow;
use std::str::FromStr;

use lol_html::Selector;
use lol_html::errors::SelectorError;

use crate::failure::{Failure, quote};
use crate::pattern::Pattern;
use crate::template::{Template, Values};

/// The longest selector once its values are in, in bytes.
const SELECTOR_BYTES_MAX: usize = 4_096;

/// A selector, for both ways to go over a page.
#[derive(Clone, Debug)]
pub(crate) struct Css {
    /// As `lol_html` matches it.
    pub(crate) whole: Selector,
    /// As we do, where it says no more than we know.
    pub(crate) pattern: Option<Pattern>,
}

impl FromStr for Css {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Ok(Self { whole: text.parse()?, pattern: Pattern::of(text) })
    }
}

/// A selector as a journey file gives it.
#[derive(Clone, Debug)]
pub(crate) enum CssSelector {
    /// Without variables: the parsed selector and its text.
    Fixed(Css, Box<str>),
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
            Some(text) => Ok(Self::Fixed(parse(text)?, text.into())),
            None => parse(&template.sketch("x")).map(|_| Self::Filled(template)),
        }
    }

    /// Where to begin to read a page for the first form that matches.
    pub(crate) fn begin(&self, html: &[u8]) -> usize {
        match self {
            Self::Fixed(Css { pattern: Some(pattern), .. }, _) => pattern.begin(html),
            Self::Fixed(..) | Self::Filled(_) => 0,
        }
    }

    /// The selector for one answer, and its text for messages.
    ///
    /// # Errors
    /// A failure when the values make it unreadable or too long.
    pub(crate) fn resolve(&self, values: &Values<'_>) -> Result<(Cow<'_, Css>, Cow<'_, str>), Failure> {
        match self {
            Self::Fixed(selector, text) => Ok((Cow::Borrowed(selector), Cow::Borrowed(text))),
            Self::Filled(template) => {
                let text = template.filled(values, "the selector", SELECTOR_BYTES_MAX)?;
                let selector = parse(&text).map_err(Failure::new)?;
                Ok((Cow::Owned(selector), text))
            }
        }
    }
}

fn parse(text: &str) -> Result<Css, String> {
    text.parse().map_err(|error: SelectorError| {
        let error = format!("{error}");
        format!("{} is not a selector that can be used here: {}", quote(text), error.trim_end_matches('.'))
    })
}
