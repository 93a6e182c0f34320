//! The fleet: agents that are not processes of this machine. What stands for it in AWS is put there, looked at and removed
//! here ([`up`], [`status`], [`down`], [`logs`]), by the same templates that `infra/` has for everybody; the keys of agents that
//! dial in are [`pki`].

pub(crate) mod alarms;
pub(crate) mod dashboard;
pub(crate) mod down;
mod findings;
mod leftovers;
pub(crate) mod logs;
pub(crate) mod package;
pub(crate) mod pki;
pub(crate) mod place;
pub(crate) mod probes;
pub(crate) mod program;
mod role;
pub(crate) mod stack;
pub(crate) mod status;
mod step;
mod template;
mod trouble;
pub(crate) mod up;
