//! Reads a form out of a page in one pass, without building a tree.
//!
//! Which form a control belongs to is a pointer in the HTML parser, not nesting: it is set by `<form>`, cleared by
//! `</form>`, and a `<form>` inside another is ignored (HTML standard, section 13.2.4.4). A `form="id"` overrules it.

mod control;
mod page;

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use lol_html::errors::RewritingError;
use lol_html::html_content::{Comment, Element, EndTag, TextChunk, TextType};
use lol_html::{DocumentContentHandlers, ElementContentHandlers, HtmlRewriter, Selector, Settings};

use super::Form;
use crate::charset::Charset;
use crate::html;
use page::Page;

/// Everything that a form is made of, and what its addresses are relative to.
static ELEMENTS: LazyLock<Option<Selector>> = LazyLock::new(|| {
    "form, input, button, select, optgroup, option, textarea, fieldset, legend, template, base[href], script, style, title, xmp, iframe, noembed, noframes, noscript"
        .parse()
        .ok()
});
/// What has a text that is sent.
static TEXTS: LazyLock<Option<Selector>> = LazyLock::new(|| "option, textarea".parse().ok());

type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The first form of `html`, a page at `address` that was encoded in `charset`, that `form` matches; `None` when there
/// is none. Pressed is the first button that `button` matches, or without it the form's default button.
///
/// # Errors
/// A sentence when the page cannot be read, or the form has no such button.
pub(crate) fn read(
    html: &[u8],
    address: &str,
    charset: Charset,
    form: &Selector,
    button: Option<&Selector>,
) -> Result<Option<Form>, String> {
    let (Some(elements), Some(texts)) = (ELEMENTS.as_ref(), TEXTS.as_ref()) else {
        return Ok(None);
    };
    let page = Rc::new(RefCell::new(Page::new(html)));
    let on_element = |look: fn(&mut Page, &Element<'_, '_>)| {
        let page = Rc::clone(&page);
        ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
            look(&mut page.borrow_mut(), element);
            Ok(())
        })
    };
    let at_element = Rc::clone(&page);
    let at_text = Rc::clone(&page);
    let all = ElementContentHandlers::default()
        .element(move |element: &mut Element<'_, '_>| open(&at_element, element));
    let text = ElementContentHandlers::default().text(move |chunk: &mut TextChunk<'_>| {
        if matches!(chunk.text_type(), TextType::Data | TextType::RCData) {
            at_text.borrow_mut().text(chunk.as_str());
        }
        Ok(())
    });
    let at_comment = Rc::clone(&page);
    let comments = DocumentContentHandlers::default().comments(move |comment: &mut Comment<'_>| {
        at_comment.borrow_mut().skip_to(comment.source_location().bytes().end);
        Ok(())
    });
    let mut settings = Settings::new()
        .with_strict(false)
        .with_memory_settings(html::memory())
        .append_document_content_handler(comments)
        .append_element_content_handler((Cow::Borrowed(elements), all))
        .append_element_content_handler((Cow::Borrowed(texts), text))
        .append_element_content_handler((Cow::Borrowed(form), on_element(Page::wants_form)));
    if let Some(button) = button {
        settings =
            settings.append_element_content_handler((Cow::Borrowed(button), on_element(Page::wants_button)));
    }
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // Ending it lets the handlers, and what they hold of the page, go.
    let outcome = rewriter.write(html).and_then(|()| rewriter.end());
    match outcome {
        Ok(()) | Err(RewritingError::ContentHandlerError(_)) => {}
        Err(error) => return Err(format!("the page cannot be read as HTML: {error}")),
    }
    let page = Rc::try_unwrap(page).ok();
    page.map_or(Ok(None), |page| page.into_inner().finish(address, charset, button.is_some()))
}

/// An element begins; some have to be followed to their ends.
fn open(page: &Rc<RefCell<Page>>, element: &mut Element<'_, '_>) -> HandlerResult {
    page.borrow_mut().open(element)?;
    let name = element.tag_name();
    let is_followed = !matches!(name.as_str(), "form" | "input" | "button" | "base");
    if !is_followed || !element.can_have_content() {
        return Ok(());
    }
    let at_end = Rc::clone(page);
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        at_end.borrow_mut().close(&name, end.source_location().bytes().end);
        Ok(())
    }))
}

#[cfg(test)]
mod tests;
