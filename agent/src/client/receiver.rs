//! Who takes an answer as it comes.

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
    /// The answer's head is complete.
    fn head_ends(&mut self);
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
