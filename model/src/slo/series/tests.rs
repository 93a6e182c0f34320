use proptest::prelude::*;

use super::*;

const DAY_S: i64 = 86_400;

fn add(total: u64, failed: u64) -> impl Fn(Count) -> Count {
    move |mut count| {
        count.include(Count { total, failed, suspected: 0 });
        count
    }
}

/// What should be there: every event, and sums by looking at each.
#[derive(Default)]
struct Oracle {
    events: Vec<(i64, u64)>,
}

impl Oracle {
    fn total(&self, after_s: i64, until_s: i64) -> u64 {
        self.events
            .iter()
            .filter(|(at_s, _)| *at_s > after_s && *at_s <= until_s)
            .map(|(_, total)| total)
            .sum()
    }

    /// The objective's window, its far edge at the next multiple of 5 min where it is longer than what is kept finely.
    fn budget(&self, window_s: i64, now_s: i64) -> u64 {
        let after_s = now_s - window_s;
        let after_s = if window_s > FINE_S { after_s.div_euclid(300) * 300 } else { after_s };
        self.total(after_s, now_s)
    }
}

#[test]
fn windows_of_rules_are_exact_and_a_budget_s_far_edge_is_of_five_minutes() {
    let windows = [60, 3_600, 3 * DAY_S];
    let mut series = Series::new(4 * DAY_S, windows.len());
    let mut oracle = Oracle::default();
    let begin_s = 1_764_201_600;
    for step in 1..=(5 * DAY_S / BUCKET_S) {
        let now_s = begin_s + step * BUCKET_S;
        // Bursts and gaps; some of it comes late.
        let late_s = if step % 7 == 0 { 7 * step % (4 * DAY_S) } else { step % 3 };
        let total = if step % 500 < 100 { 0 } else { u64::try_from(step % 11).unwrap() };
        if total > 0 {
            oracle.events.push((now_s - late_s, total));
            assert!(series.apply(now_s - late_s, now_s - BUCKET_S, &windows, add(total, 0)));
        }
        series.advance(now_s, &windows);
        series.trim(now_s);
        if step % 4_321 == 0 {
            for (sum, window_s) in series.sums().iter().zip(windows) {
                assert_eq!(sum.total, oracle.total(now_s - window_s, now_s), "{window_s} s at step {step}");
            }
            assert_eq!(series.budget().total, oracle.budget(4 * DAY_S, now_s), "at step {step}");
        }
    }
}

#[test]
fn memory_and_pages_of_dense_traffic() {
    let windows: Vec<i64> = vec![300, 1_800, 3_600, 7_200, 21_600, 86_400, 259_200];
    let mut series = Series::new(30 * DAY_S, windows.len());
    // 30 days of 1,000 events in every bucket, with a failure in each: what comes late fills the buckets of 5 min.
    for bucket in 0..(30 * DAY_S / COARSE_BUCKET_S) {
        series.coarse.change(bucket * COARSE_BUCKET_S, |_| [30_000, 30, 0]);
    }
    for bucket in 0..(FINE_S / BUCKET_S) {
        series.fine.change(30 * DAY_S + bucket * BUCKET_S, |_| [1_000, 1, 0]);
    }
    let series_max = 100 * 4;
    let memory = series.memory_bytes() * series_max;
    // A row of a table has a key beside its bytes: some 100 bytes.
    let stored = |pages: usize, bytes: usize| pages * 100 + bytes;
    let fine: usize = series.fine.pages().map(|(_, cells)| stored(1, cells.as_bytes().len())).sum();
    let coarse: usize = series.coarse.pages().map(|(_, cells)| stored(1, cells.as_bytes().len())).sum();
    let disk = (fine + coarse) * series_max;
    println!(
        "100 objectives in 4 scopes: {} MB of memory, {} MB of pages",
        memory / 1_000_000,
        disk / 1_000_000
    );
    assert!(memory < 100_000_000 && disk < 200_000_000, "{memory} {disk}");
    assert_eq!(series.fine.pages().count(), 937, "3 days and 6 hours, and the page under way");
}

