//! Data files for one agent: what a bundle of its own need not carry. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use doorbuster_journeys::{Journey, built_in, data_key};
use doorbuster_model::plan::Model;
use doorbuster_model::{Assignment, Plan, Segment, Task};

/// Empties the rows of data files that no shopper of the assignment has. Exact: where it cannot be known, because rows are
/// drawn, samples have names by what stands in them, or it is no load at all, files stay whole.
pub(super) fn slice(plan: &Plan, assignment: &mut Assignment) {
    if assignment.task != Task::Load {
        return;
    }
    let shoppers = shoppers(plan);
    let segment = assignment.segment.clone();
    let needed = |rows: usize, begins_anew: bool| needed(&segment, shoppers, rows, begins_anew);
    let mut sliced = BTreeMap::new();
    for name in plan.journeys.iter().map(|used| used.journey.as_str()) {
        let Some(text) = assignment.files.get(name).map(String::as_str).or_else(|| built_in(name)) else {
            continue;
        };
        // It was read before; were it broken now, its agent would say so.
        let Ok(journey) = Journey::parse(name, text) else { continue };
        for file in journey.data_files() {
            let key = data_key(name, file);
            let whole = assignment.files.get(&key);
            if let Some(slice) = whole.and_then(|whole| journey.slice_data(file, whole, &needed)) {
                sliced.insert(key, slice);
            }
        }
    }
    if sliced.is_empty() {
        return;
    }
    // All the agents share the whole files: only what stays as it is is copied.
    for (key, text) in assignment.files.iter() {
        sliced.entry(key.clone()).or_insert_with(|| text.clone());
    }
    assignment.files = Arc::new(sliced);
}

/// How many numbers shoppers of the whole run have at most.
fn shoppers(plan: &Plan) -> u64 {
    let pace = &plan.load.pace;
    match plan.load.model {
        Model::Open(_) => pace.arrivals(),
        Model::Closed => pace.peak_milli().div_ceil(1_000),
    }
}

/// Which of so many rows the segment's shoppers have, of `shoppers` in all: their numbers', counted anew from each end of the
/// file where shoppers begin anew there.
fn needed(segment: &Segment, shoppers: u64, rows: usize, begins_anew: bool) -> Vec<bool> {
    let mut needed = vec![false; rows];
    let Some(count) = u64::try_from(rows).ok().filter(|count| *count > 0) else { return needed };
    // After so many, the same rows come again.
    let period = if begins_anew { least_common_multiple(segment.cycle(), count) } else { count };
    for ordinal in 0..segment.count_below(shoppers.min(period)) {
        let row = segment.nth(ordinal).and_then(|number| usize::try_from(number % count).ok());
        if let Some(needed) = row.and_then(|row| needed.get_mut(row)) {
            *needed = true;
        }
    }
    needed
}

fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut greatest, mut rest) = (a, b);
    while rest != 0 {
        (greatest, rest) = (rest, greatest % rest);
    }
    (a / greatest.max(1)).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use doorbuster_model::segment::split_weighted;

    use super::super::tests::{assignment, plan};
    use super::*;

    #[test]
    fn exactly_the_rows_of_a_segment_s_shoppers_are_needed() {
        for (weights, agents) in [(&[1, 1, 1][..], 2), (&[2, 1], 3), (&[1], 1), (&[1, 0], 1)] {
            let segments = split_weighted(weights).into_iter().flat_map(|segment| segment.split(agents));
            for segment in segments {
                for (rows, shoppers) in [(1, 10), (6, 100), (7, 100), (12, 5), (90, 60), (10, 0), (0, 10)] {
                    for begins_anew in [true, false] {
                        let mut expected = vec![false; rows];
                        for number in (0..shoppers).filter(|number| segment.contains(*number)) {
                            let number = usize::try_from(number).unwrap();
                            if rows > 0 && (begins_anew || number < rows) {
                                expected[number % rows] = true;
                            }
                        }
                        let found = needed(&segment, shoppers, rows, begins_anew);
                        assert_eq!(found, expected, "{segment:?} {rows} {shoppers} {begins_anew}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_load_s_files_are_sliced_and_no_other_s() {
        let plan = plan("journeys: [users.yaml]");
        let journey = "journey: users\ndata: { user: { file: users.csv } }\nsteps: [{ step: a, get: '/${user.name}' }]\n";
        let mut whole = assignment("r-0");
        whole.segment = split_weighted(&[1, 1]).remove(0);
        let rows: String = (0..4).map(|row| format!("name-{row}\n")).collect();
        let users = (data_key("users.yaml", "users.csv"), format!("name\n{rows}"));
        whole.files = Arc::new(BTreeMap::from([("users.yaml".to_owned(), journey.to_owned()), users]));
        let mut sliced = whole.clone();
        slice(&plan, &mut sliced);
        assert_eq!(sliced.files[&data_key("users.yaml", "users.csv")], "name\nname-0\n\"\"\nname-2\n\"\"\n");
        assert_eq!(sliced.files["users.yaml"], journey);
        let mut probe = Assignment { task: Task::Probe { every_ms: 1_000 }, ..whole.clone() };
        slice(&plan, &mut probe);
        assert_eq!(probe.files, whole.files);
    }
}
