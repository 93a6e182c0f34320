//! Looks through a page for elements, with what they can be found by again.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use lol_html::html_content::{Element, TextChunk};
use lol_html::{ElementContentHandlers, HtmlRewriter, MemorySettings, Selector, Settings};
use url::Url;

use super::selector::told_by;
use crate::form::BASE;
use crate::scan::{Query, Take, scan};

/// What one pass may allocate for itself, in bytes.
const SCAN_BYTES_MAX: usize = 16 << 20;
/// The most elements that one pass finds.
const FOUND_MAX: usize = 2_000;
/// The most elements that stand within each other.
const DEPTH_MAX: usize = 2_000;
/// The longest text of an element that is compared, in bytes.
const TEXT_BYTES_MAX: usize = 1_024;
/// How many of the elements around one are kept.
const AROUND_MAX: usize = 4;

/// Every element.
static ANY: LazyLock<Option<Selector>> = LazyLock::new(|| "*".parse().ok());

/// A start tag.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    /// With character references resolved.
    pub(super) attributes: Vec<(String, String)>,
    /// Selectors of the elements around it that have an id or a class, the nearest first.
    pub(super) around: Vec<String>,
    /// Whether it was found by its text.
    pub(super) has_text: bool,
}

impl Tag {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The elements of `html` that `keep` keeps, and those whose text is `text`.
pub(super) fn look(html: &str, text: Option<&str>, mut keep: impl FnMut(&Tag) -> bool) -> Vec<Tag> {
    let Some(selector) = ANY.as_ref() else {
        return Vec::new();
    };
    let state = Rc::new(RefCell::new(State { text: text.map(str::to_owned), ..State::default() }));
    let (at_element, at_text) = (Rc::clone(&state), Rc::clone(&state));
    let handlers = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
        let tag = at_element.borrow().tag(element);
        if keep(&tag) {
            at_element.borrow_mut().found(tag.clone());
        }
        open(&at_element, element, tag)
    });
    let handlers = handlers.text(move |chunk: &mut TextChunk<'_>| {
        at_text.borrow_mut().text(chunk.as_str());
        Ok(())
    });
    let memory = MemorySettings::new().with_max_allowed_memory_usage(SCAN_BYTES_MAX);
    let settings = Settings::new()
        .with_strict(false)
        .with_memory_settings(memory)
        .append_element_content_handler((Cow::Borrowed(selector), handlers));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // An error means that the page took too much memory: what was found until then counts.
    drop(rewriter.write(html.as_bytes()).and_then(|()| rewriter.end()));
    state.take().found
}

/// What the addresses of a page at `url` are relative to.
pub(super) fn base(html: &str, url: &Url) -> Url {
    let Some(selector) = BASE.as_ref() else { return url.clone() };
    let query = Query { selector: Cow::Borrowed(selector), take: Take::Attribute("href"), until: Some(0) };
    let found = scan(html.as_bytes(), &[query]).unwrap_or_default();
    let href = found.first().and_then(|found| found.values.first());
    href.and_then(|href| url.join(href).ok()).unwrap_or_else(|| url.clone())
}

type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// An element begins; those with an end are followed to it.
fn open(state: &Rc<RefCell<State>>, element: &mut Element<'_, '_>, tag: Tag) -> HandlerResult {
    let depth = state.borrow().open.len();
    if !element.can_have_content() || depth >= DEPTH_MAX {
        return Ok(());
    }
    state.borrow_mut().open.push(Open { selector: told_by(&tag), tag, text: String::new() });
    let at_end = Rc::clone(state);
    element.on_end_tag(Box::new(move |_| {
        at_end.borrow_mut().close(depth);
        Ok(())
    }))
}

#[derive(Default)]
struct State {
    /// The text that is looked for.
    text: Option<String>,
    open: Vec<Open>,
    found: Vec<Tag>,
}

/// An element whose end has not come yet.
struct Open {
    tag: Tag,
    /// What tells it from others.
    selector: Option<String>,
    text: String,
}

impl State {
    fn tag(&self, element: &Element<'_, '_>) -> Tag {
        let value = |raw: String| htmlize::unescape_attribute(raw).into_owned();
        let attributes = element.attributes().iter();
        Tag {
            name: element.tag_name(),
            attributes: attributes.map(|attribute| (attribute.name(), value(attribute.value()))).collect(),
            around: self
                .open
                .iter()
                .rev()
                .filter_map(|open| open.selector.clone())
                .take(AROUND_MAX)
                .collect(),
            has_text: false,
        }
    }

    fn found(&mut self, tag: Tag) {
        if self.found.len() < FOUND_MAX {
            self.found.push(tag);
        }
    }

    fn text(&mut self, text: &str) {
        if self.text.is_none() {
            return;
        }
        if let Some(open) = self.open.last_mut().filter(|open| open.text.len() < TEXT_BYTES_MAX) {
            open.text.push_str(text);
        }
    }

    /// The element at `depth` ends, and with it those inside that were never closed.
    fn close(&mut self, depth: usize) {
        self.open.truncate(depth + 1);
        if self.open.len() <= depth {
            return;
        }
        let Some(open) = self.open.pop() else { return };
        let is_wanted =
            self.text.as_deref().is_some_and(|text| htmlize::unescape(open.text.as_str()).trim() == text);
        if is_wanted {
            self.found(Tag { has_text: true, ..open.tag });
        }
    }
}
