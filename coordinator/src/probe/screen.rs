//! What people see while a probe goes on: a line per change, and in a terminal a table that is redrawn.

use std::cell::Cell;
use std::io::IsTerminal;

use jiff::Timestamp;

use super::board::{AlertRow, Board, ObjectiveRow};
use super::output::{Display, Output, Table};
use crate::Error;
use crate::tell::{Paint, bar, budget_left, count, figure, plain, shortened};

/// The most rows of the table; of more objectives those are shown of which the least is left.
const ROWS_MAX: usize = 24;
/// The most alerts below it.
const ALERTS_MAX: usize = 6;
/// The longest objective that is shown whole, in characters.
const OBJECTIVE_CHARS_MAX: usize = 44;

/// The display of a probe.
pub(crate) struct Screen {
    /// `None` where nothing is shown.
    output: Option<Output>,
    /// How the table is painted, where there is one.
    paint: Option<Paint>,
    /// Lines that nobody could be shown since the last that somebody was.
    missed: Cell<u64>,
}

impl Screen {
    /// The display that fits: nothing with `--quiet`, a table in a terminal, lines elsewhere.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub(crate) fn new(quiet: bool) -> Result<Self, Error> {
        let is_table = std::io::stderr().is_terminal();
        let paint = is_table.then(|| Paint { on: std::env::var_os("NO_COLOR").is_none() });
        let display = if is_table { Display::Table(Table::default()) } else { Display::standard_error() };
        let output = if quiet { None } else { Some(Output::start(display)) };
        let output = output.transpose();
        let output = output.map_err(|source| Error::System { what: "starting the display", source })?;
        Ok(Self { output, paint, missed: Cell::new(0) })
    }

    /// Says what changed at `at_s`, in seconds since 1970.
    pub(crate) fn say(&self, at_s: i64, what: &str) {
        let Some(output) = &self.output else { return };
        self.say_missed(at_s, output);
        if self.missed.get() > 0 || !output.line(stamped(at_s, what)) {
            self.missed.set(self.missed.get() + 1);
        }
    }

    /// Shows how everything stands, and why nothing is saved, where that is so.
    pub(crate) fn show(&self, board: &Board, unsaved: Option<&str>) {
        let Some(output) = &self.output else { return };
        self.say_missed(board.at_s, output);
        if let Some(paint) = self.paint {
            output.rows(table(board, unsaved, paint));
        }
    }

    /// Says how many lines were not shown, once one can be again.
    fn say_missed(&self, at_s: i64, output: &Output) {
        let missed = self.missed.get();
        if missed > 0 && output.line(stamped(at_s, &format!("{missed} lines are missing here: nobody read")))
        {
            self.missed.set(0);
        }
    }

    /// Takes the display away.
    pub(crate) fn end(&mut self) {
        self.output = None;
    }
}

fn stamped(at_s: i64, what: &str) -> String {
    format!("{} {}", clock(at_s, "%Y-%m-%dT%H:%M:%SZ"), plain(what))
}

/// The table's lines: objectives, alerts, and what is wrong with the probe itself.
fn table(board: &Board, unsaved: Option<&str>, paint: Paint) -> Vec<String> {
    let mut lines = objectives(board, paint);
    // The worst come first.
    let mut alerts: Vec<&AlertRow> = board.alerts.iter().collect();
    alerts.sort_by_key(|alert| (alert.status != "firing", alert.severity != "page", alert.since_s));
    lines.extend(alerts.iter().take(ALERTS_MAX).map(|alert| open(alert, paint)));
    if alerts.len() > ALERTS_MAX {
        lines.push(format!("and {} more alerts", alerts.len() - ALERTS_MAX));
    }
    lines.extend(unsaved.map(|why| paint.red(&format!("nothing is saved: {}", plain(why)))));
    lines
}

/// An alert that is not over.
fn open(alert: &AlertRow, paint: Paint) -> String {
    let muted = match (alert.is_silenced, alert.is_inhibited) {
        (true, _) => " (silenced)",
        (false, true) => " (inhibited)",
        (false, false) => "",
    };
    let about = alert.objective.as_deref().unwrap_or_default();
    let line = format!(
        "{} {}{muted}: {} {} {} since {}",
        alert.status,
        alert.severity,
        plain(&alert.scope),
        plain(&alert.rule),
        shortened(&plain(about), OBJECTIVE_CHARS_MAX),
        clock(alert.since_s, "%H:%M:%SZ"),
    );
    let line = line.replace("  ", " ");
    if alert.status == "firing" && muted.is_empty() { paint.red(&line) } else { line }
}

/// A line for each objective in each of its scopes.
fn objectives(board: &Board, paint: Paint) -> Vec<String> {
    let mut rows: Vec<&ObjectiveRow> = board.objectives.iter().collect();
    let left_off = rows.len().saturating_sub(ROWS_MAX);
    if left_off > 0 {
        let left = |row: &&ObjectiveRow| row.budget_left.unwrap_or(f64::INFINITY);
        rows.sort_by(|one, other| left(one).total_cmp(&left(other)));
        rows.truncate(ROWS_MAX);
    }
    let objectives: Vec<String> =
        rows.iter().map(|row| shortened(&plain(&row.objective), OBJECTIVE_CHARS_MAX)).collect();
    let scopes: Vec<String> = rows.iter().map(|row| plain(&row.scope)).collect();
    let [objective_width, scope_width] = [&objectives, &scopes].map(|texts| width(texts));
    let mut lines: Vec<String> = rows
        .iter()
        .zip(objectives.iter().zip(&scopes))
        .map(|(row, (objective, scope))| {
            format!(
                "{objective:<objective_width$}  {scope:<scope_width$}  {}  {}  {} of {} failed{}  last {}",
                budget(board, row, paint),
                burn(row),
                count(row.failed),
                count(row.total),
                doubts(row),
                last(board, &row.scope),
            )
        })
        .collect();
    if left_off > 0 {
        lines.push(format!("and {left_off} more, of which more is left"));
    }
    lines
}

