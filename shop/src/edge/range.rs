//! Parts of an answer: `Range` and `If-Range` (RFC 9110, 13.1.5 and 14.2), one range at a time.

use std::ops::Range;

use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

/// What a viewer wants of some content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, also where several ranges are asked for or nobody can read what is: that may be ignored.
    Whole,
    /// These bytes.
    Bytes(Range<usize>),
    /// Bytes that it does not have.
    Beyond,
}

/// The part that a viewer asks for of so many bytes, whose entity tag is this.
pub(super) fn asked(headers: &HeaderMap, size_bytes: usize, etag: Option<&HeaderValue>) -> Part {
    let Some(range) = headers.get(RANGE).and_then(|range| range.to_str().ok()) else { return Part::Whole };
    // Only a strong tag says that the bytes are the same.
    let is_same =
        |condition: &HeaderValue| etag == Some(condition) && condition.as_bytes().starts_with(b"\"");
    let is_met = headers.get(IF_RANGE).is_none_or(is_same);
    if !is_met {
        return Part::Whole;
    }
    let Some((unit, range)) = range.split_once('=') else { return Part::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    bytes(range.trim(), size_bytes).unwrap_or(Part::Whole)
}

/// `first-last`, `first-` or `-count`; none of anything else.
fn bytes(range: &str, size_bytes: usize) -> Option<Part> {
    let (first, last) = range.split_once('-')?;
    let (begin, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size_bytes)),
        (Some(first), None) if last.is_empty() => (first, size_bytes),
        (None, Some(count)) if first.is_empty() => (size_bytes.saturating_sub(count), size_bytes),
        _ => return None,
    };
    Some(if begin < end { Part::Bytes(begin..end) } else { Part::Beyond })
}

/// Digits alone: no sign.
fn number(digits: &str) -> Option<usize> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Part, asked};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn part(pairs: &[(&'static str, &'static str)]) -> Part {
        let pairs = pairs.iter();
        let headers: HeaderMap = pairs
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        asked(&headers, 1_000, Some(&HeaderValue::from_static("\"abc\"")))
    }

    #[test]
    fn one_range_is_read_in_its_three_forms() {
        for (range, bytes) in [
            ("bytes=0-99", 0..100),
            ("bytes=0-0", 0..1),
            ("Bytes = 990-5000", 990..1_000),
            ("bytes=500-", 500..1_000),
            ("bytes=-10", 990..1_000),
            ("bytes=-5000", 0..1_000),
        ] {
            assert_eq!(part(&[("range", range)]), Part::Bytes(bytes), "{range}");
        }
    }

    #[test]
    fn what_is_not_there_is_beyond() {
        for range in ["bytes=1000-", "bytes=1000-1001", "bytes=-0"] {
            assert_eq!(part(&[("range", range)]), Part::Beyond, "{range}");
        }
    }

    #[test]
    fn what_may_be_ignored_is() {
        assert_eq!(part(&[]), Part::Whole);
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=9-1",
            "bytes=0-1,5-6",
            "bytes=+1-2",
            "bytes=a-b",
            "lines=0-1",
            "bytes=0-99999999999999999999",
        ] {
            assert_eq!(part(&[("range", range)]), Part::Whole, "{range}");
        }
    }

    #[test]
    fn a_condition_holds_for_the_same_strong_tag() {
        let with = |tag| part(&[("range", "bytes=0-9"), ("if-range", tag)]);
        assert_eq!(with("\"abc\""), Part::Bytes(0..10));
        for tag in ["\"other\"", "W/\"abc\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(with(tag), Part::Whole, "{tag}");
        }
    }
}
