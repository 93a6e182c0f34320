//! The assets that a browser fetches with a page: a desktop's, 1280 by 720, one device pixel to a CSS pixel.
//!
//! Recordings of what Chromium fetches are held against it (`journeys/tests`). Left to scripts is what scripts fetch;
//! left out are the pictures that style sheets draw behind elements, prefetches, and the icon at `/favicon.ico`, which
//! browsers remember.

mod media;
mod page;
mod srcset;
mod style;

use url::Url;

pub use page::of_page;
pub use style::of_style;

/// The most assets of one page or style sheet.
const ASSETS_MAX: usize = 100;
/// The longest address of an asset, in bytes.
const ADDRESS_BYTES_MAX: usize = 8_192;

/// Something that a page, or one of its style sheets, makes a browser fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// An http or https address without fragment.
    pub url: Url,
    /// Whether it is a style sheet, which may name more.
    pub is_style: bool,
}

/// Assets as they are found: each once, and only so many.
struct Found {
    assets: Vec<Asset>,
}

impl Found {
    fn new() -> Self {
        Self { assets: Vec::new() }
    }

    /// Adds what `address`, relative to `base`, names. False when there are enough.
    fn add(&mut self, address: &str, base: &Url, is_style: bool) -> bool {
        let address = address.trim_matches(|character: char| character <= ' ');
        if !address.is_empty()
            && address.len() <= ADDRESS_BYTES_MAX
            && let Ok(mut url) = base.join(address)
        {
            url.set_fragment(None);
            let is_new = || !self.assets.iter().any(|known| known.url == url);
            if matches!(url.scheme(), "http" | "https") && is_new() {
                self.assets.push(Asset { url, is_style });
            }
        }
        self.assets.len() < ASSETS_MAX
    }
}

#[cfg(test)]
mod tests;
