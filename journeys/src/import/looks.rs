//! What a value looks like: made by a machine for this one visit, or written by somebody.

use super::name::words;
use crate::scan::VALUE_BYTES_MAX;

/// How likely a value is another one in the next visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Looks {
    /// A word, a small number, a date.
    Fixed,
    /// An id perhaps: it has digits.
    Perhaps,
    /// A token or an id: nobody types that.
    Random,
}

/// What `value` looks like.
pub(super) fn looks(value: &str) -> Looks {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=~%|?&".contains(&byte);
    if !(3..=VALUE_BYTES_MAX).contains(&value.len()) || !value.bytes().all(is_token) || is_moment(value) {
        return Looks::Fixed;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if digits == value.len() {
        return if digits >= 8 { Looks::Random } else { Looks::Perhaps };
    }
    if is_uuid(value) || value.split(|character: char| !character.is_ascii_alphanumeric()).any(is_random) {
        return Looks::Random;
    }
    if digits > 0 { Looks::Perhaps } else { Looks::Fixed }
}

/// A run of letters and digits that no word and no name of a product is.
fn is_random(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let upper = run.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = run.bytes().filter(u8::is_ascii_lowercase).count();
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let changes = run.as_bytes().windows(2).filter(|pair| is_digit(&pair[0]) != is_digit(&pair[1])).count();
    let is_hex = run.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_both = digits > 0 && digits < run.len();
    (run.len() >= 12 && has_both && changes >= 3)
        || (run.len() >= 16 && is_hex)
        || (run.len() >= 8 && digits == run.len())
        || (run.len() >= 24 && upper >= 4 && lower >= 4)
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`
fn is_uuid(value: &str) -> bool {
    let lengths: Vec<usize> = value.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// A date or a time of day, alone or together.
fn is_moment(value: &str) -> bool {
    let has_shape = |shape: &str| {
        let fits =
            |(found, shape): (u8, u8)| if shape == b'd' { found.is_ascii_digit() } else { found == shape };
        let rest = value.get(shape.len()..);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['T', ':']))
            && value.bytes().zip(shape.bytes()).all(fits)
    };
    has_shape("dddd-dd-dd") || has_shape("dd.dd.dddd") || has_shape("dd/dd/dddd") || has_shape("dd:dd")
}

/// True when a name says that the value is an id, a token or the like.
pub(super) fn is_id_name(name: &str) -> bool {
    const LAST_WORDS: &[&str] = &[
        "cart",
        "code",
        "csrf",
        "csrfmiddlewaretoken",
        "gid",
        "guid",
        "handle",
        "hash",
        "id",
        "ids",
        "item",
        "key",
        "nonce",
        "no",
        "number",
        "order",
        "product",
        "ref",
        "reference",
        "session",
        "signature",
        "sku",
        "slug",
        "token",
        "uuid",
        "variant",
    ];
    words(name).last().is_some_and(|last| LAST_WORDS.contains(&last.as_str()))
}

/// True when a name says that somebody typed or chose the value.
pub(super) fn is_typed_name(name: &str) -> bool {
    const LAST_WORDS: &[&str] = &[
        "address", "amount", "birthday", "city", "company", "count", "country", "date", "first", "limit",
        "line1", "line2", "mobile", "name", "page", "phone", "postal", "postcode", "qty", "quantity",
        "street", "tel", "zip",
    ];
    const WORDS: &[&str] = &["birthday", "mobile", "phone", "postal", "tel", "zip"];
    let words = words(name);
    words.last().is_some_and(|last| LAST_WORDS.contains(&last.as_str()))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether a number is the time of `at_ms`, give or take a day, as scripts append it to pass caches by.
pub(super) fn is_clock(value: &str, at_ms: i64) -> bool {
    const DAY_MS: i64 = 86_400_000;
    let Ok(number) = value.parse::<i64>() else { return false };
    [number, number.saturating_mul(1_000)].iter().any(|ms| ms.saturating_sub(at_ms).saturating_abs() < DAY_MS)
}

/// An e-mail address.
pub(super) fn is_email(value: &str) -> bool {
    let is_part = |part: &str, others: &str| {
        let is_known = |character: char| character.is_alphanumeric() || others.contains(character);
        !part.is_empty() && part.chars().all(is_known)
    };
    let Some((local, domain)) = value.split_once('@') else { return false };
    let end = domain.rsplit_once('.').map(|(_, end)| end);
    let has_end = end.is_some_and(|end| end.len() >= 2 && end.chars().all(char::is_alphabetic));
    value.len() <= 254 && is_part(local, "!#$%&'*+-/=?^_`{|}~.") && is_part(domain, "-.") && has_end
}

#[cfg(test)]
mod tests {
    use super::{Looks, is_clock, is_email, looks};

    #[test]
    fn tokens_are_told_from_words() {
        for (value, expected) in [
            ("7", Looks::Fixed),
            ("12", Looks::Fixed),
            ("lamp", Looks::Fixed),
            ("blue-desk-lamp", Looks::Fixed),
            ("2026-12-01", Looks::Fixed),
            ("12:30", Looks::Fixed),
            ("Flat 12", Looks::Fixed),
            ("1042", Looks::Perhaps),
            ("iphone-15", Looks::Perhaps),
            ("DB-000123", Looks::Perhaps),
            ("10000042", Looks::Random),
            ("DB-20261127", Looks::Random),
            ("3f2b8c1d9e0a4f5b", Looks::Random),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", Looks::Random),
            ("gid://shop/Cart/Z2NwLXVzLWVhc3QxOjAxSjk5", Looks::Random),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl", Looks::Random),
        ] {
            assert_eq!(looks(value), expected, "{value}");
        }
    }

    #[test]
    fn addresses_and_clocks() {
        assert!(is_email("jane.doe+shop@mail.example.com"));
        for other in ["jane", "@example.com", "a@b", "a b@example.com", "https://u@example.com/x", "a@1.2"] {
            assert!(!is_email(other), "{other}");
        }
        assert!(is_clock("1795770000123", 1_795_770_000_000) && is_clock("1795770000", 1_795_770_000_000));
        assert!(!is_clock("1042", 1_795_770_000_000));
    }
}