/// What is left of a budget; not as if all were well where nobody knows.
fn budget(board: &Board, row: &ObjectiveRow, paint: Paint) -> String {
    if board.is_blind(row) {
        return format!("{} {:>8}", bar(None, paint), "no data");
    }
    format!("{} {:>8}", bar(row.budget_left, paint), budget_left(row.budget_left))
}

/// How fast it burns for the rule that is nearest to firing.
fn burn(row: &ObjectiveRow) -> String {
    match row.worst() {
        Some((rule, burn)) => format!("burn {:>5} ({})", figure(Some(burn)), plain(rule)),
        None => "burn  none".to_owned(),
    }
}

/// What is not certain about its counts.
fn doubts(row: &ObjectiveRow) -> String {
    let suspected =
        if row.suspected > 0 { format!(", {} suspected", count(row.suspected)) } else { String::new() };
    let gaps = if row.gaps_s > 0 { format!(", {} s without data", count(row.gaps_s)) } else { String::new() };
    format!("{suspected}{gaps}")
}

fn width(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).max().unwrap_or(0)
}

/// When the last probe of a scope was heard: that of its region, or of any.
fn last(board: &Board, scope: &str) -> String {
    let own = board.regions.iter().find(|region| region.region == scope);
    let heard = match own {
        Some(region) => region.last_heard_s,
        None => board.regions.iter().filter_map(|region| region.last_heard_s).max(),
    };
    heard.map_or_else(|| "never".to_owned(), |heard_s| clock(heard_s, "%H:%M:%SZ"))
}

/// A moment in seconds since 1970, in UTC.
fn clock(at_s: i64, format: &str) -> String {
    Timestamp::from_second(at_s).map_or_else(|_| "?".to_owned(), |at| at.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::board::tests::burning;
    use crate::probe::output::tests::held;

    const PLAIN: Paint = Paint { on: false };

    #[test]
    fn each_objective_has_a_line_in_its_scopes() {
        let lines = objectives(&burning(), PLAIN);
        assert_eq!(lines.len(), 3);
        let tokyo = "checkout availability 99.99% over 30d  tokyo   ░░░░░░░░░░  -62.0 %  burn  20.0 (page-14.4)  \
                     7 of 129,600 failed, 1 suspected, 95 s without data  last 11:06:37Z";
        assert_eq!(lines[1], tokyo);
        assert!(lines[0].contains("global  ████░░░░░░   46.0 %"), "{}", lines[0]);
        assert!(lines[2].contains("london  ··········  no data"), "nobody knows how it is: {}", lines[2]);
        assert!(lines[2].ends_with("last 11:01:40Z"), "{}", lines[2]);
    }

    #[test]
    fn below_the_objectives_is_what_is_wrong() {
        let mut board = burning();
        let lines = table(&board, Some("the disk is full"), PLAIN);
        assert_eq!(
            lines[3..],
            [
                "firing page: tokyo page-14.4 checkout availability 99.99% over 30d since 10:56:40Z",
                "firing page (silenced): london no data since 11:04:40Z",
                "nothing is saved: the disk is full",
            ]
        );
        board.alerts = std::iter::repeat_n(board.alerts[0].clone(), 8).collect();
        let lines = table(&board, None, PLAIN);
        assert_eq!((lines.len(), lines[9].as_str()), (3 + 6 + 1, "and 2 more alerts"));
    }

    #[test]
    fn of_many_objectives_those_in_need_are_shown() {
        let mut board = burning();
        let spare = board.objectives[2].clone();
        board.objectives = std::iter::repeat_n(spare, 40).chain(board.objectives).collect();
        let lines = objectives(&board, PLAIN);
        assert_eq!(lines.len(), ROWS_MAX + 1);
        assert!(lines[0].contains("tokyo") && lines[1].contains("global"), "{lines:#?}");
        assert_eq!(lines[ROWS_MAX], "and 19 more, of which more is left");
    }

    #[test]
    fn a_screen_without_a_terminal_takes_everything() {
        let mut screen = Screen::new(true).unwrap();
        screen.say(0, "nothing");
        screen.show(&burning(), None);
        screen.end();
        assert_eq!(clock(i64::MAX, "%H"), "?");
    }

    #[test]
    fn lines_that_nobody_read_are_counted_where_they_are_missing() {
        let (display, opens, written) = held();
        let output = Some(Output::start(display).unwrap());
        let mut screen = Screen { output, paint: None, missed: Cell::new(0) };
        for number in 0..1_000 {
            screen.say(0, &number.to_string());
        }
        drop(opens);
        while screen.missed.get() > 0 {
            screen.show(&burning(), None);
            std::thread::yield_now();
        }
        screen.end();
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        // Whoever writes may have begun while lines were said: then some were told of as missing before.
        let told = |line: &str| -> Option<u64> {
            let (before, _) = line.split_once(" lines are missing here: nobody read")?;
            before.rsplit_once(' ')?.1.parse().ok()
        };
        let (gaps, shown): (Vec<&str>, Vec<&str>) = written.lines().partition(|line| told(line).is_some());
        let missing: u64 = gaps.iter().filter_map(|line| told(line)).sum();
        assert!((700..1_000).contains(&missing), "{missing}");
        assert_eq!(shown.len() as u64 + missing, 1_000, "{written}");
        assert!(written.lines().last().and_then(told).is_some(), "{written}");
    }
}
