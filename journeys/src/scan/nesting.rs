//! Where an element ends whose author did not write its end tag: `<li>one<li>two`.
//!
//! The rules of the HTML standard ("optional tags") for lists, tables and menus; of the many elements that end a
//! paragraph, only another paragraph. An element ends others only within the same list or table.

use std::sync::LazyLock;

use lol_html::Selector;

/// Every element that [`ends`] or [`is_boundary`] knows.
pub(super) static SELECTOR: LazyLock<Option<Selector>> = LazyLock::new(|| {
    "li, dt, dd, p, option, optgroup, tr, td, th, tbody, tfoot, ul, ol, menu, dl, table, select".parse().ok()
});

/// The longest name that is known here, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 8;

/// A name in lower case, if it is no longer than those that are known here.
pub(super) fn lower<'b>(name: &[u8], buffer: &'b mut [u8; NAME_BYTES_MAX]) -> Option<&'b str> {
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

/// The elements that end where an element of this name begins.
pub(super) fn ends(name: &str) -> &'static [&'static str] {
    match name {
        "li" => &["li"],
        "dt" | "dd" => &["dt", "dd"],
        "p" => &["p"],
        "option" => &["option"],
        "optgroup" => &["option", "optgroup"],
        "td" | "th" => &["td", "th"],
        "tr" => &["td", "th", "tr"],
        "tbody" | "tfoot" => &["td", "th", "tr", "thead", "tbody"],
        _ => &[],
    }
}

/// The name of an element whose end others may be, in [`ends`]; empty for any other.
pub(super) fn unclosed(name: &str) -> &'static str {
    const NAMES: [&str; 11] =
        ["li", "dt", "dd", "p", "option", "optgroup", "td", "th", "tr", "thead", "tbody"];
    NAMES.into_iter().find(|known| *known == name).unwrap_or("")
}

/// True for an element whose content ends nothing outside it.
pub(super) fn is_boundary(name: &str) -> bool {
    matches!(name, "ul" | "ol" | "menu" | "dl" | "table" | "select")
}
