//! From what agents count to what CloudWatch says: before a stand-in for AWS.

use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, Metric, MetricDataQuery, MetricStat, StateValue};
use doorbuster_model::sample::Times;
use doorbuster_model::tally::Part;
use doorbuster_model::{Key, Sample};

use super::*;
use crate::export::rules::alarms::{Actions, alarms};
use crate::export::rules::put::put;
use crate::export::samples;
use crate::export::testing::{MiniStack, without};

const NAMESPACE: &str = "Shop";

fn publisher(queue: &Queue, metrics_max: u32) -> Publisher {
    let slo = samples::slo();
    let (names, series) = (samples::names(), samples::series());
    let catalogue = Catalogue::new(&names, &series, &slo.rules, slo.min_failures, metrics_max).unwrap();
    Publisher::new(catalogue, slo.min_failures, queue.clone())
}

/// The next minute: the stand-in looks at alarms' metrics of the last minute alone, and the test must not be too late.
fn next_minute_s() -> i64 {
    (jiff::Timestamp::now().as_second().div_euclid(EVERY_S) + 1) * EVERY_S
}

/// A home page for each of 2,000 milliseconds.
fn home_pages() -> Tally {
    let mut tally = Tally::default();
    for latency_ms in 1..=2_000 {
        let times = Times { sent_ns: Some(0), ended_ns: latency_ms * 1_000_000, ..Times::default() };
        tally.record(&Sample::new(Key { journey: 0, step: 0, part: Part::Main, section: 0 }, times));
    }
    tally
}

/// Sends all that waits.
async fn send_all(queue: &Queue, client: &Client) {
    let sending = tokio::spawn(send(queue.clone(), client.clone(), NAMESPACE.to_owned()));
    let expected = queue.sent().sent + queue.sent().waiting;
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while queue.sent().sent < expected {
        assert!(std::time::Instant::now() < deadline, "{:?} {:?}", queue.sent(), queue.problem());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sending.abort();
}

/// A statistic of the latency in a region.
async fn latency(client: &Client, at_s: i64, statistic: &str) -> f64 {
    let dimension = Dimension::builder().name("Region").value("tokyo").build();
    let metric =
        Metric::builder().namespace(NAMESPACE).metric_name(metric::LATENCY).dimensions(dimension).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat(statistic).build();
    let query = MetricDataQuery::builder().id("latency").metric_stat(stat).build();
    let request = client
        .get_metric_data()
        .metric_data_queries(query)
        .start_time(DateTime::from_secs(at_s))
        .end_time(DateTime::from_secs(at_s + 60));
    let answer = Box::pin(request.send()).await.unwrap();
    answer.metric_data_results()[0].values()[0]
}

async fn state(client: &Client, alarm: &str) -> Option<StateValue> {
    let request = client.describe_alarms().alarm_names(alarm).alarm_types(AlarmType::CompositeAlarm);
    let answer = Box::pin(request.send()).await.unwrap();
    answer.composite_alarms().first().and_then(|alarm| alarm.state_value().cloned())
}

#[tokio::test]
async fn percentiles_come_back_right_and_alarms_follow_burn_rates() {
    if without("ministack") {
        return;
    }
    let stack = MiniStack::start();
    let client = stack.client().await;
    let queue = Queue::default();
    // Exchanges by region alone: the stand-in adds up what has the same name and other dimensions.
    let mut publisher = publisher(&queue, 75);
    let (names, counters) = (samples::names(), samples::counters());
    let slo = samples::slo();
    let made = alarms("shop", NAMESPACE, &slo, &names.regions, &Actions::default());
    put(&client, &made).await.unwrap();

    let minute_s = next_minute_s();
    let mut standing = samples::standing();
    publisher.tick(minute_s, &names, &standing, &counters);
    publisher.count(0, &home_pages());
    publisher.tick(minute_s + EVERY_S, &names, &standing, &counters);
    send_all(&queue, &client).await;
    let sent = queue.sent();
    assert_eq!((sent.refused, sent.dropped, sent.failures), (0, 0, 0), "{:?}", queue.problem());
    assert_eq!(latency(&client, minute_s, "SampleCount").await, 2_000.0);
    for (statistic, expected) in [("p50", 1_000.0), ("p90", 1_800.0), ("p99", 1_980.0)] {
        let observed = latency(&client, minute_s, statistic).await;
        assert!((observed / expected - 1.0).abs() < 0.003, "{statistic}: {observed} ms");
    }
    // The budget burns in both windows, but two failures are fewer than the plan asks for.
    let page = "doorbuster shop / page";
    assert_eq!(state(&client, page).await, Some(StateValue::Ok));
    for reading in standing.objectives.iter_mut().flat_map(|objective| &mut objective.burns) {
        reading.count.failed = 5;
    }
    publisher.tick(minute_s + 2 * EVERY_S, &names, &standing, &counters);
    send_all(&queue, &client).await;
    assert_eq!(state(&client, page).await, Some(StateValue::Alarm));
}

#[test]
fn a_minute_is_handed_over_once_it_is_past() {
    let queue = Queue::default();
    let mut publisher = publisher(&queue, 500);
    let (names, counters, standing) = (samples::names(), samples::counters(), samples::standing());
    let began_s = next_minute_s();
    let mut tick = |after_s| {
        publisher.tick(began_s + after_s, &names, &standing, &counters);
        publisher.count(0, &samples::tally());
        queue.sent().waiting
    };
    assert_eq!((tick(5), tick(59)), (0, 0));
    let first = tick(60);
    assert!(first > 80, "{first} datums");
    assert_eq!(tick(30), first, "a clock that goes back hands nothing over");
    assert!(tick(150) > first);
    let before = queue.sent().waiting;
    publisher.live(false);
    publisher.tick(began_s + 210, &names, &standing, &counters);
    let without = queue.sent().waiting - before;
    publisher.live(true);
    publisher.count(0, &samples::tally());
    publisher.tick(began_s + 270, &names, &standing, &counters);
    assert_eq!(queue.sent().waiting - before - without, without + 1, "the heartbeat alone was left out");
    assert_eq!(queue.sent().refused, 0);
}
