//! One pass over a page for all its selectors, without building a tree.
//!
//! The page streams through lol_html, which knows no implied end tags; [`nesting`] tells where they are.

mod nesting;

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use lol_html::errors::RewritingError;
use lol_html::html_content::{Element, TextChunk};
use lol_html::{ElementContentHandlers, HtmlRewriter, Selector, Settings};

use crate::html;

/// The most matches of one selector that are kept.
pub(crate) const MATCHES_MAX: usize = 10_000;
/// The longest value that is kept, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 64 * 1_024;
/// The most text that one selector collects from a page, in bytes.
const TEXT_BYTES_MAX: usize = 4 << 20;

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
    pub(crate) selector: Cow<'a, Selector>,
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
pub(crate) fn scan(html: &[u8], queries: Vec<Query<'_>>) -> Result<Vec<Found>, String> {
    let state = State::new(&queries);
    let mut rewriter = HtmlRewriter::new(settings(&state, queries), |_: &[u8]| {});
    let outcome = rewriter.write(html).and_then(|()| rewriter.end());
    match outcome {
        // A handler's error is our own way to stop early.
        Ok(()) | Err(RewritingError::ContentHandlerError(_)) => {}
        Err(error) => return Err(format!("the page cannot be read as HTML: {error}")),
    }
    let mut state = state.borrow_mut();
    Ok(state.searches.drain(..).map(Search::finish).collect())
}

/// Whether `html`, the beginning of a page, holds all that the queries want, each match to its end: then the rest of the
/// page would change nothing of what [`scan`] finds.
pub(crate) fn holds_all(html: &[u8], queries: Vec<Query<'_>>) -> bool {
    if queries.is_empty() {
        return true;
    }
    let state = State::new(&queries);
    let mut rewriter = HtmlRewriter::new(settings(&state, queries), |_: &[u8]| {});
    // Without an end: what is open now may go on.
    let has_stopped = rewriter.write(html).is_err();
    has_stopped && state.borrow().pending == 0
}

/// A pass that looks for all `queries`.
fn settings<'q>(state: &Rc<RefCell<State>>, queries: Vec<Query<'q>>) -> Settings<'q, 'q> {
    let wants_text = queries.iter().any(|query| query.take == Take::Text);
    let mut settings = Settings::new().with_strict(false).with_memory_settings(html::memory());
    for (index, query) in queries.into_iter().enumerate() {
        let handlers = handlers(state, index, query.take);
        settings = settings.append_element_content_handler((query.selector, handlers));
    }
    if let Some(selector) = nesting::SELECTOR.as_ref().filter(|_| wants_text) {
        let state = Rc::clone(state);
        let handlers = ElementContentHandlers::default()
            .element(move |element: &mut Element<'_, '_>| nest(&state, element));
        settings = settings.append_element_content_handler((Cow::Borrowed(selector), handlers));
    }
    settings
}

fn handlers<'h>(state: &Rc<RefCell<State>>, index: usize, take: Take<'h>) -> ElementContentHandlers<'h> {
    let at_element = Rc::clone(state);
    let handlers =
        ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| match take {
            Take::Count => at_element.borrow_mut().matched(index, None),
            Take::Attribute(name) => match element.get_attribute(name) {
                Some(value) => at_element.borrow_mut().matched(index, Some(Value::attribute(&value))),
                None => Ok(()),
            },
            Take::Text => open(&at_element, index, element),
        });
    if take != Take::Text {
        return handlers;
    }
    let at_text = Rc::clone(state);
    handlers.text(move |chunk: &mut TextChunk<'_>| {
        at_text.borrow_mut().text(index, chunk);
        Ok(())
    })
}

type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A match whose text is wanted begins.
fn open(state: &Rc<RefCell<State>>, index: usize, element: &mut Element<'_, '_>) -> HandlerResult {
    let opened = state.borrow_mut().open(index, element);
    let Some(number) = opened else {
        return Ok(());
    };
    if !element.can_have_content() {
        return state.borrow_mut().close(index, number);
    }
    let at_end = Rc::clone(state);
    element.on_end_tag(Box::new(move |_| at_end.borrow_mut().close(index, number)))
}

/// An element begins that ends others before it, or inside which no end tag is implied for those outside.
fn nest(state: &Rc<RefCell<State>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let name = element.tag_name();
    let ends = nesting::ends(&name);
    if !ends.is_empty() {
        state.borrow_mut().close_unclosed(ends, element.source_location().bytes().start)?;
    }
    if nesting::is_boundary(&name) {
        state.borrow_mut().depth += 1;
        let at_end = Rc::clone(state);
        element.on_end_tag(Box::new(move |_| {
            at_end.borrow_mut().depth -= 1;
            Ok(())
        }))?;
    }
    Ok(())
}

