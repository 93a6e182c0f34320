//! Forms, taken from a page and submitted as a browser submits them.
//!
//! The rules are those of the HTML standard, section 4.10.22 "Form submission"; recordings of what Chromium sends for
//! the same pages are held against them (`journeys/tests`).

mod read;
mod sanitize;
mod submit;

use std::sync::LazyLock;

use lol_html::Selector;

pub(crate) use read::read;
pub(crate) use sanitize::Sanitizer;
pub(crate) use submit::{BOUNDARY, Filled, Submission, end_parts, part};

/// What the addresses of a page are relative to.
pub(crate) static BASE: LazyLock<Option<Selector>> = LazyLock::new(|| "base[href]".parse().ok());

/// A form as its page gives it: everything that submitting needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    /// Where it goes, as the page writes it; `None` for the page itself.
    pub(crate) action: Option<Box<str>>,
    pub(crate) method: Method,
    pub(crate) encoding: BodyEncoding,
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
