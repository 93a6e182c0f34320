//! The HTTP client: what a browser does between wanting a page and having it, with every part timed.
//!
//! `hyper`'s low-level connections carry the messages; opening, keeping and sharing connections is done here,
//! because that is what a crowd costs a shop.

pub(crate) mod body;
mod connect;
mod connection;
mod pool;
mod resolve;
pub(crate) mod tls;

pub(crate) use connect::{ConnectError, Connector};
pub(crate) use connection::{Connection, Sent};
pub(crate) use pool::{BROWSER, Lease, Limits, Origin, Pool};
