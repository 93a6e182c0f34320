//! `doorbuster plan`: what a run comes to, and nothing is sent.

use std::path::PathBuf;

use clap::Args;
use doorbuster_model::{Plan, Task};

use super::options::{AwsOptions, TargetOptions, try_file};
use super::preflight::PreflightOptions;
use super::print::{colour, print};
use crate::preflight::look;
use crate::prepare::{Prepared, Source};
use crate::{Error, Verdict, tell};

/// Show what a plan comes to before anything is sent: agents, shoppers, connections, quotas, bandwidth, cost.
///
/// Each check is ok, a warning or a refusal, with what to change. The target gets no packet, and its name is not looked up;
/// AWS is asked for its quota where a region's agents are functions. Every run begins with the same checks. Exit codes: 0 it
/// may begin, 2 a check refuses, or usage or plan error.
#[derive(Args, Clone, Debug)]
pub struct PlanCommand {
    /// The plan, a YAML file (see README.md)
    plan: PathBuf,
    /// Where the load goes, instead of the plan's target
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: Option<String>,
    #[command(flatten)]
    options: TargetOptions,
    #[command(flatten)]
    preflight: PreflightOptions,
    #[command(flatten)]
    aws: AwsOptions,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    json: Option<PathBuf>,
}

impl PlanCommand {
    /// Looks at the plan.
    ///
    /// # Errors
    /// [`Error`] when a check refuses, or the plan cannot be read; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        let prepared = self.prepared()?;
        if let Some(path) = &self.json {
            try_file(path)?;
        }
        let preflight = look(&prepared, self.preflight.usd_max())?;
        print(&tell::planned(&preflight, colour()))?;
        if let Some(path) = &self.json {
            tell::write_preflight(&preflight, path)?;
        }
        preflight.allows()?;
        Ok(Verdict::Pass)
    }

    /// The plan with its load as its task; with its probes, where it has nothing else.
    fn prepared(&self) -> Result<Prepared, Error> {
        let source = Source::read(&self.plan)?;
        let plan = Plan::read(&source.name, &source.text)?;
        let task = match plan.probe {
            Some(probe) if !plan.has_load => Task::Probe { every_ms: probe.every_ms() },
            _ => Task::Load,
        };
        let overrides = self.options.overrides(self.target.as_deref())?;
        let prepared = Prepared::to_look_at(source, overrides, task, &[])?;
        Ok(prepared.with_aws_at(self.aws.aws_endpoint.as_ref()))
    }
}
