//! When an agent was handed its assignment: until then it cannot have been ready.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Moment;

/// When that was, once it was: whoever launched the agent notes it, and whoever hears of it reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handed(Arc<Mutex<Option<Moment>>>);

impl Handed {
    /// It is being handed over. Whoever hands it over again has to know that it did not come before.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Moment::now());
    }

    /// When it was handed over last; `None` where nobody notes it, because the agent's clock is this machine's.
    pub(crate) fn at(&self) -> Option<Moment> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
