//! Bodies: counted as they come and as they decode, looked through and kept only where somebody wants that.

use std::io::{self, Write};

use super::Search;

/// The most of a decoded body that is kept for a journey to look at: 8 MiB.
pub(crate) const KEPT_MAX: usize = 8 << 20;
/// How a gzip file begins (RFC 1952, section 2.3.1), with the one method that there is.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// What is taken of a body.
#[derive(Debug)]
pub(crate) struct BodyCount {
    /// Bytes as they came over the wire (after chunking).
    pub wire: u64,
    decoder: Decoder,
    limit: u64,
}

/// What became of a body.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Bytes after decoding; `None` where its encoding is unknown here.
    pub decoded: Option<u64>,
    /// The decoded body, as far as it is kept; empty when nobody wanted it.
    pub kept: Vec<u8>,
    /// Whether it was longer than what is kept.
    pub cut: bool,
}

/// What was seen of a body while it was decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The other shopper whose marker is in it, where it was looked through.
    pub foreign: Option<u64>,
    /// Whether it begins as a gzip file does, though it is decoded.
    pub is_packed: bool,
    /// What tells the decoded body from others, where that was wanted, and where it is whole.
    pub hash: Option<u64>,
}

/// Why a body is no good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Longer than the plan's limit.
    #[error("the body is over the limit of {0} bytes; raise http.max_body in the plan if that is right")]
    TooLong(u64),
    /// Not what its encoding says.
    #[error("the body does not decode as {0}: {1}")]
    Undecodable(&'static str, io::Error),
}

enum Decoder {
    Identity(Sink),
    Gzip(Box<flate2::write::MultiGzDecoder<Sink>>),
    Brotli(Box<brotli::DecompressorWriter<Sink>>),
    /// Not decoded: nobody asked, or its encoding is unknown here.
    Left,
}

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all.
    Identity,
    /// gzip
    Gzip,
    /// br
    Brotli,
    /// In a way that is not known here.
    Other,
}

impl Coding {
    /// What a Content-Encoding says.
    pub(crate) fn of(value: &[u8]) -> Self {
        let is = |known: &str| value.eq_ignore_ascii_case(known.as_bytes());
        match value.len() {
            0 => Self::Identity,
            8 if is("identity") => Self::Identity,
            4 if is("gzip") => Self::Gzip,
            6 if is("x-gzip") => Self::Gzip,
            2 if is("br") => Self::Brotli,
            _ => Self::Other,
        }
    }
}

/// Decides which of the encoded bodies that nobody wants are decoded all the same, to know what compression saves.
/// Decoding costs more than the whole rest of an exchange, so past a number per second it is a sample, and the
/// report says how many were decoded.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    second: u64,
    seen: u32,
}

/// So many of a second are all decoded, per worker.
const ALL_PER_SECOND: u32 = 200;
/// Beyond them, one in so many.
const ONE_IN: u32 = 32;

