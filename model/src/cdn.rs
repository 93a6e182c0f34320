//! The contract with a content delivery network: what it says it did, and what it was to do.
//!
//! [`CacheStatus`] is a cache's own word, in whatever way it is spelled. Everything here is pure, and what comes from a
//! target is hostile: nothing is kept of it beyond a few bytes, and nothing panics. Tables say where their values come
//! from; a value that is in none is unknown, and told apart from all that are known.

mod fields;
mod observation;
mod rfc9211;
pub mod status;

pub use observation::{Class, Observation};
pub use rfc9211::cache_status;
pub use status::CacheStatus;
