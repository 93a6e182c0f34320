//! How a value is written where it is inserted, so that it stays one value there.

use std::fmt::Write;

use url::form_urlencoded;

/// Where a value is inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is: headers, raw bodies, expected texts.
    Verbatim,
    /// The beginning of a target, for links as extracted: kept, save for what a URL cannot hold, and without fragment.
    Link,
    /// One segment of a path (RFC 3986 `pchar`).
    PathSegment,
    /// A name or value of a query (RFC 3986 `unreserved`).
    Query,
    /// A field of `application/x-www-form-urlencoded`.
    Form,
    /// Inside a JSON string (RFC 8259).
    Json,
    /// As a number of JSON: checked where it is inserted.
    JsonNumber,
    /// As a value of JSON: checked where it is inserted.
    JsonValue,
    /// The value of a header in `multipart/form-data`.
    Multipart,
    /// Inside a quoted string of a CSS selector.
    Css,
}

impl Encoding {
    /// Appends `value` to `out` in this encoding.
    pub(crate) fn write(self, value: &str, out: &mut String) {
        match self {
            Self::Verbatim | Self::JsonNumber | Self::JsonValue => out.push_str(value),
            Self::Link => {
                let trimmed = value.trim_matches(|c: char| c <= ' ');
                percent(trimmed.split('#').next().unwrap_or_default(), stands_in_url, out);
            }
            Self::PathSegment => {
                percent(value, |byte| unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte), out)
            }
            Self::Query => percent(value, unreserved, out),
            Self::Form => out.extend(form_urlencoded::byte_serialize(value.as_bytes())),
            Self::Json => json(value, out),
            Self::Css => css(value, out),
            Self::Multipart => multipart(value, out),
        }
    }
}

/// Appends literal text of a target: what a person writes in a URL stays, blanks and the like are percent-encoded.
pub(crate) fn write_url_text(text: &str, out: &mut String) {
    percent(text, stands_in_url, out);
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn stands_in_url(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
}

fn percent(value: &str, keep: impl Fn(u8) -> bool, out: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in value.bytes() {
        if keep(byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

fn json(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // Writing to a String cannot fail.
            control @ '\0'..='\u{1f}' => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
}

/// Escapes by <https://html.spec.whatwg.org/#escape-a-multipart-form-data-name>.
fn multipart(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\n' => out.push_str("%0A"),
            '\r' => out.push_str("%0D"),
            '"' => out.push_str("%22"),
            other => out.push(other),
        }
    }
}

/// Escapes by <https://www.w3.org/TR/css-syntax-3/#escaping>: valid in strings and in identifiers.
fn css(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            // Writing to a String cannot fail.
            control @ ('\0'..='\u{1f}' | '\u{7f}') => drop(write!(out, "\\{:x} ", u32::from(control))),
            plain if plain.is_ascii_alphanumeric() || plain == '-' || plain == '_' || !plain.is_ascii() => {
                out.push(plain);
            }
            other => out.extend(['\\', other]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding::{self, *};

    fn write(encoding: Encoding, value: &str) -> String {
        let mut out = String::new();
        encoding.write(value, &mut out);
        out
    }

    #[test]
    fn a_value_stays_one_value_wherever_it_goes() {
        let nasty = "a/b?c=d&e #%\"\\é\n";
        for (encoding, expected) in [
            (Verbatim, nasty),
            (PathSegment, "a%2Fb%3Fc=d&e%20%23%25%22%5C%C3%A9%0A"),
            (Query, "a%2Fb%3Fc%3Dd%26e%20%23%25%22%5C%C3%A9%0A"),
            (Form, "a%2Fb%3Fc%3Dd%26e+%23%25%22%5C%C3%A9%0A"),
            (Json, "a/b?c=d&e #%\\\"\\\\é\\u000a"),
            (Css, "a\\/b\\?c\\=d\\&e\\ \\#\\%\\\"\\\\é\\a "),
            (Link, "a/b?c=d&e%20"),
        ] {
            assert_eq!(write(encoding, nasty), expected, "{encoding:?}");
        }
        assert_eq!(write(Link, " \n/p/7?ref=a%20b#reviews "), "/p/7?ref=a%20b");
    }
}
