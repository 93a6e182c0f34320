//! The judges: what answers say of a promise, each with the answer that shows it.

pub(super) mod ages;
pub(super) mod bodies;
pub(super) mod copies;
pub(super) mod heads;
pub(super) mod pages;
pub(super) mod parts;
pub(super) mod private;
pub(super) mod site;
pub(super) mod transport;

use super::taken::Taken;

/// Whether two values of ETag name the same content, by the weak comparison of RFC 9110, section 8.8.3.2.
fn is_same_etag(first: &str, second: &str) -> bool {
    opaque(first) == opaque(second)
}

/// Whether an ETag names what means the same rather than what is the same.
fn is_weak(etag: &str) -> bool {
    etag.trim().starts_with("W/")
}

/// An ETag without its mark of weakness.
fn opaque(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// The status of an answer for people: `304`, or why there is none.
fn outcome(taken: &Taken) -> String {
    match &taken.result {
        Ok(answer) => answer.status.to_string(),
        Err(broken) => broken.message.clone(),
    }
}
