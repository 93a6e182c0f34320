//! How a fleet stands in a region.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::StateValue;
use serde_json::{Map, Value, json};

use super::package;
use super::place::{Part, Place};
use super::stack::{Found, Stacks};
use super::step::is_done;
use super::trouble::failed;
use crate::Error;
use crate::aws::Failure;

/// A region's fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The region, as AWS calls it.
    pub region: String,
    /// Each stack that is there, by its name; the fleet's own first.
    pub stacks: Vec<(String, Found)>,
    /// The alarms that are on.
    pub alarms: Vec<String>,
}

impl Standing {
    /// Whether there is a fleet with agents, and all of it is as it was asked for.
    pub(crate) fn is_well(&self) -> bool {
        self.has_agent()
            && self.stacks.iter().all(|(_, found)| is_done(&found.status) || is_taken_back(found))
    }

    /// Whether anything can be an agent here: the function, or instances.
    pub(crate) fn has_agent(&self) -> bool {
        !self.parameter("AgentKey").is_empty() || !["", "0"].contains(&self.parameter("AgentsEc2"))
    }

    /// A parameter of the fleet's own stack.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let fleet = self.stacks.first().map(|(_, found)| &found.parameters);
        fleet.and_then(|parameters| parameters.get(name)).map_or("", String::as_str)
    }

    /// The agent's version and processors, as far as they are known.
    pub(crate) fn agent(&self) -> String {
        match self.parameter("AgentKey") {
            "" => "none yet".to_owned(),
            key => package::told_by(key).map_or_else(
                || key.to_owned(),
                |(version, architecture)| format!("{version} {architecture}"),
            ),
        }
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let stack = |(name, found): &(String, Found)| {
            let of = |values: &std::collections::BTreeMap<String, String>| {
                values.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<Map<_, _>>()
            };
            json!({
                "name": name, "status": found.status, "reason": found.reason, "changed_at": found.changed,
                "parameters": of(&found.parameters), "outputs": of(&found.outputs),
            })
        };
        json!({
            "region": self.region, "is_well": self.is_well(), "agent": self.agent(),
            "stacks": self.stacks.iter().map(stack).collect::<Vec<_>>(), "alarms": self.alarms,
        })
    }
}

/// A change that was taken back leaves what was there, which works.
fn is_taken_back(found: &Found) -> bool {
    found.status == "UPDATE_ROLLBACK_COMPLETE"
}

/// Looks at a region's fleet.
///
/// # Errors
/// AWS did not say.
pub(crate) async fn status(place: &Place) -> Result<Standing, Error> {
    let stacks = Stacks::of(place);
    let mut standing = Standing { region: place.region.clone(), stacks: Vec::new(), alarms: Vec::new() };
    for part in Part::ALL {
        match Box::pin(stacks.find(part)).await? {
            Some(found) => standing.stacks.push((place.stack_of(part), found)),
            // Without its own stack the others are leftovers, and there is no fleet.
            None if part == Part::Fleet => break,
            None => {}
        }
    }
    if standing.stacks.len() > 1 {
        standing.alarms = Box::pin(alarms(place)).await?;
    }
    Ok(standing)
}

/// The alarms of the fleet that are on.
async fn alarms(place: &Place) -> Result<Vec<String>, Error> {
    let client = Client::new(&place.config);
    let request = client
        .describe_alarms()
        .alarm_name_prefix(format!("{}-", place.stack))
        .state_value(StateValue::Alarm);
    let answer = Box::pin(request.send()).await;
    let answer = answer.map_err(|error| failed(place, "asking which alarms are on", &Failure::of(&error)))?;
    Ok(answer.metric_alarms().iter().filter_map(|alarm| alarm.alarm_name().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn standing(status: &str, key: &str) -> Standing {
        let parameters = BTreeMap::from([("AgentKey".to_owned(), key.to_owned())]);
        let found = Found { status: status.to_owned(), parameters, ..Found::default() };
        Standing {
            region: "eu-west-2".to_owned(),
            stacks: vec![("shop".to_owned(), found)],
            alarms: Vec::new(),
        }
    }

    #[test]
    fn a_fleet_is_well_when_it_is_there_and_done() {
        let key = "agent/0.1.0-arm64-0123456789abcdef.zip";
        assert!(standing("CREATE_COMPLETE", key).is_well());
        assert!(standing("UPDATE_ROLLBACK_COMPLETE", key).is_well());
        assert!(!standing("UPDATE_IN_PROGRESS", key).is_well());
        assert!(!standing("ROLLBACK_COMPLETE", key).is_well());
        assert!(!Standing { stacks: Vec::new(), ..standing("", key) }.is_well());
    }

    #[test]
    fn a_fleet_without_an_agent_is_not_well() {
        for (agents_ec2, expected) in [(None, false), (Some("0"), false), (Some("4"), true)] {
            let mut standing = standing("CREATE_COMPLETE", "");
            let given = agents_ec2.map(|agents| ("AgentsEc2".to_owned(), agents.to_owned()));
            standing.stacks[0].1.parameters.extend(given);
            assert_eq!(standing.is_well(), expected, "{agents_ec2:?} on EC2");
        }
        assert_eq!(standing("CREATE_COMPLETE", "").to_json()["is_well"], false);
    }

    #[test]
    fn programs_are_told_which_agent_it_is() {
        let key = "agent/0.1.0-arm64-0123456789abcdef.zip";
        let told = standing("CREATE_COMPLETE", key).to_json();
        assert_eq!(told["agent"], "0.1.0 arm64");
        assert_eq!(told["stacks"][0]["parameters"]["AgentKey"], key);
        assert_eq!(standing("CREATE_COMPLETE", "").agent(), "none yet");
        assert_eq!(standing("CREATE_COMPLETE", "mine.zip").agent(), "mine.zip");
    }
}
