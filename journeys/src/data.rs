//! Tables: rows of a CSV or NDJSON file, one for each shopper.

use std::sync::Arc;

use doorbuster_notation::{Faults, Place, did_you_mean};
use rand_core::Rng;
use serde_json::Value as Json;

use crate::check::plain;
use crate::journey::Supplies;
use crate::scan::VALUE_BYTES_MAX;
use crate::think::below;

/// The most rows of a table.
const ROWS_MAX: usize = 10_000_000;

/// Under which name the data file `file` of the journey `journey` is handed to agents.
pub fn data_key(journey: &str, file: &str) -> String {
    format!("data of {journey}: {file}")
}

/// A table, as far as the journey uses it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: Box<str>,
    pub(crate) file: Box<str>,
    pub(crate) place: Place,
    pub(crate) order: Order,
    pub(crate) stops: bool,
    /// The columns that are used: name, variable, and where it is first used.
    pub(crate) columns: Vec<(Box<str>, u16, Place)>,
    /// The values of those columns, row by row.
    values: Arc<[Box<str>]>,
}

/// Which row is a shopper's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// By the shopper's number, so that no two have the same one before all are used.
    Shopper,
    /// Any.
    Random,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(name: &str, file: String, place: Place, order: Order, stops: bool) -> Self {
        let (name, file, values) = (name.into(), file.into(), Arc::from([]));
        Self { name, file, place, order, stops, columns: Vec::new(), values }
    }

    /// Notes that a column is used, by the variable with this number.
    pub(crate) fn column(&mut self, name: &str, slot: u16, place: Place) {
        if !self.columns.iter().any(|(_, known, _)| *known == slot) {
            self.columns.push((name.into(), slot, place));
        }
    }

    /// The values of a shopper's row, in the order of the columns; `None` when there is none left for it.
    pub(crate) fn row(&self, shopper: u64, rng: &mut dyn Rng) -> Option<&[Box<str>]> {
        let width = self.columns.len().max(1);
        let rows = (self.values.len() / width) as u64;
        if rows == 0 {
            return None;
        }
        let row = match self.order {
            Order::Random => below(rows, rng),
            // Shoppers are counted from 0.
            Order::Shopper if self.stops && shopper >= rows => return None,
            Order::Shopper => shopper % rows,
        };
        let begin = usize::try_from(row).ok()? * width;
        self.values.get(begin..begin + width)
    }

    /// The values of the column that stands in this variable, row by row.
    pub(crate) fn values(&self, slot: u16) -> impl Iterator<Item = &Box<str>> {
        let column = self.columns.iter().position(|(_, known, _)| *known == slot);
        let width = self.columns.len().max(1);
        column.into_iter().flat_map(move |column| self.values.iter().skip(column).step_by(width))
    }

    /// Reads the rows.
    pub(crate) fn load(&mut self, supplies: &Supplies<'_>, faults: &mut Faults) {
        let fail = |why: String| format!("the data file \"{}\" cannot be used: {why}", self.file);
        let text = match (supplies.file)(&self.file) {
            Ok(text) => text,
            Err(why) => return faults.add(self.place, fail(why)),
        };
        let text = without_mark(&text);
        let read = if is_ndjson(&self.file) { self.ndjson(text) } else { self.csv(text, faults) };
        match read {
            Ok(values) if values.is_empty() && !self.columns.is_empty() && faults.faults.is_empty() => {
                faults.add(self.place, fail("it has no rows".to_owned()));
            }
            Ok(values) => self.values = values.into(),
            Err(why) => faults.add(self.place, fail(why)),
        }
    }

    fn csv(&self, text: &str, faults: &mut Faults) -> Result<Vec<Box<str>>, String> {
        let mut reader = csv_reader(text);
        let header = reader.headers().map_err(|why| why.to_string())?.clone();
        let mut positions = Vec::new();
        for (column, _, place) in &self.columns {
            match header.iter().position(|known| *known == **column) {
                Some(position) => positions.push(position),
                None => {
                    let near = did_you_mean(column, header.iter());
                    faults.add(*place, format!("\"{}\" has no column \"{column}\"{near}", self.file));
                }
            }
        }
        let mut values = Vec::new();
        for (number, record) in reader.records().enumerate() {
            let record = record.map_err(|why| why.to_string())?;
            let row = positions.iter().map(|position| record.get(*position).unwrap_or(""));
            take_row(number, row, &mut values)?;
        }
        Ok(values)
    }

    fn ndjson(&self, text: &str) -> Result<Vec<Box<str>>, String> {
        let mut values = Vec::new();
        for (number, (line_number, line)) in ndjson_rows(text).enumerate() {
            let at = |why: String| format!("line {}: {why}", line_number + 1);
            let row: Json = serde_json::from_str(line).map_err(|why| at(why.to_string()))?;
            let cells = self.columns.iter().map(|(column, ..)| {
                let cell = row.get(&**column);
                cell.map(plain).ok_or_else(|| at(format!("there is no \"{column}\"")))
            });
            let cells = cells.collect::<Result<Vec<_>, _>>()?;
            take_row(number, cells.iter().map(String::as_str), &mut values)?;
        }
        Ok(values)
    }
}

/// A text without the mark that some programs put before it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Whether a file's rows are objects, one a line, and not those of a CSV file.
pub(crate) fn is_ndjson(file: &str) -> bool {
    let file = file.to_ascii_lowercase();
    file.ends_with(".ndjson") || file.ends_with(".jsonl")
}

/// The rows of a CSV file, and its header.
pub(crate) fn csv_reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes())
}

/// The rows of a file of objects, each with the number of its line, from 0.
pub(crate) fn ndjson_rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty())
}

fn take_row<'a>(
    number: usize,
    cells: impl Iterator<Item = &'a str>,
    values: &mut Vec<Box<str>>,
) -> Result<(), String> {
    if number >= ROWS_MAX {
        return Err(format!("it has over {ROWS_MAX} rows"));
    }
    for cell in cells {
        if cell.len() > VALUE_BYTES_MAX {
            return Err(format!("row {} has a value of over {VALUE_BYTES_MAX} bytes", number + 1));
        }
        values.push(cell.into());
    }
    Ok(())
}
