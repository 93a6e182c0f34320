//! One connection that speaks HTTP: the seam behind which a message travels.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_local;

/// An open connection.
pub(crate) enum Connection {
    /// HTTP/1.1: one exchange at a time.
    Http1 {
        /// hyper's handle.
        sender: http1::SendRequest<Full<Bytes>>,
        /// Bytes written so far.
        written: Rc<Cell<u64>>,
    },
    /// HTTP/2: several at a time.
    Http2 {
        /// hyper's handle.
        sender: http2::SendRequest<Full<Bytes>>,
        /// Bytes written so far.
        written: Rc<Cell<u64>>,
    },
}

/// Why no answer came.
pub(crate) enum Sent {
    /// The request never reached the connection: it may be sent on another one.
    No,
    /// It was written, at least in part, and the connection failed.
    Failed(hyper::Error),
}

impl Connection {
    /// Speaks HTTP over a stream. `kept` lives as long as the connection does.
    pub(crate) async fn open<S, K>(stream: S, http2: bool, kept: K) -> Result<Self, hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        K: 'static,
    {
        let written = Rc::new(Cell::new(0));
        let io = TokioIo::new(Metered { stream, written: Rc::clone(&written) });
        if http2 {
            let (sender, driver) = http2::Builder::new(Local).handshake(io).await?;
            drive(driver, kept);
            Ok(Self::Http2 { sender, written })
        } else {
            let (sender, driver) = http1::Builder::new().handshake(io).await?;
            drive(driver, kept);
            Ok(Self::Http1 { sender, written })
        }
    }

    /// Whether it carries several exchanges at a time.
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2 { .. })
    }

    /// Another handle on an HTTP/2 connection; none on an HTTP/1.1 connection.
    pub(crate) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1 { .. } => None,
            Self::Http2 { sender, written } => {
                Some(Self::Http2 { sender: sender.clone(), written: Rc::clone(written) })
            }
        }
    }

    /// Whether it is known to be closed.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Http1 { sender, .. } => sender.is_closed(),
            Self::Http2 { sender, .. } => sender.is_closed(),
        }
    }

    /// The counter of bytes written: whether it moved tells whether a head reached the wire.
    pub(crate) fn written(&self) -> Rc<Cell<u64>> {
        match self {
            Self::Http1 { written, .. } | Self::Http2 { written, .. } => Rc::clone(written),
        }
    }

    /// Waits until it takes a request; false when it is closed.
    pub(crate) async fn ready(&mut self) -> bool {
        match self {
            Self::Http1 { sender, .. } => sender.ready().await.is_ok(),
            Self::Http2 { sender, .. } => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and waits for the answer's head.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Sent> {
        let answer = match self {
            Self::Http1 { sender, .. } => sender.try_send_request(request).await,
            Self::Http2 { sender, .. } => sender.try_send_request(request).await,
        };
        answer.map_err(|mut failed| match failed.take_message() {
            Some(_) => Sent::No,
            None => Sent::Failed(failed.into_error()),
        })
    }
}

/// Runs a connection until it closes. What becomes of each exchange is told to the exchange itself.
fn drive<K: 'static>(driver: impl Future<Output = Result<(), hyper::Error>> + 'static, kept: K) {
    spawn_local(async move {
        let _ = driver.await;
        drop(kept);
    });
}

/// Lets hyper start an HTTP/2 connection's tasks on this worker's thread.
#[derive(Clone)]
struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local
where
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}

/// Counts what is written, above TLS.
struct Metered<S> {
    stream: S,
    written: Rc<Cell<u64>>,
}

impl<S> Metered<S> {
    fn count(&self, result: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = result {
            self.written.set(self.written.get() + *bytes as u64);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(&result);
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.count(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
