//! One line in the books for every request, also for those whose viewer did not stay.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Body as _;

use super::RegionalEdge;
use crate::counts::VIEWER_LEFT;

/// Counts and logs a request once: by [`Receipt::close`], or when it is dropped because the viewer
/// closed the connection before there was an answer.
#[derive(Debug)]
pub(super) struct Receipt {
    edge: Arc<RegionalEdge>,
    method: Method,
    uri: Uri,
    is_closed: bool,
}

impl Receipt {
    pub(super) fn open<B>(edge: Arc<RegionalEdge>, request: &Request<B>) -> Receipt {
        Receipt { edge, method: request.method().clone(), uri: request.uri().clone(), is_closed: false }
    }

    pub(super) fn close(mut self, response: &Response<Full<Bytes>>) {
        let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        self.enter(response.status().as_u16(), bytes.unwrap_or_default());
    }

    fn enter(&mut self, status: u16, bytes: usize) {
        self.is_closed = true;
        let watch = &self.edge.watch;
        watch.counts.count(self.edge.index, &self.method, self.uri.path(), status);
        if let Some(log) = &watch.log {
            log.add(&self.edge.name, &self.method, self.uri.path(), status, bytes);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.is_closed {
            self.enter(VIEWER_LEFT, 0);
        }
    }
}