impl Sampling {
    /// Whether the next encoded body, which came at `now_ns`, is decoded.
    pub(crate) fn takes(&mut self, now_ns: u64) -> bool {
        let second = now_ns / 1_000_000_000;
        if second != self.second {
            (self.second, self.seen) = (second, 0);
        }
        self.seen = self.seen.saturating_add(1);
        self.seen <= ALL_PER_SECOND || self.seen.is_multiple_of(ONE_IN)
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Counts and, where wanted, looks through and keeps.
#[derive(Debug)]
struct Sink {
    count: u64,
    limit: u64,
    wanted: bool,
    /// The first bytes.
    begins: [u8; GZIP.len()],
    kept: Vec<u8>,
    /// Boxed because few are looked through.
    search: Option<Box<Search>>,
}

impl Sink {
    fn seen(&self) -> Seen {
        let foreign = self.search.as_ref().and_then(|search| search.foreign());
        Seen { foreign, is_packed: self.begins == GZIP, hash: None }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let begun = usize::try_from(self.count).unwrap_or(usize::MAX);
        self.begins.iter_mut().skip(begun).zip(bytes).for_each(|(first, byte)| *first = *byte);
        if let Some(search) = &mut self.search {
            search.look(bytes);
        }
        self.count += bytes.len() as u64;
        if self.count > self.limit {
            return Err(io::Error::other("it decodes to more than the limit"));
        }
        if self.wanted {
            let room = KEPT_MAX.saturating_sub(self.kept.len()).min(bytes.len());
            self.kept.extend_from_slice(&bytes[..room]);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    fn name(&self) -> &'static str {
        match self {
            Self::Identity(_) => "identity",
            Self::Gzip(_) => "gzip",
            Self::Brotli(_) => "br",
            Self::Left => "what it is encoded as",
        }
    }
}

impl BodyCount {
    /// Begins a body in a coding. Over `limit` bytes, on the wire or decoded, it is an error. What is to be looked through
    /// is decoded, as far as its encoding is known; of the other encoded bodies that nobody wants those that are `sampled`.
    pub(crate) fn begin(
        coding: Coding,
        wanted: bool,
        limit: u64,
        search: Option<Box<Search>>,
        sampled: bool,
    ) -> Self {
        let is_decoded = wanted || search.is_some() || sampled;
        let sink = Sink { count: 0, limit, wanted, begins: [0; GZIP.len()], kept: Vec::new(), search };
        let decoder = match coding {
            Coding::Identity => Decoder::Identity(sink),
            Coding::Other => Decoder::Left,
            _ if !is_decoded => Decoder::Left,
            Coding::Gzip => Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(sink))),
            Coding::Brotli => Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(sink, 4_096))),
        };
        Self { wire: 0, decoder, limit }
    }

    /// Whether nothing but the number of bytes matters.
    pub(crate) fn only_counts(&self) -> bool {
        match &self.decoder {
            Decoder::Identity(sink) => !sink.wanted && sink.search.is_none(),
            Decoder::Left => true,
            Decoder::Gzip(_) | Decoder::Brotli(_) => false,
        }
    }

    /// Counts bytes that nobody looked at, where nothing else matters.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<(), BodyError> {
        self.wire += bytes;
        if let Decoder::Identity(sink) = &mut self.decoder {
            sink.count += bytes;
        }
        if self.wire > self.limit { Err(BodyError::TooLong(self.limit)) } else { Ok(()) }
    }

    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.wire += bytes.len() as u64;
        if self.wire > self.limit {
            return Err(BodyError::TooLong(self.limit));
        }
        let result = match &mut self.decoder {
            Decoder::Identity(sink) => sink.write_all(bytes),
            Decoder::Gzip(decoder) => decoder.write_all(bytes),
            Decoder::Brotli(decoder) => decoder.write_all(bytes),
            Decoder::Left => Ok(()),
        };
        result.map_err(|error| BodyError::Undecodable(self.decoder.name(), error))
    }

    /// What was kept of the decoded body so far.
    pub(crate) fn kept(&mut self) -> &[u8] {
        match &mut self.decoder {
            Decoder::Identity(sink) => &sink.kept,
            Decoder::Gzip(decoder) => {
                // It holds back what it decoded last. What is wrong with that shows again with what comes next.
                let _ = decoder.flush();
                &decoder.get_ref().kept
            }
            Decoder::Brotli(decoder) => {
                // So does this one, and hands out a buffer each time that it is given nothing.
                loop {
                    let before = decoder.get_ref().kept.len();
                    if decoder.write(&[]).is_err() || decoder.get_ref().kept.len() == before {
                        break;
                    }
                }
                &decoder.get_ref().kept
            }
            Decoder::Left => &[],
        }
    }

    /// Leaves the body before its end: nothing more is wanted than what was kept.
    pub(crate) fn leave(mut self) -> (Body, Seen) {
        let (sink, is_encoded) = match &mut self.decoder {
            Decoder::Identity(sink) => (sink, false),
            Decoder::Gzip(decoder) => (decoder.get_mut(), true),
            Decoder::Brotli(decoder) => (decoder.get_mut(), true),
            Decoder::Left => return (Body { cut: true, ..Body::default() }, Seen::default()),
        };
        // How much of an encoded body would have come of the bytes that came is known to its end alone.
        let decoded = (!is_encoded).then_some(sink.count);
        (Body { decoded, kept: std::mem::take(&mut sink.kept), cut: true }, sink.seen())
    }

    /// Ends the body.
    pub(crate) fn end(self) -> Result<(Body, Seen), BodyError> {
        let name = self.decoder.name();
        let empty = self.wire == 0;
        let sink = match self.decoder {
            Decoder::Identity(sink) => Ok(sink),
            // A body without a byte (HEAD, 304) is complete whatever its encoding.
            Decoder::Gzip(_) | Decoder::Brotli(_) if empty => {
                return Ok((Body { decoded: Some(0), ..Body::default() }, Seen::default()));
            }
            Decoder::Gzip(decoder) => decoder.finish(),
            Decoder::Brotli(mut decoder) => match decoder.close() {
                Ok(()) => decoder.into_inner().or_else(Ok),
                Err(error) => Err(error),
            },
            Decoder::Left => return Ok((Body::default(), Seen::default())),
        };
        let mut sink = sink.map_err(|error| BodyError::Undecodable(name, error))?;
        let cut = sink.wanted && sink.count > sink.kept.len() as u64;
        let hash = sink.search.as_mut().and_then(|search| search.take_hash());
        let seen = Seen { hash, ..sink.seen() };
        Ok((Body { decoded: Some(sink.count), kept: sink.kept, cut }, seen))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use doorbuster_model::cdn::Marks;

    use super::*;

    fn read(encoding: &str, bytes: &[u8], limit: u64) -> Result<(u64, Body), BodyError> {
        let mut count = BodyCount::begin(Coding::of(encoding.as_bytes()), true, limit, None, true);
        for piece in bytes.chunks(7) {
            count.take(piece)?;
        }
        Ok((count.wire, count.end()?.0))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4_096, 5, 20).write_all(text).unwrap();
        out
    }

    #[test]
    fn bodies_are_counted_on_the_wire_and_decoded() {
        let text = b"doorbuster ".repeat(1_000);
        for (encoding, bytes) in [("identity", text.clone()), ("gzip", gzip(&text)), ("br", brotli(&text))] {
            let (wire, body) = read(encoding, &bytes, 1 << 20).unwrap();
            assert_eq!((wire, body.decoded), (bytes.len() as u64, Some(11_000)), "{encoding}");
            assert!(body.kept == text && !body.cut, "{encoding}");
        }
        assert_eq!(read("zstd", b"abc", 99).unwrap().1.decoded, None);
    }

    #[test]
    fn what_breaks_off_lies_or_explodes_is_an_error() {
        let text = b"doorbuster ".repeat(1_000);
        for (encoding, bytes) in [("gzip", gzip(&text)), ("br", brotli(&text))] {
            assert!(read(encoding, &bytes[..bytes.len() - 5], 1 << 20).is_err(), "{encoding} broken off");
            assert!(read(encoding, &text, 1 << 20).is_err(), "{encoding} that is none");
            assert!(read(encoding, &bytes, 10_999).is_err(), "{encoding} that decodes to too much");
        }
        assert!(matches!(read("identity", &text, 10_999), Err(BodyError::TooLong(10_999))));
    }

    #[test]
    fn a_body_that_nobody_wants_is_decoded_as_a_sample() {
        let mut count = BodyCount::begin(Coding::Brotli, false, 99, None, false);
        count.take(b"not even brotli").unwrap();
        assert_eq!((count.wire, count.end().unwrap().0.decoded), (15, None));
        let mut plain = BodyCount::begin(Coding::Identity, false, 99, None, false);
        plain.take(b"plain").unwrap();
        assert_eq!(plain.end().unwrap().0.decoded, Some(5), "what is not encoded needs no decoding");
        let mut sampling = Sampling::default();
        let taken = |sampling: &mut Sampling, now_ns| (0..1_000).filter(|_| sampling.takes(now_ns)).count();
        assert_eq!(taken(&mut sampling, 5), 200 + 25);
        assert_eq!(taken(&mut sampling, 1_000_000_005), 200 + 25);
    }

    #[test]
    fn a_body_can_be_left_with_all_that_came_of_it() {
        // Pseudo-random, so that it is not packed into a few bytes.
        let numbers = (0..20_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string());
        let text = numbers.collect::<Vec<_>>().join(" ").into_bytes();
        for (encoding, bytes) in [("identity", text.clone()), ("gzip", gzip(&text)), ("br", brotli(&text))] {
            let mut count = BodyCount::begin(Coding::of(encoding.as_bytes()), true, 1 << 20, None, true);
            count.take(&bytes[..bytes.len() / 2]).unwrap();
            let kept = count.kept().to_vec();
            assert!(kept.len() > text.len() / 4 && text.starts_with(&kept), "{encoding}: {}", kept.len());
            assert_eq!(count.wire, bytes.len() as u64 / 2, "{encoding}");
            let (body, _) = count.leave();
            assert!(body.kept == kept && body.cut, "{encoding}");
            assert_eq!(body.decoded, (encoding == "identity").then_some(text.len() as u64 / 2));
        }
    }

    /// What is seen of a body that nobody wants and that is looked through, whole or left at its end.
    fn seen(encoding: &str, bytes: &[u8], search: bool) -> [Seen; 2] {
        let marks = Rc::new(Marks::of("run"));
        [true, false].map(|is_whole| {
            let search = search.then(|| Box::new(Search::new(&marks, 17)));
            let coding = Coding::of(encoding.as_bytes());
            let mut count = BodyCount::begin(coding, false, 1 << 20, search, true);
            bytes.chunks(7).for_each(|piece| count.take(piece).unwrap());
            // What a decoder holds back until it is asked.
            count.kept();
            if is_whole { count.end().unwrap().1 } else { count.leave().1 }
        })
    }

    #[test]
    fn a_body_is_looked_through_however_it_is_encoded() {
        let marks = Marks::of("run");
        for (shopper, foreign) in [(3, Some(3)), (17, None)] {
            let text = format!("{}<b>{}</b>", "page ".repeat(100), marks.of_shopper(shopper)).into_bytes();
            let expected = [Seen { foreign, ..Seen::default() }; 2];
            for (encoding, bytes) in [("", text.clone()), ("gzip", gzip(&text)), ("br", brotli(&text))] {
                assert_eq!(seen(encoding, &bytes, true), expected, "{encoding}");
                assert_eq!(seen(encoding, &bytes, false), [Seen::default(); 2], "{encoding}: nobody asked");
            }
            assert_eq!(seen("zstd", &text, true), [Seen::default(); 2], "nobody can read that");
        }
        let search = || Some(Box::new(Search::new(&Rc::new(Marks::of("run")), 17)));
        let counts = |coding, search| BodyCount::begin(coding, false, 99, search, false).only_counts();
        assert!(counts(Coding::Identity, None) && !counts(Coding::Identity, search()));
        assert!(counts(Coding::Gzip, None) && !counts(Coding::Gzip, search()));
    }

    #[test]
    fn what_is_packed_inside_is_known_by_how_it_begins() {
        let text = b"body { margin: 0 }".repeat(50);
        for (encoding, bytes, is_packed) in [
            ("gzip", gzip(&gzip(&text)), true),
            ("br", brotli(&gzip(&text)), true),
            ("", gzip(&text), true),
            ("gzip", gzip(&text), false),
            ("", text.clone(), false),
            ("", vec![0x1f, 0x8b], false),
        ] {
            assert_eq!(
                seen(encoding, &bytes, false),
                [Seen { is_packed, ..Seen::default() }; 2],
                "{encoding}"
            );
        }
    }

    #[test]
    fn a_body_without_a_byte_is_complete() {
        assert_eq!(read("gzip", b"", 9).unwrap().1.decoded, Some(0));
        assert_eq!(read("br", b"", 9).unwrap().1.decoded, Some(0));
    }
}
