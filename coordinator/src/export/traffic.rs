//! Counts of real traffic: what an Application Load Balancer tells CloudWatch, as events of an objective.
//!
//! **Total.** `RequestCount` counts a request once the balancer has chosen a target for it ("Requests that are rejected
//! before a target is chosen are not reflected in this metric", AWS's list of the metrics of Application Load Balancers).
//! What it answers itself before that, above all the 503 of a target group without a healthy target, is only in
//! `HTTPCode_ELB_5XX_Count`: without it an outage of every target would look like no traffic at all. But that metric holds
//! 502 and 504 as well, which a chosen target caused and `RequestCount` has already; adding them again would halve the
//! burn rate of an outage by timeouts. So
//!
//! ```text
//! failed = ELB_5XX + Target_5XX
//! total  = RequestCount + (ELB_5XX − ELB_502 − ELB_504)
//! ```
//!
//! **Late data.** CloudWatch completes a minute over some minutes. Each read goes back over the last ones, and what is
//! counted is what was not counted yet ([`Book`]).

mod read;

use std::collections::BTreeMap;

pub(crate) use read::Reader;

/// The length of a period, in seconds: the balancer's own.
pub(crate) const PERIOD_S: i64 = 60;
/// How far back each read goes over what was read before.
const AGAIN_S: i64 = 300;
/// The farthest that a read goes back, after a time in which nothing could be read.
const BACK_MAX_S: i64 = 3 * 3_600;
/// A minute is not counted before so long after its end: by then its metrics mostly are complete, and all there together.
const SETTLED_AFTER_S: i64 = 60;

/// A metric of the balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// Requests for which a target was chosen.
    Requests,
    /// Answers 5xx that the balancer made.
    Elb5xx,
    /// Those among them that are 502.
    Elb502,
    /// Those among them that are 504.
    Elb504,
    /// Answers 5xx of targets.
    Target5xx,
}

impl Metric {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Requests, Self::Elb5xx, Self::Elb502, Self::Elb504, Self::Target5xx];

    /// Its name in CloudWatch.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "RequestCount",
            Self::Elb5xx => "HTTPCode_ELB_5XX_Count",
            Self::Elb502 => "HTTPCode_ELB_502_Count",
            Self::Elb504 => "HTTPCode_ELB_504_Count",
            Self::Target5xx => "HTTPCode_Target_5XX_Count",
        }
    }
}

/// A sum of a metric over a minute: which, the minute's start in seconds since 1970, the sum.
pub(crate) type Reading = (Metric, i64, f64);

/// Events that are counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// When their minute ended, in seconds since 1970.
    pub at_s: i64,
    /// Good ones.
    pub good: u64,
    /// All of them.
    pub total: u64,
}

/// What a minute came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Minute {
    total: u64,
    failed: u64,
}

/// What was counted so far, as far back as it may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    /// Minutes that begin before this were counted by somebody else, or never are.
    from_s: i64,
    /// The end of what was read.
    read_until_s: i64,
    /// The minutes that may still change, by their start.
    minutes: BTreeMap<i64, Minute>,
    /// Failures that became known after their requests were counted as good: they are taken from the good ones of what
    /// is counted next, so that sums stay right.
    owed: u64,
}

impl Book {
    /// Nothing counted; the minute of `from_s` is the first one that counts.
    pub(crate) fn new(from_s: i64) -> Self {
        let from_s = from_s.div_euclid(PERIOD_S) * PERIOD_S;
        Self { from_s, read_until_s: from_s, minutes: BTreeMap::new(), owed: 0 }
    }

    /// From when to when is to be read at `now_s`, in whole minutes; `None` while no minute is settled.
    pub(crate) fn span(&self, now_s: i64) -> Option<(i64, i64)> {
        let to_s = (now_s - SETTLED_AFTER_S).div_euclid(PERIOD_S) * PERIOD_S;
        let from_s = (self.read_until_s.min(to_s) - AGAIN_S).max(to_s - BACK_MAX_S).max(self.from_s);
        (from_s < to_s).then_some((from_s, to_s))
    }

