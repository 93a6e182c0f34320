//! Header fields taken apart in place: lists, parameters and numbers, without a copy.

/// The parts of a field between separators that stand outside of quoted strings (RFC 9110, section 5.6).
#[derive(Clone, Debug)]
pub(super) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

/// The parts of `field` between `separator`; at least one, which may be empty.
pub(super) fn split(field: &[u8], separator: u8) -> Parts<'_> {
    Parts { rest: Some(field), separator }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let (mut quoted, mut escaped) = (false, false);
        for (position, byte) in rest.iter().enumerate() {
            match *byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                byte if byte == self.separator && !quoted => {
                    self.rest = Some(&rest[position + 1..]);
                    return Some(&rest[..position]);
                }
                _ => {}
            }
        }
        self.rest = None;
        Some(rest)
    }
}

/// The members of a list, without the white space around them; empty ones are left out.
pub(super) fn list(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(field, b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// `name=value` or `name`, each without white space around it; the value also without its quotes.
pub(super) fn parameter(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    match part.iter().position(|byte| *byte == b'=') {
        Some(position) => (part[..position].trim_ascii(), Some(unquoted(part[position + 1..].trim_ascii()))),
        None => (part.trim_ascii(), None),
    }
}

/// A quoted string without its quotes. Escapes stay: nothing that is looked for here has any.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// The largest number that is told apart: what RFC 9111, section 1.2.2, asks of seconds.
pub(super) const NUMBER_MAX: u32 = 1 << 31;

/// A whole number: digits alone. What is larger than [`NUMBER_MAX`] counts as that.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii();
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = text.iter().map(|digit| u32::from(*digit - b'0'));
    let number = digits.fold(0_u32, |sum, digit| sum.saturating_mul(10).saturating_add(digit));
    Some(number.min(NUMBER_MAX))
}

/// A content type without its parameters.
fn essence(content_type: &[u8]) -> &[u8] {
    let end = content_type.iter().position(|byte| *byte == b';').unwrap_or(content_type.len());
    content_type[..end].trim_ascii()
}

/// A content type without its parameters and in lower case, written into `room`; `None` where it is longer than that.
pub(super) fn lower_essence<'a>(content_type: &[u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let essence = essence(content_type);
    let lower = room.get_mut(..essence.len())?;
    lower.copy_from_slice(essence);
    lower.make_ascii_lowercase();
    Some(lower)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separators_in_quotes_do_not_separate() {
        let parts = |text: &'static str| {
            split(text.as_bytes(), b',').map(|part| std::str::from_utf8(part).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(parts(r#"a, "b,c" ,d"#), ["a", r#" "b,c" "#, "d"]);
        assert_eq!(parts(r#""a\",b",c"#), [r#""a\",b""#, "c"]);
        assert_eq!(parts(""), [""]);
        assert_eq!(parts(r#""never ends, a"#), [r#""never ends, a"#]);
        assert_eq!(list(b" ,a,, b ,").collect::<Vec<_>>(), [b"a", b"b"]);
    }

    #[test]
    fn parameters_numbers_and_types() {
        assert_eq!(parameter(b" max-age = \"300\" "), (&b"max-age"[..], Some(&b"300"[..])));
        assert_eq!(parameter(b"no-store"), (&b"no-store"[..], None));
        assert_eq!(parameter(b"="), (&b""[..], Some(&b""[..])));
        assert_eq!((number(b" 300 "), number(b"0")), (Some(300), Some(0)));
        assert_eq!(number(b"99999999999999999999"), Some(NUMBER_MAX));
        for text in ["", "-1", "1.5", "3e2", "17, 20", "٣"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
        assert_eq!(essence(b" text/html ; charset=utf-8"), b"text/html");
        let mut room = [0; 9];
        assert_eq!(lower_essence(b" Text/HTML;charset=UTF-8", &mut room), Some(&b"text/html"[..]));
        assert_eq!(lower_essence(b"text/plain", &mut room), None, "there is no room");
    }

    proptest! {
        #[test]
        fn parts_and_separators_are_the_whole(field in prop::collection::vec(any::<u8>(), 0..200)) {
            let parts: Vec<&[u8]> = split(&field, b',').collect();
            prop_assert_eq!(parts.join(&b','), &field[..]);
        }
    }
}
