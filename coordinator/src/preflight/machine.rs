//! What this machine lets a process do.

use rustix::process::{Resource, getrlimit};

/// Without a limit of its own a process may open so many: Linux's `fs.nr_open` as it comes.
const DESCRIPTORS_MAX: u64 = 1 << 20;

/// The limits of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Descriptors of a process: agents raise their limit as far as it goes.
    pub descriptors_max: u64,
}

impl Machine {
    /// This one.
    pub(super) fn this() -> Self {
        Self { descriptors_max: getrlimit(Resource::Nofile).maximum.unwrap_or(DESCRIPTORS_MAX) }
    }
}
