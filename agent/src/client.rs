//! The HTTP client: what a browser does between wanting a page and having it, with every part timed.
//!
//! HTTP/1.1 is spoken by a small client of our own ([`http1`]), HTTP/2 by hyper ([`http2`]). Opening, keeping and
//! sharing connections is done here too, because that is what a crowd costs a shop.

pub(crate) mod body;
mod broken;
mod connect;
mod connection;
mod header;
pub(crate) mod http1;
pub(crate) mod http2;
mod pool;
mod receiver;
mod resolve;
mod search;
mod stream;
pub(crate) mod tls;

pub(crate) use broken::Broken;
pub(crate) use connect::{ConnectError, Connector, secure};
pub(crate) use connection::Connection;
pub(crate) use header::Header;
pub(crate) use pool::{Lease, Leasing, Limits, Origin, Pool};
pub(crate) use receiver::{HeadLines, Receiver};
pub(crate) use search::{Heads, Search};
pub(crate) use stream::Stream;
