//! Durations as people write them: `300ms`, `2s`, `1m`, `1h`.

use std::time::Duration;

use crate::error::Error;

const HOUR_MS: u64 = 3_600_000;

/// Reads a whole number with a unit (`ms`, `s`, `m`, `h`), or a bare `0`.
pub(crate) fn parse(text: &str) -> Result<Duration, Error> {
    let unreadable = || Error::Duration { given: text.to_owned() };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(unreadable)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| unreadable())?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => HOUR_MS,
        _ => return Err(unreadable()),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(unreadable)
}

/// Writes what [`parse`] reads, to the millisecond.
pub(crate) fn show(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "0".to_owned(),
        ms if ms % u128::from(HOUR_MS) == 0 => format!("{}h", ms / u128::from(HOUR_MS)),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, show};
    use std::time::Duration;

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in
            [("0", 0), ("300ms", 300), ("2s", 2000), ("1m", 60_000), ("1h", 3_600_000), ("0ms", 0)]
        {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for text in
            ["", "3", "ms", "1d", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615m", "1 s"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shows_what_it_reads() {
        for text in ["0", "300ms", "2s", "1500ms", "60s", "1h", "5400s"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }
}
