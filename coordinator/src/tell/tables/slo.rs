//! Error budgets at a glance: what is left of them, how fast they burn, and what fires.

use super::super::colour::Paint;
use super::super::numbers::{NOT_AVAILABLE, count, figure, percent, span};
use super::super::plain::plain;
use super::layout::{Grid, indented};
use crate::probe::board::{AlertRow, Board, ObjectiveRow};

/// How many cells a budget's bar has.
const BAR_CELLS: usize = 10;
/// With less than this left of a budget, its bar is a warning.
const LITTLE: f64 = 0.25;
/// Data that is older, in seconds, is told to be.
const OLD_S: u64 = 120;

/// The tables and what is to be said about them at `now_s`, ending with a line feed.
pub(crate) fn budgets(board: &Board, now_s: i64, colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut parts = vec![objectives(board, paint).render()];
    parts.extend(burns(board, paint).map(|grid| grid.render()));
    parts.extend(alerts(board, now_s, paint).map(|grid| grid.render()));
    let mut lines = String::new();
    if board.alerts.is_empty() {
        lines.push_str("alerts: none\n");
    }
    lines.push_str(&evaluated(board, now_s, paint));
    lines.push_str(&indented("", &regions(board, now_s)));
    lines.push_str(&age(board, now_s, paint));
    parts.push(lines);
    parts.join("\n")
}

/// What is left of a budget, as a bar: full only where nothing is spent, and empty only where nothing is left.
pub(crate) fn bar(left: Option<f64>, paint: Paint) -> String {
    let Some(left) = left.filter(|left| left.is_finite()) else { return "·".repeat(BAR_CELLS) };
    let whole = (1..=BAR_CELLS).filter(|cell| left * BAR_CELLS as f64 >= *cell as f64).count();
    let full = whole.max(usize::from(left > 0.0));
    let bar = format!("{}{}", "█".repeat(full), "░".repeat(BAR_CELLS - full));
    if left <= 0.0 {
        paint.red(&bar)
    } else if left < LITTLE {
        paint.yellow(&bar)
    } else {
        paint.green(&bar)
    }
}

fn objectives(board: &Board, paint: Paint) -> Grid {
    let mut grid =
        Grid::new("Objectives: what is left of each error budget, and what was counted in its window")
            .words("objective")
            .words("scope")
            .words("budget left")
            .number("failed")
            .number("suspected")
            .number("of")
            .number("spent in")
            .number("no data");
    for row in &board.objectives {
        grid.row(vec![
            plain(&row.objective),
            plain(&row.scope),
            format!("{} {}", bar(known(board, row), paint), budget_left(row.budget_left)),
            paint.red_above_zero(row.failed, count(row.failed)),
            count(row.suspected),
            count(row.total),
            spent_in(board, row),
            if row.gaps_s == 0 { String::new() } else { span(row.gaps_s) },
        ]);
    }
    grid
}

/// What is left of a budget in percent, below 0 where it is overspent; where that is ten budgets and more, in budgets.
pub(crate) fn budget_left(left: Option<f64>) -> String {
    match left {
        Some(left) if left <= -10.0 => format!("-{:.0} ×", -left),
        Some(left) if left < 0.0 => format!("-{}", percent(Some(-left))),
        left => percent(left),
    }
}

/// What is left of a budget as far as anybody knows: what was before a silence is no good news.
fn known(board: &Board, row: &ObjectiveRow) -> Option<f64> {
    row.budget_left.filter(|_| !board.is_blind(row))
}

fn spent_in(board: &Board, row: &ObjectiveRow) -> String {
    match row.exhausted_in_s {
        _ if row.total == 0 || board.is_blind(row) => "no data".to_owned(),
        Some(left_s) => span(left_s),
        None => "not burning".to_owned(),
    }
}

/// `None` without rules.
fn burns(board: &Board, paint: Paint) -> Option<Grid> {
    let windows = board.windows();
    if windows.is_empty() {
        return None;
    }
    let mut grid = Grid::new(
        "Burn rates per window: at 1 a budget lasts exactly as long as it is to; red is enough for a rule",
    )
    .words("objective")
    .words("scope");
    for window_s in &windows {
        grid = grid.number(window(*window_s));
    }
    for row in &board.objectives {
        let mut cells = vec![plain(&row.objective), plain(&row.scope)];
        cells.extend(windows.iter().map(|window_s| match row.burn(*window_s) {
            Some((burn, true)) => paint.red(&figure(Some(burn))),
            Some((burn, false)) => figure(Some(burn)),
            None => NOT_AVAILABLE.to_owned(),
        }));
        grid.row(cells);
    }
    Some(grid)
}

/// A window as plans write it.
fn window(seconds: u32) -> String {
    doorbuster_notation::show_duration(std::time::Duration::from_secs(u64::from(seconds)))
}

/// `None` where there are none.
fn alerts(board: &Board, now_s: i64, paint: Paint) -> Option<Grid> {
    if board.alerts.is_empty() {
        return None;
    }
    let mut grid =
        Grid::new("Alerts").words("status").words("severity").words("scope").words("about").number("for");
    for alert in &board.alerts {
        let about = match &alert.objective {
            Some(objective) => format!("{}: {}", alert.rule, objective),
            None => alert.rule.clone(),
        };
        grid.row(vec![
            status(alert, paint),
            alert.severity.clone(),
            plain(&alert.scope),
            plain(&about),
            span(since(alert.since_s, now_s)),
        ]);
    }
    Some(grid)
}

