//! What templates do not hold: the alarm over a fleet's alarms, which alone tells anybody, and the dashboard.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;

use super::dashboard;
use super::place::Place;
use super::trouble::failed;
use crate::Error;
use crate::aws::Failure;
use crate::export::rules::alarms::{Alarms, CompositeAlarm};
use crate::export::rules::put;
use crate::preflight::quota;

/// From which share of an account's functions on they crowd a region, in per cent.
const CROWDED_PERCENT: u64 = 80;

/// The alarms of a fleet about its agents, by what follows its name in theirs; see `infra/alarms.yaml`.
pub(crate) const OF_AGENTS: [&str; 4] =
    ["agent-errors", "agent-throttles", "agent-crowded", "agent-forgotten"];

/// Puts the alarm over the others, whose action is the topic of the alarms' stack.
///
/// # Errors
/// CloudWatch did not take it.
pub(super) async fn put(place: &Place, topic: &str) -> Result<(), Error> {
    let alarms = Alarms { metric_alarms: Vec::new(), composite_alarms: vec![composite(&place.stack, topic)] };
    let client = Client::new(&place.config);
    let put = Box::pin(put::put(&client, &alarms)).await;
    put.map_err(|(alarm, failure)| failed(place, &format!("putting the alarm \"{alarm}\""), &failure))
}

/// From how many functions at a time on a region is crowded, which its account decides; `None` where AWS does not say.
pub(super) async fn crowded(place: &Place) -> Option<u64> {
    match Box::pin(quota::of(&aws_sdk_lambda::Client::new(&place.config))).await {
        Ok(quota) => Some(crowded_at(quota.concurrent)),
        Err(failure) => {
            let why = failure.why;
            place.say(&format!(
                "how many functions may run at once is not known ({why}), so the alarm about it stays as it is; let the credentials read it (lambda:GetAccountSettings)"
            ));
            None
        }
    }
}

fn crowded_at(concurrent: u64) -> u64 {
    (concurrent.saturating_mul(CROWDED_PERCENT) / 100).max(1)
}

/// The alarm over the others.
fn composite(stack: &str, topic: &str) -> CompositeAlarm {
    let children = OF_AGENTS.map(|child| format!("ALARM(\"{stack}-{child}\")"));
    CompositeAlarm {
        alarm_name: name(stack),
        alarm_description: "Something is wrong with the fleet, or it costs what nobody uses; the alarms that it is made of say what."
            .to_owned(),
        alarm_rule: children.join(" OR "),
        actions_enabled: true,
        alarm_actions: vec![topic.to_owned()],
        ok_actions: vec![topic.to_owned()],
    }
}

fn name(stack: &str) -> String {
    format!("{stack}-fleet")
}

/// Removes the alarm over the others. It goes first: what another is made of cannot be removed.
///
/// # Errors
/// CloudWatch did not remove it.
pub(super) async fn remove(place: &Place) -> Result<(), Error> {
    let client = Client::new(&place.config);
    let removed = Box::pin(client.delete_alarms().alarm_names(name(&place.stack)).send()).await;
    match removed {
        Ok(_) => Ok(()),
        Err(error) if is_missing(error.code()) => Ok(()),
        Err(error) => Err(failed(place, "removing the alarm over the others", &Failure::of(&error))),
    }
}

/// The regions that the dashboard shows, which is the account's and no region's; `None` where there is none.
///
/// # Errors
/// CloudWatch did not say.
pub(super) async fn shown(place: &Place) -> Result<Option<Vec<String>>, Error> {
    let client = Client::new(&place.config);
    match Box::pin(client.get_dashboard().dashboard_name(&place.stack).send()).await {
        Ok(answer) => Ok(Some(dashboard::regions(answer.dashboard_body().unwrap_or_default()))),
        Err(error) if is_missing(error.code()) => Ok(None),
        Err(error) => Err(failed(place, "reading the dashboard", &Failure::of(&error))),
    }
}

/// Has the dashboard show these regions, too.
///
/// # Errors
/// CloudWatch did not take it.
pub(super) async fn join_dashboard(place: &Place, regions: &[String]) -> Result<(), Error> {
    let shown = Box::pin(shown(place)).await?.unwrap_or_default();
    let all = [without(&shown, regions), regions.to_vec()].concat();
    Box::pin(put_dashboard(place, &all)).await
}

