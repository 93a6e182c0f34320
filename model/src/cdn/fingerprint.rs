//! Telling things apart by a number, within one process.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Tells values apart; never 0.
pub fn fingerprint(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish().max(1)
}
