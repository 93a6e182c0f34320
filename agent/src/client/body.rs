//! Bodies: counted as they come and as they decode, looked through and kept only where somebody wants that.

use std::io::{self, Write};

use doorbuster_model::cdn::{Encoding, fingerprint};

use super::Search;

/// The most of a decoded body that is kept for a journey to look at: 8 MiB.
pub(crate) const KEPT_MAX: usize = 8 << 20;
/// How a gzip file begins (RFC 1952, section 2.3.1), with the one method that there is.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Whether something is a gzip file, by how it begins.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
}

/// What is taken of a body.
#[derive(Debug)]
pub(crate) struct BodyCount {
    /// Bytes as they came over the wire (after chunking).
    pub wire: u64,
    decoder: Decoder,
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
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The other shopper whose marker is in it, where it was looked through.
    pub foreign: Option<u64>,
    /// Whether it begins as a gzip file does, though it is decoded.
    pub is_packed: bool,
    /// What looked through it, and has the proof.
    pub search: Option<Box<Search>>,
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
    /// Not decoded, since nobody asked or its encoding is unknown here; no more than so many bytes are taken.
    Left(u64),
}

/// Decides which bodies belong to the sample by which savings are judged: they are decoded though nobody wants them.
/// Decoding costs more than the whole rest of an exchange, so past a number per second it is a few of them, and the report
/// says how many were decoded.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    second: u64,
    seen: u32,
}

/// So many of a second are all decoded, per worker.
const ALL_PER_SECOND: u32 = 200;
/// Beyond them, one in so many; chance decides which, since what comes in turns would else be the same each time.
const ONE_IN: u64 = 32;

impl Sampling {
    /// Whether the next body, which came at `now_ns`, belongs to it.
    pub(crate) fn takes(&mut self, now_ns: u64) -> bool {
        let second = now_ns / 1_000_000_000;
        if second != self.second {
            (self.second, self.seen) = (second, 0);
        }
        self.seen = self.seen.saturating_add(1);
        self.seen <= ALL_PER_SECOND || fingerprint(&(second, self.seen)).is_multiple_of(ONE_IN)
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
    /// What was seen. Asked for once: then nothing more is looked through.
    fn seen(&mut self) -> Seen {
        let search = self.search.take();
        let foreign = search.as_ref().and_then(|search| search.foreign());
        Seen { foreign, is_packed: is_gzip(&self.begins), search, hash: None }
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
            Self::Left(_) => "what it is encoded as",
        }
    }
}

