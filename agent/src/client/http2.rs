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
use hyper::body::Body as _;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_local;

use super::stream::Stream;
use super::{Broken, HeadLines, Header, Receiver};

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

    /// Sends a request and reads the answer, to its end or until the receiver has enough.
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
        receiver.head_ends(HeadLines::Http2(response.headers()));
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            receiver.came();
            let frame = frame.map_err(|error| Unanswered::Broken(Broken::body(reason(&error))))?;
            if let Some(data) = frame.data_ref() {
                receiver.data(data).map_err(Unanswered::Broken)?;
            }
            if !body.is_end_stream() && receiver.has_enough() {
                // Letting go of the body resets the stream.
                break;
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures_util::stream;
    use http::Response;
    use http_body_util::StreamBody;
    use hyper::body::{Frame, Incoming};
    use hyper::service::service_fn;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::LocalSet;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Counts those that are dropped.
    struct Dropped(Rc<Cell<u32>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    /// A target whose answers never end; how many of them somebody gave up.
    async fn endless(listener: TcpListener, given_up: Rc<Cell<u32>>) {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |_: Request<Incoming>| {
            let guard = Dropped(Rc::clone(&given_up));
            let pieces = stream::unfold(guard, |guard| async move {
                sleep(Duration::from_millis(5)).await;
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"piece "))), guard))
            });
            async move { Ok::<_, Infallible>(Response::new(StreamBody::new(pieces))) }
        });
        let _ = hyper::server::conn::http2::Builder::new(Local)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    /// Wants a few bytes of a body.
    #[derive(Default)]
    struct Few(usize);

    impl Receiver for Few {
        fn sent(&mut self) {}

        fn came(&mut self) {}

        fn status(&mut self, status: u16) {
            assert_eq!(status, 200);
        }

        fn header(&mut self, _: Header, _: &[u8], _: &[u8]) {}

        fn head_ends(&mut self, _: HeadLines<'_>) {}

        fn data(&mut self, bytes: &[u8]) -> Result<(), Broken> {
            self.0 += bytes.len();
            Ok(())
        }

        fn only_counts(&self) -> bool {
            false
        }

        fn skipped(&mut self, _: u64) -> Result<(), Broken> {
            Ok(())
        }

        fn has_enough(&mut self) -> bool {
            self.0 >= 10
        }
    }

    #[tokio::test]
    async fn who_has_enough_ends_the_stream_and_not_the_connection() {
        let exchanges = async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let given_up = Rc::new(Cell::new(0));
            spawn_local(endless(listener, Rc::clone(&given_up)));
            let stream = Stream::Plain(TcpStream::connect(address).await.unwrap());
            let mut connection = Http2::open(stream, Box::new(())).await.unwrap();
            for number in 1..=2 {
                let request = Request::get(format!("http://{address}/")).body(Full::default()).unwrap();
                let mut few = Few::default();
                assert!(connection.exchange(request, &mut few).await.is_ok());
                assert!(few.0 >= 10);
                while given_up.get() < number {
                    sleep(Duration::from_millis(1)).await;
                }
            }
            assert!(!connection.is_closed());
        };
        timeout(Duration::from_secs(10), LocalSet::new().run_until(exchanges)).await.unwrap();
    }
}
