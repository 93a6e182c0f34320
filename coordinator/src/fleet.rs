//! The fleet: agents that are not processes of this machine. What stands for it in AWS is put there, looked at and removed
//! here ([`up`], [`status`], [`down`], [`logs`]), by the same templates that `infra/` has for everybody; the keys of agents that
//! dial in are [`pki`].

pub(crate) mod alarms;
pub(crate) mod dashboard;
pub(crate) mod down;
// The tool that makes the agent's zip reads programs by the same file, and may depend on nobody.
#[path = "../../xtask/src/elf.rs"]
mod elf;
mod findings;
mod instances;
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
