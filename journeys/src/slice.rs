//! Data files for some of the shoppers: the rows that others have are there, and empty.
//!
//! A shopper's row is its number in the file, so rows stay where they are, and only what stands in them goes. Nothing else
//! of a journey changes by it.

use serde_json::{Map, Value as Json};

use crate::Journey;
use crate::data::{Order, Table, csv_reader, is_ndjson, ndjson_rows, without_mark};

impl Journey {
    /// The text of one of the journey's data files for some of the shoppers: as it is, save that rows that none of them has
    /// are empty. `needed` is asked for the rows that they have of so many, and whether shoppers begin anew when all are
    /// used; what it says of further ones is not looked at.
    ///
    /// `None` where any row may be needed by anybody: rows are drawn, or samples have names by what stands in them; and
    /// where the text is no such file.
    pub fn slice_data(
        &self,
        file: &str,
        text: &str,
        needed: &dyn Fn(usize, bool) -> Vec<bool>,
    ) -> Option<String> {
        let tables: Vec<&Table> = self.tables.iter().filter(|table| &*table.file == file).collect();
        let names_samples = |slot: u16| self.steps.iter().any(|step| step.counted.varies_by(slot));
        let is_whole = |table: &&Table| {
            table.order == Order::Random || table.columns.iter().any(|(_, slot, _)| names_samples(*slot))
        };
        if tables.is_empty() || tables.iter().any(is_whole) {
            return None;
        }
        let text = without_mark(text);
        let rows =
            if is_ndjson(file) { ndjson_rows(text).count() } else { csv_reader(text).records().count() };
        let mut wanted = vec![false; rows];
        for table in &tables {
            for (wanted, needed) in wanted.iter_mut().zip(needed(rows, !table.stops)) {
                *wanted |= needed;
            }
        }
        if is_ndjson(file) { Some(slice_ndjson(text, &tables, &wanted)) } else { slice_csv(text, &wanted) }
    }
}

fn slice_csv(text: &str, wanted: &[bool]) -> Option<String> {
    let mut reader = csv_reader(text);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = reader.headers().ok()?;
    let empty = csv::StringRecord::from(vec![""; header.len()]);
    writer.write_record(header).ok()?;
    for (record, is_wanted) in reader.records().zip(wanted) {
        let record = record.ok()?;
        writer.write_record(if *is_wanted { &record } else { &empty }).ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

fn slice_ndjson(text: &str, tables: &[&Table], wanted: &[bool]) -> String {
    let columns = tables.iter().flat_map(|table| &table.columns);
    let empty: Map<String, Json> =
        columns.map(|(column, ..)| (column.to_string(), Json::String(String::new()))).collect();
    let empty = Json::Object(empty).to_string();
    let rows = ndjson_rows(text).zip(wanted);
    rows.flat_map(|((_, row), is_wanted)| [if *is_wanted { row } else { empty.as_str() }, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Journey, Supplies};

    const CSV: &str =
        "\u{feff} email ,name,note\nann@a,Ann,\"a, \"\"b\"\"\nc\"\nbob@b,Bob,\n\ncy@c,Cy,x\ndi@d,Di,y\n";
    const NDJSON: &str =
        "{\"email\":\"ann@a\",\"age\":7}\n\n{\"age\":8,\"email\":\"bob@b\"}\n{\"email\":\"cy@c\"}\n";

    fn journey(tables: &str, step: &str) -> Journey {
        let text = format!(
            "journey: test\ndata: {{ {tables} }}\nsteps: [{{ step: {step}, get: '/${{user.email}}' }}]"
        );
        Journey::parse("test.yaml", &text).unwrap()
    }

    /// The values that a journey has of a text, row by row.
    fn values(journey: &Journey, text: &str) -> Vec<String> {
        let mut journey = journey.clone();
        let file = |_: &str| Ok(text.to_owned());
        journey.supply(&Supplies { file: &file, secret: &|_| None, today: 0 }).unwrap();
        let table = &journey.tables[0];
        table.values(table.columns[0].1).map(ToString::to_string).collect()
    }

    #[test]
    fn rows_stay_where_they_are_and_those_of_others_are_empty() {
        for (file, text, whole) in [
            ("users.csv", CSV, &["ann@a", "bob@b", "cy@c", "di@d"][..]),
            ("users.ndjson", NDJSON, &["ann@a", "bob@b", "cy@c"]),
        ] {
            let journey = journey(&format!("user: {{ file: {file} }}"), "a");
            assert_eq!(values(&journey, text), whole);
            for wanted in 0..1_u32 << whole.len() {
                let is_wanted = |row: usize| (wanted >> row) & 1 == 1;
                let needed = |rows: usize, begins_anew: bool| {
                    assert_eq!((rows, begins_anew), (whole.len(), true));
                    (0..rows).map(is_wanted).collect::<Vec<bool>>()
                };
                let sliced = journey.slice_data(file, text, &needed).unwrap();
                let expected: Vec<&str> = (whole.iter().enumerate())
                    .map(|(row, value)| if is_wanted(row) { *value } else { "" })
                    .collect();
                assert_eq!(values(&journey, &sliced), expected, "{sliced}");
                assert_eq!(sliced.contains("ann@a"), is_wanted(0), "{sliced}");
            }
        }
    }

    #[test]
    fn what_is_kept_is_kept_to_the_letter() {
        let journey = journey("user: { file: users.csv }", "a");
        let sliced = journey.slice_data("users.csv", CSV, &|rows, _| (0..rows).map(|row| row == 0).collect());
        assert_eq!(sliced.unwrap(), "email,name,note\nann@a,Ann,\"a, \"\"b\"\"\nc\"\n,,\n,,\n,,\n");
        let one = journey.slice_data("users.csv", "email\na\nb\n", &|_, _| vec![false, true]).unwrap();
        assert_eq!(values(&journey, &one), ["", "b"]);
    }

    #[test]
    fn a_row_that_one_table_needs_is_there_for_all() {
        let tables = "user: { file: u.csv }, once: { file: u.csv, at_end: stop }";
        let journey = journey(tables, "a");
        let needed = |rows: usize, begins_anew: bool| {
            (0..rows).map(|row| row == if begins_anew { 0 } else { 2 }).collect::<Vec<bool>>()
        };
        let sliced = journey.slice_data("u.csv", "email\na\nb\nc\n", &needed).unwrap();
        assert_eq!(values(&journey, &sliced), ["a", "", "c"]);
    }

    #[test]
    fn where_anybody_may_need_any_row_nothing_is_left_out() {
        let none = |rows: usize, _: bool| vec![false; rows];
        let random = journey("user: { file: users.csv, rows: random }", "a");
        assert_eq!(random.slice_data("users.csv", CSV, &none), None);
        let also = journey("user: { file: users.csv }, any: { file: users.csv, rows: random }", "a");
        assert_eq!(also.slice_data("users.csv", CSV, &none), None);
        let named = journey("user: { file: users.csv }", "'page-${user.email}'");
        assert_eq!(named.slice_data("users.csv", CSV, &none), None);
        let other = journey("user: { file: users.csv }", "a");
        assert_eq!(other.slice_data("items.csv", CSV, &none), None);
        assert_eq!(other.slice_data("users.csv", "email,name\na\n", &none), None, "a row that is too short");
    }
}
