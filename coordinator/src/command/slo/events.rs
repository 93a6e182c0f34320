//! Reading events from a file: line by line, so that a file may be larger than memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use doorbuster_model::slo::Event;
use serde::Deserialize;

use crate::Error;

/// The longest line, in bytes.
const LINE_BYTES_MAX: u64 = 4_096;
/// How much is read at a time, in bytes.
const BUFFER_BYTES: usize = 1 << 16;
/// The names of what a line has.
const COLUMNS: [&str; 3] = ["timestamp", "good", "total"];
/// What some editors begin a file with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

/// A line of NDJSON. What else stands in it is left alone.
#[derive(Deserialize)]
struct Line {
    timestamp: i64,
    good: u64,
    total: u64,
}

/// Hands over the events of a file, in the order of its lines. What `take` says of an event that it cannot take is an error
/// at its line.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, [`Error::Usage`] with file and line where a line is no event.
pub(super) fn read_events(path: &Path, take: impl FnMut(Event) -> Result<(), String>) -> Result<(), Error> {
    let fail = |error: std::io::Error| Error::Read {
        what: "the events",
        path: path.to_owned(),
        why: error.to_string(),
        remedy: "check the path",
    };
    let file = File::open(path).map_err(fail)?;
    match read(BufReader::with_capacity(BUFFER_BYTES, file), take) {
        Ok(()) => Ok(()),
        Err(Failed::Reading(error)) => Err(fail(error)),
        Err(Failed::Line { number, why }) => Err(Error::Usage(format!("{}:{number}: {why}", path.display()))),
    }
}

/// Why not all could be read.
#[derive(Debug)]
enum Failed {
    Reading(std::io::Error),
    Line { number: u64, why: String },
}

fn read(mut reader: impl BufRead, mut take: impl FnMut(Event) -> Result<(), String>) -> Result<(), Failed> {
    let (mut bytes, mut format) = (Vec::new(), None);
    for number in 1.. {
        let at_line = |why: String| Failed::Line { number, why };
        bytes.clear();
        let read = reader.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes);
        match read.map_err(Failed::Reading)? {
            0 => break,
            read if read as u64 > LINE_BYTES_MAX => {
                return Err(at_line(format!(
                    "the line has over {LINE_BYTES_MAX} bytes; an event has three numbers"
                )));
            }
            _ => {}
        }
        let line = bytes.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(&bytes).trim_ascii();
        if line.is_empty() {
            continue;
        }
        let event = match format {
            Some(Format::Csv) => row(line),
            Some(Format::Ndjson) => object(line),
            None => {
                let found = format_of(line).map_err(at_line)?;
                format = Some(found);
                if found == Format::Csv {
                    continue;
                }
                object(line)
            }
        };
        event.and_then(&mut take).map_err(at_line)?;
    }
    Ok(())
}

/// How a file is written, by its first line.
fn format_of(line: &[u8]) -> Result<Format, String> {
    if line.starts_with(b"{") {
        return Ok(Format::Ndjson);
    }
    if line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).eq(COLUMNS.map(str::as_bytes)) {
        return Ok(Format::Csv);
    }
    Err(format!(
        "found {}, expected the header {} or an object such as {{\"timestamp\": 1795737600, \"good\": 99, \"total\": 100}}",
        shown(line),
        COLUMNS.join(",")
    ))
}

/// An event of a CSV file.
fn row(line: &[u8]) -> Result<Event, String> {
    let mut fields = line.split(|byte| *byte == b',');
    let (Some(timestamp), Some(good), Some(total), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(format!("found {}, expected three numbers such as 1795737600,99,100", shown(line)));
    };
    Ok(Event {
        at_s: number("timestamp", timestamp)?,
        good: number("good", good)?,
        total: number("total", total)?,
    })
}

fn number<T: FromStr>(name: &str, field: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(field.trim_ascii()).ok();
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{name} is {}, expected a whole number", shown(field)))
}

