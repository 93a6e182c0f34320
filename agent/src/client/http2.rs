//! HTTP/2 over one connection, by hyper: several exchanges at a time.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use doorbuster_model::ErrorClass;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_local;

use super::stream::Stream;
use super::{Broken, Header, Receiver};

/// A handle on a connection that speaks HTTP/2.
#[derive(Clone)]
pub(crate) struct Http2 {
    sender: SendRequest<Full<Bytes>>,
    written: Rc<Cell<u64>>,
}

/// Why no answer came.
pub(crate) enum Unanswered {
    /// The request never reached the connection: it may be sent on another one.
    Unsent,
    /// It was given to the connection, and failed.
    Broken(Broken),
}

impl Http2 {
    /// Speaks HTTP/2 over a stream. `kept` lives as long as the connection does.
    pub(crate) async fn open(stream: Stream, kept: Box<dyn Any>) -> Result<Self, hyper::Error> {
        let written = Rc::new(Cell::new(0));
        let io = TokioIo::new(Metered { stream, written: Rc::clone(&written) });
        let (sender, driver) = http2::Builder::new(Local).handshake(io).await?;
        spawn_local(async move {
            // What becomes of each exchange is told to the exchange itself.
            let _ = driver.await;
            drop(kept);
        });
        Ok(Self { sender, written })
    }

    /// Whether it is known to be closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// The counter of bytes written: whether it moved tells whether a head reached the wire.
    pub(crate) fn written(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.written)
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        receiver: &mut impl Receiver,
    ) -> Result<(), Unanswered> {
        let answer = self.sender.try_send_request(request).await;
        let response = answer.map_err(|mut failed| match failed.take_message() {
            Some(_) => Unanswered::Unsent,
            None => Unanswered::Broken(classify(&failed.into_error())),
        })?;
        receiver.came();
        receiver.status(response.status().as_u16());
        for (name, value) in response.headers() {
            let name = name.as_str().as_bytes();
            receiver.header(Header::of(name), name, value.as_bytes());
        }
        receiver.head_ends();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            receiver.came();
            let frame = frame.map_err(|error| Unanswered::Broken(Broken::body(reason(&error))))?;
            if let Some(data) = frame.data_ref() {
                receiver.data(data).map_err(Unanswered::Broken)?;
            }
        }
        Ok(())
    }
}

/// The class of a failure that hyper saw.
fn classify(error: &hyper::Error) -> Broken {
    if error.is_parse() || error.is_parse_too_large() {
        Broken::protocol(reason(error))
    } else {
        Broken::new(ErrorClass::Reset, format!("the connection broke: {}", reason(error)))
    }
}

/// hyper's message with its cause, where that says more.
fn reason(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Lets hyper start a connection's tasks on this worker's thread.
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
struct Metered {
    stream: Stream,
    written: Rc<Cell<u64>>,
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(bytes)) = &result {
            self.written.set(self.written.get() + *bytes as u64);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
