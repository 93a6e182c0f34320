//! One stack of CloudFormation: made, changed, removed, and awaited meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{Capability, Parameter, Stack, StackEvent};
use tokio::time::{Instant, sleep};

use super::place::{Part, Place};
use super::step::{Step, is_done, towards_having};
use super::template;
use super::trouble::{failed, refused};
use crate::Error;
use crate::aws::Failure;

/// How often a stack is looked at while something is under way.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a stack may take. Instances take minutes to end, a function's code seconds.
const WITHIN: Duration = Duration::from_secs(20 * 60);

/// A stack, as CloudFormation tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its status, in CloudFormation's words.
    pub status: String,
    /// Why, where it says so.
    pub reason: Option<String>,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// What it tells of what it made.
    pub outputs: BTreeMap<String, String>,
    /// When it was changed last, as RFC 3339 has it.
    pub changed: Option<String>,
}

impl Found {
    /// Whether a fleet's stack makes the coordinator's role.
    pub(super) fn has_role(&self) -> bool {
        self.parameters.get("WithCoordinatorRole").is_some_and(|made| made == "true")
    }
}

/// What deploying came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deployed {
    /// It is new.
    Created,
    /// It is other than it was.
    Updated,
    /// It is as it was.
    Unchanged,
}

impl Deployed {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The stacks of a region.
#[derive(Debug)]
pub(crate) struct Stacks<'a> {
    place: &'a Place,
    client: Client,
}

impl<'a> Stacks<'a> {
    /// Those of a place.
    pub(crate) fn of(place: &'a Place) -> Self {
        Self { place, client: Client::new(&place.config) }
    }

    /// A stack as it is now; `None` where there is none.
    ///
    /// # Errors
    /// CloudFormation did not say.
    pub(crate) async fn find(&self, part: Part) -> Result<Option<Found>, Error> {
        let name = self.place.stack_of(part);
        match Box::pin(self.client.describe_stacks().stack_name(&name).send()).await {
            Ok(answer) => {
                Ok(answer.stacks().first().map(found).filter(|found| found.status != "DELETE_COMPLETE"))
            }
            Err(error) if error.message().is_some_and(|message| message.contains("does not exist")) => {
                Ok(None)
            }
            Err(error) => {
                Err(failed(self.place, &format!("looking at the stack {name}"), &Failure::of(&error)))
            }
        }
    }

    /// The same when nothing is under way any more.
    ///
    /// # Errors
    /// As [`find`](Self::find), or it takes too long.
    pub(crate) async fn settled(&self, part: Part) -> Result<Option<Found>, Error> {
        let mut watch = self.watch(part).await;
        loop {
            let found = Box::pin(self.find(part)).await?;
            if step(found.as_ref()) != Step::Wait {
                return Ok(found);
            }
            watch.turn(self).await?;
        }
    }

    /// Makes the stack what its template and `wanted` say. Parameters that `wanted` leaves out stay as they are, and have the
    /// template's defaults in a new stack.
    ///
    /// # Errors
    /// What CloudFormation refused, or what went wrong in which resource.
    pub(crate) async fn deploy(
        &self,
        part: Part,
        wanted: &BTreeMap<&'static str, String>,
    ) -> Result<Deployed, Error> {
        let mut watch = self.watch(part).await;
        let (mut asked, mut removed) = (None, false);
        loop {
            let found = Box::pin(self.find(part)).await?;
            match (step(found.as_ref()), asked) {
                (Step::Wait, _) => watch.turn(self).await?,
                (_, Some(asked)) => {
                    watch.show(self).await;
                    return match found {
                        Some(found) if is_done(&found.status) => Ok(asked),
                        other => Err(self.went_wrong(part, other.as_ref(), &watch)),
                    };
                }
                (Step::Create, None) => {
                    Box::pin(self.create(part, wanted)).await?;
                    asked = Some(Deployed::Created);
                }
                (Step::Update, None) => {
                    let known = found.map(|found| found.parameters).unwrap_or_default();
                    if !Box::pin(self.update(part, wanted, &known)).await? {
                        return Ok(Deployed::Unchanged);
                    }
                    asked = Some(Deployed::Updated);
                }
                (Step::Remove, None) if !removed => {
                    self.place.say(&format!(
                        "{}: what is left of the last attempt is removed first",
                        self.place.stack_of(part)
                    ));
                    Box::pin(self.delete(part)).await?;
                    removed = true;
                }
                (Step::Remove | Step::Stuck, None) => {
                    return Err(self.went_wrong(part, found.as_ref(), &watch));
                }
            }
        }
    }