/// An event of an NDJSON file.
fn object(line: &[u8]) -> Result<Event, String> {
    let Line { timestamp, good, total } = serde_json::from_slice(line).map_err(|error| {
        // The library's own words about the place know nothing of the file.
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        format!("{why}; write for example {{\"timestamp\": 1795737600, \"good\": 99, \"total\": 100}}")
    })?;
    Ok(Event { at_s: timestamp, good, total })
}

/// A text as a message has it: short, and without what would paint a terminal.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let short: String = text.trim().chars().take(40).collect();
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Result<Vec<(i64, u64, u64)>, String> {
        events_of(text.as_bytes())
    }

    fn events_of(bytes: &[u8]) -> Result<Vec<(i64, u64, u64)>, String> {
        let mut events = Vec::new();
        let take = |event: Event| {
            event.check()?;
            events.push((event.at_s, event.good, event.total));
            Ok(())
        };
        match read(bytes, take) {
            Ok(()) => Ok(events),
            Err(Failed::Line { number, why }) => Err(format!("{number}: {why}")),
            Err(Failed::Reading(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn csv_and_ndjson_are_told_apart() {
        let expected = Ok(vec![(1_795_737_600, 99, 100), (-5, 0, 0)]);
        assert_eq!(events("timestamp,good,total\n1795737600,99,100\n-5,0,0\n"), expected);
        assert_eq!(events("\u{feff}timestamp, good ,total\r\n\r\n1795737600, 99,100\r\n-5,0,0"), expected);
        let objects = "\n{\"timestamp\":1795737600,\"good\":99,\"total\":100,\"region\":\"tokyo\"}\n{\"total\": 0, \"good\": 0, \"timestamp\": -5}";
        assert_eq!(events(objects), expected);
        assert_eq!(events(""), Ok(vec![]));
        assert_eq!(events("timestamp,good,total\n"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_event_is_said_with_its_line() {
        let csv = "timestamp,good,total\n1,1,1\n";
        let long = format!("{csv}{}\n", "1".repeat(5_000));
        for (text, part) in [
            (
                "good,total\n",
                "1: found \"good,total\", expected the header timestamp,good,total or an object",
            ),
            ("[{\"timestamp\": 1}]", "1: found \"[{\\\"timestamp\\\": 1}]\", expected the header"),
            (&format!("{csv}1,1\n"), "3: found \"1,1\", expected three numbers"),
            (&format!("{csv}1,1,1,1\n"), "3: found \"1,1,1,1\", expected three numbers"),
            (&format!("{csv}\n1.5,1,1\n"), "4: timestamp is \"1.5\", expected a whole number"),
            (&format!("{csv}1,-1,1\n"), "3: good is \"-1\", expected a whole number"),
            (&format!("{csv}1,1,\n"), "3: total is \"\", expected a whole number"),
            (&format!("{csv}1,1,99999999999999999999\n"), "3: total is \"99999999999999999999\""),
            (&format!("{csv}1,5,4\n"), "3: good is 5, and total 4"),
            (
                &format!("{csv}1795737600000,1,1\n"),
                "3: the timestamp 1795737600000 lies beyond the year 9999",
            ),
            (&long, "3: the line has over 4096 bytes"),
            ("{\"timestamp\":1,\"good\":1}\n", "1: missing field `total`; write for example"),
            (
                "{\"timestamp\":1,\"good\":1,\"total\":1.0}\n",
                "1: invalid type: floating point `1.0`, expected u64",
            ),
            ("{\"timestamp\":1,\"good\":1,\"total\":1}\nx", "2: expected value"),
            ("\u{1b}[31m", "1: found \"\\u{1b}[31m\""),
        ] {
            let why = events(text).unwrap_err();
            assert!(why.starts_with(part), "{why}\nexpected: {part}");
        }
        let binary = events_of(b"timestamp,good,total\n1,\xff\xfe,1\n").unwrap_err();
        assert!(binary.starts_with("2: good is "), "{binary}");
    }
}
