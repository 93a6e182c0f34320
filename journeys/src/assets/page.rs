//! What a page itself makes a browser fetch, found while it streams by.

mod kind;

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use lol_html::html_content::{Element, TextChunk};
use lol_html::{ElementContentHandlers, HtmlRewriter, Selector, Settings};
use url::Url;

use super::{ASSETS_MAX, Asset, Found, drawn, media, srcset, style};
use crate::charset::Charset;
use crate::html::{self, attribute};
use kind::{is_css, is_image, is_lazy, is_media, is_preloaded, is_script, wants_media};

/// The most text of style elements that is looked at, in bytes.
const STYLE_BYTES_MAX: usize = 1 << 20;
/// How many images that wait until they are near the window (`loading=lazy`) are near it from the start.
const LAZY_NEAR: usize = 4;

/// Elements that may name an asset, or what addresses are relative to.
static ELEMENTS: LazyLock<Option<Selector>> = LazyLock::new(|| {
    "base[href], link[href], script[src], img, picture, source, input[src], video, audio, track[src], iframe[src], \
     object[data], embed[src], image, use, style, [style], [background], template, noscript"
        .parse()
        .ok()
});
static STYLES: LazyLock<Option<Selector>> = LazyLock::new(|| "style".parse().ok());

type HandlerResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The assets that `html` names, in the order of the page, each once. Addresses are relative to `base`, or to the
/// page's own `<base href>`; what their queries say is in `charset`, the encoding in which the page came. A page that is
/// cut or broken gives what could be read of it.
pub fn of_page(html: &[u8], charset: Charset, base: &Url) -> Vec<Asset> {
    let (Some(elements), Some(styles)) = (ELEMENTS.as_ref(), STYLES.as_ref()) else {
        return Vec::new();
    };
    let page = Rc::new(RefCell::new(Page::new(charset, base)));
    let (at_element, at_text) = (Rc::clone(&page), Rc::clone(&page));
    let all = ElementContentHandlers::default()
        .element(move |element: &mut Element<'_, '_>| open(&at_element, element));
    let text = ElementContentHandlers::default().text(move |chunk: &mut TextChunk<'_>| {
        at_text.borrow_mut().text(chunk.as_str(), chunk.last_in_text_node());
        Ok(())
    });
    let settings = Settings::new()
        .with_strict(false)
        .with_memory_settings(html::memory())
        .append_element_content_handler((Cow::Borrowed(elements), all))
        .append_element_content_handler((Cow::Borrowed(styles), text));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // An error means that there were enough assets or too much memory: what was found until then counts.
    drop(rewriter.write(html).and_then(|()| rewriter.end()));
    let mut found = std::mem::replace(&mut page.borrow_mut().found, Found::new());
    for asset in drawn(html, &found.pictures) {
        if found.assets.len() < ASSETS_MAX && !found.assets.contains(&asset) {
            found.assets.push(asset);
        }
    }
    found.assets
}

struct Page {
    charset: Charset,
    base: Url,
    has_base: bool,
    found: Found,
    /// Templates and the like, whose content is none of the page's.
    inert: usize,
    /// Inside a picture: what a source gave.
    picture: Option<Option<String>>,
    /// Inside a video or audio that has no source yet.
    wants_media: bool,
    lazy: usize,
    /// The text of a style element so far.
    style: String,
    /// Whether that style element counts.
    style_counts: bool,
}

fn open(page: &Rc<RefCell<Page>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let name = element.tag_name();
    let goes_on = page.borrow_mut().look_at(element, &name);
    if !goes_on {
        return Err("enough assets".into());
    }
    if matches!(name.as_str(), "template" | "picture" | "video" | "audio" | "noscript")
        && element.can_have_content()
    {
        let at_end = Rc::clone(page);
        element.on_end_tag(Box::new(move |_| {
            at_end.borrow_mut().close(&name);
            Ok(())
        }))?;
    }
    Ok(())
}

impl Page {
    fn new(charset: Charset, base: &Url) -> Self {
        Self {
            charset,
            base: base.clone(),
            has_base: false,
            found: Found::new(),
            inert: 0,
            picture: None,
            wants_media: false,
            lazy: 0,
            style: String::new(),
            style_counts: false,
        }
    }

