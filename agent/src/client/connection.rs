//! One connection that speaks HTTP, of either version.

use std::any::Any;
use std::task::{Context, Poll};

use super::http1::Http1;
use super::http2::Http2;
use super::stream::Stream;

/// An open connection.
pub(crate) enum Connection {
    /// HTTP/1.1: one exchange at a time.
    Http1(Box<Http1>),
    /// HTTP/2: several at a time.
    Http2(Http2),
}

impl Connection {
    /// Speaks HTTP over a stream. `kept` lives as long as the connection does.
    pub(crate) async fn open(stream: Stream, http2: bool, kept: Box<dyn Any>) -> Result<Self, hyper::Error> {
        Ok(if http2 {
            Self::Http2(Http2::open(stream, kept).await?)
        } else {
            Self::Http1(Box::new(Http1::new(stream, kept)))
        })
    }

    /// Whether it carries several exchanges at a time.
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Another handle on an HTTP/2 connection; none on an HTTP/1.1 connection.
    pub(crate) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(connection) => Some(Self::Http2(connection.clone())),
        }
    }

    /// Ready once something has come while it rests.
    pub(crate) fn poll_news(&self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1(connection) => connection.poll_news(context),
            // Its driver takes what comes.
            Self::Http2(_) => Poll::Pending,
        }
    }

    /// Whether it may carry an exchange, as far as this side knows.
    pub(crate) fn is_open(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_open(),
            Self::Http2(connection) => !connection.is_closed(),
        }
    }
}
