//! The assets that a browser fetches with a page: a desktop's, 1280 by 720, one device pixel to a CSS pixel.
//!
//! Recordings of what Chromium fetches are held against it (`journeys/tests`). Left to scripts is what scripts fetch;
//! left out are prefetches, and the icon at `/favicon.ico`, which browsers remember.

mod drawn;
mod media;
mod page;
mod srcset;
mod style;

use std::collections::HashSet;

use url::Url;

pub use drawn::drawn;
pub use page::of_page;
pub use style::{Sheet, of_style};

/// The most assets of one page that are to be fetched, those of its style sheets included.
pub const PAGE_ASSETS_MAX: usize = 200;
/// The most assets that are looked for in one page or style sheet: more than are fetched, so that it shows where some
/// are not.
const ASSETS_MAX: usize = 2 * PAGE_ASSETS_MAX;
/// The most pictures of one style sheet that are looked for.
const PICTURES_MAX: usize = 200;
/// The longest address of an asset, in bytes.
const ADDRESS_BYTES_MAX: usize = 8_192;

/// Something that a page, or one of its style sheets, makes a browser fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// An http or https address without fragment.
    pub url: Url,
    /// Whether it is a style sheet, which may name more.
    pub is_style: bool,
    /// False for a style sheet that is fetched and not used: for printing, say. What it imports is fetched, too.
    pub applies: bool,
}

/// A picture that a style sheet draws behind the elements that a selector matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub(crate) selector: Box<str>,
    pub(crate) url: Url,
}

/// Assets as they are found: each once, and only so many.
struct Found {
    assets: Vec<Asset>,
    pictures: Vec<Picture>,
    /// The addresses of the assets.
    known: HashSet<Url>,
}

impl Found {
    fn new() -> Self {
        Self { assets: Vec::new(), pictures: Vec::new(), known: HashSet::new() }
    }

    /// Adds what `address`, relative to `base`, names. False when there are enough.
    fn add(&mut self, address: &str, base: &Url, is_style: bool) -> bool {
        if let Some(url) = resolve(address, base)
            && self.known.insert(url.clone())
        {
            self.assets.push(Asset { url, is_style, applies: true });
        }
        self.assets.len() < ASSETS_MAX
    }

    /// What was added last is not used.
    fn last_does_not_apply(&mut self) {
        if let Some(last) = self.assets.last_mut() {
            last.applies = false;
        }
    }

    /// Adds a picture that is fetched where the selector matches. False when there are enough.
    fn add_picture(&mut self, selector: &str, url: &Url) -> bool {
        if self.pictures.len() < PICTURES_MAX {
            self.pictures.push(Picture { selector: selector.into(), url: url.clone() });
        }
        self.pictures.len() < PICTURES_MAX
    }
}

/// The http or https address that is meant, without fragment.
fn resolve(address: &str, base: &Url) -> Option<Url> {
    let address = address.trim_matches(|character: char| character <= ' ');
    if address.is_empty() || address.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let mut url = base.join(address).ok()?;
    url.set_fragment(None);
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests;
