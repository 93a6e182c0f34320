//! The pass by `lol_html`, which knows every selector that can be matched while a page streams by.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use lol_html::errors::RewritingError;
use lol_html::html_content::{Element, TextChunk};
use lol_html::{ElementContentHandlers, HtmlRewriter, Settings};

use super::search::{Searches, Value};
use super::{Found, Query, Take, nesting};
use crate::html;

/// Looks for all `queries` in `html`.
///
/// # Errors
/// A sentence when the page needs more memory than a pass may have.
pub(super) fn pass(html: &[u8], queries: &[Query<'_>]) -> Result<Vec<Found>, String> {
    let searches = Rc::new(RefCell::new(Searches::new(queries)));
    let mut rewriter = HtmlRewriter::new(settings(&searches, queries), |_: &[u8]| {});
    let outcome = rewriter.write(html).and_then(|()| rewriter.end());
    match outcome {
        // A handler's error is our own way to stop early.
        Ok(()) | Err(RewritingError::ContentHandlerError(_)) => {}
        Err(error) => return Err(format!("the page cannot be read as HTML: {error}")),
    }
    let found = searches.borrow_mut().finish();
    Ok(found)
}

/// Whether `html`, the beginning of a page, holds all that `queries` want.
pub(super) fn holds_all(html: &[u8], queries: &[Query<'_>]) -> bool {
    let searches = Rc::new(RefCell::new(Searches::new(queries)));
    let mut rewriter = HtmlRewriter::new(settings(&searches, queries), |_: &[u8]| {});
    // Without an end: what is open now may go on.
    let has_stopped = rewriter.write(html).is_err();
    has_stopped && searches.borrow().have_all()
}

/// A pass that looks for all `queries`.
fn settings<'q>(searches: &Rc<RefCell<Searches>>, queries: &'q [Query<'q>]) -> Settings<'q, 'q> {
    let wants_text = queries.iter().any(|query| query.take == Take::Text);
    let mut settings = Settings::new().with_strict(false).with_memory_settings(html::memory());
    for (index, query) in queries.iter().enumerate() {
        let handlers = handlers(searches, index, query.take);
        settings = settings.append_element_content_handler((Cow::Borrowed(&query.selector.whole), handlers));
    }
    if let Some(selector) = nesting::SELECTOR.as_ref().filter(|_| wants_text) {
        let searches = Rc::clone(searches);
        let handlers = ElementContentHandlers::default()
            .element(move |element: &mut Element<'_, '_>| nest(&searches, element));
        settings = settings.append_element_content_handler((Cow::Borrowed(selector), handlers));
    }
    settings
}

fn handlers<'h>(
    searches: &Rc<RefCell<Searches>>,
    index: usize,
    take: Take<'h>,
) -> ElementContentHandlers<'h> {
    let at_element = Rc::clone(searches);
    let handlers =
        ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| match take {
            Take::Count => result(at_element.borrow_mut().matched(index, None)),
            Take::Attribute(name) => match element.get_attribute(name) {
                Some(value) => result(at_element.borrow_mut().matched(index, Some(Value::attribute(value)))),
                None => Ok(()),
            },
            Take::Text => open(&at_element, index, element),
        });
    if take != Take::Text {
        return handlers;
    }
    let at_text = Rc::clone(searches);
    handlers.text(move |chunk: &mut TextChunk<'_>| {
        let is_escaped = chunk.text_type().allows_html_entities();
        at_text.borrow_mut().text(index, chunk.as_str(), is_escaped);
        Ok(())
    })
}

type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn result(flow: ControlFlow<()>) -> HandlerResult {
    if flow.is_break() { Err("found everything".into()) } else { Ok(()) }
}

/// A match whose text is wanted begins.
fn open(searches: &Rc<RefCell<Searches>>, index: usize, element: &mut Element<'_, '_>) -> HandlerResult {
    let start = element.source_location().bytes().start;
    let opened = searches.borrow_mut().open(index, &element.tag_name(), start);
    let Some(number) = opened else {
        return Ok(());
    };
    if !element.can_have_content() {
        return result(searches.borrow_mut().close(index, number));
    }
    let at_end = Rc::clone(searches);
    element.on_end_tag(Box::new(move |_| result(at_end.borrow_mut().close(index, number))))
}

/// An element begins that ends others before it, or inside which no end tag is implied for those outside.
fn nest(searches: &Rc<RefCell<Searches>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let name = element.tag_name();
    let start = element.source_location().bytes().start;
    result(searches.borrow_mut().close_unclosed(&name, start))?;
    if nesting::is_boundary(&name) && element.can_have_content() {
        searches.borrow_mut().deepen();
        let at_end = Rc::clone(searches);
        element.on_end_tag(Box::new(move |_| {
            at_end.borrow_mut().rise(1);
            Ok(())
        }))?;
    }
    Ok(())
}
