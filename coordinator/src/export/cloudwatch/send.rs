//! Sending what waits: one request after another, the oldest first, and again after a pause where CloudWatch does not take
//! it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

use super::datum::{Datum, Figures, Unit};
use super::queue::Queue;
use crate::aws::Failure;
use crate::pause::pause;

/// The longest first pause, and the longest of all.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The resolution of the metrics: a minute, which costs least.
const RESOLUTION_S: i32 = 60;

/// Sends what waits, for ever. `put` hands a request over; `clock` tells the seconds since 1970.
pub(crate) async fn deliver<Putting>(
    queue: Queue,
    clock: impl Fn() -> i64,
    put: impl Fn(Arc<Vec<Datum>>) -> Putting,
) where
    Putting: Future<Output = Result<(), Failure>>,
{
    loop {
        let waiting = queue.next().await;
        let mut attempt = 0;
        loop {
            match put(Arc::clone(&waiting.datums)).await {
                Ok(()) => {
                    queue.took(&waiting, clock());
                    break;
                }
                Err(Failure { is_final: true, why }) => {
                    queue.refused(&waiting, &why);
                    break;
                }
                Err(Failure { why, .. }) => {
                    if !queue.failed(&waiting, clock(), &why) {
                        break;
                    }
                    let seed = waiting.at_s.unsigned_abs();
                    tokio::time::sleep(pause(PAUSE, PAUSE_MAX, attempt, seed)).await;
                    attempt += 1;
                }
            }
        }
    }
}

/// Hands a request to CloudWatch.
///
/// # Errors
/// Why it did not take it, and whether it ever may.
pub(crate) async fn put(client: Client, namespace: String, datums: Arc<Vec<Datum>>) -> Result<(), Failure> {
    let data = datums.iter().map(told).collect();
    let request = client.put_metric_data().namespace(namespace).set_metric_data(Some(data));
    Box::pin(request.send()).await.map(drop).map_err(|error| Failure::of(&error))
}

/// A datum in the SDK's own words.
fn told(datum: &Datum) -> MetricDatum {
    let dimensions = datum.metric.dimensions.iter();
    let dimensions =
        dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect();
    let unit = match datum.unit {
        Unit::Count => StandardUnit::Count,
        Unit::Milliseconds => StandardUnit::Milliseconds,
        Unit::Percent => StandardUnit::Percent,
        Unit::None => StandardUnit::None,
    };
    let builder = MetricDatum::builder()
        .metric_name(&datum.metric.name)
        .set_dimensions(Some(dimensions))
        .timestamp(DateTime::from_secs(datum.at_s))
        .unit(unit)
        .storage_resolution(RESOLUTION_S);
    match &datum.figures {
        Figures::One(value) => builder.value(*value).build(),
        Figures::Many(values) => {
            let (values, counts) = values.iter().copied().unzip();
            builder.set_values(Some(values)).set_counts(Some(counts)).build()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::super::datum::MetricId;
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn datum(value: f64) -> Datum {
        let metric = MetricId { name: "Requests".to_owned(), dimensions: Vec::new() };
        Datum { metric, at_s: NOW_S, unit: Unit::Count, figures: Figures::One(value) }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_throttled_is_sent_again_in_order_and_what_is_wrong_is_not() {
        let queue = Queue::default();
        queue.push(NOW_S, vec![vec![datum(1.0)], vec![datum(2.0)], vec![datum(3.0)]]);
        let (answers, put) = (Cell::new(0), RefCell::new(Vec::new()));
        let refused = |is_final| Err(Failure { is_final, why: "no".to_owned() });
        let sending = deliver(
            queue.clone(),
            || NOW_S + 30,
            |datums| {
                put.borrow_mut().push(datums[0].figures.clone());
                answers.set(answers.get() + 1);
                // Throttled twice, taken, refused for good, taken.
                std::future::ready(match answers.get() {
                    1 | 2 => refused(false),
                    4 => refused(true),
                    _ => Ok(()),
                })
            },
        );
        let ended = tokio::time::timeout(Duration::from_secs(600), sending).await;
        assert!(ended.is_err(), "it goes on for ever");
        let order = [1.0, 1.0, 1.0, 2.0, 3.0].map(Figures::One);
        assert_eq!(*put.borrow(), order);
        let sent = queue.sent();
        assert_eq!((sent.sent, sent.refused, sent.failures, sent.dropped), (2, 1, 2, 0));
        assert_eq!(queue.problem(), None, "the last one was taken");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_taken_for_an_hour_is_dropped() {
        let queue = Queue::default();
        queue.push(NOW_S, vec![vec![datum(1.0)]]);
        let began = tokio::time::Instant::now();
        let clock = || NOW_S + i64::try_from(began.elapsed().as_secs()).unwrap();
        let sending = deliver(queue.clone(), clock, |_| {
            std::future::ready(Err(Failure { is_final: false, why: "throttled".to_owned() }))
        });
        let _ = tokio::time::timeout(Duration::from_secs(7_200), sending).await;
        let sent = queue.sent();
        assert_eq!((sent.sent, sent.dropped), (0, 1));
        assert!((60..300).contains(&sent.failures), "{} attempts in an hour", sent.failures);
        assert_eq!(queue.problem().as_deref(), Some("throttled"));
    }

    #[test]
    fn a_datum_is_told_with_all_it_has() {
        let mut datum = datum(1.0);
        datum.metric.dimensions.push(("Region".to_owned(), "tokyo".to_owned()));
        datum.figures = Figures::Many(vec![(1.5, 2.0), (3.0, 1.0)]);
        let told = told(&datum);
        assert_eq!((told.metric_name(), told.value()), (Some("Requests"), None));
        assert_eq!((told.values(), told.counts()), (&[1.5, 3.0][..], &[2.0, 1.0][..]));
        assert_eq!(told.dimensions()[0].value(), Some("tokyo"));
        assert_eq!(
            (told.timestamp().map(DateTime::secs), told.storage_resolution()),
            (Some(NOW_S), Some(60))
        );
    }
}
