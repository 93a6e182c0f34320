//! What is looked for in a body as it decodes: what other shoppers entered, and a hash of the whole.

use std::fmt;
use std::rc::Rc;

use doorbuster_model::cdn::{MarkSearch, Marks};
use ring::digest::{Context, SHA256};

use super::HeadLines;

/// The most bytes of an answer's head that are kept for a proof; headers beyond them are left out.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Looks through a decoded body as it comes.
#[derive(Default)]
pub(crate) struct Search {
    marks: Option<(Rc<Marks>, MarkSearch)>,
    hashing: Option<Context>,
    /// What proves what may be found.
    pub heads: Heads,
}

/// The heads of an exchange, as far as nobody knows them any more when its body has come. As they are: nothing is taken
/// apart, and no secret is hidden, before anything is found.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// The value of the Cookie header that was sent; empty where there was none.
    pub cookies: Vec<u8>,
    /// The answer's headers, a line each.
    lines: Vec<u8>,
}

impl Search {
    /// Looks for the markers of all shoppers but `own`.
    pub(crate) fn new(marks: &Rc<Marks>, own: u64) -> Self {
        Self { marks: Some((Rc::clone(marks), MarkSearch::new(own))), ..Self::default() }
    }

    /// Takes a hash, too.
    pub(crate) fn hash(&mut self) {
        self.hashing = Some(Context::new(&SHA256));
    }

    /// Looks through the next piece.
    pub(super) fn look(&mut self, piece: &[u8]) {
        if let Some((marks, looking)) = &mut self.marks {
            looking.look(marks, piece);
        }
        if let Some(hashing) = &mut self.hashing {
            hashing.update(piece);
        }
    }

    /// Whose marker was found, if anybody's but the own.
    pub(super) fn foreign(&self) -> Option<u64> {
        self.marks.as_ref().and_then(|(_, looking)| looking.foreign())
    }

    /// The beginning of the hash of all pieces, where it was to be taken.
    pub(super) fn take_hash(&mut self) -> Option<u64> {
        let hash = self.hashing.take()?.finish();
        let begin = hash.as_ref().get(..8).and_then(|begin| begin.try_into().ok())?;
        Some(u64::from_be_bytes(begin))
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}, hashing: {}", self.marks, self.hashing.is_some())
    }
}

impl Heads {
    /// Keeps the cookies that were sent, and the answer's headers.
    pub(crate) fn of(cookies: Vec<u8>, answered: HeadLines<'_>) -> Self {
        let mut lines = Vec::with_capacity(1_024);
        answered.each(|name, value| {
            if lines.len() + name.len() + value.len() + 3 <= HEAD_BYTES_MAX {
                lines.extend_from_slice(name);
                lines.extend_from_slice(b": ");
                lines.extend_from_slice(value);
                lines.push(b'\n');
            }
        });
        Self { cookies, lines }
    }

    /// The answer's headers.
    pub(crate) fn answered(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let lines = self.lines.split(|byte| *byte == b'\n');
        lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii_start()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use doorbuster_model::cdn::Encoding;
    use http::header::{AGE, HeaderMap, HeaderValue, SET_COOKIE};

    use super::super::body::BodyCount;
    use super::*;

    fn hash_of(encoding: Encoding, bytes: &[u8], is_hashed: bool) -> Option<u64> {
        let mut search = Search::default();
        if is_hashed {
            search.hash();
        }
        let mut count = BodyCount::begin(encoding, false, 1 << 20, Some(Box::new(search)), true);
        assert!(!count.only_counts(), "it must be read");
        bytes.chunks(7).for_each(|piece| count.take(piece).unwrap());
        count.end().unwrap().1.hash
    }

    #[test]
    fn a_body_has_the_same_hash_however_it_is_encoded() {
        let text = b"body { margin: 0 }\n".repeat(100);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut brotli = Vec::new();
        brotli::CompressorWriter::new(&mut brotli, 4_096, 5, 20).write_all(&text).unwrap();
        let plain = hash_of(Encoding::Identity, &text, true).unwrap();
        assert_eq!(hash_of(Encoding::Gzip, &gzip, true), Some(plain));
        assert_eq!(hash_of(Encoding::Brotli, &brotli, true), Some(plain));
        assert_ne!(hash_of(Encoding::Identity, &text[..1_000], true), Some(plain));
        assert_eq!(hash_of(Encoding::Gzip, &gzip, false), None, "nobody asked");
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash_of(Encoding::Identity, b"abc", true), Some(0xba78_16bf_8f01_cfea));
    }

    #[test]
    fn heads_are_kept_as_they_were_and_within_bounds() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("sid=a:b; Path=/"));
        headers.append(AGE, HeaderValue::from_static("5"));
        let heads = Heads::of(b"sid=1".to_vec(), HeadLines::Http2(&headers));
        let answered: Vec<(&[u8], &[u8])> = heads.answered().collect();
        assert_eq!(answered, [(&b"set-cookie"[..], &b"sid=a:b; Path=/"[..]), (&b"age"[..], &b"5"[..])]);
        for _ in 0..1_000 {
            headers.append("x-long", HeaderValue::from_static("of a hundred bytes, as long as headers of a shop are that somebody has written with little to say"));
        }
        let heads = Heads::of(Vec::new(), HeadLines::Http2(&headers));
        assert!(heads.lines.len() <= HEAD_BYTES_MAX && heads.answered().count() > 100);
    }
}
