//! `doorbuster slo export`: the plan's rules for Prometheus, and its alarms for CloudWatch.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use doorbuster_model::plan::CloudWatch;
use doorbuster_model::slo::Slo;
use doorbuster_model::threshold::Names;

use super::plan_of;
use crate::export::aws;
use crate::export::cloudwatch::catalogue::{Catalogue, series};
use crate::export::cloudwatch::cost::{PRICES, Usage, opening};
use crate::export::rules::alarms::{Actions, Alarms, alarms};
use crate::export::rules::{limits, prometheus, put};
use crate::runtime::block_on;
use crate::{Error, Verdict};

/// How often a request is tried: alarms are put one after another, and AWS takes a few a second.
const ATTEMPTS: u32 = 8;
/// The word for standard output.
const STANDARD_OUTPUT: &str = "-";

/// Export a plan's objectives: rules for Prometheus, alarms for CloudWatch.
///
/// Both watch what `doorbuster probe` tells, Prometheus the counters of its page (--serve), CloudWatch the metrics that it
/// publishes (`export: { cloudwatch: … }` in the plan). What CloudWatch asks for them a month is said on standard error.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("for").required(true).multiple(true).args(["prometheus", "cloudwatch"])))]
pub(super) struct ExportCommand {
    /// The plan, a YAML file with `slo`
    plan: PathBuf,
    /// Write recording and alerting rules for Prometheus; - is standard output
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    /// Write alarms for CloudWatch as JSON: what `aws cloudwatch put-metric-alarm` and `put-composite-alarm` take
    #[arg(long, value_name = "FILE")]
    cloudwatch: Option<PathBuf>,
    /// Put the alarms into CloudWatch, too; alarms that a plan no longer has stay
    #[arg(long, requires = "cloudwatch")]
    put: bool,
    /// What the alarm of severity page does, and that of missing data: an ARN, such as an SNS topic's
    #[arg(long, value_name = "ARN", requires = "cloudwatch")]
    page_action: Vec<String>,
    /// What the alarm of severity ticket does: an ARN
    #[arg(long, value_name = "ARN", requires = "cloudwatch")]
    ticket_action: Vec<String>,
    /// Speak to this address instead of AWS
    #[arg(long, value_name = "URL", requires = "put")]
    aws_endpoint: Option<String>,
}

impl ExportCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let (plan, names) = plan_of(&self.plan)?;
        let lacks = |what: &str| Error::Usage(format!("{}: the plan has no {what}", self.plan.display()));
        let mut slo = plan.slo.clone().ok_or_else(|| lacks("`slo`, so there is nothing to watch"))?;
        // Only with their names resolved is it known in which scopes objectives are counted.
        slo.resolve(&names).map_err(Error::Usage)?;
        if let Some(file) = &self.prometheus {
            write(file, &prometheus::rules(&plan.name, &slo))?;
        }
        if let Some(file) = &self.cloudwatch {
            let place = plan.export.cloudwatch.as_ref().ok_or_else(|| {
                lacks(
                    "`export: { cloudwatch: { region: … } }`, so nothing would publish what the alarms watch",
                )
            })?;
            self.cloudwatch(file, &plan.name, &names, &slo, place)?;
        }
        Ok(Verdict::Pass)
    }

    fn cloudwatch(
        &self,
        file: &Path,
        plan: &str,
        names: &Names,
        slo: &Slo,
        place: &CloudWatch,
    ) -> Result<(), Error> {
        let actions = Actions { page: self.page_action.clone(), ticket: self.ticket_action.clone() };
        let made = alarms(plan, &place.namespace, slo, &names.regions, &actions);
        limits::check(&made).map_err(|breaches| {
            Error::Usage(format!("CloudWatch would refuse these alarms: {}", breaches.join("; ")))
        })?;
        say(&cost(slo, names, place, &made)?);
        let json = serde_json::to_string_pretty(&made)
            .map_err(|error| Error::System { what: "writing alarms as JSON", source: error.into() })?;
        write(file, &format!("{json}\n"))?;
        if self.put {
            self.put(place, &made)?;
        }
        Ok(())
    }

    fn put(&self, place: &CloudWatch, made: &Alarms) -> Result<(), Error> {
        let endpoint = self.aws_endpoint.as_deref();
        block_on(async {
            let client = aws::client(&place.aws_region, endpoint, ATTEMPTS).await;
            put::put(&client, made).await.map_err(|(alarm, failure)| Error::Aws {
                what: format!("putting the alarm \"{alarm}\" in {}", place.aws_region),
                why: failure.why,
            })
        })?;
        let (alarms, composite) = (made.metric_alarms.len(), made.composite_alarms.len());
        say(&format!("put {alarms} alarms and {composite} composite alarms in {}", place.aws_region));
        Ok(())
    }
}

/// What CloudWatch asks for the metrics that `probe` publishes, and for these alarms.
fn cost(slo: &Slo, names: &Names, place: &CloudWatch, made: &Alarms) -> Result<String, Error> {
    let series = series(slo, &names.regions);
    let catalogue = Catalogue::new(names, &series, &slo.rules, slo.min_failures, place.metrics_max);
    let catalogue = catalogue.map_err(Error::Usage)?;
    let usage = Usage {
        alarms: made.metric_alarms.len() as u64,
        composite_alarms: made.composite_alarms.len() as u64,
        ..Usage::of(&catalogue, slo)
    };
    Ok(opening(&catalogue, &usage, &PRICES))
}

/// Writes a text where it was asked for.
fn write(file: &Path, text: &str) -> Result<(), Error> {
    if file == Path::new(STANDARD_OUTPUT) {
        let written = std::io::stdout().lock().write_all(text.as_bytes());
        return written.map_err(|source| Error::System { what: "writing to standard output", source });
    }
    std::fs::write(file, text).map_err(|source| Error::Write { path: file.to_owned(), source })
}

/// Says something beside the result.
fn say(line: &str) {
    // Where standard error is closed, the result still comes.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
