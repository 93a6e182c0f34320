//! How tables stand on a terminal: no frame, a rule below the titles, numbers to the right.

use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::peaker::Priority;
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Alignment, Modify, Padding, Style, Width};

use super::WIDTH_MAX;

/// Spaces between columns.
const GAP: usize = 2;

/// Which side of its column a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A titled table.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    title: &'static str,
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table without rows.
    pub(super) fn new(title: &'static str) -> Self {
        Self { title, columns: Vec::new(), rows: Vec::new() }
    }

    /// With one more column of words.
    pub(super) fn words(mut self, title: impl Into<String>) -> Self {
        self.columns.push((title.into(), Side::Left));
        self
    }

    /// With one more column of numbers.
    pub(super) fn number(mut self, title: impl Into<String>) -> Self {
        self.columns.push((title.into(), Side::Right));
        self
    }

    /// One more row: a cell per column.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The title and the table, ending with a line feed. Where it would be too wide, the widest columns are wrapped.
    pub(super) fn render(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record(self.columns.iter().map(|(title, _)| title.clone()));
        self.rows.iter().for_each(|row| builder.push_record(row.clone()));
        let mut table = builder.build();
        table.with(Style::empty().horizontals([(1, HorizontalLine::new('─'))]));
        table.with(Padding::new(0, GAP, 0, 0));
        for (position, (_, side)) in self.columns.iter().enumerate() {
            let alignment = match side {
                Side::Left => Alignment::left(),
                Side::Right => Alignment::right(),
            };
            table.with(Modify::new(Columns::one(position)).with(alignment));
        }
        // The gap after the last column is cut off again.
        table.with(Width::wrap(WIDTH_MAX).keep_words(true).priority(Priority::max(true)));
        format!("{}\n{}", self.title, trimmed(&table.to_string()))
    }
}

/// `text` behind `mark`, wrapped at words, its further lines indented; ends with a line feed.
pub(super) fn indented(mark: &str, text: &str) -> String {
    let mut builder = Builder::default();
    builder.push_record([mark, text]);
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::zero());
    table.with(Width::wrap(WIDTH_MAX).keep_words(true).priority(Priority::max(true)));
    trimmed(&table.to_string())
}

fn trimmed(table: &str) -> String {
    let mut text = String::with_capacity(table.len() + 1);
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
