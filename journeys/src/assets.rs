//! The assets that a browser fetches with a page.

use lol_html::html_content::Element;
use lol_html::{ElementContentHandlers, HtmlRewriter, MemorySettings, Selector, Settings};
use std::borrow::Cow;
use std::sync::LazyLock;
use url::Url;

/// The most assets of one page.
const ASSETS_MAX: usize = 100;
/// The longest address of an asset, in bytes.
const ADDRESS_BYTES_MAX: usize = 8_192;
/// What one pass may allocate for itself, in bytes.
const SCAN_BYTES_MAX: usize = 16 << 20;

/// Elements that may name an asset, or what addresses are relative to.
static SELECTOR: LazyLock<Option<Selector>> =
    LazyLock::new(|| "link[href], script[src], img[src], base[href]".parse().ok());

/// The stylesheets, scripts, images and icons that `html` names, in the order of the page, each once and without
/// fragment; at most 100, only http and https. Addresses are relative to `base`, or to the page's own `<base href>`.
///
/// Reads `<link rel="stylesheet | icon | preload" href>`, `<script src>` and `<img src>`; a page that is cut or broken
/// gives what could be read of it.
pub fn discover(html: &[u8], base: &Url) -> Vec<Url> {
    let Some(selector) = SELECTOR.as_ref() else {
        return Vec::new();
    };
    let mut page = Page { base: Cow::Borrowed(base), has_base: false, assets: Vec::new() };
    let handlers = ElementContentHandlers::default().element(|element: &mut Element<'_, '_>| {
        page.look_at(element);
        if page.assets.len() < ASSETS_MAX { Ok(()) } else { Err("enough assets".into()) }
    });
    let memory = MemorySettings::new().with_max_allowed_memory_usage(SCAN_BYTES_MAX);
    let settings = Settings::new()
        .with_strict(false)
        .with_memory_settings(memory)
        .append_element_content_handler((Cow::Borrowed(selector), handlers));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // An error means that there were enough assets or too much memory: what was found until then counts.
    drop(rewriter.write(html).and_then(|()| rewriter.end()));
    page.assets
}

struct Page<'a> {
    base: Cow<'a, Url>,
    has_base: bool,
    assets: Vec<Url>,
}

impl Page<'_> {
    fn look_at(&mut self, element: &Element<'_, '_>) {
        let attribute = match element.tag_name().as_str() {
            "base" => return self.rebase(element),
            "link" if !is_asset_link(element) => return,
            "link" => "href",
            _ => "src",
        };
        if let Some(mut address) = self.address(element, attribute) {
            address.set_fragment(None);
            if matches!(address.scheme(), "http" | "https") && !self.assets.contains(&address) {
                self.assets.push(address);
            }
        }
    }

    /// Only the first `<base>` of a page counts (HTML standard).
    fn rebase(&mut self, element: &Element<'_, '_>) {
        if !self.has_base
            && let Some(base) = self.address(element, "href")
        {
            self.has_base = true;
            self.base = Cow::Owned(base);
        }
    }

    fn address(&self, element: &Element<'_, '_>, attribute: &str) -> Option<Url> {
        let value = element.get_attribute(attribute)?;
        if value.len() > ADDRESS_BYTES_MAX || value.trim().is_empty() {
            return None;
        }
        self.base.join(&htmlize::unescape_attribute(value)).ok()
    }
}

fn is_asset_link(element: &Element<'_, '_>) -> bool {
    let kinds = element.get_attribute("rel").unwrap_or_default();
    kinds
        .split_ascii_whitespace()
        .any(|kind| ["stylesheet", "icon", "preload"].iter().any(|known| kind.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::discover;

    fn found(html: &str) -> Vec<String> {
        let base = Url::parse("https://shop.example/c/lamps").unwrap();
        discover(html.as_bytes(), &base).into_iter().map(String::from).collect()
    }

    #[test]
    fn a_page_names_its_assets() {
        let html = r#"<!doctype html><link rel="Stylesheet" href="/s.css?a=1&amp;b=2"><link rel=canonical href=/no>
            <link rel="shortcut icon" href=logo.svg><link rel=preload as=font href="//cdn.example/f.woff2">
            <script src="app.js"></script><script>var a = '<img src="/no.png">'</script>
            <img src="/1.svg"><img src="/1.svg#again"><img src="data:image/png;base64,AA"><img src=""><img>
            <noscript><img src="/pixel.gif"></noscript><!-- <img src="/comment.png"> --><a href="/p/1">x</a>"#;
        assert_eq!(
            found(html),
            [
                "https://shop.example/s.css?a=1&b=2",
                "https://shop.example/c/logo.svg",
                "https://cdn.example/f.woff2",
                "https://shop.example/c/app.js",
                "https://shop.example/1.svg",
            ]
        );
    }

    #[test]
    fn the_first_base_counts_and_the_number_is_bounded() {
        let html = "<base href=/a/><base href=/b/><img src=x.png>";
        assert_eq!(found(html), ["https://shop.example/a/x.png"]);
        let many: String = (0..150).map(|number| format!("<img src={number}.png>")).collect();
        assert_eq!(found(&many).len(), 100);
        assert!(found(&format!("<img src=\"/{}\">", "x".repeat(10_000))).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn no_page_panics(html in proptest::collection::vec(any::<u8>(), 0..200), tags in "(<img src=|<base href=|<link rel=icon href=|['\":/?#\\[\\]@ <>&x]|\\PC){0,40}") {
            let base = Url::parse("https://shop.example/").unwrap();
            discover(&html, &base);
            discover(tags.as_bytes(), &base);
        }
    }
}
