//! HTTP/1.1 over one connection: one exchange at a time, of which nothing is kept that nobody wants.
//!
//! A client of our own, because its cost is what a generator of load is about: an answer is read into one buffer of
//! the thread and taken apart there; a connection that rests holds a socket and next to nothing else. Its
//! behaviour is compared with hyper's in the tests.

mod answer;
mod chunked;
mod framing;
mod request;

use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::unconstrained;

use super::stream::Stream;
use super::{Broken, Receiver};

pub(crate) use self::answer::{Progress, Reading};
pub(crate) use self::request::{Head, Lines, write_head};

/// What one read takes at most, in bytes.
const READ_BYTES: usize = 64 << 10;
/// Bodies of which so many bytes are to come are taken off the socket without a copy, where nobody looks at them.
const DISCARD_BYTES_MIN: u64 = 8 << 10;

/// Where a thread's connections read: what came is used at once, so one buffer serves them all.
pub(crate) struct Scratch(RefCell<Box<[u8]>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(RefCell::new(vec![0; READ_BYTES].into_boxed_slice()))
    }
}

/// A connection that speaks HTTP/1.1.
pub(crate) struct Http1 {
    stream: Stream,
    /// What the stream did not take at once of the request under way.
    unsent: Vec<u8>,
    /// How many of those bytes were written since.
    written: usize,
    /// How many of those bytes belong to the request's head.
    head_unsent: usize,
    /// Whether the stream may still hold back what was written to it.
    unflushed: bool,
    /// Lives as long as the connection.
    _kept: Box<dyn Any>,
}

impl Http1 {
    /// Speaks HTTP/1.1 over a stream. `kept` lives as long as the connection does.
    pub(crate) fn new(stream: Stream, kept: Box<dyn Any>) -> Self {
        Self { stream, unsent: Vec::new(), written: 0, head_unsent: 0, unflushed: false, _kept: kept }
    }

    /// Whether it may carry an exchange, as far as this side knows. A resting connection on which something comes
    /// (its end, or an answer to no request) may not.
    pub(crate) fn is_open(&mut self) -> bool {
        if !self.stream.has_news() {
            return true;
        }
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        // Not bound by the task's budget, which would make what is closed look open.
        let poll = poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        let poll = pin!(unconstrained(poll));
        // Of TLS it may be what no exchange sees, like a ticket for another session.
        poll.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Writes a request, as far as the stream takes it now. Whether its head, which is so many bytes long, was
    /// written whole; the rest follows while the answer is waited for. The error says that nothing was written.
    pub(crate) fn send(&mut self, request: &[u8], head_bytes: usize) -> io::Result<bool> {
        let mut written = 0;
        while written < request.len() {
            match self.stream.write_now(&request[written..]) {
                Poll::Ready(Ok(0)) if written == 0 => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) if written == 0 => return Err(error),
                Poll::Ready(Ok(bytes)) if bytes > 0 => written += bytes,
                // What is wrong with the connection shows again when the rest is written.
                Poll::Ready(_) | Poll::Pending => break,
            }
        }
        self.unsent.extend_from_slice(&request[written..]);
        self.head_unsent = head_bytes.saturating_sub(written);
        // What this flush leaves, or its error, comes up while the answer is waited for.
        self.unflushed = !self.unsent.is_empty() || !self.stream.flush_now();
        Ok(self.head_unsent == 0)
    }

    /// Ready once something has come while it rests: the moment to ask [`is_open`](Self::is_open).
    pub(crate) fn poll_news(&self, context: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_news(context)
    }

    /// Reads the answer to the request that was sent, and writes what is left of it. Whether the connection may
    /// carry another exchange: not where the receiver had enough before the answer's end.
    pub(crate) async fn receive(
        &mut self,
        to_head: bool,
        receiver: &mut impl Receiver,
        scratch: &Scratch,
    ) -> Result<bool, Broken> {
        let mut reading = Reading::new(to_head);
        poll_fn(|context| self.poll_receive(context, &mut reading, receiver, scratch)).await
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        reading: &mut Reading,
        receiver: &mut impl Receiver,
        scratch: &Scratch,
    ) -> Poll<Result<bool, Broken>> {
        if self.unflushed {
            // An answer may come all the same, as one that refuses a body does; so a failure to write is no end.
            self.unflushed = matches!(self.poll_rest(context, receiver), Poll::Pending);
        }
        loop {
            let (came, progress) = match self.poll_more(context, reading, receiver, scratch) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(more)) => more,
                Poll::Ready(Err(broken)) => return Poll::Ready(Err(broken)),
            };
            if let Progress::Over(used) = progress {
                return Poll::Ready(Ok(reading.persistent()
                    && used == came
                    && !self.unflushed
                    && self.unsent.is_empty()));
            }
            if receiver.has_enough() {
                return Poll::Ready(Ok(false));
            }
        }
    }

    /// Reads once: how many bytes came, and how far the answer is.
    fn poll_more(
        &mut self,
        context: &mut Context<'_>,
        reading: &mut Reading,
        receiver: &mut impl Receiver,
        scratch: &Scratch,
    ) -> Poll<Result<(usize, Progress), Broken>> {
        let mut scratch = scratch.0.borrow_mut();
        if let Some(left) = reading.left().filter(|left| *left >= DISCARD_BYTES_MIN && receiver.only_counts())
        {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(scratch.len());
            if let Some(discarded) = self.stream.poll_discard(context, &mut scratch[..most]) {
                return Poll::Ready(match ready!(discarded) {
                    Ok(0) => {
                        receiver.came();
                        reading.end().map(|()| (0, Progress::Over(0)))
                    }
                    Ok(bytes) => {
                        receiver.came();
                        let progress = reading.skip(bytes as u64);
                        receiver.skipped(bytes as u64).map(|()| (0, progress))
                    }
                    Err(error) => Err(broke(reading, &error)),
                });
            }
        }
        let mut buffer = ReadBuf::new(&mut scratch);
        Poll::Ready(match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => {
                // For an answer that ends with its connection, this is the last that comes.
                receiver.came();
                reading.end().map(|()| (0, Progress::Over(0)))
            }
            Ok(()) => {
                let came = buffer.filled();
                receiver.came();
                reading.feed(came, receiver).map(|progress| (came.len(), progress))
            }
            Err(error) => Err(broke(reading, &error)),
        })
    }

    /// Writes what is left of the request.
    fn poll_rest(&mut self, context: &mut Context<'_>, receiver: &mut impl Receiver) -> Poll<io::Result<()>> {
        while self.written < self.unsent.len() {
            let rest = &self.unsent[self.written..];
            let bytes = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if bytes == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += bytes;
            if self.head_unsent > 0 {
                self.head_unsent = self.head_unsent.saturating_sub(bytes);
                if self.head_unsent == 0 {
                    receiver.sent();
                }
            }
        }
        (self.unsent, self.written) = (Vec::new(), 0);
        Pin::new(&mut self.stream).poll_flush(context)
    }
}

/// What a failed read means for an answer.
fn broke(reading: &Reading, error: &io::Error) -> Broken {
    if reading.is_in_head() { Broken::reset(error) } else { Broken::body(error) }
}

#[cfg(test)]
mod tests;
