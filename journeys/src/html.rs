//! What every pass over a page shares.

use lol_html::MemorySettings;
use lol_html::html_content::Element;

/// The namespace of HTML: what stands in a drawing is no control, and has addresses of its own.
pub(crate) const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";
/// What one pass may allocate for itself, in bytes.
const PASS_BYTES_MAX: usize = 16 << 20;

/// The memory of one pass.
pub(crate) fn memory() -> MemorySettings {
    MemorySettings::new().with_max_allowed_memory_usage(PASS_BYTES_MAX)
}

/// The value of an attribute, its character references resolved.
pub(crate) fn attribute(element: &Element<'_, '_>, name: &str) -> Option<String> {
    element.get_attribute(name).map(|value| htmlize::unescape_attribute(value).into_owned())
}
