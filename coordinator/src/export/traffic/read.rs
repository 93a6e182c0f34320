//! Reading the balancer's metrics.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as CloudWatchMetric, MetricDataQuery, MetricStat, ScanBy};

use super::{Book, Counted, Metric, PERIOD_S, Reading};
use crate::aws::Failure;

/// Where balancers keep their metrics.
const NAMESPACE: &str = "AWS/ApplicationELB";
/// The most pages of an answer: a span of three hours fits on one.
const PAGES_MAX: usize = 20;

/// Reads counts of real traffic, and counts each event once.
#[derive(Debug)]
pub(crate) struct Reader {
    client: Client,
    load_balancer: String,
    book: Book,
}

impl Reader {
    /// Counts from `from_s` on, in seconds since 1970. `load_balancer` is what CloudWatch calls it:
    /// `app/shop/50dc6c495c0c9188`.
    pub(crate) fn new(client: Client, load_balancer: String, from_s: i64) -> Self {
        Self { client, load_balancer, book: Book::new(from_s) }
    }

    /// What is new; to be called once a minute or so.
    ///
    /// # Errors
    /// Why CloudWatch could not be read. What came meanwhile is counted by a later call.
    pub(crate) async fn counted(&mut self, now_s: i64) -> Result<Vec<Counted>, Failure> {
        let Some(span) = self.book.span(now_s) else { return Ok(Vec::new()) };
        let mut readings = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let request = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(self.queries()))
                .start_time(DateTime::from_secs(span.0))
                .end_time(DateTime::from_secs(span.1))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(token.take());
            let answer = Box::pin(request.send()).await.map_err(|error| Failure::of(&error))?;
            for result in answer.metric_data_results() {
                let Some(metric) = result.id().and_then(metric_of) else { continue };
                let times = result.timestamps().iter().map(DateTime::secs);
                readings.extend(
                    times.zip(result.values()).map(|(at_s, sum)| -> Reading { (metric, at_s, *sum) }),
                );
            }
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(self.book.take(span, &readings));
            }
        }
        let why = format!("CloudWatch answered with more than {PAGES_MAX} pages");
        Err(Failure { is_final: false, why })
    }

    fn queries(&self) -> Vec<MetricDataQuery> {
        let dimension = Dimension::builder().name("LoadBalancer").value(&self.load_balancer).build();
        let query = |(position, metric): (usize, Metric)| {
            let metric = CloudWatchMetric::builder()
                .namespace(NAMESPACE)
                .metric_name(metric.name())
                .dimensions(dimension.clone())
                .build();
            let period_s = i32::try_from(PERIOD_S).unwrap_or(i32::MAX);
            let stat = MetricStat::builder().metric(metric).period(period_s).stat("Sum").build();
            MetricDataQuery::builder().id(id_of(position)).metric_stat(stat).build()
        };
        Metric::ALL.into_iter().enumerate().map(query).collect()
    }
}

/// A query's name: CloudWatch wants a small letter first.
fn id_of(position: usize) -> String {
    format!("m{position}")
}

fn metric_of(id: &str) -> Option<Metric> {
    Metric::ALL.get(id.strip_prefix('m')?.parse::<usize>().ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::testing::{MiniStack, without};

    #[test]
    fn queries_are_found_again_by_their_names() {
        for (position, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric_of(&id_of(position)), Some(metric));
        }
        assert_eq!((metric_of("m5"), metric_of("x")), (None, None));
    }

    #[tokio::test]
    async fn a_balancer_s_counts_are_read_from_cloudwatch() {
        if without("ministack") {
            return;
        }
        let stack = MiniStack::start();
        let client = stack.client().await;
        let now_s = jiff::Timestamp::now().as_second();
        let minute_s = now_s.div_euclid(PERIOD_S) * PERIOD_S;
        let balancer = "app/shop/50dc6c495c0c9188";
        // What a balancer without a healthy target tells: no requests, and 503 by itself; before that, all was well.
        for (minutes_ago, metric, sum) in [
            (4, Metric::Requests, 600.0),
            (4, Metric::Target5xx, 3.0),
            (3, Metric::Elb5xx, 40.0),
            (3, Metric::Elb502, 10.0),
            (3, Metric::Requests, 10.0),
        ] {
            stack
                .put(
                    &client,
                    NAMESPACE,
                    metric.name(),
                    ("LoadBalancer", balancer),
                    minute_s - 60 * minutes_ago,
                    sum,
                )
                .await;
        }
        let mut reader = Reader::new(client, balancer.to_owned(), minute_s - 600);
        let counted = reader.counted(now_s).await.unwrap();
        let good: Vec<u64> = counted.iter().map(|new| new.good).collect();
        let total: Vec<u64> = counted.iter().map(|new| new.total).collect();
        assert_eq!((total, good), (vec![600, 40], vec![597, 0]), "{counted:?}");
        assert!(reader.counted(now_s).await.unwrap().is_empty(), "nothing twice");
    }
}
