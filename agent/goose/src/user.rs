//! One of Goose's users, as a shopper of the plan.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::listener::Listener;

/// A shopper of this agent's share, for as long as its user lives.
#[derive(Debug)]
pub(crate) struct User {
    /// Which shopper of the agent's share it is.
    pub ordinal: usize,
    /// Which journey it has: a position among the plan's.
    pub journey: usize,
    state: Mutex<State>,
}

/// What is known of a shopper. Its user's task alone uses it, until that is gone.
#[derive(Debug)]
pub(crate) struct State {
    /// What it requests.
    pub listener: Listener,
    /// Whether it was ever inside.
    pub came: bool,
    /// The iteration that it is in.
    pub visit: Option<Visit>,
}

/// An iteration under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Goose's number of it.
    pub iteration: usize,
    /// How many of its transactions are over.
    pub calls: usize,
    /// Whether one of them failed.
    pub failed: bool,
}

impl User {
    /// A user that has not come yet.
    pub(crate) fn new(ordinal: usize, journey: usize, listener: Listener) -> Self {
        Self { ordinal, journey, state: Mutex::new(State { listener, came: false, visit: None }) }
    }

    /// What is known of it. Held for moments only, and never while a scenario runs.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether it is in this iteration.
    pub(crate) fn is_in(&self, iteration: usize) -> bool {
        self.state().visit.is_some_and(|visit| visit.iteration == iteration)
    }
}

/// Locks. What a panic left behind is counts, which are as good as they were.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
