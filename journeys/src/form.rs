//! Forms, taken from a page and submitted as a browser submits them.
//!
//! The rules are those of the HTML standard, section 4.10.22 "Form submission"; recordings of what Chromium sends for
//! the same pages are held against them (`journeys/tests`).

mod read;
mod sanitize;
mod submit;

use std::sync::LazyLock;

use crate::charset::Charset;
use crate::selector::Css;
pub(crate) use read::read;
pub(crate) use sanitize::Sanitizer;
pub(crate) use submit::{BOUNDARY, Filled, Submission, end_parts, part};

/// What the addresses of a page are relative to.
pub(crate) static BASE: LazyLock<Option<Css>> = LazyLock::new(|| "base[href]".parse().ok());

/// A form as its page gives it: everything that submitting needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    /// Where it goes, as the page writes it; `None` for the page itself.
    pub(crate) action: Option<Box<str>>,
    pub(crate) method: Method,
    pub(crate) encoding: BodyEncoding,
    /// What its fields are sent in.
    pub(crate) charset: Charset,
    /// The controls that have a name and are not disabled, in the order of the page, and all buttons that submit.
    pub(crate) controls: Vec<Control>,
    /// The position in `controls` of the button that is pressed.
    pub(crate) pressed: Option<usize>,
    /// The button that would be pressed is disabled, so that a browser sends nothing.
    pub(crate) is_blocked: bool,
    /// The page's own `<base href>`.
    pub(crate) base: Option<Box<str>>,
    /// Where the page is.
    pub(crate) page: Box<str>,
    /// What the page was encoded in, and with it the queries of its addresses.
    pub(crate) page_charset: Charset,
}

/// How a form is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Method {
    #[default]
    Get,
    Post,
    /// It closes a dialog, and nothing is sent.
    Dialog,
}

/// How the fields of a form are written into a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyEncoding {
    #[default]
    UrlEncoded,
    Multipart,
    Plain,
}

/// A control of a form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Control {
    pub(crate) name: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) kind: Kind,
    /// The field that tells the direction of its text (`dirname`), and how the direction follows.
    pub(crate) direction: Option<(Box<str>, Direction)>,
}

/// How the direction of a control's text follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    LeftToRight,
    RightToLeft,
    /// From the text itself.
    Auto,
}

/// What kind of control it is, as far as submitting tells them apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A field with a text, and what a browser makes of what is filled in.
    Text(Sanitizer),
    /// A field that was taken out.
    Gone,
    /// A box, a radio button or an option of a list; whether it is chosen.
    Choice(bool),
    /// A file, which nobody has chosen.
    File,
    /// A button, sent only when it is pressed.
    Button(Box<Button>),
}

/// What a button changes of its form's submission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Button {
    /// An image sends the place where it was pressed.
    pub(crate) is_image: bool,
    pub(crate) action: Option<Box<str>>,
    pub(crate) method: Option<Method>,
    pub(crate) encoding: Option<BodyEncoding>,
}

/// The part of a page that a form which begins behind `begin` needs: from there to the next end of a form, where
/// nothing before can reach into it and nothing behind belong to it; otherwise all.
pub(crate) fn around(html: &[u8], begin: usize) -> &[u8] {
    const REACH_IN: [&str; 7] = ["form", "fieldset", "template", "base", "svg", "math", "select"];
    let (before, rest) = html.split_at(begin.min(html.len()));
    let Some(end) = memchr::memmem::find(rest, b"</form") else { return html };
    let form = rest.get(..end + "</form>".len()).unwrap_or(rest);
    let is_alone = memchr::memmem::find(html, b"form=").is_none()
        && memchr::memmem::find(form, b"<!--").is_none()
        && memchr::memmem::find(rest, b"<base").is_none()
        && open_elements(before, REACH_IN) == [0; REACH_IN.len()]
        && open_elements(form, ["textarea", "script", "style"]) == [0; 3];
    if is_alone { form } else { html }
}

/// How many more elements of these tags begin than end.
fn open_elements<const TAGS: usize>(html: &[u8], tags: [&str; TAGS]) -> [i32; TAGS] {
    let mut open = [0; TAGS];
    for at in memchr::memchr_iter(b'<', html) {
        let (by, name) = if html.get(at + 1) == Some(&b'/') { (-1, at + 2) } else { (1, at + 1) };
        for (count, tag) in open.iter_mut().zip(tags) {
            let found = html.get(name..name + tag.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(tag.as_bytes())) {
                *count += by;
            }
        }
    }
    open
}

impl Method {
    fn of(attribute: &str) -> Self {
        match attribute.to_ascii_lowercase().as_str() {
            "post" => Self::Post,
            "dialog" => Self::Dialog,
            _ => Self::Get,
        }
    }
}

impl BodyEncoding {
    fn of(attribute: &str) -> Self {
        match attribute.to_ascii_lowercase().as_str() {
            "multipart/form-data" => Self::Multipart,
            "text/plain" => Self::Plain,
            _ => Self::UrlEncoded,
        }
    }
}
