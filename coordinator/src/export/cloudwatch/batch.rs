//! Datums in requests that CloudWatch takes.
//!
//! Source: Amazon CloudWatch API reference, `PutMetricData`: at most 1,000 metrics and 1 MB a request.

use doorbuster_model::Histogram;

use super::datum::{Breach, Datum, Figures, VALUES_MAX};

/// The most datums of a request. AWS counts metrics, and several datums may be of one: so this is on the safe side.
pub(crate) const DATUMS_MAX: usize = 1_000;
/// The most bytes of a request: 1 MB, less what stands around its datums.
pub(crate) const BYTES_MAX: usize = 1_000_000 - 4_096;

/// Datums, ready to be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Batches {
    /// What each request holds.
    pub requests: Vec<Vec<Datum>>,
    /// Datums that CloudWatch would refuse, and why: they are not sent, because one would take its whole request along.
    pub refused: Vec<Breach>,
}

/// Packs datums into requests, in their order. One with more values than a datum may have becomes several: CloudWatch puts
/// together what has the same metric and time.
pub(crate) fn batches(datums: Vec<Datum>, now_s: i64) -> Batches {
    let mut batches = Batches::default();
    let (mut request, mut bytes) = (Vec::new(), 0);
    for datum in datums.into_iter().flat_map(split) {
        if let Err(breach) = datum.check(now_s) {
            batches.refused.push(breach);
            continue;
        }
        if request.len() == DATUMS_MAX || bytes + datum.bytes() > BYTES_MAX {
            batches.requests.push(std::mem::take(&mut request));
            bytes = 0;
        }
        bytes += datum.bytes();
        request.push(datum);
    }
    if !request.is_empty() {
        batches.requests.push(request);
    }
    batches
}

/// The datum with at most [`VALUES_MAX`] values, and as many more of the same metric as it takes.
fn split(datum: Datum) -> Vec<Datum> {
    match &datum.figures {
        Figures::Many(values) if values.len() > VALUES_MAX => {
            let part =
                |values: &[(f64, f64)]| Datum { figures: Figures::Many(values.to_vec()), ..datum.clone() };
            values.chunks(VALUES_MAX).map(part).collect()
        }
        _ => vec![datum],
    }
}

/// Latencies in milliseconds as values and counts: the middle of each bucket, and so within the histogram's own precision,
/// three significant digits. `None` when nothing was counted.
pub(crate) fn latency_ms(histogram: &Histogram) -> Option<Figures> {
    let middle_ms = |(lowest_us, highest_us): (u64, u64)| (lowest_us + highest_us) as f64 / 2e3;
    let values: Vec<(f64, f64)> =
        histogram.spans_us().map(|(span, count)| (middle_ms(span), count as f64)).collect();
    (!values.is_empty()).then_some(Figures::Many(values))
}

#[cfg(test)]
mod tests {
    use super::super::datum::{MetricId, Unit};
    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn datum(figures: Figures) -> Datum {
        let dimensions = vec![("Region".to_owned(), "tokyo".to_owned())];
        let metric = MetricId { name: "Latency".to_owned(), dimensions };
        Datum { metric, at_s: NOW_S, unit: Unit::Milliseconds, figures }
    }

    #[test]
    fn a_request_holds_a_thousand_datums() {
        for (count, lengths) in [(0, vec![]), (1, vec![1]), (1_000, vec![1_000]), (1_001, vec![1_000, 1])] {
            let made = batches(vec![datum(Figures::One(1.0)); count], NOW_S);
            let requests: Vec<usize> = made.requests.iter().map(Vec::len).collect();
            assert_eq!((requests, made.refused), (lengths, vec![]), "{count}");
        }
    }

    #[test]
    fn a_request_stays_below_a_megabyte() {
        let full = datum(Figures::Many(vec![(1.5, 2.0); 150]));
        let made = batches(vec![full; 900], NOW_S);
        assert_eq!(made.requests.iter().map(Vec::len).sum::<usize>(), 900);
        assert_eq!(made.requests.len(), 3, "2,700 bytes of numbers each");
        for request in &made.requests {
            assert!(request.iter().map(Datum::bytes).sum::<usize>() <= BYTES_MAX);
        }
        let mut long = datum(Figures::One(1.0));
        long.metric.dimensions = (0..30).map(|n| (format!("D{n}"), "v".repeat(1_024))).collect();
        let made = batches(vec![long; 40], NOW_S);
        assert_eq!(made.requests.iter().map(Vec::len).collect::<Vec<_>>(), [31, 9]);
    }

    #[test]
    fn many_values_are_split_over_datums_and_none_is_lost() {
        for (count, lengths) in [(150, vec![150]), (151, vec![150, 1]), (450, vec![150; 3])] {
            let values: Vec<(f64, f64)> = (0..count).map(|value| (f64::from(value), 1.0)).collect();
            let made = batches(vec![datum(Figures::Many(values.clone()))], NOW_S);
            let parts = &made.requests[0];
            assert_eq!(parts.iter().map(Datum::values).collect::<Vec<_>>(), lengths);
            let together: Vec<(f64, f64)> = parts
                .iter()
                .flat_map(|part| match &part.figures {
                    Figures::Many(values) => values.clone(),
                    Figures::One(_) => vec![],
                })
                .collect();
            assert_eq!(together, values);
        }
    }

    #[test]
    fn one_that_would_be_refused_does_not_take_the_others_along() {
        let datums = vec![datum(Figures::One(1.0)), datum(Figures::One(f64::NAN)), datum(Figures::One(2.0))];
        let made = batches(datums, NOW_S);
        assert_eq!((made.requests.len(), made.requests[0].len(), made.refused.len()), (1, 2, 1));
    }

    #[test]
    fn latencies_keep_the_histogram_s_precision() {
        assert_eq!(latency_ms(&Histogram::new()), None);
        let mut histogram = Histogram::new();
        for latency_us in [1, 1_000, 1_000, 2_000_000] {
            histogram.record_us(latency_us);
        }
        let Some(Figures::Many(values)) = latency_ms(&histogram) else { panic!("values") };
        assert_eq!(values[..2], [(0.001, 1.0), (1.0, 2.0)]);
        let (two_seconds_ms, count) = values[2];
        assert!((two_seconds_ms / 2_000.0 - 1.0).abs() < 0.001 && count == 1.0, "{two_seconds_ms}");
    }
}