#[test]
fn what_is_older_than_the_window_is_refused() {
    let windows = [60];
    let (mut long, mut short) = (Series::new(30 * DAY_S, 1), Series::new(DAY_S, 1));
    let now_s = 100 * DAY_S;
    for series in [&mut long, &mut short] {
        series.jump(now_s, &windows);
    }
    assert!(long.apply(now_s - 30 * DAY_S + 1, now_s, &windows, add(1, 0)));
    assert!(!long.apply(now_s - 30 * DAY_S, now_s, &windows, add(1, 0)));
    assert!(!short.apply(now_s - FINE_S - 300, now_s, &windows, add(1, 0)));
    assert!(short.apply(now_s - DAY_S + 1, now_s, &windows, add(1, 0)));
    assert_eq!((long.budget().total, short.budget().total), (1, 1));
    assert_eq!(long.first_s(), Some(now_s - 30 * DAY_S));
}

#[test]
fn a_jump_by_mistake_loses_nothing() {
    let windows = [3_600];
    for window_s in [DAY_S, 4 * DAY_S + 70] {
        let mut series = Series::new(window_s, 1);
        let mut now_s = 100 * DAY_S;
        for step in 0..1_000 {
            now_s += 300;
            assert!(series.apply(now_s - 7, now_s - BUCKET_S, &windows, add(10, step % 2)));
            series.jump(now_s, &windows);
            series.trim(now_s);
        }
        let (sums, budget) = (series.sums().to_vec(), series.budget());
        drop(series.take_changed());
        series.jump(now_s + 31 * DAY_S, &windows);
        assert_eq!((series.sums()[0], series.budget()), (Count::default(), Count::default()));
        series.jump(now_s, &windows);
        assert_eq!((series.sums(), series.budget()), (sums.as_slice(), budget));
        assert_eq!(series.take_changed(), (Vec::new(), Vec::new()));
        series.jump(now_s + 31 * DAY_S, &windows);
        series.trim(now_s + 31 * DAY_S);
        assert!(series.first_s().is_none() && series.take_changed().1.len() > 200);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes whenever, the sums are those of the events; pages that are put back give the same sums.
    #[test]
    fn sums_are_those_of_the_events(
        window_s in prop_oneof![Just(7_200_i64), Just(FINE_S), Just(FINE_S + 10), Just(4 * DAY_S + 70)],
        steps in prop::collection::vec((0_i64..3, 0_i64..400_000, 0_u64..2_000, 0_i64..200_000), 1..60),
    ) {
        let windows = [10, 70, 3_600, 3 * DAY_S];
        let (mut series, mut oracle) = (Series::new(window_s, windows.len()), Oracle::default());
        let mut stored = std::collections::BTreeMap::new();
        let mut now_s = 10_000_000 / BUCKET_S * BUCKET_S;
        series.jump(now_s, &windows);
        for (how, late_s, total, ahead_s) in steps {
            let at_s = now_s + 40 - late_s;
            let is_kept = series.apply(at_s, now_s, &windows, add(total, 0));
            if is_kept {
                oracle.events.push((at_s, total));
            }
            match how {
                0 => {
                    now_s += BUCKET_S;
                    series.advance(now_s, &windows);
                }
                1 => {
                    now_s += ahead_s / BUCKET_S * BUCKET_S;
                    series.jump(now_s, &windows);
                }
                _ => {}
            }
            // Now and then what is too old stays for a while.
            if late_s % 3 > 0 {
                series.trim(now_s);
            }
            let (pages, dropped) = series.take_changed();
            for id in dropped {
                stored.remove(&id);
            }
            stored.extend(pages.into_iter().map(|page| ((page.length_s, page.start_s), page)));
            for (sum, window_s) in series.sums().iter().zip(windows) {
                prop_assert_eq!(sum.total, oracle.total(now_s - window_s, now_s));
            }
            prop_assert_eq!(series.budget().total, oracle.budget(window_s, now_s));
        }
        let mut restored = Series::new(window_s, windows.len());
        for page in stored.values() {
            prop_assert!(restored.restore(page));
        }
        restored.jump(now_s, &windows);
        prop_assert_eq!((restored.sums(), restored.budget()), (series.sums(), series.budget()));
    }
}
