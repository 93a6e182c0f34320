//! One pass over a page for all its selectors, without building a tree.
//!
//! There are two ways to go over a page. [`quick`] is our own: it reads tags and texts as `lol_html` does, and matches the
//! patterns that journeys use. Whatever it does not know, in a selector or in a page, it leaves to the pass by `lol_html`
//! ([`whole`]), which costs several times as much. Both find the same.
//!
//! Neither knows implied end tags; [`nesting`] tells where they are.

mod nesting;
mod quick;
mod search;
mod tokens;
mod whole;

use std::borrow::Cow;

use crate::selector::Css;

/// The most matches of one selector that are kept.
pub(crate) const MATCHES_MAX: usize = 10_000;
/// The longest value that is kept, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 64 * 1_024;

/// What to take from an element that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take<'a> {
    /// Its text with that of its descendants.
    Text,
    /// The value of an attribute; an element without it is no match.
    Attribute(&'a str),
    /// Nothing: matches are only counted.
    Count,
}

/// One selector to look for.
pub(crate) struct Query<'a> {
    /// Which elements.
    pub(crate) selector: Cow<'a, Css>,
    /// What of them.
    pub(crate) take: Take<'a>,
    /// The match (from 0) after which the search may end; all matches when `None`.
    pub(crate) until: Option<usize>,
}

/// What was found for one selector.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The values in the order of the page: trimmed, character references resolved. Empty for [`Take::Count`].
    pub(crate) values: Vec<String>,
    /// How many elements matched until the search ended.
    pub(crate) count: usize,
    /// True when a limit was reached, so that `values` is not all there was, or one of them was cut.
    pub(crate) overflowed: bool,
}

/// Looks for all `queries` in `html`, and stops as soon as each has what it wants.
///
/// # Errors
/// A sentence when the page needs more memory than a pass may have.
pub(crate) fn scan(html: &[u8], queries: &[Query<'_>]) -> Result<Vec<Found>, String> {
    quick::pass(html, queries).map_or_else(|| whole::pass(html, queries), Ok)
}

/// Whether `html`, the beginning of a page, holds all that the queries want, each match to its end: then the rest of the
/// page would change nothing of what [`scan`] finds.
pub(crate) fn holds_all(html: &[u8], queries: &[Query<'_>]) -> bool {
    queries.is_empty() || whole::holds_all(html, queries)
}

#[cfg(test)]
mod tests;
