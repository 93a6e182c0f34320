//! `doorbuster gate`: the same run, for a pipeline.

use std::path::PathBuf;

use clap::Args;

use super::options::RunOptions;
use super::run::carry_out;
use crate::outcome::Job;
use crate::prepare::{Prepared, Source};
use crate::{Error, Verdict};

/// Gate a release: run a plan in a pipeline and let its thresholds decide.
///
/// The same run as `rehearse`, for CI: --junit gives a test case per threshold and region, --markdown a step
/// summary. Exit codes: 0 pass, 1 fail, 2 usage or plan error, 3 invalid.
#[derive(Args, Clone, Debug)]
pub struct GateCommand {
    /// The plan, a YAML file (see README.md)
    plan: PathBuf,
    /// Where the load goes, instead of the plan's target
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: Option<String>,
    #[command(flatten)]
    options: RunOptions,
}

impl GateCommand {
    /// Runs the plan.
    ///
    /// # Errors
    /// [`Error`] when no run came about; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        let source = Source::read(&self.plan)?;
        let prepared = Prepared::new(source, self.options.overrides(self.target.as_deref())?)?
            .with_aws_at(self.options.aws_endpoint());
        let outputs = self.options.outputs()?;
        carry_out(Job::Gate, &prepared, &outputs)
    }
}
