//! A backtest as programs read it: what each rule did, as a JSON array.

use doorbuster_model::slo::Transition;
use serde::Serialize;

#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    /// `firing` or `resolved`.
    event: &'static str,
    /// Unix seconds.
    at: i64,
}

/// The transitions, in order of time, then of the bytes of the rules' names.
///
/// # Errors
/// None that comes from a backtest: what [`serde_json`] says.
pub(super) fn json(transitions: &[Transition]) -> serde_json::Result<Vec<u8>> {
    let rows: Vec<Row<'_>> = transitions.iter().map(row).collect();
    let mut json = serde_json::to_vec(&rows)?;
    json.push(b'\n');
    Ok(json)
}

fn row(transition: &Transition) -> Row<'_> {
    let event = if transition.is_firing { "firing" } else { "resolved" };
    Row { rule: &transition.rule, event, at: transition.at_s }
}

#[cfg(test)]
mod tests {
    use super::json;
    use crate::tell::tests::{backtest_of_an_outage, golden};

    #[test]
    fn the_document_is_an_array_in_order() {
        let document = json(&backtest_of_an_outage().transitions).unwrap();
        golden("backtest.json", std::str::from_utf8(&document).unwrap());
        assert_eq!(json(&[]).unwrap(), b"[]\n", "nothing is an array, too");
    }
}
