//! `doorbuster probe`: the same journeys, all year round.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use doorbuster_model::{Plan, Task};
use doorbuster_notation::parse_duration;
use jiff::Timestamp;

use super::options::{AwsOptions, KeptOptions, TargetOptions, try_file};
use crate::prepare::{Prepared, Source};
use crate::probe::{self, Orders, kept};
use crate::runtime::block_on;
use crate::{Error, Verdict, runs, tell};

/// Probe a shop all year round: each region walks each journey of a plan every so often.
///
/// What fails spends the error budgets of the plan's `slo`, and its `alerts` are sent when a budget burns, or when a
/// region falls silent. It goes on until Ctrl-C or SIGTERM: walks end, everything is saved, and the next start goes on from
/// there. Exit codes: 0 it was stopped, 2 usage or plan error, 3 something made it impossible.
#[derive(Args, Clone, Debug)]
pub struct ProbeCommand {
    /// The plan, a YAML file with `probe` and `slo` (see README.md)
    plan: PathBuf,
    /// Where the journeys go, instead of the plan's target
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: Option<String>,
    #[command(flatten)]
    options: TargetOptions,
    #[command(flatten)]
    kept: KeptOptions,
    /// Serve figures for Prometheus (/metrics) and for whoever watches over this (/healthz), as 127.0.0.1:9464
    #[arg(long, value_name = "ADDR")]
    serve: Option<String>,
    #[command(flatten)]
    aws: AwsOptions,
    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    length: Option<Duration>,
    /// Write how the objectives stand at the end as JSON
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Neither lines nor a table; errors still go to standard error
    #[arg(long, short, help_heading = "Results")]
    quiet: bool,
}

/// How long a probe goes on.
fn length(text: &str) -> Result<Duration, String> {
    let length = parse_duration(text)?;
    if length < Duration::from_secs(1) {
        return Err(format!("\"{text}\" is too short: 1s is the shortest"));
    }
    Ok(length)
}

impl ProbeCommand {
    /// Probes until it is stopped.
    ///
    /// # Errors
    /// [`Error`] when something makes it impossible; its exit code is [`Error::exit_code`].
    pub fn run(&self) -> Result<Verdict, Error> {
        let prepared = self.prepared()?;
        if let Some(path) = &self.json {
            try_file(path)?;
        }
        let kept = self.kept.kept()?;
        kept::keep(&kept.data_dir, &prepared)?;
        let orders = Orders {
            place: kept.place,
            serve: self.serve.clone(),
            aws_endpoint: self.aws.aws_endpoint.clone(),
            length: self.length,
            quiet: self.quiet,
        };
        let id = runs::new_id(Timestamp::now())?;
        let board = block_on(probe::run(&prepared, &id, &orders))?;
        if let Some(path) = &self.json {
            let budgets = tell::Budgets {
                plan: &prepared.plan.name,
                data_age_s: board.age_s(board.at_s),
                board: &board,
            };
            tell::write_budgets(&[budgets], path)?;
        }
        Ok(Verdict::Pass)
    }

    /// The plan with the probe as its task.
    fn prepared(&self) -> Result<Prepared, Error> {
        let source = Source::read(&self.plan)?;
        let plan = Plan::read(&source.name, &source.text)?;
        let every_ms = plan.probe.map(doorbuster_model::plan::Probe::every_ms);
        let every_ms = every_ms.ok_or_else(|| {
            Error::Usage(format!(
                "{} says nothing of probes; add for example probe: {{ every: 20s }}",
                self.plan.display()
            ))
        })?;
        let overrides = self.options.overrides(self.target.as_deref())?;
        let prepared = Prepared::with_task(source, overrides, Task::Probe { every_ms })?;
        Ok(prepared.with_aws_at(self.aws.aws_endpoint.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_probe_lasts_a_second_at_least() {
        assert!(length("1s").is_ok() && length("30d").is_ok());
        assert!(length("999ms").unwrap_err().contains("too short"));
        assert!(length("soon").unwrap_err().contains("is not a duration"));
    }
}
