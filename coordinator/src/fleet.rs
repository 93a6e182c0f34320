//! The fleet: agents that are not processes of this machine.

pub(crate) mod pki;
