//! Removing a fleet from a region, with everything that is in it. What cannot be removed is told, and does not keep the rest.

use serde_json::json;

use super::place::{Part, Place};
use super::stack::Stacks;
use super::trouble::failed;
use super::{alarms, findings, role};
use crate::Error;
use crate::aws::call;

/// What came of it in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// The region, as AWS calls it.
    pub region: String,
    /// The stacks that are gone.
    pub stacks: Vec<String>,
    /// What is left, and why.
    pub left: Vec<String>,
}

/// Removes the fleet of a region, which is one of `regions`.
///
/// # Errors
/// Nothing could be asked at all.
pub(crate) async fn down(place: &Place, regions: &[String]) -> Result<Removed, Error> {
    let account = Box::pin(place.account()).await?;
    let stacks = Stacks::of(place);
    let mut removed = Removed { region: place.region.clone(), ..Removed::default() };
    removed.stack(place, &stacks, Part::Probes).await;
    removed.note(Box::pin(findings::remove_all(place)).await);
    removed.note(Box::pin(alarms::remove(place)).await);
    removed.stack(place, &stacks, Part::Alarms).await;
    match Box::pin(stacks.settled(Part::Fleet)).await {
        Ok(Some(found)) => {
            if found.has_role() {
                Box::pin(role::say_goes(place, regions)).await;
            }
            removed.note(Box::pin(empty(place, &account)).await);
            removed.stack(place, &stacks, Part::Fleet).await;
        }
        Ok(None) => {}
        Err(error) => removed.left.push(error.to_string()),
    }
    for function in ["agent", "probe"] {
        removed.note(Box::pin(forget_logs(place, function)).await);
    }
    Ok(removed)
}

/// Takes the regions of which nothing is left from the dashboard, which goes with the fleet's last one.
pub(crate) async fn leave_dashboard(places: &[Place], removed: &mut [Removed]) {
    let gone = removed.iter().filter(|removed| removed.left.is_empty()).map(|gone| gone.region.clone());
    let gone: Vec<String> = gone.collect();
    // It is the account's: any region that answers will do.
    let Some(first) = removed.first_mut() else { return };
    if let Some(place) = places.iter().find(|place| place.region == first.region) {
        first.note(Box::pin(alarms::leave_dashboard(place, &gone)).await);
    }
}

impl Removed {
    async fn stack(&mut self, place: &Place, stacks: &Stacks<'_>, part: Part) {
        match Box::pin(stacks.remove(part)).await {
            Ok(true) => self.stacks.push(place.stack_of(part)),
            Ok(false) => {}
            Err(error) => self.left.push(error.to_string()),
        }
    }

    fn note(&mut self, done: Result<(), Error>) {
        if let Err(error) = done {
            self.left.push(error.to_string());
        }
    }
}

/// CloudFormation removes empty buckets alone.
async fn empty(place: &Place, account: &str) -> Result<(), Error> {
    match Box::pin(place.bucket(account).empty()).await {
        Ok(0) => Ok(()),
        Ok(count) => {
            place.say(&format!("{}: {count} objects removed", place.bucket_name(account)));
            Ok(())
        }
        // An attempt to make the fleet may have ended before its bucket was there.
        Err(failure) if failure.why.starts_with("NoSuchBucket") => Ok(()),
        Err(failure) => {
            Err(failed(place, &format!("emptying the bucket {}", place.bucket_name(account)), &failure))
        }
    }
}

/// Lines that a function wrote while its group was being removed make a new one.
async fn forget_logs(place: &Place, function: &str) -> Result<(), Error> {
    let group = format!("/aws/lambda/{}-{function}", place.stack);
    let body = json!({ "logGroupName": group });
    let target = "Logs_20140328.DeleteLogGroup";
    let forgotten = call::call(&place.config, place.endpoint.as_deref(), "logs", target, &body);
    match Box::pin(forgotten).await {
        Err(failure) if !failure.why.contains("ResourceNotFoundException") => {
            Err(failed(place, &format!("removing the log group {group}"), &failure))
        }
        _ => Ok(()),
    }
}
