//! The chunked transfer coding (RFC 9112, section 7.1), decoded in place.

/// The longest line of a chunk's size, and the longest trailer section, in bytes: what nobody reads is not to grow.
const EXTRA_BYTES_MAX: u32 = 16 << 10;

/// Where in a chunked body the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The size of a chunk; whether a digit of it was seen.
    Size(bool),
    /// Blanks behind a size.
    Blank,
    /// An extension, behind `;`.
    Extension,
    /// The line feed that ends a size line.
    SizeEnd,
    /// The chunk's bytes.
    Data,
    /// The carriage return behind a chunk.
    DataReturn,
    /// The line feed behind a chunk.
    DataEnd,
    /// The beginning of a trailer line, or of the empty line that ends the body.
    Trailer,
    /// Inside a trailer line.
    TrailerLine,
    /// The line feed that ends a trailer line.
    TrailerLineEnd,
    /// The line feed that ends the body.
    End,
}

/// A chunked body under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunked {
    place: Place,
    /// The size of the chunk as far as it was read, then what of it is to come.
    left: u64,
    /// Bytes of a size line or of trailers so far.
    extra: u32,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// So many bytes of data, from this place on.
    Data(std::ops::Range<usize>),
    /// Nothing more here; the body goes on.
    More,
    /// The body is over, and so many bytes were used.
    Over(usize),
}

impl Chunked {
    /// The beginning of a body.
    pub(super) fn new() -> Self {
        Self { place: Place::Size(false), left: 0, extra: 0 }
    }

    /// Looks at `bytes` from `at` on; `at` moves over what was used. The error says what is wrong.
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize) -> Result<Piece, &'static str> {
        while let Some(byte) = bytes.get(*at) {
            if self.place == Place::Data {
                let rest = bytes.len() - *at;
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest);
                self.left -= take as u64;
                if self.left == 0 {
                    self.place = Place::DataReturn;
                }
                let from = *at;
                *at += take;
                return Ok(Piece::Data(from..*at));
            }
            *at += 1;
            if self.place == Place::End {
                return if *byte == b'\n' { Ok(Piece::Over(*at)) } else { Err("a chunked body ends badly") };
            }
            self.place = self.step(*byte)?;
        }
        Ok(Piece::More)
    }

    /// Takes a byte that is no data.
    fn step(&mut self, byte: u8) -> Result<Place, &'static str> {
        Ok(match (self.place, byte) {
            (Place::Size(_), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                let size = self.left.checked_mul(16).and_then(|size| size.checked_add(u64::from(digit)));
                self.left = size.ok_or("a chunk's size is too large")?;
                self.extra("a chunk's size is too long", Place::Size(true))?
            }
            (Place::Size(true) | Place::Blank, b' ' | b'\t') => {
                self.extra("a chunk's size is too long", Place::Blank)?
            }
            (Place::Size(true) | Place::Blank, b';') => Place::Extension,
            (Place::Size(true) | Place::Blank | Place::Extension, b'\r') => Place::SizeEnd,
            (Place::Size(_) | Place::Blank, _) => return Err("a chunk's size is no number"),
            (Place::Extension, b'\n') => return Err("a chunk's extension has a line feed alone"),
            (Place::Extension, _) => self.extra("a chunk's extension is too long", Place::Extension)?,
            (Place::SizeEnd, b'\n') => {
                self.extra = 0;
                if self.left == 0 { Place::Trailer } else { Place::Data }
            }
            (Place::DataReturn, b'\r') => Place::DataEnd,
            (Place::DataEnd, b'\n') => Place::Size(false),
            (Place::DataReturn | Place::DataEnd, _) => return Err("a chunk is longer than its size"),
            (Place::Trailer, b'\r') => Place::End,
            (Place::TrailerLine, b'\r') => Place::TrailerLineEnd,
            (Place::Trailer | Place::TrailerLine, b'\n') => return Err("a trailer has a line feed alone"),
            (Place::Trailer | Place::TrailerLine, _) => {
                self.extra("the trailers are too long", Place::TrailerLine)?
            }
            (Place::TrailerLineEnd, b'\n') => Place::Trailer,
            (Place::SizeEnd | Place::TrailerLineEnd, _) => return Err("a line ends without a line feed"),
            (Place::Data | Place::End, _) => self.place,
        })
    }

    fn extra(&mut self, error: &'static str, next: Place) -> Result<Place, &'static str> {
        self.extra += 1;
        if self.extra > EXTRA_BYTES_MAX { Err(error) } else { Ok(next) }
    }
}
