//! Shoppers, and whether there is enough data for them.

use doorbuster_model::Plan;
use doorbuster_model::plan::Model;
use doorbuster_model::preflight::{Crowd, Rows, Walk};
use doorbuster_notation::show_rate_milli;

use super::{Check, Status};
use crate::tell::{count, figure};

/// How many there are at once, and how that is known.
pub(super) fn shoppers(plan: &Plan, crowd: &Crowd) -> Check {
    let most = count(crowd.shoppers_max);
    let says = match plan.load.model {
        Model::Closed => format!("{most} at once, as the plan says"),
        Model::Open(_) => format!(
            "about {most} at once (Little's law): up to {} who stay {} s each, {} of them thinking and {} assumed for answers",
            show_rate_milli(plan.load.pace.peak_milli()),
            figure(Some(crowd.stay_s())),
            figure(Some(crowd.think_s)),
            figure(Some(crowd.answers_s)),
        ),
    };
    Check::ok("shoppers", None, says)
}

/// Whether each shopper has a row of its own: a line per file.
pub(super) fn rows(walks: &[Walk], crowd: &Crowd) -> Vec<Check> {
    // Rows go by the shopper's number: of the arrival, or of the place in the crowd.
    let shoppers = crowd.arrivals.unwrap_or(crowd.shoppers_max);
    let chosen = walks.iter().filter(|walk| walk.weight > 0);
    chosen.flat_map(|walk| walk.rows.iter()).map(|rows| rows_of(rows, shoppers)).collect()
}

fn rows_of(rows: &Rows, shoppers: u64) -> Check {
    let (name, about) = ("data", Some(rows.file.as_str()));
    let says = format!("{} rows for {} shoppers", count(rows.count), count(shoppers));
    if rows.count >= shoppers {
        return Check::ok(name, about, says);
    }
    let then = if rows.stops { "the others are sent away" } else { "rows are used again" };
    let change = "add rows, or leave it if that is meant (rows: random draws any)".to_owned();
    Check::bad(Status::Warning, name, about, format!("{says}: {then}"), change)
}
