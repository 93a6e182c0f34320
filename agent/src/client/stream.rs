//! A stream to an origin: TCP, bare or under TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// An open stream.
pub(crate) enum Stream {
    /// Bare TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Whether something has come that was not read yet, its end included, as far as the runtime knows: nothing is
    /// asked of the system.
    pub(crate) fn has_news(&self) -> bool {
        self.socket().try_io(Interest::READABLE, || Ok(())).is_ok()
    }

    /// Ready once something has come that was not read yet.
    pub(crate) fn poll_news(&self, context: &mut Context<'_>) -> Poll<()> {
        self.socket().poll_read_ready(context).map(drop)
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Writes what it takes without waiting.
    pub(crate) fn write_now(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                done => Poll::Ready(done),
            },
            Self::Tls(stream) => Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), bytes),
        }
    }

    /// Flushes without waiting; whether nothing is held back.
    pub(crate) fn flush_now(&mut self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(stream) => {
                let mut context = Context::from_waker(Waker::noop());
                matches!(Pin::new(stream).poll_flush(&mut context), Poll::Ready(Ok(())))
            }
        }
    }

    /// Takes up to `buffer.len()` bytes off the stream without looking at them: how many, 0 at its end. `None` where
    /// they must be looked at, because they are encrypted.
    ///
    /// Of TCP, Linux counts what is received with `MSG_TRUNC` and copies none of it (tcp(7)). Elsewhere the flag
    /// changes nothing that matters here: the bytes land in `buffer`, and nobody reads it.
    pub(crate) fn poll_discard(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Option<Poll<io::Result<usize>>> {
        let Self::Plain(stream) = self else { return None };
        Some(poll_discard(stream, context, buffer))
    }
}

fn poll_discard(stream: &TcpStream, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        let discarded = stream.try_io(Interest::READABLE, || {
            let (_, length) = rustix::net::recv(stream, &mut *buffer, rustix::net::RecvFlags::TRUNC)?;
            Ok(length)
        });
        match discarded {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // What is written to TCP is on its way.
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
