//! When alerts would have fired, at a glance.

use std::time::Duration;

use doorbuster_model::slo::{Backtested, Incident, Severity};
use doorbuster_notation::show_duration;
use jiff::Timestamp;

use super::super::colour::Paint;
use super::super::numbers::{count, percent};
use super::super::plain::plain;
use super::layout::{Grid, indented};

/// The most alerts that are shown; a rule that flaps has thousands of them.
const ROWS_MAX: usize = 200;

/// A row per alert, or per incident, and what was looked at, ending with a line feed.
pub(crate) fn backtested(backtested: &Backtested, by_incident: bool, colour: bool) -> String {
    let paint = Paint { on: colour };
    let (title, rows, nothing) = if by_incident {
        let title = "Incidents: what people would have been told; a page speaks for the tickets beside it";
        (title, &backtested.incidents, "nobody would have been told of anything")
    } else {
        ("Alerts: whenever a rule would have fired", &backtested.firings, "no rule would have fired")
    };
    let mut text = String::new();
    if rows.is_empty() {
        text.push_str(&indented("", nothing));
    } else {
        text.push_str(&grid(title, rows, paint).render());
        if let Some(left) = rows.len().checked_sub(ROWS_MAX).filter(|left| *left > 0) {
            let remedy = if by_incident { "" } else { ": --incidents groups them, --json FILE has them all" };
            text.push_str(&indented("", &format!("and {} more{remedy}", count(left as u64))));
        }
    }
    text.push('\n');
    text.push_str(&looked_at(backtested));
    text
}

fn grid(title: &'static str, rows: &[Incident], paint: Paint) -> Grid {
    let mut grid = Grid::new(title)
        .words("rule")
        .words("asks")
        .words("fired")
        .words("resolved")
        .number("detected after")
        .number("budget spent");
    for row in rows.iter().take(ROWS_MAX) {
        let asks = match row.severity {
            Severity::Page => paint.red(row.severity.word()),
            Severity::Ticket => paint.yellow(row.severity.word()),
        };
        let detected_s = row.fired_s.abs_diff(row.first_failure_s);
        grid.row(vec![
            plain(&row.rule),
            asks,
            time(row.fired_s),
            row.resolved_s.map_or_else(|| "not by then".to_owned(), time),
            show_duration(Duration::from_secs(detected_s)),
            percent(row.budget_spent),
        ]);
    }
    grid
}

/// What was counted and evaluated.
fn looked_at(backtested: &Backtested) -> String {
    let wide = |number: u128| u64::try_from(number).map_or_else(|_| number.to_string(), count);
    let counted = format!(
        "{} entries, {} of {} events failed; the budget is that of 30 days",
        count(backtested.entries),
        wide(backtested.failed),
        wide(backtested.total)
    );
    let (from, until) = (time(backtested.from_s), time(backtested.until_s));
    let evaluated = format!("evaluated every 10 s from {from} to {until}");
    [counted, evaluated].map(|line| indented("", &line)).concat()
}

fn time(at_s: i64) -> String {
    Timestamp::from_second(at_s).map_or_else(|_| at_s.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tell::tables::WIDTH_MAX;
    use crate::tell::tests::{backtest_of_an_outage, golden};

    #[test]
    fn every_alert_has_its_row() {
        golden("backtest.txt", &backtested(&backtest_of_an_outage(), false, false));
    }

    #[test]
    fn incidents_are_what_people_are_told() {
        golden("backtest-incidents.txt", &backtested(&backtest_of_an_outage(), true, false));
    }

    #[test]
    fn what_is_too_much_is_counted_and_nothing_is_too_wide() {
        let mut many = backtest_of_an_outage();
        let one = Incident { rule: "x".repeat(90), ..many.firings[0].clone() };
        many.firings = vec![one; ROWS_MAX + 1_234];
        let text = backtested(&many, false, false);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= WIDTH_MAX && text.contains("and 1,234 more: --incidents groups them"), "{text}");
        many.firings.clear();
        assert!(backtested(&many, false, false).starts_with("no rule would have fired\n"));
        assert!(backtested(&backtest_of_an_outage(), true, true).contains("\u{1b}[31mpage"));
    }
}
