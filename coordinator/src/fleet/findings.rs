//! Alarms about what probes find: one for each journey, on while too few of its walks go well. They are reckoned from two
//! metrics, and follow from the plan; so no template holds them.
//!
//! Source: Amazon CloudWatch API Reference, `PutMetricAlarm` with `Metrics`.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Metric, MetricDataQuery, MetricStat};

use super::place::Place;
use super::probes::Rounds;
use super::trouble::failed;
use crate::Error;
use crate::aws::Failure;

/// Where probes' metrics are; see the agent's Embedded Metric Format.
const NAMESPACE: &str = "Doorbuster";
/// The shortest period, in minutes. Where rounds are farther apart, each has one.
const PERIOD_MINUTES_MIN: u32 = 5;
/// In how many periods, one after another, too few walks must go well.
const PERIODS: i32 = 2;
/// How many of a hundred walks must go well.
const GOOD_PERCENT_MIN: f64 = 90.0;
/// The share that went well, in per cent; nothing where nobody walked.
const SHARE: &str = "IF(total > 0, 100 * good / total)";
/// The longest name of an alarm. Source: as above.
const NAME_CHARS_MAX: usize = 255;
/// The most pages of a list, of 100 alarms each.
const PAGES_MAX: usize = 100;

/// Puts an alarm for each journey of these rounds, and removes those of others. A journey whose name stands otherwise in metrics,
/// or is too long for an alarm's, has none.
///
/// # Errors
/// CloudWatch did not take one, or did not remove one.
pub(super) async fn put(place: &Place, region: &str, rounds: &Rounds, topic: &str) -> Result<(), Error> {
    let client = Client::new(&place.config);
    let mut wanted = BTreeSet::new();
    for journey in &rounds.journeys {
        let name = format!("{}{journey}", prefix(place));
        if !is_plain(journey) || name.len() > NAME_CHARS_MAX {
            place.say(&format!("the journey \"{journey}\" has no alarm, because of its name"));
            continue;
        }
        let request = client
            .put_metric_alarm()
            .alarm_name(&name)
            .alarm_description(format!(
                "Fewer than {GOOD_PERCENT_MIN} % of the walks through the journey went well."
            ))
            .set_metrics(Some(metrics(region, journey, period_s(rounds))))
            .evaluation_periods(PERIODS)
            .datapoints_to_alarm(PERIODS)
            .threshold(GOOD_PERCENT_MIN)
            .comparison_operator(ComparisonOperator::LessThanThreshold)
            // That nobody walks is another alarm's.
            .treat_missing_data("notBreaching")
            .set_alarm_actions((!topic.is_empty()).then(|| vec![topic.to_owned()]))
            .set_ok_actions((!topic.is_empty()).then(|| vec![topic.to_owned()]));
        let put = Box::pin(request.send()).await;
        put.map_err(|error| failed(place, &format!("putting the alarm \"{name}\""), &Failure::of(&error)))?;
        wanted.insert(name);
    }
    Box::pin(remove(place, &client, &wanted)).await
}

/// Removes all of them.
///
/// # Errors
/// CloudWatch did not say which there are, or did not remove them.
pub(super) async fn remove_all(place: &Place) -> Result<(), Error> {
    Box::pin(remove(place, &Client::new(&place.config), &BTreeSet::new())).await
}

async fn remove(place: &Place, client: &Client, wanted: &BTreeSet<String>) -> Result<(), Error> {
    let mut unwanted = Vec::new();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        let request = client.describe_alarms().alarm_name_prefix(prefix(place)).set_next_token(token);
        let answer = Box::pin(request.send()).await;
        let answer =
            answer.map_err(|error| failed(place, "asking which alarms probes have", &Failure::of(&error)))?;
        let names = answer.metric_alarms().iter().filter_map(|alarm| alarm.alarm_name());
        unwanted.extend(names.filter(|name| !wanted.contains(*name)).map(str::to_owned));
        token = answer.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    // Source: Amazon CloudWatch API Reference, `DeleteAlarms`: at most 100 at a time.
    for names in unwanted.chunks(100) {
        let removed = Box::pin(client.delete_alarms().set_alarm_names(Some(names.to_vec())).send()).await;
        removed.map_err(|error| failed(place, "removing alarms of probes", &Failure::of(&error)))?;
    }
    Ok(())
}

fn prefix(place: &Place) -> String {
    format!("{}-probe-of-", place.stack)
}

/// Names of printable ASCII are a dimension's value as they are.
fn is_plain(journey: &str) -> bool {
    !journey.trim().is_empty()
        && !journey.starts_with(':')
        && journey.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The length of a period, in seconds.
fn period_s(rounds: &Rounds) -> i32 {
    let minutes = rounds.every_minutes.max(PERIOD_MINUTES_MIN);
    i32::try_from(minutes * 60).unwrap_or(i32::MAX)
}

/// What the alarm is reckoned from: how many walks there were, and how many of them went well.
fn metrics(region: &str, journey: &str, period_s: i32) -> Vec<MetricDataQuery> {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let counted = |metric: &str| {
        let counted = Metric::builder()
            .namespace(NAMESPACE)
            .metric_name(metric)
            .dimensions(dimension("region", region))
            .dimensions(dimension("journey", journey))
            .build();
        let summed = MetricStat::builder().metric(counted).period(period_s).stat("Sum").build();
        MetricDataQuery::builder().id(metric).metric_stat(summed).return_data(false).build()
    };
    let share =
        MetricDataQuery::builder().id("share").expression(SHARE).label(journey).return_data(true).build();
    vec![counted("good"), counted("total"), share]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_walks_and_not_of_steps() {
        let made = metrics("london", "checkout", 300);
        let shown: Vec<&str> = made.iter().filter_map(|query| query.id()).collect();
        assert_eq!(shown, ["good", "total", "share"]);
        for id in &shown[..2] {
            assert!(SHARE.contains(id), "{id}");
        }
        for query in &made[..2] {
            let stat = query.metric_stat().unwrap();
            let dimensions = stat.metric().unwrap().dimensions().iter();
            let told: Vec<_> = dimensions.map(|one| (one.name().unwrap(), one.value().unwrap())).collect();
            assert_eq!(told, [("region", "london"), ("journey", "checkout")]);
            assert_eq!(query.return_data(), Some(false));
        }
        let returned = made.iter().filter(|query| query.return_data() == Some(true)).count();
        assert_eq!(returned, 1, "an alarm watches one of them");
    }

    #[test]
    fn names_that_metrics_show_otherwise_have_none() {
        assert!(is_plain("checkout") && is_plain("a b"));
        for name in ["", " ", "購入", ":a", "a\tb"] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
