use proptest::prelude::*;

use super::*;
use crate::segment::split_weighted;

const SECOND: u64 = 1_000_000_000;

fn phase(shape: Shape, length_ns: u64) -> Phase {
    Phase { name: "p".to_owned(), kind: Kind::Hold, shape, length_ns }
}

fn pace(phases: &[(Shape, u64)]) -> Pace {
    Pace::try_new(phases.iter().map(|(shape, length_ns)| phase(*shape, *length_ns)).collect()).unwrap()
}

#[test]
fn a_hold_has_exactly_rate_times_time_arrivals() {
    let steady = pace(&[(Shape::Flat(1_000_000), 60 * SECOND)]);
    assert_eq!(steady.arrivals(), 60_000);
    assert_eq!(steady.arrival_ns(0), Some(0));
    assert_eq!(steady.arrival_ns(1), Some(1_000_000));
    assert_eq!(steady.arrival_ns(59_999), Some(59_999_000_000));
    assert_eq!(steady.arrival_ns(60_000), None);
    assert_eq!(steady.arrivals_before(SECOND), 1_000);
}

#[test]
fn a_ramp_follows_its_quadratic() {
    // 0 to 100/s over 10 s: t² × 5 arrivals after t seconds.
    let ramp = pace(&[(Shape::Line(0, 100_000), 10 * SECOND)]);
    assert_eq!(ramp.arrivals(), 500);
    assert_eq!(ramp.arrival_ns(125), Some(5 * SECOND));
    assert_eq!(ramp.arrival_ns(20), Some(2 * SECOND));
    assert_eq!(ramp.arrivals_before(4 * SECOND), 80);
    let down = pace(&[(Shape::Line(100_000, 0), 10 * SECOND)]);
    assert_eq!(down.arrivals(), 500);
    assert_eq!(down.arrival_ns(375), Some(5 * SECOND));
}

#[test]
fn fractions_carry_over_from_phase_to_phase() {
    // Half an arrival, then half an arrival: one in all, and then one a second.
    let fractions =
        pace(&[(Shape::Flat(500), SECOND), (Shape::Flat(500), SECOND), (Shape::Flat(1_000), 2 * SECOND)]);
    assert_eq!(fractions.arrivals(), 3);
    assert_eq!(fractions.arrival_ns(1), Some(2 * SECOND));
    assert_eq!(fractions.arrival_ns(2), Some(3 * SECOND));
}

#[test]
fn the_largest_plan_does_not_overflow() {
    let huge = pace(&[
        (Shape::Line(0, LEVEL_MAX_MILLI), PHASE_MAX_NS),
        (Shape::Flat(LEVEL_MAX_MILLI), PHASE_MAX_NS),
    ]);
    assert_eq!(huge.arrivals(), 3 * 86_400 * 5_000_000);
    assert!(huge.arrival_ns(huge.arrivals() - 1).is_some());
    assert_eq!(huge.arrival_ns(huge.arrivals()), None);
}

#[test]
fn shoppers_follow_their_line() {
    let crowd = pace(&[(Shape::Line(1_000, 10_000_000), 10 * SECOND), (Shape::Flat(10_000_000), SECOND)]);
    assert_eq!(crowd.shoppers_at(0), 1);
    assert_eq!(crowd.shoppers_at(10 * SECOND), 10_000);
    assert_eq!(crowd.shoppers_at(5 * SECOND), 5_000);
    assert_eq!(crowd.shoppers_at(11 * SECOND), 0);
}

#[test]
fn shoppers_change_at_ends_of_phases_and_on_ramps() {
    let crowd = pace(&[(Shape::Flat(5_000), 2 * SECOND), (Shape::Line(5_000, 9_000), SECOND)]);
    let change = |t_ns| crowd.shoppers_change_ns(t_ns, SECOND / 4);
    assert_eq!([change(0), change(2 * SECOND - 1)], [2 * SECOND; 2]);
    assert_eq!(change(2 * SECOND), 2 * SECOND + SECOND / 4);
    assert_eq!([change(3 * SECOND - 1), change(9 * SECOND)], [3 * SECOND; 2]);
}

#[test]
fn the_warm_up_cuts_a_phase_in_two() {
    let sections =
        pace(&[(Shape::Flat(1_000), 10 * SECOND), (Shape::Flat(2_000), 10 * SECOND)]).sections(4 * SECOND);
    let ends: Vec<(u64, u64, bool)> =
        sections.iter().map(|s| (s.from_ns / SECOND, s.to_ns / SECOND, s.warmup)).collect();
    assert_eq!(ends, [(0, 4, true), (4, 10, false), (10, 20, false)]);
    assert_eq!(section_at(&sections, 4 * SECOND), 1);
    assert_eq!(section_at(&sections, 99 * SECOND), 2);
}

fn any_pace() -> impl Strategy<Value = Pace> {
    let shape = prop_oneof![
        (0_u64..3_000_000).prop_map(Shape::Flat),
        (0_u64..3_000_000, 0_u64..3_000_000).prop_map(|(from, to)| Shape::Line(from, to)),
    ];
    prop::collection::vec((shape, 1_u64..3 * SECOND), 1..5).prop_map(|phases| pace(&phases))
}

proptest! {
    #[test]
    fn the_nth_arrival_is_monotone_and_agrees_with_the_count(pace in any_pace()) {
        let total = pace.arrivals();
        let mut last_ns = 0;
        for n in 0..total {
            let at_ns = pace.arrival_ns(n).unwrap();
            prop_assert!(at_ns >= last_ns && at_ns < pace.length_ns());
            // n arrivals lie before it, as soon as it is itself the first of its nanosecond.
            prop_assert!(pace.arrivals_before(at_ns) <= n, "arrival {} at {}", n, at_ns);
            prop_assert!(pace.arrivals_before(at_ns + 1) > n, "arrival {} at {}", n, at_ns);
            last_ns = at_ns;
        }
        prop_assert_eq!(pace.arrival_ns(total), None);
    }

    #[test]
    fn the_union_of_any_segments_is_exactly_the_plan(
        pace in any_pace(),
        weights in prop::collection::vec(1_u32..20, 1..6),
        t_ns in 0_u64..12 * SECOND,
    ) {
        let segments = split_weighted(&weights);
        let mut joined: Vec<(u64, u64)> = segments
            .iter()
            .flat_map(|segment| (0..segment.count_below(pace.arrivals())).filter_map(|k| segment.nth(k)))
            .map(|n| (n, pace.arrival_ns(n).unwrap()))
            .collect();
        joined.sort_unstable();
        let whole: Vec<(u64, u64)> = (0..pace.arrivals()).map(|n| (n, pace.arrival_ns(n).unwrap())).collect();
        prop_assert_eq!(joined, whole);
        let shoppers: u64 = segments.iter().map(|segment| segment.count_below(pace.shoppers_at(t_ns))).sum();
        prop_assert_eq!(shoppers, pace.shoppers_at(t_ns));
    }
}
