use proptest::prelude::*;

use super::*;
use crate::cdn::{ClassId, Head, Pop};
use crate::sample::Times;

fn head(headers: &[(&str, &str)]) -> Head {
    Head::of(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

/// A hit at an edge location of this number.
fn hit_at(edge: u16) -> Head {
    head(&[("X-Cache", "Hit from cloudfront"), ("X-Amz-Cf-Pop", &format!("NRT{edge}"))])
}

fn sample(step: u16, ended_ns: u64, error: Option<ErrorClass>) -> Sample {
    let key = Key { journey: 0, step, part: Part::Main, section: 0 };
    let times = Times {
        intended_ns: 1_000,
        handled_ns: 2_000,
        sent_ns: Some(5_000),
        first_byte_ns: Some(ended_ns),
        ended_ns,
    };
    Sample {
        status: Some(200),
        error,
        bytes_wire: 10,
        bytes_decoded: Some(30),
        head: head(&[("X-Cache", "Hit from cloudfront")]),
        class: ClassId(2),
        layer: error.map(|_| Layer::Balancer),
        ..Sample::new(key, times)
    }
}

#[test]
fn a_fast_failure_is_no_latency_and_a_timeout_is() {
    let mut tally = Tally::default();
    tally.record(&sample(0, 2_001_000, None));
    tally.record(&sample(0, 50_000, Some(ErrorClass::Status)));
    tally.record(&sample(0, 3_000_001_000, Some(ErrorClass::Timeout)));
    let sum = tally.exchanges_where(|_| true);
    assert_eq!((sum.requests, sum.errors_total()), (3, 2));
    assert_eq!((sum.latency.total(), sum.failed.total()), (2, 1));
    assert_eq!(sum.latency.max_us(), Some(3_000_000), "from the intended start");
    assert_eq!(sum.service.max_us(), Some(2_999_996), "from the actual send");
    assert_eq!(sum.queue.max_us(), Some(3), "from handling to sending");
    assert_eq!(tally.caching[&Place { class: ClassId(2), section: 0, pop: None }].hits, 3);
    assert_eq!(sum.layers, [0, 2, 0, 0], "both failures belong to the balancer");
}

#[test]
fn headers_that_nobody_can_read_are_counted() {
    let mut tally = Tally::default();
    for headers in [("Age", "soon"), ("X-Amz-Cf-Pop", "London"), ("Age", "7")] {
        tally.record(&Sample { head: head(&[headers]), ..sample(0, 9_000, None) });
    }
    assert_eq!(tally.counters, BTreeMap::from([("cdn_headers_unreadable".to_owned(), 2)]));
}

#[test]
fn challenges_are_counted_and_what_was_not_answered_is_not() {
    let mut tally = Tally::default();
    let headers = [("x-amzn-waf-action", "challenge"), ("x-amz-cf-pop", "NRT57-P1")];
    let challenge = Sample { head: head(&headers), ..sample(0, 9_000, None) };
    tally.record(&challenge);
    tally.record(&Sample { status: None, ..challenge });
    assert_eq!((tally.challenges, tally.caching.len()), (1, 1));
    let place = Place { class: ClassId(2), section: 0, pop: Pop::parse(b"NRT57-P1") };
    assert_eq!(tally.caching[&place].answers(), 1);
}

#[test]
fn tables_have_limits_and_reaching_them_is_counted() {
    let mut tally = Tally::default();
    for step in 0..60 {
        tally.fail(0, step, ErrorClass::Reset, || "broken".to_owned());
    }
    assert_eq!((tally.failures.len(), tally.counters["failures_not_kept"]), (FAILURES_MAX, 10));
    for n in 0..100 {
        tally.count(&format!("counter {n}"), 1);
    }
    assert!(tally.counters.len() <= COUNTERS_MAX + 1);
    assert_eq!(tally.counters["counters_not_kept"], 37);
    let mut tally = Tally::default();
    for n in (10..40).chain(10..40).rev() {
        tally.note_unclassified(&format!("/{n}{}", "x".repeat(300)));
        tally.record(&Sample { head: hit_at(n), ..sample(0, 9_000, None) });
    }
    assert!(tally.unclassified.keys().all(|path| path.len() == PATH_BYTES_MAX));
    assert_eq!((tally.unclassified.len(), tally.counters["unclassified_not_kept"]), (UNCLASSIFIED_MAX, 20));
    assert!(tally.unclassified.values().all(|count| *count == 2), "those that are kept are counted in full");
    for n in 0..10 {
        tally.record(&Sample { head: hit_at(n), ..sample(0, 9_000, None) });
    }
    assert_eq!(tally.caching.len(), POPS_MAX + 1);
    assert_eq!(tally.counters["pops_not_kept"], 16, "NRT32 to NRT39 were asked twice");
}

fn any_tally() -> impl Strategy<Value = Tally> {
    let error = prop_oneof![Just(None), Just(Some(ErrorClass::Timeout)), Just(Some(ErrorClass::Reset))];
    // More edge locations and paths than are kept.
    let row = (0_u16..4, 6_000_u64..9_000_000_000, error, any::<bool>(), 0_u16..50);
    prop::collection::vec(row, 0..60).prop_map(|rows| {
        let mut tally = Tally::default();
        for (step, ended_ns, error, late, edge) in rows {
            tally.record(&Sample { head: hit_at(edge), ..sample(step, ended_ns, error) });
            tally.note_unclassified(&format!("/{edge}"));
            tally.record_lag(if late { 20_000_000 } else { 1_000 }, true);
            tally.record_page_us(Key { journey: 1, step, part: Part::Main, section: 1 }, ended_ns / 1_000);
            tally.journeys.entry(step).or_default().merge(&Journeys { started: 1, ..Journeys::default() });
            tally.count("seen", 1);
            if let Some(error) = error {
                tally.fail(0, step, error, || "same words".to_owned());
            }
        }
        tally
    })
}

proptest! {
    #[test]
    fn merging_is_associative_and_commutative(a in any_tally(), b in any_tally(), c in any_tally()) {
        let merged = |first: &Tally, second: &Tally| { let mut sum = first.clone(); sum.merge(second); sum };
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }
}
