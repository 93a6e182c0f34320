//! A word for the next page, carried there by a cookie: in quotes, with octal escapes, as Python's
//! `http.cookies` writes what is no plain value.

use std::fmt::Write as _;

use http::HeaderMap;

use crate::origin::visitor::{cookie, set_cookie};

const COOKIE: &str = "boutique_flash";
/// What stays as it is between the quotes, beside letters and digits.
const PLAIN: &[u8] = b"!#$%&'*+-.^_`|~: ()/<=>?@[]{}";

/// The word that came with a request, if one did.
pub(super) fn read(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE).map(unquoted)
}

/// Leaves a word for the next page.
pub(super) fn leave(headers: &mut HeaderMap, word: &str) {
    set_cookie(headers, &format!("{COOKIE}={}; Path=/boutique", quoted(word)));
}

/// Takes the word away, once it was shown.
pub(super) fn take_away(headers: &mut HeaderMap) {
    set_cookie(headers, &format!("{COOKIE}=; Path=/boutique; Max-Age=0"));
}

fn quoted(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('"');
    for byte in word.bytes() {
        if matches!(byte, b'"' | b'\\') {
            quoted.push('\\');
            quoted.push(char::from(byte));
        } else if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted.push('"');
    quoted
}

/// Reads what `quoted` writes, and makes something of anything else: whoever wrote it sees it alone.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let mut word = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8_lossy(&word).into_owned(),
            [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..] => {
                word.push((high - b'0') * 64 + (middle - b'0') * 8 + (low - b'0'));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(*escaped);
                after
            }
            [plain, after @ ..] => {
                word.push(*plain);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{leave, quoted, read, unquoted};
    use http::header::COOKIE;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn words_are_written_as_python_writes_them() {
        assert_eq!(quoted("Welcome, amber!"), r#""Welcome\054 amber!""#);
        assert_eq!(quoted(r#"a;"b"\"#), r#""a\073\"b\"\\""#);
        assert_eq!(quoted("é\n"), r#""\303\251\012""#);
    }

    #[test]
    fn what_was_written_is_read_again() {
        for word in ["", "Welcome, amber!", "\"\\;, é日本\n\t\u{7f}", "\\101", "100 % = #1"] {
            assert_eq!(unquoted(&quoted(word)), word);
        }
    }

    #[test]
    fn nonsense_is_read_as_something() {
        assert_eq!(unquoted("plain"), "plain");
        assert_eq!(unquoted(r#""\9\"#), "\"9\\");
        assert_eq!(unquoted(r"\777\37"), "77737");
        assert_eq!(unquoted(r"\377"), "\u{fffd}");
    }

    #[test]
    fn a_word_comes_back_with_its_cookie() {
        let mut headers = HeaderMap::new();
        leave(&mut headers, "Welcome, amber; \"hello\"");
        let line = headers["set-cookie"].to_str().unwrap().to_owned();
        let (pair, attributes) = line.split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/boutique");
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&format!("a=1; {pair}; b=2")).unwrap());
        assert_eq!(read(&headers).as_deref(), Some("Welcome, amber; \"hello\""));
    }
}