    /// Removes the stack. False: there was none.
    ///
    /// # Errors
    /// What could not be removed, and why.
    pub(crate) async fn remove(&self, part: Part) -> Result<bool, Error> {
        let mut watch = self.watch(part).await;
        let (mut asked, mut was_there) = (false, false);
        loop {
            let found = Box::pin(self.find(part)).await?;
            match (&found, step(found.as_ref())) {
                (None, _) => return Ok(was_there),
                (Some(_), Step::Wait) => watch.turn(self).await?,
                (Some(_), _) if asked => {
                    watch.show(self).await;
                    return Err(self.went_wrong(part, found.as_ref(), &watch));
                }
                (Some(_), _) => {
                    Box::pin(self.delete(part)).await?;
                    asked = true;
                }
            }
            was_there = true;
        }
    }

    async fn create(&self, part: Part, wanted: &BTreeMap<&'static str, String>) -> Result<(), Error> {
        let name = self.place.stack_of(part);
        let request = self
            .client
            .create_stack()
            .stack_name(&name)
            .template_body(template::text(part))
            .capabilities(Capability::CapabilityIam)
            .set_parameters(Some(parameters(template::text(part), wanted, &BTreeMap::new())));
        let made = Box::pin(request.send()).await;
        made.map(drop)
            .map_err(|error| failed(self.place, &format!("making the stack {name}"), &Failure::of(&error)))
    }

    /// False: it is like that already.
    async fn update(
        &self,
        part: Part,
        wanted: &BTreeMap<&'static str, String>,
        known: &BTreeMap<String, String>,
    ) -> Result<bool, Error> {
        let name = self.place.stack_of(part);
        let request = self
            .client
            .update_stack()
            .stack_name(&name)
            .template_body(template::text(part))
            .capabilities(Capability::CapabilityIam)
            .set_parameters(Some(parameters(template::text(part), wanted, known)));
        match Box::pin(request.send()).await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .message()
                    .is_some_and(|message| message.contains("No updates are to be performed")) =>
            {
                Ok(false)
            }
            Err(error) => {
                Err(failed(self.place, &format!("updating the stack {name}"), &Failure::of(&error)))
            }
        }
    }

    async fn delete(&self, part: Part) -> Result<(), Error> {
        let name = self.place.stack_of(part);
        let deleted = Box::pin(self.client.delete_stack().stack_name(&name).send()).await;
        deleted
            .map(drop)
            .map_err(|error| failed(self.place, &format!("removing the stack {name}"), &Failure::of(&error)))
    }

    async fn watch(&self, part: Part) -> Watch {
        let stack = self.place.stack_of(part);
        let mut watch = Watch { stack, seen: BTreeSet::new(), wrong: None, until: Instant::now() + WITHIN };
        // What happened before is known already.
        for event in watch.news(self).await {
            watch.seen.extend(event.event_id().map(str::to_owned));
        }
        watch
    }

    fn went_wrong(&self, part: Part, found: Option<&Found>, watch: &Watch) -> Error {
        let status = found.map_or("DELETE_COMPLETE", |found| found.status.as_str());
        let told = found.and_then(|found| found.reason.clone());
        let why = watch.wrong.clone().or(told).unwrap_or_else(|| {
            "it does not say why; see its events in the console, remove it (`doorbuster fleet down`) and try again".to_owned()
        });
        let what = format!("the stack {}", self.place.stack_of(part));
        refused(self.place, &what, &format!("{status}: {why}"))
    }
}

/// What is under way in a stack, told as it happens.
struct Watch {
    stack: String,
    seen: BTreeSet<String>,
    /// The first thing that went wrong: the others follow from it.
    wrong: Option<String>,
    until: Instant,
}

impl Watch {
    /// Tells what is new, and waits a while.
    async fn turn(&mut self, stacks: &Stacks<'_>) -> Result<(), Error> {
        self.show(stacks).await;
        if Instant::now() >= self.until {
            let why = format!(
                "it has not ended within {} minutes; it goes on by itself, and the same command takes it up again",
                WITHIN.as_secs() / 60
            );
            return Err(refused(stacks.place, &format!("waiting for the stack {}", self.stack), &why));
        }
        sleep(LOOK_EVERY).await;
        Ok(())
    }

    async fn show(&mut self, stacks: &Stacks<'_>) {
        for event in self.news(stacks).await {
            let Some(id) = event.event_id() else { continue };
            if !self.seen.insert(id.to_owned()) {
                continue;
            }
            let resource = event.logical_resource_id().unwrap_or_default();
            let status = event.resource_status().map_or("", |status| status.as_str());
            let why = event.resource_status_reason();
            if let Some(text) = told(&self.stack, resource, status, why) {
                stacks.place.say(&text);
            }
            if let Some(why) = why.filter(|why| self.wrong.is_none() && is_cause(status, why)) {
                self.wrong = Some(format!("{resource}: {why}"));
            }
        }
    }

