//! Who takes an answer as it comes.

use http::HeaderMap;

use super::{Broken, Header};

/// Takes one answer: `sent`, then `status`, every `header`, `head_ends`, and the body as `data` or `skipped`; before
/// each part of it that comes, `came`.
///
/// Answers are shown where they lie in a connection's buffer, so that what nobody keeps is never copied.
pub(crate) trait Receiver {
    /// The request's head was written.
    fn sent(&mut self);
    /// Something came, of which the next calls tell.
    fn came(&mut self);
    /// An answer begins; those that only announce another (1xx) are not shown.
    fn status(&mut self, status: u16);
    /// A header of the answer: what it is, its name in whatever case, and its value.
    fn header(&mut self, header: Header, name: &[u8], value: &[u8]);
    /// The answer's head is complete. Its headers are shown once more, for whom the whole head tells which of them matter.
    fn head_ends(&mut self, lines: HeadLines<'_>);
    /// The next bytes of the body. The error ends the exchange.
    fn data(&mut self, bytes: &[u8]) -> Result<(), Broken>;
    /// Whether the bytes of the body need not be shown, only counted.
    fn only_counts(&self) -> bool;
    /// So many bytes of the body came and were not shown.
    fn skipped(&mut self, bytes: u64) -> Result<(), Broken>;
    /// Whether nothing more is wanted of an answer that is not complete yet: then the rest is not read, and the connection,
    /// or with HTTP/2 the stream, is ended. Asked after each part that came.
    fn has_enough(&mut self) -> bool {
        false
    }
}

/// The headers of an answer, where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeadLines<'a> {
    /// In a connection's buffer.
    Http1(&'a [httparse::Header<'a>]),
    /// As hyper has them.
    Http2(&'a HeaderMap),
}

impl HeadLines<'_> {
    /// Shows each of them: its name in whatever case, and its value.
    pub(crate) fn each(self, mut see: impl FnMut(&[u8], &[u8])) {
        match self {
            Self::Http1(lines) => lines.iter().for_each(|line| see(line.name.as_bytes(), line.value)),
            Self::Http2(headers) => {
                headers.iter().for_each(|(name, value)| see(name.as_str().as_bytes(), value.as_bytes()));
            }
        }
    }
}