/// Takes these regions from the dashboard, which goes with the last one.
///
/// # Errors
/// CloudWatch did not take it, or did not remove it.
pub(super) async fn leave_dashboard(place: &Place, regions: &[String]) -> Result<(), Error> {
    let shown = Box::pin(shown(place)).await?.unwrap_or_default();
    let staying = without(&shown, regions);
    if staying.is_empty() {
        Box::pin(remove_dashboard(place)).await
    } else if staying.len() < shown.len() {
        Box::pin(put_dashboard(place, &staying)).await
    } else {
        Ok(())
    }
}

/// Those of the regions that are not among the others.
pub(super) fn without(regions: &[String], others: &[String]) -> Vec<String> {
    regions.iter().filter(|region| !others.contains(region)).cloned().collect()
}

async fn put_dashboard(place: &Place, regions: &[String]) -> Result<(), Error> {
    let client = Client::new(&place.config);
    let body = dashboard::body(&place.stack, regions).to_string();
    let request = client.put_dashboard().dashboard_name(&place.stack).dashboard_body(body);
    let put = Box::pin(request.send()).await;
    let answer = put.map_err(|error| failed(place, "putting the dashboard", &Failure::of(&error)))?;
    for message in answer.dashboard_validation_messages() {
        place.say(&format!("the dashboard: {}", message.message().unwrap_or_default()));
    }
    Ok(())
}

async fn remove_dashboard(place: &Place) -> Result<(), Error> {
    let client = Client::new(&place.config);
    let removed = Box::pin(client.delete_dashboards().dashboard_names(&place.stack).send()).await;
    match removed {
        Ok(_) => Ok(()),
        Err(error) if is_missing(error.code()) => Ok(()),
        Err(error) => Err(failed(place, "removing the dashboard", &Failure::of(&error))),
    }
}

/// Source: Amazon CloudWatch API reference: `ResourceNotFound`, and `DashboardNotFoundError` of older versions.
fn is_missing(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.contains("NotFound"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Cloud, config};

    #[test]
    fn the_alarm_is_made_of_those_of_the_template() {
        let template = include_str!("../../../infra/alarms.yaml");
        let made = composite("shop", "arn:aws:sns:eu-west-2:1:shop-alarms");
        for child in OF_AGENTS {
            assert!(template.contains(&format!("AlarmName: !Sub \"${{Fleet}}-{child}\"")), "{child}");
            assert!(made.alarm_rule.contains(&format!("ALARM(\"shop-{child}\")")));
        }
        assert_eq!(template.matches("AlarmName: ").count(), OF_AGENTS.len());
        assert_eq!(made.alarm_name, "shop-fleet");
        assert_eq!(made.alarm_actions, ["arn:aws:sns:eu-west-2:1:shop-alarms"]);
    }

    #[test]
    fn a_region_is_crowded_when_its_own_quota_is_nearly_used_up() {
        for (concurrent, expected) in [(10, 8), (400, 320), (1_000, 800), (10_000, 8_000), (1, 1), (0, 1)] {
            assert_eq!(crowded_at(concurrent), expected, "of {concurrent}");
        }
    }

    #[tokio::test]
    async fn a_quota_that_nobody_tells_changes_no_alarm() {
        let cloud = Cloud::start().await;
        let place = Place {
            region: "eu-west-1".to_owned(),
            stack: "shop".to_owned(),
            config: config(&cloud.endpoint).await,
            endpoint: Some(cloud.endpoint.clone()),
            quiet: true,
        };
        assert_eq!(crowded(&place).await, Some(800));
        cloud.refuse("GET /2016-08-19/account-settings", &[403, 403, 403]);
        assert_eq!(crowded(&place).await, None);
    }

    #[test]
    fn regions_that_a_command_is_not_about_stay() {
        let shown = ["ap-northeast-1", "eu-west-2"].map(str::to_owned);
        let gone = ["eu-west-2", "us-east-1"].map(str::to_owned);
        assert_eq!(without(&shown, &gone), ["ap-northeast-1"]);
        assert!(without(&shown, &shown).is_empty());
    }

    #[test]
    fn what_is_missing_is_removed() {
        assert!(is_missing(Some("ResourceNotFound")) && is_missing(Some("DashboardNotFoundError")));
        assert!(!is_missing(Some("AccessDenied")) && !is_missing(None));
    }
}