struct State {
    searches: Vec<Search>,
    /// How many searches still want something.
    pending: usize,
    /// How many lists and tables are open.
    depth: usize,
}

/// A match whose end has not come yet.
struct Open {
    number: usize,
    name: String,
    depth: usize,
    /// Where its start tag begins, in bytes.
    start: usize,
}

impl State {
    /// Nothing found yet.
    fn new(queries: &[Query<'_>]) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            searches: queries.iter().map(|query| Search::new(query.until)).collect(),
            pending: queries.len(),
            depth: 0,
        }))
    }

    /// A match that is complete at once; its value, or `None` when it is only counted.
    fn matched(&mut self, index: usize, value: Option<Value>) -> HandlerResult {
        let search = &mut self.searches[index];
        if search.wants_more() {
            match value {
                Some(value) => search.keep(value),
                None => search.count += 1,
            }
        }
        self.settle(index)
    }

    /// Begins a match with text; its number, or `None` when it is not wanted any more.
    fn open(&mut self, index: usize, element: &Element<'_, '_>) -> Option<usize> {
        let search = &mut self.searches[index];
        let number = search.values.len();
        if search.wants_more() {
            search.keep(Value::default());
        }
        (number < search.values.len()).then(|| {
            let start = element.source_location().bytes().start;
            search.open.push(Open { number, name: element.tag_name(), depth: self.depth, start });
            number
        })
    }

    fn text(&mut self, index: usize, chunk: &TextChunk<'_>) {
        let search = &mut self.searches[index];
        for open in &search.open {
            let value = &mut search.values[open.number];
            let room =
                VALUE_BYTES_MAX.saturating_sub(value.raw.len()).min(TEXT_BYTES_MAX - search.text_bytes);
            let text = chunk.as_str();
            let kept = &text[..text.floor_char_boundary(room)];
            value.raw.push_str(kept);
            value.is_escaped |= chunk.text_type().allows_html_entities();
            search.text_bytes += kept.len();
            search.overflowed |= kept.len() < text.len();
        }
    }

    /// Ends the match `number`, when it is still open.
    fn close(&mut self, index: usize, number: usize) -> HandlerResult {
        self.searches[index].open.retain(|open| open.number != number);
        self.settle(index)
    }

    /// Ends the matches of these names that were never closed, when an element begins at `start`.
    fn close_unclosed(&mut self, names: &[&str], start: usize) -> HandlerResult {
        for index in 0..self.searches.len() {
            let depth = self.depth;
            let is_over = |open: &Open| {
                open.start < start && open.depth == depth && names.contains(&open.name.as_str())
            };
            self.searches[index].open.retain(|open| !is_over(open));
            self.settle(index)?;
        }
        Ok(())
    }

    /// Stops the whole pass with an error once no search wants anything more.
    fn settle(&mut self, index: usize) -> HandlerResult {
        let search = &mut self.searches[index];
        if !search.settled && !search.wants_more() && search.open.is_empty() {
            search.settled = true;
            self.pending -= 1;
        }
        if self.pending == 0 { Err("found everything".into()) } else { Ok(()) }
    }
}

#[derive(Default)]
struct Search {
    until: Option<usize>,
    values: Vec<Value>,
    open: Vec<Open>,
    count: usize,
    text_bytes: usize,
    overflowed: bool,
    settled: bool,
}

impl Search {
    fn new(until: Option<usize>) -> Self {
        Self { until, ..Self::default() }
    }

    fn wants_more(&self) -> bool {
        self.until.is_none_or(|until| self.count <= until)
    }

    fn keep(&mut self, value: Value) {
        self.count += 1;
        if self.values.len() < MATCHES_MAX {
            self.values.push(value);
        } else {
            self.overflowed = true;
        }
    }

    fn finish(self) -> Found {
        let values = self.values.into_iter().map(Value::finish).collect();
        Found { values, count: self.count, overflowed: self.overflowed }
    }
}

/// A value as the page writes it.
#[derive(Default)]
struct Value {
    raw: String,
    is_escaped: bool,
    is_attribute: bool,
}

impl Value {
    fn attribute(raw: &str) -> Self {
        Self { raw: raw.to_owned(), is_escaped: true, is_attribute: true }
    }

    fn finish(self) -> String {
        if self.is_attribute {
            // Attributes have their own rule for references without a semicolon: `?a=1&copy=2` is not a © sign.
            return htmlize::unescape_attribute(self.raw).into_owned();
        }
        let text = if self.is_escaped { htmlize::unescape(self.raw).into_owned() } else { self.raw };
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests;