    /// Looks at an element. False when there are enough assets.
    fn look_at(&mut self, element: &Element<'_, '_>, name: &str) -> bool {
        if matches!(name, "template" | "noscript") {
            self.inert += 1;
        }
        if self.inert > 0 {
            return true;
        }
        let read = |name: &str| attribute(element, name);
        if let Some(declarations) = read("style") {
            // Style sheets are in UTF-8 wherever they stand.
            for address in style::addresses(&declarations) {
                if !self.found.add(&address, &self.base, false) {
                    return false;
                }
            }
        }
        if element.namespace_uri() != html::NAMESPACE {
            let link =
                read("href").or_else(|| read("xlink:href")).filter(|_| matches!(name, "image" | "use"));
            return link.is_none_or(|link| link.starts_with('#') || self.name(link, false));
        }
        if let Some(background) =
            read("background").filter(|_| matches!(name, "body" | "table" | "tr" | "td" | "th"))
            && !self.name(background, false)
        {
            return false;
        }
        match name {
            "base" => self.rebase(element),
            "link" => return self.link(element),
            "script" => return !is_script(element) || self.add(read("src")),
            // Parsers take an `image` of HTML for an `img`.
            "img" | "image" => return self.image(element),
            "picture" => self.picture = Some(None),
            "source" => return self.source(element),
            "input" if read("type").is_some_and(|kind| kind.eq_ignore_ascii_case("image")) => {
                return self.add(read("src"));
            }
            "video" | "audio" => {
                self.wants_media = wants_media(element) && read("src").is_none();
                let goes_on = self.add(read("poster").filter(|_| name == "video"));
                return goes_on && self.add(read("src").filter(|_| wants_media(element)));
            }
            "iframe" if !is_lazy(element) && read("srcdoc").is_none() => return self.add(read("src")),
            "object" => return self.add(read("data")),
            "embed" => return self.add(read("src")),
            "track" if element.has_attribute("default") => return self.add(read("src")),
            "style" => {
                self.style_counts = read("type").is_none_or(|kind| is_css(&kind))
                    && media::matches(&read("media").unwrap_or_default());
            }
            _ => {}
        }
        true
    }

    fn close(&mut self, name: &str) {
        match name {
            "template" | "noscript" => self.inert = self.inert.saturating_sub(1),
            "picture" => self.picture = None,
            _ => self.wants_media = false,
        }
    }

    /// Text of a style element.
    fn text(&mut self, text: &str, is_last: bool) {
        if self.inert > 0 || !self.style_counts {
            return;
        }
        if self.style.len() + text.len() <= STYLE_BYTES_MAX {
            self.style.push_str(text);
        }
        if is_last {
            let css = std::mem::take(&mut self.style);
            style::look(&css, &self.base, &mut self.found);
        }
    }

    fn add(&mut self, address: Option<String>) -> bool {
        address.is_none_or(|address| self.name(address, false))
    }

    /// Adds what an element names. False when there are enough.
    fn name(&mut self, address: String, is_style: bool) -> bool {
        self.found.add(&self.charset.link(address), &self.base, is_style)
    }

    /// Only the first `<base>` of a page counts (HTML standard).
    fn rebase(&mut self, element: &Element<'_, '_>) {
        let href = attribute(element, "href").filter(|_| !self.has_base);
        if let Some(base) = href.and_then(|href| self.base.join(&href).ok()) {
            self.has_base = true;
            self.base = base;
        }
    }

    fn link(&mut self, element: &Element<'_, '_>) -> bool {
        let read = |name: &str| attribute(element, name).unwrap_or_default();
        let kinds = read("rel").to_ascii_lowercase();
        let has = |wanted: &str| kinds.split_ascii_whitespace().any(|kind| kind == wanted);
        let kind = read("type");
        if has("stylesheet") {
            if element.has_attribute("disabled") || !(kind.is_empty() || is_css(&kind)) {
                return true;
            }
            let before = self.found.assets.len();
            let goes_on = self.name(read("href"), true);
            if self.found.assets.len() > before && !media::matches(&read("media")) {
                self.found.last_does_not_apply();
            }
            return goes_on;
        }
        let wanted = (has("icon") && media::matches(&read("media")))
            || (has("preload") && is_preloaded(element))
            || has("modulepreload");
        if !wanted {
            return true;
        }
        let imagesrcset = read("imagesrcset");
        if !imagesrcset.is_empty() && read("as").eq_ignore_ascii_case("image") {
            let href = read("href");
            let chosen = srcset::choose(&imagesrcset, &read("imagesizes"), Some(&href)).map(str::to_owned);
            return self.add(chosen);
        }
        self.name(read("href"), false)
    }

    fn image(&mut self, element: &Element<'_, '_>) -> bool {
        if is_lazy(element) {
            self.lazy += 1;
            if self.lazy > LAZY_NEAR {
                return true;
            }
        }
        let src = attribute(element, "src");
        let from_picture = self.picture.as_mut().and_then(Option::take);
        let chosen = from_picture.or_else(|| match attribute(element, "srcset") {
            Some(srcset) => {
                let sizes = attribute(element, "sizes").unwrap_or_default();
                srcset::choose(&srcset, &sizes, src.as_deref()).map(str::to_owned)
            }
            None => src.clone(),
        });
        self.add(chosen)
    }

    /// A source of a picture, a video or an audio: the first that fits counts.
    fn source(&mut self, element: &Element<'_, '_>) -> bool {
        let read = |name: &str| attribute(element, name);
        let fits = media::matches(&read("media").unwrap_or_default());
        match &mut self.picture {
            Some(chosen @ None) if fits && read("type").is_none_or(|kind| is_image(&kind)) => {
                let sizes = read("sizes").unwrap_or_default();
                *chosen = read("srcset")
                    .and_then(|srcset| srcset::choose(&srcset, &sizes, None).map(str::to_owned));
                true
            }
            Some(_) => true,
            None if self.wants_media && fits && read("type").is_none_or(|kind| is_media(&kind)) => {
                self.wants_media = false;
                self.add(read("src"))
            }
            None => true,
        }
    }
}