fn status(alert: &AlertRow, paint: Paint) -> String {
    let heard = match (alert.is_silenced, alert.is_inhibited) {
        (true, _) => " (silenced)",
        (false, true) => " (inhibited)",
        (false, false) => "",
    };
    let status = format!("{}{heard}", alert.status);
    if alert.status != "firing" || !heard.is_empty() {
        return status;
    }
    if alert.severity == "page" { paint.red(&status) } else { paint.yellow(&status) }
}

fn regions(board: &Board, now_s: i64) -> String {
    let told = board.regions.iter().map(|region| {
        let name = plain(&region.region);
        match region.last_heard_s {
            None => format!("{name} was never heard"),
            Some(heard_s) if region.is_silent => {
                format!("{name} is silent for {}", span(since(heard_s, now_s)))
            }
            Some(heard_s) => format!("{name} heard {} ago", span(since(heard_s, now_s))),
        }
    });
    format!("regions: {}", told.collect::<Vec<_>>().join(", "))
}

/// Nothing as long as somebody looks whether alerts fire.
fn evaluated(board: &Board, now_s: i64, paint: Paint) -> String {
    let Some(evaluated_s) = board.evaluated_s.filter(|then_s| since(*then_s, now_s) > OLD_S) else {
        return String::new();
    };
    let moment = jiff::Timestamp::from_second(evaluated_s);
    let moment = moment.map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string());
    indented("", &paint.yellow(&format!("alerts as of {moment}; nobody has evaluated since")))
}

fn age(board: &Board, now_s: i64, paint: Paint) -> String {
    match board.age_s(now_s) {
        None => indented("", "data: none yet"),
        Some(age_s) if age_s > OLD_S => {
            let old = format!("the newest is {} old; is the probe running?", span(age_s));
            indented("", &format!("data: {}", paint.yellow(&old)))
        }
        Some(age_s) => indented("", &format!("data: the newest is {} old", span(age_s))),
    }
}

/// How long ago it was, in seconds; nothing where a clock was set back.
fn since(then_s: i64, now_s: i64) -> u64 {
    u64::try_from(now_s.saturating_sub(then_s)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::board::tests::burning;
    use crate::tell::tables::WIDTH_MAX;

    const PLAIN: Paint = Paint { on: false };

    #[test]
    fn what_is_left_is_a_share_or_so_many_budgets_that_are_overspent() {
        let told = [Some(0.5), Some(-0.62), Some(-9.5), Some(-696.67), None].map(budget_left);
        assert_eq!(told, ["50.0 %", "-62.0 %", "-950.0 %", "-697 ×", "n/a"]);
    }

    #[test]
    fn a_bar_is_full_or_empty_only_where_it_is() {
        for (left, cells) in [
            (Some(1.0), "██████████"),
            (Some(0.999), "█████████░"),
            (Some(0.46), "████░░░░░░"),
            (Some(0.001), "█░░░░░░░░░"),
            (Some(0.0), "░░░░░░░░░░"),
            (Some(-0.5), "░░░░░░░░░░"),
            (Some(7.0), "██████████"),
            (None, "··········"),
        ] {
            assert_eq!(bar(left, PLAIN), cells, "{left:?}");
        }
    }

    #[test]
    fn budgets_burns_alerts_and_regions_are_told() {
        let text = budgets(&burning(), 1_795_000_000, false);
        let row = |words: &[&str]| text.lines().any(|line| words.iter().all(|word| line.contains(word)));
        for words in [
            &["global", "████░░░░░░ 46.0 %", "7", "1", "129,600", "2 h", "95 s"][..],
            &["tokyo", "░░░░░░░░░░ -62.0 %"],
            &["london", "·········· 100.0 %", "no data"],
            &["5m", "1h", "6h", "3d"],
            &["tokyo", "40.0", "20.0", "0", "5.00"],
            &["firing", "page", "tokyo", "page-14.4: checkout availability", "10 min"],
            &["firing (silenced)", "london", "no data", "2 min"],
            &["regions: tokyo heard 3 s ago, london is silent for 5 min"],
            &["data: the newest is 3 s old"],
        ] {
            assert!(row(words), "{words:?}\n{text}");
        }
    }

    #[test]
    fn old_data_is_told_to_be_old_and_a_quiet_board_says_so() {
        let mut board = burning();
        board.alerts.clear();
        let text = budgets(&board, 1_795_010_000, false);
        assert!(text.contains("the newest is 2 h old; is the probe running?"), "{text}");
        assert!(text.contains("alerts: none\n"), "{text}");
        assert!(text.contains("alerts as of 2026-11-18 11:06Z; nobody has evaluated since"), "{text}");
        assert!(!budgets(&board, 1_795_000_060, false).contains("nobody has evaluated"));
        board.regions[1].is_silent = false;
        let text = budgets(&board, 1_795_000_000, false);
        let london = text.lines().find(|line| line.contains("london")).unwrap();
        assert!(london.contains("██████████ 100.0 %") && london.contains("not burning"), "{london}");
    }

    #[test]
    fn no_line_is_too_wide_and_nothing_paints_the_terminal() {
        let mut board = burning();
        let hostile = format!("\u{1b}[31m{} availability 99.999% over 30d", "checkout-by-guests/".repeat(4));
        board.objectives[1].objective = hostile;
        board.objectives[2].scope = "asia-pacific-southeast-behind-the-second-transit-gateway".to_owned();
        board.objectives[0].total = 123_456_789_012;
        let text = budgets(&board, 1_795_000_000, false);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= WIDTH_MAX && !text.contains('\u{1b}'), "{widest} columns:\n{text}");
        assert!(budgets(&board, 1_795_000_000, true).contains("\u{1b}[31mfiring"));
    }
}