    /// Takes what was read of a span, and returns what is new: never anything twice.
    pub(crate) fn take(&mut self, (from_s, to_s): (i64, i64), readings: &[Reading]) -> Vec<Counted> {
        let mut sums: BTreeMap<i64, BTreeMap<Metric, u64>> = BTreeMap::new();
        for (metric, at_s, sum) in readings {
            if (from_s..to_s).contains(at_s) {
                *sums.entry(*at_s).or_default().entry(*metric).or_default() += count(*sum);
            }
        }
        let mut news = Vec::new();
        for (at_s, sums) in sums {
            let known = self.minutes.entry(at_s).or_default();
            let now = minute(&sums);
            // What was counted stays counted, should a sum ever fall.
            let total = now.total.saturating_sub(known.total);
            self.owed += now.failed.saturating_sub(known.failed);
            known.total = known.total.max(now.total);
            known.failed = known.failed.max(now.failed);
            let failed = self.owed.min(total);
            self.owed -= failed;
            if total > 0 {
                news.push(Counted { at_s: at_s + PERIOD_S, good: total - failed, total });
            }
        }
        self.read_until_s = self.read_until_s.max(to_s);
        let settled_s = self.read_until_s - AGAIN_S;
        self.minutes.retain(|at_s, _| *at_s >= settled_s);
        self.from_s = self.from_s.max(settled_s);
        news
    }
}

/// A minute's sums as events.
fn minute(sums: &BTreeMap<Metric, u64>) -> Minute {
    let sum = |metric| sums.get(&metric).copied().unwrap_or(0);
    let failed = sum(Metric::Elb5xx) + sum(Metric::Target5xx);
    let of_a_target = sum(Metric::Elb502) + sum(Metric::Elb504);
    let total = sum(Metric::Requests) + sum(Metric::Elb5xx).saturating_sub(of_a_target);
    // Sums of different metrics need not be of the same moment: no more can fail than there are.
    Minute { total: total.max(failed), failed }
}