    /// What CloudFormation tells of last, the oldest first; nothing where it does not: events are for watching alone.
    async fn news(&self, stacks: &Stacks<'_>) -> Vec<StackEvent> {
        let request = stacks.client.describe_stack_events().stack_name(&self.stack);
        let answer = Box::pin(request.send()).await;
        let mut events = answer.ok().and_then(|answer| answer.stack_events).unwrap_or_default();
        events.reverse();
        events
    }
}

/// How an event is told; those about beginnings are not.
fn told(stack: &str, resource: &str, status: &str, why: Option<&str>) -> Option<String> {
    let is_news = status.ends_with("_COMPLETE") || status.ends_with("_FAILED");
    let why = why.filter(|_| status.ends_with("_FAILED")).map(|why| format!(" ({why})")).unwrap_or_default();
    let subject = if resource == stack { stack.to_owned() } else { format!("{stack}: {resource}") };
    is_news.then(|| format!("{subject} {}{why}", status.replace('_', " ").to_lowercase()))
}

/// Whether this is what went wrong, and not what was given up because of it.
fn is_cause(status: &str, why: &str) -> bool {
    status.ends_with("_FAILED") && !why.to_lowercase().contains("cancelled")
}

fn step(found: Option<&Found>) -> Step {
    towards_having(found.map(|found| found.status.as_str()))
}

fn found(stack: &Stack) -> Found {
    let parameter = |parameter: &Parameter| {
        let value = parameter.parameter_value().unwrap_or_default().to_owned();
        Some((parameter.parameter_key()?.to_owned(), value))
    };
    let outputs = stack.outputs().iter();
    let changed = stack.last_updated_time().or(stack.creation_time());
    Found {
        status: stack.stack_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: stack.stack_status_reason().map(str::to_owned),
        parameters: stack.parameters().iter().filter_map(parameter).collect(),
        outputs: outputs
            .filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())))
            .collect(),
        changed: changed.and_then(|at| jiff::Timestamp::from_second(at.secs()).ok()).map(|at| at.to_string()),
    }
}

/// The parameters of a request: what is wanted, and of the rest what the stack has already. What the template does not know
/// any more is left out; CloudFormation would refuse it.
fn parameters(
    text: &str,
    wanted: &BTreeMap<&'static str, String>,
    known: &BTreeMap<String, String>,
) -> Vec<Parameter> {
    let parameter = |name: &str| match wanted.get(name) {
        Some(value) => Some(Parameter::builder().parameter_key(name).parameter_value(value).build()),
        None => known
            .contains_key(name)
            .then(|| Parameter::builder().parameter_key(name).use_previous_value(true).build()),
    };
    template::parameters(text).into_iter().filter_map(parameter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_when_they_say_something() {
        assert_eq!(told("shop", "Bucket", "CREATE_IN_PROGRESS", None), None);
        assert_eq!(told("shop", "Bucket", "CREATE_COMPLETE", None).unwrap(), "shop: Bucket create complete");
        assert_eq!(told("shop", "shop", "UPDATE_COMPLETE", Some("x")).unwrap(), "shop update complete");
        let failed = told("shop", "Agent", "CREATE_FAILED", Some("no such key")).unwrap();
        assert_eq!(failed, "shop: Agent create failed (no such key)");
    }

    #[test]
    fn the_cause_is_not_what_followed_from_it() {
        assert!(is_cause("CREATE_FAILED", "no such key"));
        assert!(!is_cause("CREATE_FAILED", "Resource creation cancelled"));
        assert!(!is_cause("DELETE_COMPLETE", "gone"));
    }

    #[test]
    fn what_is_not_named_stays_as_it_is() {
        let text =
            "Parameters:\n  Old:\n    Type: String\n  New:\n    Type: String\n  Fresh:\n    Type: String\n";
        let wanted = BTreeMap::from([("New", "2".to_owned())]);
        let known = ["Old", "New", "Gone"].map(|name| (name.to_owned(), "1".to_owned()));
        let told = |known: &BTreeMap<String, String>| -> Vec<(String, Option<String>, bool)> {
            let made = parameters(text, &wanted, known).into_iter();
            made.map(|parameter| {
                let kept = parameter.use_previous_value().unwrap_or(false);
                let value = parameter.parameter_value().map(str::to_owned);
                (parameter.parameter_key().unwrap().to_owned(), value, kept)
            })
            .collect()
        };
        let new = ("New".to_owned(), Some("2".to_owned()), false);
        assert_eq!(told(&BTreeMap::from(known)), [("Old".to_owned(), None, true), new.clone()]);
        assert_eq!(told(&BTreeMap::new()), [new]);
    }
}
