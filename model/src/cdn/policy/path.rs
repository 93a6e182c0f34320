//! Paths as servers read them, however they are written.

use std::borrow::Cow;

use memchr::memchr2;

/// A path without the parameters of its parts (`/cart;jsessionid=A1` is `/cart`), and with the escapes of letters, digits,
/// `-`, `.`, `_` and `~` written out: those mean the same (RFC 3986, sections 3.3 and 6.2.2.2), and what is private is
/// private whichever way somebody asks for it. Nothing is copied of a path that has neither.
pub fn plain_path(path: &str) -> Cow<'_, str> {
    if memchr2(b';', b'%', path.as_bytes()).is_none() {
        return Cow::Borrowed(path);
    }
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(position) = rest.find([';', '%']) {
        let (before, special) = rest.split_at(position);
        plain.push_str(before);
        rest = if special.starts_with(';') {
            // Up to the next part.
            special.find('/').map_or("", |slash| &special[slash..])
        } else if let Some(letter) = unreserved(special) {
            plain.push(letter);
            &special[3..]
        } else {
            plain.push('%');
            &special[1..]
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// What the escape stands for that a text begins with, where that may as well stand there itself.
fn unreserved(text: &str) -> Option<char> {
    let [b'%', high, low, ..] = text.as_bytes() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let letter = char::from_u32(digit(*high)? * 16 + digit(*low)?)?;
    (letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')).then_some(letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_and_needless_escapes_are_left_out() {
        for (path, plain) in [
            ("/cart;jsessionid=A1", "/cart"),
            ("/cart;a=1/items;b=2", "/cart/items"),
            ("/;x", "/"),
            ("/%63art", "/cart"),
            ("/%43%41rt%2d%2D%7E", "/CArt--~"),
            // What means something else, or nothing, stays.
            ("/a%2Fb%20c", "/a%2Fb%20c"),
            ("/%2563art", "/%2563art"),
            ("/100%", "/100%"),
            ("/%6", "/%6"),
            ("/%zz%+1", "/%zz%+1"),
            ("/caf%C3%A9", "/caf%C3%A9"),
        ] {
            assert_eq!(plain_path(path), plain, "{path}");
        }
        assert!(matches!(plain_path("/cart/items"), Cow::Borrowed("/cart/items")), "nothing is copied");
    }

    proptest! {
        #[test]
        fn no_path_panics_and_others_stay_as_they_are(path in "(/|;|%|%63|%2F|=|a|é|\\PC){0,20}") {
            let plain = plain_path(&path);
            prop_assert!(!plain.contains(';') && plain.len() <= path.len());
            prop_assert!(path.contains([';', '%']) || plain == path);
        }
    }
}
