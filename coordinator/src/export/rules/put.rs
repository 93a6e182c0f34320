//! Putting alarms where they belong.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Statistic};

use super::alarms::{Alarms, CompositeAlarm, MetricAlarm};
use crate::aws::Failure;

/// Puts all alarms, each after those that it is made of. Those that exist are overwritten and keep their state; those that
/// a plan no longer has stay.
///
/// # Errors
/// Which alarm was not taken, and why; those before it were.
pub(crate) async fn put(client: &Client, alarms: &Alarms) -> Result<(), (String, Failure)> {
    for alarm in &alarms.metric_alarms {
        put_metric_alarm(client, alarm).await.map_err(|failure| (alarm.alarm_name.clone(), failure))?;
    }
    for alarm in &alarms.composite_alarms {
        put_composite_alarm(client, alarm).await.map_err(|failure| (alarm.alarm_name.clone(), failure))?;
    }
    Ok(())
}

async fn put_metric_alarm(client: &Client, alarm: &MetricAlarm) -> Result<(), Failure> {
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let dimensions = alarm.dimensions.iter();
    let dimensions = dimensions
        .map(|dimension| Dimension::builder().name(&dimension.name).value(&dimension.value).build())
        .collect();
    let request = client
        .put_metric_alarm()
        .alarm_name(&alarm.alarm_name)
        .alarm_description(&alarm.alarm_description)
        .actions_enabled(alarm.actions_enabled)
        .namespace(&alarm.namespace)
        .metric_name(&alarm.metric_name)
        .set_dimensions(Some(dimensions))
        .statistic(Statistic::from(alarm.statistic))
        .period(number(alarm.period))
        .evaluation_periods(number(alarm.evaluation_periods))
        .datapoints_to_alarm(number(alarm.datapoints_to_alarm))
        .threshold(alarm.threshold)
        .comparison_operator(ComparisonOperator::from(alarm.comparison_operator))
        .treat_missing_data(alarm.treat_missing_data);
    Box::pin(request.send()).await.map(drop).map_err(|error| Failure::of(&error))
}

async fn put_composite_alarm(client: &Client, alarm: &CompositeAlarm) -> Result<(), Failure> {
    let request = client
        .put_composite_alarm()
        .alarm_name(&alarm.alarm_name)
        .alarm_description(&alarm.alarm_description)
        .alarm_rule(&alarm.alarm_rule)
        .actions_enabled(alarm.actions_enabled)
        .set_alarm_actions(Some(alarm.alarm_actions.clone()))
        .set_ok_actions(Some(alarm.ok_actions.clone()));
    Box::pin(request.send()).await.map(drop).map_err(|error| Failure::of(&error))
}
