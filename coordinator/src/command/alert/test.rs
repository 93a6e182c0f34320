//! `doorbuster alert test`: a test through every notifier of a plan.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use doorbuster_model::plan::alerts::NOTIFIER_KINDS;
use doorbuster_model::slo::Severity;
use doorbuster_model::{Plan, target};
use doorbuster_notation::parse_duration;
use jiff::Timestamp;
use url::Url;

use crate::command::print::{colour, print};
use crate::notify::{Client, Delivery, Environment, Notifiers, try_out};
use crate::prepare::Source;
use crate::runtime::block_on;
use crate::{Error, Verdict, runs, tell};

/// Send a test through every notifier of a plan, firing and then resolved, and show what each answered.
///
/// The test says that it is one, and is sent once to each. An Alertmanager tells nobody of an alert that is over before its
/// group_wait (30 s, unless it is configured otherwise): give it longer with --for. Exit codes: 0 all took it, 1 somebody
/// did not, 2 usage or plan error.
#[derive(Args, Clone, Debug)]
pub(super) struct TestCommand {
    /// The plan, a YAML file (see README.md)
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Only the notifiers of this kind
    #[arg(long, value_name = "KIND", value_parser = NOTIFIER_KINDS)]
    only: Option<String>,
    /// For how long the test fires before it is resolved; Ctrl-C resolves it at once
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration, default_value = "0s")]
    fires_for: Duration,
    /// How urgent the test is: a page may wake somebody up
    #[arg(long, value_name = "SEVERITY", value_parser = ["page", "ticket"], default_value = "ticket")]
    severity: String,
    /// Where AWS is, instead of its own address
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    aws_endpoint: Option<Url>,
}

impl TestCommand {
    pub(super) fn run(&self) -> Result<Verdict, Error> {
        let deliveries = self.deliveries()?;
        print(&tell::deliveries(&deliveries, colour()))?;
        let is_taken = deliveries.iter().all(|delivery| delivery.answer.is_ok());
        Ok(if is_taken { Verdict::Pass } else { Verdict::Fail })
    }

    /// Sends the test.
    fn deliveries(&self) -> Result<Vec<Delivery>, Error> {
        let source = Source::read(&self.plan)?;
        let mut plan = Plan::read(&source.name, &source.text)?;
        let is_wanted = |word: &str| self.only.as_deref().is_none_or(|only| only == word);
        plan.alerts.notify.retain(|spec| is_wanted(spec.kind.word()));
        if plan.alerts.notify.is_empty() {
            let kind = self.only.as_ref().map_or_else(String::new, |only| format!(" of the kind {only}"));
            let plan = &source.name;
            return Err(Error::Usage(format!(
                "{plan} has no notifier{kind}; add one to its `alerts: notify`"
            )));
        }
        let environment = Environment::of_process();
        let aws_endpoint = self.aws_endpoint.as_ref();
        let notifiers = Notifiers::new(&source.name, &plan, &environment, aws_endpoint, Client::new()?)?;
        let id = runs::new_id(Timestamp::now())?;
        let severity = if self.severity == "page" { Severity::Page } else { Severity::Ticket };
        let tried = try_out(&notifiers, &id, severity, self.fires_for, interrupted());
        block_on(async { Ok(tried.await) })
    }
}

/// The address of an endpoint, which has no path.
fn endpoint(text: &str) -> Result<Url, String> {
    let url = target::parse(text)?;
    if url.path() == "/" && url.query().is_none() {
        Ok(url)
    } else {
        Err(format!("an endpoint has neither path nor query; write {}", url.origin().ascii_serialization()))
    }
}

/// Over when somebody presses Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Where nobody can listen for it, the test takes its time.
        std::future::pending::<()>().await;
    }
}