impl BodyCount {
    /// Begins a body in an encoding. Over `limit` bytes, on the wire or decoded, it is an error. What is to be looked through
    /// is decoded, as far as its encoding is known; of the other encoded bodies that nobody wants those of the sample.
    pub(crate) fn begin(
        encoding: Encoding,
        wanted: bool,
        limit: u64,
        search: Option<Box<Search>>,
        sampled: bool,
    ) -> Self {
        let is_decoded = wanted || search.is_some() || sampled;
        let sink = Sink { count: 0, limit, wanted, begins: [0; GZIP.len()], kept: Vec::new(), search };
        let decoder = match encoding {
            Encoding::Identity => Decoder::Identity(sink),
            Encoding::Gzip if is_decoded => Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(sink))),
            Encoding::Brotli if is_decoded => {
                Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(sink, 4_096)))
            }
            _ => Decoder::Left(limit),
        };
        Self { wire: 0, decoder }
    }

    /// Whether nothing but the number of bytes matters.
    pub(crate) fn only_counts(&self) -> bool {
        match &self.decoder {
            Decoder::Identity(sink) => !sink.wanted && sink.search.is_none(),
            Decoder::Left(_) => true,
            Decoder::Gzip(_) | Decoder::Brotli(_) => false,
        }
    }

    /// The most bytes that it may have.
    fn limit(&self) -> u64 {
        match &self.decoder {
            Decoder::Identity(sink) => sink.limit,
            Decoder::Gzip(decoder) => decoder.get_ref().limit,
            Decoder::Brotli(decoder) => decoder.get_ref().limit,
            Decoder::Left(limit) => *limit,
        }
    }

    /// An error where it is longer than it may be.
    fn within_limit(&self) -> Result<(), BodyError> {
        let limit = self.limit();
        if self.wire > limit { Err(BodyError::TooLong(limit)) } else { Ok(()) }
    }

    /// Counts bytes that nobody looked at, where nothing else matters.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<(), BodyError> {
        self.wire += bytes;
        if let Decoder::Identity(sink) = &mut self.decoder {
            sink.count += bytes;
        }
        self.within_limit()
    }

    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        self.wire += bytes.len() as u64;
        self.within_limit()?;
        let result = match &mut self.decoder {
            Decoder::Identity(sink) => sink.write_all(bytes),
            Decoder::Gzip(decoder) => decoder.write_all(bytes),
            Decoder::Brotli(decoder) => decoder.write_all(bytes),
            Decoder::Left(_) => Ok(()),
        };
        result.map_err(|error| BodyError::Undecodable(self.decoder.name(), error))
    }

    /// What was kept of the decoded body so far.
    pub(crate) fn kept(&mut self) -> &[u8] {
        self.flush();
        match self.sink() {
            Some(sink) => &sink.kept,
            None => &[],
        }
    }

    /// What was seen of the body so far, which is never complete.
    pub(crate) fn seen(&mut self) -> Seen {
        self.flush();
        self.sink().map_or_else(Seen::default, |sink| sink.seen())
    }

    /// Has the decoder hand out what it holds back. What is wrong with that shows again with what comes next.
    fn flush(&mut self) {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => {
                let _ = decoder.flush();
            }
            // It hands out a buffer each time that it is given nothing.
            Decoder::Brotli(decoder) => loop {
                let before = decoder.get_ref().count;
                if decoder.write(&[]).is_err() || decoder.get_ref().count == before {
                    break;
                }
            },
            Decoder::Identity(_) | Decoder::Left(_) => {}
        }
    }

    /// Where the decoded body goes; `None` where nobody decodes it.
    fn sink(&mut self) -> Option<&mut Sink> {
        match &mut self.decoder {
            Decoder::Identity(sink) => Some(sink),
            Decoder::Gzip(decoder) => Some(decoder.get_mut()),
            Decoder::Brotli(decoder) => Some(decoder.get_mut()),
            Decoder::Left(_) => None,
        }
    }

    /// Leaves the body before its end: nothing more is wanted than what was kept.
    pub(crate) fn leave(mut self) -> (Body, Seen) {
        let is_encoded = !matches!(self.decoder, Decoder::Identity(_));
        let Some(sink) = self.sink() else {
            return (Body { cut: true, ..Body::default() }, Seen::default());
        };
        // How much of an encoded body would have come of the bytes that came is known to its end alone.
        let decoded = (!is_encoded).then_some(sink.count);
        (Body { decoded, kept: std::mem::take(&mut sink.kept), cut: true }, sink.seen())
    }

    /// Ends the body. What was seen of one that is no good comes with the error.
    pub(crate) fn end(mut self) -> Result<(Body, Seen), (BodyError, Seen)> {
        let name = self.decoder.name();
        let empty = self.wire == 0;
        let ended = match &mut self.decoder {
            // A body without a byte (HEAD, 304) is complete whatever its encoding.
            Decoder::Gzip(_) | Decoder::Brotli(_) if empty => Ok(()),
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Brotli(decoder) => decoder.close(),
            Decoder::Identity(_) | Decoder::Left(_) => Ok(()),
        };
        let Some(sink) = self.sink() else { return Ok((Body::default(), Seen::default())) };
        let mut seen = sink.seen();
        if let Err(error) = ended {
            return Err((BodyError::Undecodable(name, error), seen));
        }
        seen.hash = seen.search.as_mut().and_then(|search| search.take_hash());
        let cut = sink.wanted && sink.count > sink.kept.len() as u64;
        Ok((Body { decoded: Some(sink.count), kept: std::mem::take(&mut sink.kept), cut }, seen))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use doorbuster_model::cdn::{Head, Marks};

    use super::*;

    /// What a Content-Encoding says.
    fn encoding_of(value: &str) -> Encoding {
        Head::of([(&b"Content-Encoding"[..], value.as_bytes())]).encoding
    }

    fn read(encoding: &str, bytes: &[u8], limit: u64) -> Result<(u64, Body), BodyError> {
        let mut count = BodyCount::begin(encoding_of(encoding), true, limit, None, true);
        for piece in bytes.chunks(7) {
            count.take(piece)?;
        }
        Ok((count.wire, count.end().map_err(|(error, _)| error)?.0))
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
        for (encoding, bytes) in [
            ("identity", text.clone()),
            ("gzip", gzip(&text)),
            ("X-Gzip, identity", gzip(&text)),
            ("br", brotli(&text)),
        ] {
            let (wire, body) = read(encoding, &bytes, 1 << 20).unwrap();
            assert_eq!((wire, body.decoded), (bytes.len() as u64, Some(11_000)), "{encoding}");
            assert!(body.kept == text && !body.cut, "{encoding}");
        }
        for unknown in ["zstd", "gzip, gzip"] {
            assert_eq!(read(unknown, b"abc", 99).unwrap().1.decoded, None, "{unknown}");
            assert!(matches!(read(unknown, b"abc", 2), Err(BodyError::TooLong(2))), "{unknown}");
        }
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
        let mut count = BodyCount::begin(Encoding::Brotli, false, 99, None, false);
        count.take(b"not even brotli").unwrap();
        assert_eq!((count.wire, count.end().unwrap().0.decoded), (15, None));
        let mut plain = BodyCount::begin(Encoding::Identity, false, 99, None, false);
        plain.take(b"plain").unwrap();
        assert_eq!(plain.end().unwrap().0.decoded, Some(5), "what is not encoded needs no decoding");
    }

    #[test]
    fn the_sample_of_a_second_is_all_of_the_first_and_a_few_of_the_rest() {
        let mut sampling = Sampling::default();
        for second in 1..=3 {
            let now_ns = second * 1_000_000_005;
            assert!((0..ALL_PER_SECOND).all(|_| sampling.takes(now_ns)), "{second}");
            // As if 32 files came in turns.
            let mut taken = [0; 32];
            for number in 0..100_000 {
                taken[number % 32] += usize::from(sampling.takes(now_ns));
            }
            assert!((2_800..=3_450).contains(&taken.iter().sum::<usize>()), "{taken:?}");
            assert!(taken.iter().all(|times| (40..=160).contains(times)), "{taken:?}");
        }
    }

    #[test]
    fn a_body_can_be_left_with_all_that_came_of_it() {
        // Pseudo-random, so that it is not packed into a few bytes.
        let numbers = (0..20_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string());
        let text = numbers.collect::<Vec<_>>().join(" ").into_bytes();
        for (encoding, bytes) in [("identity", text.clone()), ("gzip", gzip(&text)), ("br", brotli(&text))] {
            let mut count = BodyCount::begin(encoding_of(encoding), true, 1 << 20, None, true);
            count.take(&bytes[..bytes.len() / 2]).unwrap();
            let kept = count.kept().to_vec();
            assert!(kept.len() > text.len() / 4 && text.starts_with(&kept), "{encoding}: {}", kept.len());
            assert_eq!(count.wire, bytes.len() as u64 / 2, "{encoding}");
            let (body, _) = count.leave();
            assert!(body.kept == kept && body.cut, "{encoding}");
            assert_eq!(body.decoded, (encoding == "identity").then_some(text.len() as u64 / 2));
        }
    }

    /// Whose marker was seen, and whether it is packed inside.
    fn what(seen: &Seen) -> (Option<u64>, bool) {
        (seen.foreign, seen.is_packed)
    }

    /// What is seen of a body that nobody wants and that is looked through, whole or left at its end.
    fn seen(encoding: &str, bytes: &[u8], search: bool) -> [(Option<u64>, bool); 2] {
        let marks = Rc::new(Marks::of("run"));
        [true, false].map(|is_whole| {
            let search = search.then(|| Box::new(Search::new(&marks, 17)));
            let mut count = BodyCount::begin(encoding_of(encoding), false, 1 << 20, search, true);
            bytes.chunks(7).for_each(|piece| count.take(piece).unwrap());
            // What a decoder holds back until it is asked.
            count.kept();
            what(&if is_whole { count.end().unwrap().1 } else { count.leave().1 })
        })
    }

    #[test]
    fn a_body_is_looked_through_however_it_is_encoded() {
        let marks = Marks::of("run");
        for (shopper, foreign) in [(3, Some(3)), (17, None)] {
            let text = format!("{}<b>{}</b>", "page ".repeat(100), marks.of_shopper(shopper)).into_bytes();
            let expected = [(foreign, false); 2];
            for (encoding, bytes) in [("", text.clone()), ("gzip", gzip(&text)), ("br", brotli(&text))] {
                assert_eq!(seen(encoding, &bytes, true), expected, "{encoding}");
                assert_eq!(seen(encoding, &bytes, false), [(None, false); 2], "{encoding}: nobody asked");
            }
            assert_eq!(seen("zstd", &text, true), [(None, false); 2], "nobody can read that");
        }
        let search = || Some(Box::new(Search::new(&Rc::new(Marks::of("run")), 17)));
        let counts = |encoding, search| BodyCount::begin(encoding, false, 99, search, false).only_counts();
        assert!(counts(Encoding::Identity, None) && !counts(Encoding::Identity, search()));
        assert!(counts(Encoding::Gzip, None) && !counts(Encoding::Gzip, search()));
    }

    #[test]
    fn what_a_broken_body_showed_is_not_lost() {
        let marks = Rc::new(Marks::of("run"));
        let filler: String =
            (0..20_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string()).collect();
        let text = format!("<b>{}</b>{filler}", marks.of_shopper(3)).into_bytes();
        let leaked = (Some(3), false);
        for (encoding, bytes) in [("", text.clone()), ("gzip", gzip(&text)), ("br", brotli(&text))] {
            let half = || {
                let search = Some(Box::new(Search::new(&marks, 17)));
                let mut count = BodyCount::begin(encoding_of(encoding), false, 1 << 20, search, true);
                count.take(&bytes[..bytes.len() / 2]).unwrap();
                count
            };
            assert_eq!(what(&half().seen()), leaked, "{encoding} so far");
            if encoding.is_empty() {
                continue;
            }
            let (error, seen) = half().end().unwrap_err();
            assert_eq!(what(&seen), leaked, "{encoding} broken off: {error}");
            let mut count = half();
            let _ = count.take(&[0xff; 64]);
            assert_eq!(what(&count.seen()), leaked, "{encoding} that is none in the middle");
        }
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
            ("", vec![0x1f, 0x8b, 0], false),
        ] {
            assert_eq!(seen(encoding, &bytes, false), [(None, is_packed); 2], "{encoding}");
        }
    }

    #[test]
    fn a_body_without_a_byte_is_complete() {
        assert_eq!(read("gzip", b"", 9).unwrap().1.decoded, Some(0));
        assert_eq!(read("br", b"", 9).unwrap().1.decoded, Some(0));
    }
}
