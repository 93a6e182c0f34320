//! Content codings: what an answer came in, and what was asked for.

use super::fields::{list, parameter, split};

/// How an answer's body is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// `gzip`
    Gzip,
    /// `br`
    Brotli,
    /// `deflate`
    Deflate,
    /// `zstd`
    Zstd,
    /// In a way that is not known here.
    Other,
    /// In several ways, one over the other.
    Several,
}

impl Encoding {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
            Self::Other => "other",
            Self::Several => "several",
        }
    }

    fn named(coding: &[u8]) -> Self {
        let is = |known: &str| coding.eq_ignore_ascii_case(known.as_bytes());
        match coding.len() {
            2 if is("br") => Self::Brotli,
            4 if is("gzip") => Self::Gzip,
            4 if is("zstd") => Self::Zstd,
            6 if is("x-gzip") => Self::Gzip,
            7 if is("deflate") => Self::Deflate,
            8 if is("identity") => Self::Identity,
            _ => Self::Other,
        }
    }

    /// This coding with those of one more `Content-Encoding` over it.
    pub(super) fn with(self, content_encoding: &[u8]) -> Self {
        list(content_encoding).map(Self::named).fold(self, |inner, outer| match (inner, outer) {
            (inner, Self::Identity) => inner,
            (Self::Identity, outer) => outer,
            _ => Self::Several,
        })
    }
}

/// The codings that a request takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked(u8);

impl Asked {
    /// What an `Accept-Encoding` takes; those of quality 0 are refused (RFC 9110, section 12.5.3).
    pub fn of(accept_encoding: &str) -> Self {
        let (mut taken, mut refused, mut takes_others) = (0, 0, false);
        for member in list(accept_encoding.as_bytes()) {
            let mut parts = split(member, b';');
            let coding = parts.next().unwrap_or_default().trim_ascii();
            let is_zero = |quality: &[u8]| quality.iter().all(|byte| matches!(byte, b'0' | b'.'));
            let is_refusal = |part: &[u8]| {
                let (name, value) = parameter(part);
                name.eq_ignore_ascii_case(b"q") && value.is_some_and(is_zero)
            };
            match (coding == b"*", parts.any(is_refusal)) {
                (true, is_refused) => takes_others |= !is_refused,
                (false, true) => refused |= bit(Encoding::named(coding)),
                (false, false) => taken |= bit(Encoding::named(coding)),
            }
        }
        // What is named is not meant by `*`.
        let others = if takes_others { u8::MAX } else { 0 };
        Self((taken | others) & !refused)
    }

    /// Whether an answer may come in this coding. Of several, each would have to be asked for: that they are several is
    /// wrong enough.
    pub const fn takes(self, encoding: Encoding) -> bool {
        matches!(encoding, Encoding::Identity | Encoding::Several) || self.0 & bit(encoding) != 0
    }

    /// Whether the codings are among them that edges compress with.
    pub const fn takes_compressed(self) -> bool {
        self.0 & (bit(Encoding::Gzip) | bit(Encoding::Brotli)) != 0
    }
}

/// What is not known by name is never asked for by it.
const fn bit(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Other => 0,
        known => 1 << known as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Encoding};

    #[test]
    fn codings_lie_one_over_the_other() {
        // Each line is a header of its own.
        for (lines, encoding) in [
            ("gzip", Encoding::Gzip),
            ("X-GZIP", Encoding::Gzip),
            ("br", Encoding::Brotli),
            ("identity", Encoding::Identity),
            ("", Encoding::Identity),
            ("zstd", Encoding::Zstd),
            ("deflate", Encoding::Deflate),
            ("identity, br", Encoding::Brotli),
            ("gzip, gzip", Encoding::Several),
            ("gzip\nbr", Encoding::Several),
            ("aws-chunked", Encoding::Other),
        ] {
            let read =
                lines.split('\n').fold(Encoding::Identity, |encoding, line| encoding.with(line.as_bytes()));
            assert_eq!(read, encoding, "{lines:?}");
        }
    }

    #[test]
    fn what_is_refused_is_not_asked_for() {
        let taken = |text: &str| {
            let asked = Asked::of(text);
            [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd, Encoding::Other].map(|one| asked.takes(one))
        };
        assert_eq!(taken("br, gzip"), [true, true, false, false]);
        assert_eq!(taken("gzip;q=0.5, br; q=0.00"), [true, false, false, false]);
        assert_eq!(taken("*"), [true, true, true, false]);
        assert_eq!(taken("gzip;q=0, *"), [false, true, true, false], "what is refused by name is refused");
        assert_eq!(taken("*, br;q=0"), [true, false, true, false], "wherever it stands");
        assert_eq!(taken("br, *;q=0"), [false, true, false, false]);
        assert_eq!(taken("identity"), [false; 4]);
        assert_eq!(taken(""), [false; 4]);
        assert!(Asked::of("").takes(Encoding::Identity) && !Asked::of("zstd").takes_compressed());
    }
}
