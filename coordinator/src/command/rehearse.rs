//! `doorbuster rehearse`: the sale, before it happens.

use std::path::PathBuf;

use clap::Args;

use super::demo::{self, DemoTarget};
use super::options::RunOptions;
use super::run::carry_out;
use crate::outcome::Job;
use crate::prepare::{Prepared, Source};
use crate::{Error, Verdict};

/// Rehearse a sale: replay shopper journeys from every region of a plan, and judge what came back.
///
/// Without a PLAN it starts the demo shop on this machine and rehearses a sale of half a minute against it. Exit
/// codes: 0 pass, 1 fail, 2 usage or plan error, 3 invalid.
#[derive(Args, Clone, Debug)]
pub struct RehearseCommand {
    /// The plan, a YAML file (see README.md); without it, the demo shop's
    plan: Option<PathBuf>,
    /// Where the load goes, instead of the plan's target
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: Option<String>,
    #[command(flatten)]
    options: RunOptions,
}

impl RehearseCommand {
    /// Whether the demo shop is to be started first: there is neither plan nor target.
    pub fn wants_demo_shop(&self) -> bool {
        self.plan.is_none() && self.target.is_none()
    }

    /// Rehearses. `demo` says where the demo shop serves, when it was started.
    ///
    /// # Errors
    /// [`Error`] when no run came about; its exit code is [`Error::exit_code`].
    pub fn run(&self, demo: &[DemoTarget]) -> Result<Verdict, Error> {
        let source = match &self.plan {
            Some(path) => Source::read(path)?,
            None => demo::source(demo),
        };
        let prepared = Prepared::new(source, self.options.overrides(self.target.as_deref())?)?
            .with_aws_at(self.options.aws_endpoint());
        let outputs = self.options.outputs()?;
        carry_out(Job::Rehearse, &prepared, &outputs)
    }
}