/// A sum as a count. Sums of counts are whole, and never below 0.
fn count(sum: f64) -> u64 {
    const MOST: f64 = 9e15;
    let whole = sum.round();
    if !(0.0..=MOST).contains(&whole) {
        return 0;
    }
    // Below 2^53 every whole number is exact, and its text is its digits.
    format!("{whole:.0}").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn of(requests: u64, elb_5xx: u64, elb_502: u64, elb_504: u64, target_5xx: u64) -> Minute {
        let sums = [requests, elb_5xx, elb_502, elb_504, target_5xx];
        minute(&Metric::ALL.into_iter().zip(sums).collect())
    }

    #[test]
    fn every_request_is_counted_once() {
        for (sums, total, failed) in [
            // All is well.
            ([1_000, 0, 0, 0, 0], 1_000, 0),
            // The shop fails some.
            ([1_000, 0, 0, 0, 7], 1_000, 7),
            // No healthy target: the balancer answers 503, and nothing else knows of it.
            ([0, 500, 0, 0, 0], 500, 500),
            // Half of the targets are gone, and the others are well.
            ([500, 500, 0, 0, 0], 1_000, 500),
            // Every target is too slow: 504, each of a request that is counted.
            ([1_000, 1_000, 0, 1_000, 0], 1_000, 1_000),
            // All kinds at once.
            ([1_000, 60, 20, 30, 5], 1_010, 65),
            // The requests are not there yet.
            ([0, 10, 10, 0, 5], 15, 15),
            // Nothing came.
            ([0, 0, 0, 0, 0], 0, 0),
        ] {
            let [requests, elb_5xx, elb_502, elb_504, target_5xx] = sums;
            let minute = of(requests, elb_5xx, elb_502, elb_504, target_5xx);
            assert_eq!(minute, Minute { total, failed }, "{sums:?}");
        }
    }

    /// What a read of the whole span finds: requests and failures of targets, by minutes since the start.
    fn readings(minutes: &[(i64, f64, f64)]) -> Vec<Reading> {
        let both = |(minute, requests, failed): &(i64, f64, f64)| {
            let at_s = NOW_S + minute * PERIOD_S;
            [(Metric::Requests, at_s, *requests), (Metric::Target5xx, at_s, *failed)]
        };
        minutes.iter().flat_map(both).collect()
    }

    fn take(book: &mut Book, until_minute: i64, minutes: &[(i64, f64, f64)]) -> Vec<(i64, u64, u64)> {
        let span = book.span(NOW_S + (until_minute + 1) * PERIOD_S).unwrap();
        let news = book.take(span, &readings(minutes));
        news.into_iter().map(|new| ((new.at_s - NOW_S) / PERIOD_S, new.good, new.total)).collect()
    }

    #[test]
    fn late_data_is_counted_once_it_comes_and_nothing_twice() {
        let mut book = Book::new(NOW_S + 10);
        assert_eq!(book.span(NOW_S + 119), None, "the first minute is not settled");
        assert_eq!(book.span(NOW_S + 120), Some((NOW_S, NOW_S + 60)));
        assert_eq!(take(&mut book, 1, &[(0, 100.0, 1.0)]), [(1, 99, 100)]);
        assert!(take(&mut book, 1, &[(0, 100.0, 1.0)]).is_empty(), "the same again");
        // More of the first minute, and the second one.
        assert_eq!(take(&mut book, 2, &[(0, 130.0, 1.0), (1, 90.0, 0.0)]), [(1, 30, 30), (2, 90, 90)]);
        // A minute without requests is not told, and nothing is counted.
        assert!(take(&mut book, 3, &[(0, 130.0, 1.0), (1, 90.0, 0.0)]).is_empty());
        // Failures that come after their requests are taken from the next good ones.
        assert_eq!(take(&mut book, 4, &[(1, 90.0, 5.0), (3, 3.0, 0.0)]), [(4, 0, 3)]);
        assert_eq!(take(&mut book, 5, &[(1, 90.0, 5.0), (3, 3.0, 0.0), (4, 50.0, 0.0)]), [(5, 48, 50)]);
    }

    #[test]
    fn sums_are_right_however_the_data_trickles_in() {
        // Each minute has 100 requests of which 10 failed; requests come first, failures up to four minutes later.
        let (mut good, mut total) = (0, 0);
        let mut book = Book::new(NOW_S);
        for until in 1..40 {
            let seen = |minute: i64| {
                let age = until - minute;
                (minute, 100.0, if age > minute % 5 { 10.0 } else { 0.0 })
            };
            let minutes: Vec<(i64, f64, f64)> = (0..until.min(30)).map(seen).collect();
            for (_, more_good, more) in take(&mut book, until, &minutes) {
                assert!(more_good <= more);
                (good, total) = (good + more_good, total + more);
            }
            assert!(book.minutes.len() <= 7, "what no longer changes is forgotten");
        }
        assert_eq!(total, 3_000);
        assert_eq!(total - good + book.owed, 300, "as many failed as did");
    }

    #[test]
    fn a_read_goes_back_over_what_could_not_be_read() {
        let mut book = Book::new(NOW_S);
        take(&mut book, 1, &[(0, 1.0, 0.0)]);
        let minutes = |minute: i64| book.span(NOW_S + minute * PERIOD_S).unwrap();
        assert_eq!(minutes(11), (NOW_S, NOW_S + 10 * PERIOD_S), "ten minutes without an answer");
        let (from_s, to_s) = minutes(601);
        assert_eq!(to_s - from_s, BACK_MAX_S, "but not for ever");
    }

    #[test]
    fn sums_are_whole() {
        for (sum, expected) in [
            (0.0, 0),
            (41.999_999_999, 42),
            (1e15, 1_000_000_000_000_000),
            (-1.0, 0),
            (f64::NAN, 0),
            (1e300, 0),
        ] {
            assert_eq!(count(sum), expected, "{sum}");
        }
    }
}
