//! What a style sheet makes a browser fetch: other style sheets, fonts that are used, pictures that are drawn.

mod address;
mod font;
mod syntax;

use url::Url;

use super::{Asset, Found, PICTURES_MAX, Picture, media, resolve};
use address::address;
use font::{Font, families, font};
use syntax::{Rules, split_outside, without_comments};

pub(super) use address::addresses;

/// The most conditions within each other.
const DEPTH_MAX: u32 = 20;
/// States of elements that no page is in when it was just opened.
const WAITING: [&str; 6] = [":hover", ":focus", ":active", ":target", ":checked", ":visited"];
/// The longest selector that is looked for, in bytes.
const SELECTOR_BYTES_MAX: usize = 8_192;
/// The most fonts of one style sheet that are looked at.
const FONTS_MAX: usize = 100;

/// What a style sheet names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The style sheets that it imports, and the fonts that it declares and uses.
    pub assets: Vec<Asset>,
    /// Its pictures, fetched where a page has elements to draw them behind: see [`drawn`](super::drawn).
    pub pictures: Vec<Picture>,
}

impl Sheet {
    /// What remains when the sheet does not apply: what it imports, which does not apply either.
    #[must_use]
    pub fn unused(self) -> Self {
        let imports = self.assets.into_iter().filter(|asset| asset.is_style);
        Self {
            assets: imports.map(|asset| Asset { applies: false, ..asset }).collect(),
            pictures: Vec::new(),
        }
    }
}

/// What `css`, which came from `base`, names. Of a font's sources the first counts that is a file of a known format.
pub fn of_style(css: &[u8], base: &Url) -> Sheet {
    let css = String::from_utf8_lossy(css);
    let mut found = Found::new();
    look(&css, base, &mut found);
    Sheet { assets: found.assets, pictures: found.pictures }
}

/// Looks through the text of a style sheet.
pub(super) fn look(css: &str, base: &Url, found: &mut Found) {
    let css = without_comments(css);
    let mut may_import = true;
    let mut fonts: Vec<Font> = Vec::new();
    let mut used = String::new();
    for rule in Rules(&css) {
        let name = rule.prelude.trim_start().to_ascii_lowercase();
        match (name.as_str(), rule.block) {
            (prelude, None) if prelude.starts_with("@import") && may_import => {
                let address = address(&rule.prelude.trim_start()["@import".len()..]);
                if let Some(address) = address
                    && !found.add(&address, base, true)
                {
                    return;
                }
            }
            // Only these may stand before an import.
            (prelude, None) if prelude.starts_with("@charset") || prelude.starts_with("@layer") => {}
            (prelude, Some(block)) if prelude.starts_with("@font-face") && fonts.len() < FONTS_MAX => {
                may_import = false;
                fonts.push(font(block));
            }
            (prelude, block) => {
                may_import = false;
                let block = block.unwrap_or_default();
                used.push_str(&block.to_ascii_lowercase());
                used.push(';');
                pictures(prelude, rule.prelude, block, base, found, 0);
            }
        }
    }
    let families = families(&used);
    for font in fonts {
        let is_used = !font.family.is_empty() && families.contains(font.family.as_str());
        if let Some(source) = font.source.filter(|_| is_used)
            && !found.add(&source, base, false)
        {
            return;
        }
    }
}

/// Notes the pictures of a rule, or of the rules within one that applies.
fn pictures(lower: &str, prelude: &str, block: &str, base: &Url, found: &mut Found, depth: u32) {
    let condition = lower.strip_prefix("@media").map(media::matches);
    let is_group = condition == Some(true) || lower.starts_with("@supports") || lower.starts_with("@layer");
    if is_group && depth < DEPTH_MAX {
        for rule in Rules(block) {
            let lower = rule.prelude.trim_start().to_ascii_lowercase();
            pictures(&lower, rule.prelude, rule.block.unwrap_or_default(), base, found, depth + 1);
        }
        return;
    }
    if found.pictures.len() >= PICTURES_MAX
        || lower.starts_with('@')
        || !block.contains("url(") && !block.contains("URL(")
    {
        return;
    }
    // Each is looked at once, whatever the others are: only those that count are brought together.
    let elements: Vec<&str> = split_outside(prelude, ',').take(PICTURES_MAX).filter_map(element).collect();
    if elements.is_empty() {
        return;
    }
    for url in addresses(block).iter().filter_map(|address| resolve(address, base)) {
        for element in &elements {
            if !found.add_picture(element, &url) {
                return;
            }
        }
    }
}

/// Behind which elements a selector has a picture drawn: what stands before or behind an element is drawn with it, what
/// waits for a pointer is not.
fn element(selector: &str) -> Option<&str> {
    let element = selector.split("::").next().unwrap_or_default();
    let element = element.trim().trim_end_matches(":before").trim_end_matches(":after");
    let is_drawn = !element.is_empty() && !WAITING.iter().any(|state| element.contains(state));
    (is_drawn && element.len() <= SELECTOR_BYTES_MAX).then_some(element)
}
