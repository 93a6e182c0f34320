//! A control's value as a browser has it before anybody touches it.

use lol_html::html_content::Element;

use super::page::attribute;
use crate::form::{BodyEncoding, Button, Control, Kind, Method};

/// What an element contributes to its form.
pub(super) struct Input {
    pub(super) control: Control,
    pub(super) is_radio: bool,
}

/// The control that an `input`, `button` or `textarea` is; `None` for those that never are sent.
pub(super) fn of(element: &Element<'_, '_>, tag: &str) -> Option<Input> {
    let name = attribute(element, "name").unwrap_or_default().into_boxed_str();
    let value = attribute(element, "value");
    let kind = attribute(element, "type").unwrap_or_default().trim().to_ascii_lowercase();
    let button = |is_image| Kind::Button(Box::new(button(element, is_image)));
    let (kind, value) = match (tag, kind.as_str()) {
        ("button", "reset" | "button") | ("input", "reset" | "button") => return None,
        ("button", _) | ("input", "submit") => (button(false), value.unwrap_or_default()),
        ("input", "image") => (button(true), String::new()),
        ("input", "checkbox" | "radio") => {
            (Kind::Choice(element.has_attribute("checked")), value.unwrap_or_else(|| "on".to_owned()))
        }
        ("input", "file") => (Kind::File, String::new()),
        ("textarea", _) => (Kind::Text, String::new()),
        (_, kind) => (Kind::Text, sanitized(element, kind, value.unwrap_or_default())),
    };
    let is_radio = matches!(kind, Kind::Choice(_))
        && attribute(element, "type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("radio"));
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
fn direction(element: &Element<'_, '_>, tag: &str) -> Option<(Box<str>, bool)> {
    let kind = attribute(element, "type").unwrap_or_default().to_ascii_lowercase();
    let has_text = tag == "textarea"
        || (tag == "input"
            && matches!(
                kind.as_str(),
                "" | "hidden" | "text" | "search" | "tel" | "url" | "email" | "password" | "submit"
            ));
    let name = attribute(element, "dirname").filter(|name| has_text && !name.is_empty())?;
    let is_rtl = attribute(element, "dir").is_some_and(|dir| dir.eq_ignore_ascii_case("rtl"));
    Some((name.into(), is_rtl))
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

/// The HTML standard's value sanitization of each type of input.
fn sanitized(element: &Element<'_, '_>, kind: &str, value: String) -> String {
    let without_line_ends = |value: String| value.replace(['\n', '\r'], "");
    match kind {
        "hidden" => value,
        "url" => without_line_ends(value).trim_matches(is_blank).to_owned(),
        "email" if element.has_attribute("multiple") => {
            value.split(',').map(|part| part.trim_matches(is_blank)).collect::<Vec<_>>().join(",")
        }
        "email" => without_line_ends(value).trim_matches(is_blank).to_owned(),
        "number" => {
            if number(&value).is_some() {
                value
            } else {
                String::new()
            }
        }
        "range" => range(element, &value),
        "color" => {
            let hex = value
                .strip_prefix('#')
                .filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
            hex.map_or_else(|| "#000000".to_owned(), |hex| format!("#{}", hex.to_ascii_lowercase()))
        }
        "date" => fitting(value, &["dddd-dd-dd"]),
        "month" => fitting(value, &["dddd-dd"]),
        "week" => fitting(value, &["dddd-Wdd"]),
        "time" => fitting(value, &["dd:dd", "dd:dd:dd", "dd:dd:dd.ddd"]),
        "datetime-local" => fitting(value, &["dddd-dd-ddTdd:dd", "dddd-dd-ddTdd:dd:dd"]),
        _ => without_line_ends(value),
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// A valid floating-point number of the HTML standard.
fn number(text: &str) -> Option<f64> {
    let begins = text.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '.');
    let number: f64 = text.parse().ok().filter(|_| begins && !text.ends_with('.'))?;
    number.is_finite().then_some(number)
}

/// A slider has always a value: in the middle where nothing is said, and on a step.
fn range(element: &Element<'_, '_>, value: &str) -> String {
    let read = |name: &str| attribute(element, name).and_then(|text| number(&text));
    let least = read("min").unwrap_or(0.0);
    let most = read("max").unwrap_or(100.0).max(least);
    let step = read("step").filter(|step| *step > 0.0).unwrap_or(1.0);
    let wanted = number(value).unwrap_or(least + (most - least) / 2.0).clamp(least, most);
    let on_step = least + ((wanted - least) / step).round() * step;
    let on_step = if on_step > most { on_step - step } else { on_step };
    // What steps of a tenth add up to has more digits than anybody wrote.
    let rounded = (on_step * 1e9).round() / 1e9;
    rounded.to_string()
}

/// The value when it has one of these shapes, in which `d` stands for a digit; otherwise nothing.
fn fitting(value: String, shapes: &[&str]) -> String {
    let fits = |shape: &&str| {
        shape.len() == value.len()
            && shape.bytes().zip(value.bytes()).all(|(shape, found)| match shape {
                b'd' => found.is_ascii_digit(),
                other => found == other,
            })
    };
    if shapes.iter().any(fits) { value } else { String::new() }
}
