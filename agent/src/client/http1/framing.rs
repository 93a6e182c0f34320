//! How long an answer's body is, and whether the connection stays open (RFC 9112, sections 6.3 and 9.3).

use crate::client::Header;

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Known(u64),
    /// As its chunks say.
    Chunked,
    /// Until the connection ends.
    Unknown,
}

/// What the headers of an answer say of it.
#[derive(Debug)]
pub(super) struct Framing {
    /// How long the body is.
    pub body: Length,
    /// Whether the connection stays open.
    pub persistent: bool,
    is_1_1: bool,
    coded: bool,
    closes: bool,
}

impl Framing {
    /// Nothing said yet in an answer of HTTP/1.1, or of 1.0.
    pub(super) fn new(is_1_1: bool) -> Self {
        Self { body: Length::Unknown, persistent: is_1_1, is_1_1, coded: false, closes: false }
    }

    /// Takes a header into account. The error says what makes it no answer.
    #[inline]
    pub(super) fn header(&mut self, header: Header, value: &[u8]) -> Result<(), &'static str> {
        match header {
            Header::Connection if value == b"keep-alive" => self.persistent = true,
            Header::Connection => {
                for word in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    self.closes |= word.eq_ignore_ascii_case(b"close");
                    self.persistent |= word.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            Header::ContentLength => self.length(value)?,
            Header::TransferEncoding => {
                let chunked = value.trim_ascii().eq_ignore_ascii_case(b"chunked");
                if self.coded || !chunked || !self.is_1_1 {
                    return Err("a transfer coding other than chunked");
                }
                self.coded = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// What they say together. The error says what contradicts what.
    pub(super) fn end(mut self) -> Result<Self, &'static str> {
        self.persistent &= !self.closes;
        match (self.coded, self.body) {
            (true, Length::Unknown) => self.body = Length::Chunked,
            (true, _) => return Err("both a length and a transfer coding"),
            (false, _) => {}
        }
        Ok(self)
    }

    /// Lengths that are repeated must agree.
    fn length(&mut self, value: &[u8]) -> Result<(), &'static str> {
        if let Some(length) = digits(value).filter(|_| self.body == Length::Unknown) {
            self.body = Length::Known(length);
            return Ok(());
        }
        for text in value.split(|byte| *byte == b',') {
            let length = Length::Known(digits(text.trim_ascii()).ok_or("a length that is no number")?);
            if self.body != Length::Unknown && self.body != length {
                return Err("lengths that contradict each other");
            }
            self.body = length;
        }
        Ok(())
    }
}

/// A number of digits alone: no sign, no blank.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
