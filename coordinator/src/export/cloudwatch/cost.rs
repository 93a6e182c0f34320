//! What CloudWatch takes for it: told before it starts.

use doorbuster_model::slo::Slo;

use super::batch::DATUMS_MAX;
use super::catalogue::Catalogue;
use crate::export::traffic::Metric;

/// What AWS asks, in millionths of a US dollar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prices {
    /// Where this was read.
    pub source: &'static str,
    /// Of which AWS region.
    pub region: &'static str,
    /// When.
    pub as_of: &'static str,
    /// Custom metrics a month: up to how many, and each of those.
    pub metrics: [(u64, u64); 4],
    /// A thousand requests of `PutMetricData`.
    pub thousand_requests: u64,
    /// A thousand metrics read by `GetMetricData`.
    pub thousand_reads: u64,
    /// An alarm of a metric, a month.
    pub alarm: u64,
    /// A composite alarm, a month.
    pub composite_alarm: u64,
}

/// The prices that are told. They differ a little between AWS regions, and the free tier is not taken off.
pub(crate) const PRICES: Prices = Prices {
    source: "https://aws.amazon.com/cloudwatch/pricing/",
    region: "us-east-1",
    as_of: "2025",
    metrics: [(10_000, 300_000), (250_000, 100_000), (1_000_000, 50_000), (u64::MAX, 20_000)],
    thousand_requests: 10_000,
    thousand_reads: 10_000,
    alarm: 100_000,
    composite_alarm: 500_000,
};

/// A month of AWS's price list, in minutes: 730 hours.
const MONTH_MINUTES: u64 = 730 * 60;

/// What is used in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Custom metrics.
    pub metrics: u64,
    /// Requests of `PutMetricData` a minute.
    pub requests_per_minute: u64,
    /// Metrics read by `GetMetricData` a minute.
    pub reads_per_minute: u64,
    /// Alarms of metrics.
    pub alarms: u64,
    /// Composite alarms.
    pub composite_alarms: u64,
}

impl Usage {
    /// What a probe uses that publishes this, and reads the real traffic of these objectives.
    pub(crate) fn of(catalogue: &Catalogue, slo: &Slo) -> Self {
        Self {
            metrics: catalogue.metrics,
            requests_per_minute: catalogue.metrics.div_ceil(DATUMS_MAX as u64).max(1),
            reads_per_minute: if slo.traffic.is_some() { Metric::ALL.len() as u64 } else { 0 },
            ..Self::default()
        }
    }

    /// What it costs a month, in millionths of a US dollar, rounded up.
    pub(crate) fn cost(&self, prices: &Prices) -> u64 {
        let (mut cost, mut below) = (0, 0);
        for (up_to, each) in prices.metrics {
            cost += self.metrics.min(up_to).saturating_sub(below) * each;
            below = up_to;
        }
        let requests = self.requests_per_minute * MONTH_MINUTES * prices.thousand_requests;
        let reads = self.reads_per_minute * MONTH_MINUTES * prices.thousand_reads;
        cost + (requests + reads).div_ceil(1_000)
            + self.alarms * prices.alarm
            + self.composite_alarms * prices.composite_alarm
    }
}

/// The line before anything is sent: how many metrics and requests, what that costs a month, and what was left out.
pub(crate) fn opening(catalogue: &Catalogue, usage: &Usage, prices: &Prices) -> String {
    let Prices { source, region, as_of, .. } = prices;
    let alarms = match (usage.alarms, usage.composite_alarms) {
        (0, 0) => String::new(),
        (alarms, composite) => format!(", {alarms} alarms, {composite} composite alarms"),
    };
    let left_out = match catalogue.left_out.as_slice() {
        [] => String::new(),
        names => format!("; left out (export.cloudwatch.metrics_max): {}", names.join(", ")),
    };
    format!(
        "CloudWatch: {} custom metrics, {} requests a minute{alarms}: some {} USD a month ({region}, {as_of}, {source}){left_out}",
        usage.metrics,
        usage.requests_per_minute,
        dollars(usage.cost(prices)),
    )
}

/// Millionths of a dollar as dollars and cents, rounded up.
fn dollars(millionths: u64) -> String {
    let cents = millionths.div_ceil(10_000);
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_charged_by_tier() {
        let metrics = |metrics| Usage { metrics, ..Usage::default() }.cost(&PRICES) / 10_000;
        for (count, cents) in [
            (0, 0),
            (1, 30),
            (10_000, 300_000),
            (10_001, 300_010),
            (250_000, 2_700_000),
            (250_001, 2_700_005),
            (1_000_001, 6_450_002),
        ] {
            assert_eq!(metrics(count), cents, "{count}");
        }
    }

    #[test]
    fn requests_reads_and_alarms_are_added() {
        let usage = Usage { requests_per_minute: 1, ..Usage::default() };
        assert_eq!(usage.cost(&PRICES), 438_000, "43,800 requests of a hundred-thousandth of a dollar");
        let usage = Usage { reads_per_minute: 5, ..Usage::default() };
        assert_eq!(usage.cost(&PRICES), 2_190_000);
        let usage = Usage { alarms: 12, composite_alarms: 5, ..Usage::default() };
        assert_eq!(usage.cost(&PRICES), 3_700_000);
    }

    #[test]
    fn a_probe_uses_what_it_publishes_and_reads() {
        let mut slo = crate::export::samples::slo();
        let (names, series) = (crate::export::samples::names(), crate::export::samples::series());
        let made = Catalogue::new(&names, &series, &slo.rules, slo.min_failures, 500).unwrap();
        let expected =
            Usage { metrics: made.metrics, requests_per_minute: 1, reads_per_minute: 0, ..Usage::default() };
        assert_eq!(Usage::of(&made, &slo), expected);
        slo.traffic = Some(doorbuster_model::slo::Traffic {
            aws_region: "eu-west-1".to_owned(),
            load_balancer: "app/shop/50dc6c495c0c9188".to_owned(),
        });
        assert_eq!(Usage::of(&made, &slo), Usage { reads_per_minute: 5, ..expected });
        let many = Catalogue { metrics: 1_001, ..made };
        assert_eq!(Usage::of(&many, &slo).requests_per_minute, 2, "a request holds a thousand");
    }

    #[test]
    fn the_opening_line_says_what_it_costs_and_what_is_left_out() {
        let slo = crate::export::samples::slo();
        let (names, series) = (crate::export::samples::names(), crate::export::samples::series());
        let catalogue = |room| Catalogue::new(&names, &series, &slo.rules, slo.min_failures, room).unwrap();
        let made = catalogue(500);
        let usage = Usage { metrics: made.metrics, requests_per_minute: 1, ..Usage::default() };
        assert_eq!(
            opening(&made, &usage, &PRICES),
            "CloudWatch: 102 custom metrics, 1 requests a minute: some 31.04 USD a month (us-east-1, 2025, https://aws.amazon.com/cloudwatch/pricing/)"
        );
        let made = catalogue(90);
        let usage = Usage { alarms: 2, composite_alarms: 1, ..usage };
        let line = opening(&made, &usage, &PRICES);
        assert!(line.contains(", 2 alarms, 1 composite alarms: some 31.74 USD"), "{line}");
        assert!(line.ends_with("metrics_max): requests by region, journey and step"), "{line}");
    }
}
