//! A control's value as a browser has it before anybody touches it.

use lol_html::html_content::Element;

use crate::form::{BodyEncoding, Button, Control, Direction, Kind, Method, Sanitizer};
use crate::html::attribute;

/// What an element contributes to its form.
pub(super) struct Input {
    pub(super) control: Control,
    pub(super) is_radio: bool,
}

/// The control that an `input`, `button` or `textarea` is; `None` for those that never are sent.
pub(super) fn of(element: &Element<'_, '_>, tag: &str) -> Option<Input> {
    let name = attribute(element, "name").unwrap_or_default().into_boxed_str();
    let value = attribute(element, "value");
    let kind = attribute(element, "type").unwrap_or_default().to_ascii_lowercase();
    let button = |is_image| Kind::Button(Box::new(button(element, is_image)));
    let (kind, value) = match (tag, kind.as_str()) {
        ("button", "reset" | "button") | ("input", "reset" | "button") => return None,
        ("button", _) => (button(false), value.unwrap_or_default()),
        // What browsers write on such a button is sent, too.
        ("input", "submit") => (button(false), value.unwrap_or_else(|| "Submit".to_owned())),
        ("input", "image") => (button(true), String::new()),
        ("input", "checkbox" | "radio") => {
            (Kind::Choice(element.has_attribute("checked")), value.unwrap_or_else(|| "on".to_owned()))
        }
        ("input", "file") => (Kind::File, String::new()),
        ("textarea", _) => (Kind::Text(Sanitizer::Keeps), String::new()),
        (_, kind) => {
            let sanitizer = Sanitizer::of(kind, |name| attribute(element, name));
            (Kind::Text(sanitizer), sanitizer.apply(value.unwrap_or_default()))
        }
    };
    let is_radio = matches!(kind, Kind::Choice(_))
        && attribute(element, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("radio"));
    Some(Input {
        control: Control { name, value: value.into(), kind, direction: direction(element, tag) },
        is_radio,
    })
}

fn button(element: &Element<'_, '_>, is_image: bool) -> Button {
    Button {
        is_image,
        action: attribute(element, "formaction").map(String::into_boxed_str),
        method: attribute(element, "formmethod").map(|method| Method::of(&method)),
        encoding: attribute(element, "formenctype").map(|kind| BodyEncoding::of(&kind)),
    }
}

/// `dirname`: the field that tells the direction of this one's text.
fn direction(element: &Element<'_, '_>, tag: &str) -> Option<(Box<str>, Direction)> {
    let kind = attribute(element, "type").unwrap_or_default().to_ascii_lowercase();
    let has_text = tag == "textarea"
        || (tag == "input"
            && matches!(
                kind.as_str(),
                "" | "hidden" | "text" | "search" | "tel" | "url" | "email" | "password" | "submit"
            ));
    let name = attribute(element, "dirname").filter(|_| has_text)?;
    let direction = match attribute(element, "dir").unwrap_or_default().to_ascii_lowercase().as_str() {
        "rtl" => Direction::RightToLeft,
        "auto" => Direction::Auto,
        _ => Direction::LeftToRight,
    };
    Some((name.into(), direction))
}

/// The text of an option or a text area, once it is complete.
pub(super) fn finish_text(control: &mut Control) {
    let text = htmlize::unescape(&*control.value).into_owned();
    control.value = match control.kind {
        // An option's text: white space at its ends is cut, other runs of it are one blank.
        Kind::Choice(_) => text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").into(),
        // A text area's first line end belongs to its tag.
        _ => {
            let text = text.replace("\r\n", "\n");
            text.strip_prefix('\n').unwrap_or(&text).into()
        }
    };
}
