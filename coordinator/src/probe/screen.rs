//! What people see while a probe goes on: a line per change, and in a terminal a table that is redrawn.

use std::io::{IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::board::{Board, ObjectiveRow};
use crate::tell::{Paint, bar, count, figure, percent, plain};

/// The most rows of the table; of more objectives those are shown of which the least is left.
const ROWS_MAX: usize = 24;
/// The longest objective that is shown whole, in characters.
const OBJECTIVE_CHARS_MAX: usize = 44;

/// The display of a probe.
pub(crate) struct Screen {
    kind: Kind,
}

enum Kind {
    Quiet,
    Lines,
    Table { all: MultiProgress, rows: Vec<ProgressBar>, paint: Paint },
}

impl Screen {
    /// The display that fits: nothing with `--quiet`, a table in a terminal, lines elsewhere.
    pub(crate) fn new(quiet: bool) -> Self {
        let kind = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Kind::Quiet,
            (false, false) => Kind::Lines,
            (false, true) => {
                let paint = Paint { on: std::env::var_os("NO_COLOR").is_none() };
                Kind::Table { all: MultiProgress::new(), rows: Vec::new(), paint }
            }
        };
        Self { kind }
    }

    /// Says what changed at `at_s`, in seconds since 1970.
    pub(crate) fn say(&self, at_s: i64, what: &str) {
        let line = format!("{} {}", clock(at_s, "%Y-%m-%dT%H:%M:%SZ"), plain(what));
        match &self.kind {
            Kind::Quiet => {}
            Kind::Lines => {
                // Where standard error is closed or full, the probe goes on all the same.
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            }
            Kind::Table { all, .. } => {
                // A display that cannot be written to is no reason to stop.
                let _ = all.println(line);
            }
        }
    }

    /// Shows how everything stands.
    pub(crate) fn show(&mut self, board: &Board) {
        let Kind::Table { all, rows, paint } = &mut self.kind else { return };
        let lines = table(board, *paint);
        while rows.len() < lines.len() {
            let row = all.add(ProgressBar::new_spinner());
            // The template is ours: one that does not parse falls back to the library's own.
            row.set_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            rows.push(row);
        }
        for (row, line) in rows.iter().zip(lines.into_iter().chain(std::iter::repeat(String::new()))) {
            row.set_message(line);
            row.tick();
        }
    }

    /// Takes the display away.
    pub(crate) fn end(&self) {
        if let Kind::Table { all, rows, .. } = &self.kind {
            rows.iter().for_each(ProgressBar::finish_and_clear);
            let _ = all.clear();
        }
    }
}

/// The table's lines.
fn table(board: &Board, paint: Paint) -> Vec<String> {
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
                "{objective:<objective_width$}  {scope:<scope_width$}  {} {:>8}  burn {:>5}  {} of {} failed  last {}",
                bar(row.budget_left, paint),
                percent(row.budget_left.map(|left| left.max(0.0))),
                figure(row.fastest()),
                count(row.failed),
                count(row.total),
                last(board, &row.scope),
            )
        })
        .collect();
    if left_off > 0 {
        lines.push(format!("and {left_off} more, of which more is left"));
    }
    lines
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

fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars_max - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::board::tests::burning;

    const PLAIN: Paint = Paint { on: false };

    #[test]
    fn each_objective_has_a_line_in_its_scopes() {
        let lines = table(&burning(), PLAIN);
        assert_eq!(lines.len(), 3);
        let tokyo = "checkout availability 99.99% over 30d  tokyo   ░░░░░░░░░░    0.0 %  burn  40.0  7 of 129,600 failed  last 11:06:37Z";
        assert_eq!(lines[1], tokyo);
        assert!(lines[0].contains("global  ████░░░░░░   46.0 %"), "{}", lines[0]);
        assert!(lines[2].ends_with("last 11:01:40Z"), "{}", lines[2]);
    }

    #[test]
    fn of_many_objectives_those_in_need_are_shown() {
        let mut board = burning();
        let spare = board.objectives[2].clone();
        board.objectives = std::iter::repeat_n(spare, 40).chain(board.objectives).collect();
        let lines = table(&board, PLAIN);
        assert_eq!(lines.len(), ROWS_MAX + 1);
        assert!(lines[0].contains("tokyo") && lines[1].contains("global"), "{lines:#?}");
        assert_eq!(lines[ROWS_MAX], "and 19 more, of which more is left");
    }

    #[test]
    fn a_screen_without_a_terminal_takes_everything() {
        let mut screen = Screen { kind: Kind::Quiet };
        screen.say(0, "nothing");
        screen.show(&burning());
        screen.end();
        assert_eq!(clock(i64::MAX, "%H"), "?");
    }
}
