//! Telling people: notices of incidents as letters to Alertmanager, webhooks, Slack, PagerDuty and Amazon SNS.
//!
//! A letter is one notice for one notifier. It waits in the outbox ([`outbox`]) until the postman ([`postman`]) has
//! delivered it: at least once, in order for each incident, with the same key against duplicates at every attempt. What a
//! receiver gets is made by pure functions, a file for each kind; the client ([`client`]) sends it, and what its answer
//! means is in [`answer`].

mod alertmanager;
mod answer;
mod backoff;
mod client;
mod credentials;
mod document;
pub(crate) mod hmac;
mod message;
pub(crate) mod outbox;
mod pagerduty;
pub(crate) mod postman;
mod reminders;
mod secret;
mod signature;
mod slack;
mod sns;
mod token;
mod trial;
mod webhook;

#[cfg(test)]
mod tests;

use doorbuster_model::Plan;
use doorbuster_model::plan::alerts::{NotifierKind, NotifierSpec};
use doorbuster_model::slo::Notice;
use doorbuster_notation::Faults;
use jiff::Timestamp;
use url::Url;

use self::alertmanager::Alertmanager;
use self::credentials::credentials;
use self::message::Message;
use self::pagerduty::PagerDuty;
use self::slack::Slack;
use self::sns::Sns;
use self::webhook::Webhook;
use crate::Error;

pub(crate) use self::answer::NotDelivered;
pub(crate) use self::client::Client;
pub(crate) use self::message::rfc3339;
pub(crate) use self::secret::Environment;
pub(crate) use self::trial::{Delivery, try_out};

/// Somebody who is told.
#[derive(Clone)]
pub(crate) struct Notifier {
    /// Unique in the plan.
    name: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Alertmanager(Alertmanager),
    Webhook(Webhook),
    Slack(Slack),
    PagerDuty(PagerDuty),
    Sns(Sns, Environment),
}

/// Everybody whom a plan tells, and the way to them.
#[derive(Clone)]
pub(crate) struct Notifiers {
    plan: String,
    link: Option<String>,
    notifiers: Vec<Notifier>,
    client: Client,
}

impl Notifier {
    /// As the plan says, with its secrets from the environment, and AWS behind another endpoint where there is one.
    ///
    /// # Errors
    /// Which variable is missing, or holds no address.
    fn new(
        spec: &NotifierSpec,
        environment: &Environment,
        aws_endpoint: Option<&Url>,
    ) -> Result<Self, String> {
        let kind = match &spec.kind {
            NotifierKind::Alertmanager { url } => Kind::Alertmanager(Alertmanager::new(url)?),
            NotifierKind::Webhook { url, secret_env } => {
                Kind::Webhook(Webhook { url: url.clone(), secret: environment.secret(secret_env)? })
            }
            NotifierKind::Slack { url_env } => {
                let address = environment.secret(url_env)?;
                Kind::Slack(Slack::new(&address).map_err(|why| format!("the variable {url_env}: {why}"))?)
            }
            NotifierKind::PagerDuty { routing_key_env, url } => {
                Kind::PagerDuty(PagerDuty::new(url.as_ref(), environment.secret(routing_key_env)?)?)
            }
            NotifierKind::Sns { topic_arn, region } => {
                Kind::Sns(Sns::new(topic_arn, region, aws_endpoint)?, environment.clone())
            }
        };
        Ok(Self { name: spec.name.clone(), kind })
    }

    /// Its name in the plan.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it forgets what fires unless it is told anew.
    pub(crate) fn forgets(&self) -> bool {
        matches!(self.kind, Kind::Alertmanager(_))
    }

    /// Sends a message once. The status of the answer, when it was taken.
    async fn send(&self, client: &Client, message: &Message<'_>) -> Result<u16, NotDelivered> {
        let request = match &self.kind {
            Kind::Alertmanager(alertmanager) => alertmanager.request(message),
            Kind::Webhook(webhook) => webhook.request(message),
            Kind::Slack(slack) => slack.request(message),
            Kind::PagerDuty(pagerduty) => pagerduty.request(message),
            Kind::Sns(sns, environment) => {
                let credentials = credentials(environment).await.map_err(NotDelivered::passing)?;
                sns.request(message, &credentials)
            }
        };
        client.post(request?).await
    }
}

impl Notifiers {
    /// Everybody whom the plan in `file` tells.
    ///
    /// # Errors
    /// All variables of the environment that are missing, each with the place of who needs it.
    pub(crate) fn new(
        file: &str,
        plan: &Plan,
        environment: &Environment,
        aws_endpoint: Option<&Url>,
        client: Client,
    ) -> Result<Self, Error> {
        let mut faults = Faults::none(file);
        let mut notifiers = Vec::new();
        for spec in &plan.alerts.notify {
            match Notifier::new(spec, environment, aws_endpoint) {
                Ok(notifier) => notifiers.push(notifier),
                Err(why) => faults.add(spec.place, format!("the notifier \"{}\": {why}", spec.name)),
            }
        }
        let link = plan.target.as_ref().map(Url::to_string);
        Ok(faults.or(Some(Self { plan: plan.name.clone(), link, notifiers, client }))?)
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Notifier> {
        self.notifiers.iter()
    }

    /// Sends a notice to one of them, once. The status of the answer, when it was taken.
    ///
    /// # Errors
    /// Why it was not taken, and whether another attempt is worth it.
    pub(crate) async fn send(
        &self,
        notifier: &str,
        notice: &Notice,
        is_test: bool,
    ) -> Result<u16, NotDelivered> {
        let found = self.notifiers.iter().find(|known| known.name == notifier);
        let Some(found) = found else {
            return Err(NotDelivered::Refused(format!("the plan has no notifier \"{notifier}\" any more")));
        };
        let now_s = Timestamp::now().as_second();
        let link = self.link.as_deref();
        found.send(&self.client, &Message { notice, plan: &self.plan, link, is_test, now_s }).await
    }
}
