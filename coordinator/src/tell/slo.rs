//! How objectives stand, as programs read it: JSON (`doorbuster.slo/1`).

use serde::Serialize;

use crate::probe::board::Board;

/// The value of `schema`. Within this version keys are added, never renamed or removed.
const SCHEMA: &str = "doorbuster.slo/1";

/// How the objectives of a plan stand.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Budgets<'a> {
    /// The plan's name.
    pub plan: &'a str,
    /// How old the newest data is, in seconds; `null` where there is none.
    pub data_age_s: Option<u64>,
    /// How everything stands.
    #[serde(flatten)]
    pub board: &'a Board,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    plans: &'a [Budgets<'a>],
}

/// The document, ending with a line feed.
pub(super) fn json(budgets: &[Budgets<'_>]) -> serde_json::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(&Document { schema: SCHEMA, plans: budgets })?;
    json.push(b'\n');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::probe::board::tests::burning;

    #[test]
    fn the_document_has_every_figure() {
        let board = burning();
        let budgets = Budgets { plan: "shop", data_age_s: board.age_s(board.at_s), board: &board };
        let document: Value = serde_json::from_slice(&json(&[budgets]).unwrap()).unwrap();
        assert_eq!(document["schema"], "doorbuster.slo/1");
        let plan = &document["plans"][0];
        assert_eq!(plan["plan"], "shop");
        assert_eq!((plan["data_age_s"].as_u64(), plan["at_s"].as_i64()), (Some(3), Some(1_795_000_000)));
        let objective = &plan["objectives"][1];
        for key in [
            "objective",
            "scope",
            "share",
            "window_s",
            "total",
            "failed",
            "suspected",
            "gaps_s",
            "exhausted_in_s",
        ] {
            assert!(objective.get(key).is_some_and(|value| !value.is_null()), "{key}");
        }
        assert_eq!(objective["budget_left"], -0.62);
        let burn = &objective["burns"][0];
        assert_eq!((burn["long"].as_bool(), burn["burning"].as_bool()), (Some(true), Some(true)));
        assert_eq!(plan["regions"][1]["silent"], true);
        assert_eq!(plan["alerts"][1]["silenced"], true);
    }
}
