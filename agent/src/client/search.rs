//! What is looked for in a body as it decodes: what other shoppers entered, and a hash of the whole.

use std::fmt;
use std::rc::Rc;

use doorbuster_model::cdn::{MarkSearch, Marks};
use ring::digest::{Context, SHA256};

/// Looks through a decoded body as it comes.
#[derive(Default)]
pub(crate) struct Search {
    marks: Option<(Rc<Marks>, MarkSearch)>,
    hashing: Option<Context>,
}

impl Search {
    /// Looks for the markers of all shoppers but `own`.
    pub(crate) fn new(marks: &Rc<Marks>, own: u64) -> Self {
        Self { marks: Some((Rc::clone(marks), MarkSearch::new(own))), hashing: None }
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::body::{BodyCount, Coding};
    use super::*;

    fn hash_of(coding: Coding, bytes: &[u8], is_hashed: bool) -> Option<u64> {
        let mut search = Search::default();
        if is_hashed {
            search.hash();
        }
        let mut count = BodyCount::begin(coding, false, 1 << 20, Some(Box::new(search)), true);
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
        let plain = hash_of(Coding::Identity, &text, true).unwrap();
        assert_eq!(hash_of(Coding::Gzip, &gzip, true), Some(plain));
        assert_eq!(hash_of(Coding::Brotli, &brotli, true), Some(plain));
        assert_ne!(hash_of(Coding::Identity, &text[..1_000], true), Some(plain));
        assert_eq!(hash_of(Coding::Gzip, &gzip, false), None, "nobody asked");
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash_of(Coding::Identity, b"abc", true), Some(0xba78_16bf_8f01_cfea));
    }
}
