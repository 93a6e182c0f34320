//! A mutex without a poisoned state.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// State that tasks and the owner of the shop share.
///
/// A panic while it is held ends one answer and not the shop: every change below is made in a single
/// step, so what a panicking task leaves behind is whole, and poisoning would only spread the failure.
#[derive(Debug, Default)]
pub(crate) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Shared<T> {
        Shared(Mutex::new(value))
    }

    /// Holds the state until the guard is dropped; never keep it across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
