//! Numbers with their units: durations, rates, sizes and shares, read exactly (no floating point on the way in).

use std::time::Duration;

/// The longest duration that is read: 400 days.
const DURATION_MAX_NS: u128 = 400 * 86_400 * 1_000_000_000;
/// The highest rate that is read: ten million a second.
const RATE_MAX_MILLI: u128 = 10_000_000 * 1_000;

/// A share of a whole in parts per billion: `0.01%` is 100,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Parts per billion, 0 to 1,000,000,000.
    pub parts_per_billion: u64,
}

/// Splits `12.5ms` into an exact number (digits and how many of them are decimals) and its unit.
fn number_and_rest(text: &str) -> Option<(u128, u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if (whole.is_empty() && fraction.is_empty())
        || whole.len() + fraction.len() > 20
        || fraction.contains('.')
    {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, u32::try_from(fraction.len()).ok()?, rest))
}

/// `digits × 10^-decimals × unit`, when that is a whole number.
fn scaled(digits: u128, decimals: u32, unit: u128) -> Option<u128> {
    let scale = 10_u128.checked_pow(decimals)?;
    let product = digits.checked_mul(unit)?;
    product.is_multiple_of(scale).then_some(product / scale)
}

/// A duration: `250ms`, `1.5s`, `2m`, `1h30m`, `30d`; units `ns us µs ms s m min h d`.
///
/// # Errors
/// A sentence with what was found and examples, when the unit is missing or unknown, or the value is over 400 days.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let fail =
        |why: &str| format!("\"{text}\" is not a duration{why}; write for example 250ms, 1.5s, 2m or 1h30m");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fail(""));
    }
    let mut total_ns: u128 = 0;
    while !rest.is_empty() {
        let (digits, decimals, after) = number_and_rest(rest).ok_or_else(|| fail(""))?;
        let unit_end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let unit_ns: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "" => return Err(fail(" (the unit is missing)")),
            other => return Err(fail(&format!(" (unknown unit \"{other}\")"))),
        };
        total_ns += scaled(digits, decimals, unit_ns)
            .ok_or_else(|| fail(" (finer than a nanosecond, or too large)"))?;
        if total_ns > DURATION_MAX_NS {
            return Err(fail(" (over 400 days)"));
        }
        rest = next;
    }
    let seconds = u64::try_from(total_ns / 1_000_000_000).map_err(|_| fail(" (too large)"))?;
    let nanos = u32::try_from(total_ns % 1_000_000_000).map_err(|_| fail(" (too large)"))?;
    Ok(Duration::new(seconds, nanos))
}

/// `5s..15s`: two durations, the first not above the second.
///
/// # Errors
/// A sentence as [`parse_duration`] gives, or that the range runs backwards.
pub fn parse_duration_range(text: &str) -> Result<(Duration, Duration), String> {
    let (from, to) = text
        .split_once("..")
        .ok_or_else(|| format!("\"{text}\" is not a range of durations; write for example 5s..15s"))?;
    let (from, to) = (parse_duration(from)?, parse_duration(to)?);
    if from > to {
        return Err(format!("the range \"{text}\" runs backwards; write the shorter duration first"));
    }
    Ok((from, to))
}

/// A rate in thousandths per second: `500/s` is 500,000; also `30/m` (or `/min`) and `90/h`.
///
/// # Errors
/// A sentence with what was found and examples; a rate of 0 is allowed here.
pub fn parse_rate_milli(text: &str) -> Result<u64, String> {
    let fail = |why: &str| format!("\"{text}\" is not a rate{why}; write for example 500/s, 30/m or 0.5/s");
    let (digits, decimals, unit) = number_and_rest(text.trim()).ok_or_else(|| fail(""))?;
    let per_second: u128 = match unit.trim() {
        "/s" => 1,
        "/m" | "/min" => 60,
        "/h" => 3_600,
        "" => return Err(fail(" (the unit is missing)")),
        other => return Err(fail(&format!(" (unknown unit \"{other}\")"))),
    };
    let milli = scaled(digits * 1_000 / per_second, decimals, 1)
        .filter(|_| (digits * 1_000).is_multiple_of(per_second))
        .ok_or_else(|| fail(" (finer than a thousandth per second)"))?;
    if milli > RATE_MAX_MILLI {
        return Err(fail(" (over 10,000,000/s)"));
    }
    u64::try_from(milli).map_err(|_| fail(" (too large)"))
}

/// A share from `0%` to `100%`.
///
/// # Errors
/// A sentence with what was found and examples.
pub fn parse_share(text: &str) -> Result<Share, String> {
    let fail = |why: &str| format!("\"{text}\" is not a share{why}; write for example 99.99% or 5%");
    let (digits, decimals, unit) = number_and_rest(text.trim()).ok_or_else(|| fail(""))?;
    if unit.trim() != "%" {
        return Err(fail(" (the % is missing)"));
    }
    let parts = scaled(digits, decimals, 10_000_000).ok_or_else(|| fail(" (too fine)"))?;
    let parts_per_billion = u64::try_from(parts).ok().filter(|parts| *parts <= 1_000_000_000);
    parts_per_billion.map(|parts_per_billion| Share { parts_per_billion }).ok_or_else(|| fail(" (over 100%)"))
}

/// A size in bytes: `800B`, `12KB`, `3MB` (powers of 1,000), `64KiB`, `8MiB` (powers of 1,024).
///
/// # Errors
/// A sentence with what was found and examples.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let fail = || format!("\"{text}\" is not a size; write for example 800B, 12KB or 8MiB");
    let (digits, decimals, unit) = number_and_rest(text.trim()).ok_or_else(fail)?;
    let bytes: u128 = match unit.trim() {
        "B" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(fail()),
    };
    scaled(digits, decimals, bytes).and_then(|bytes| u64::try_from(bytes).ok()).ok_or_else(fail)
}

/// A duration as a person writes it: `1m30s`, `250ms`; [`parse_duration`] reads it back exactly.
pub fn show_duration(duration: Duration) -> String {
    let mut rest_ns = duration.as_nanos();
    if rest_ns == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size_ns) in [
        ("d", 86_400_000_000_000_u128),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ] {
        let count = rest_ns / size_ns;
        rest_ns %= size_ns;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text
}

/// A rate in thousandths per second as a person writes it: `500/s`, `0.5/s`.
pub fn show_rate_milli(milli: u64) -> String {
    let fraction = format!("{:03}", milli % 1_000);
    match fraction.trim_end_matches('0') {
        "" => format!("{}/s", milli / 1_000),
        fraction => format!("{}.{fraction}/s", milli / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("2m", 120_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("0.1s", 100_000_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text).unwrap().as_nanos(), nanos, "{text}");
        }
        for text in [
            "",
            "5",
            "5 parsecs",
            "s",
            "-5s",
            "1e3s",
            "401d",
            "0.0000000001s",
            "..",
            "999999999999999999999s",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration("5").unwrap_err().contains("unit is missing"));
    }

    #[test]
    fn rates_shares_and_sizes() {
        assert_eq!(parse_rate_milli("500/s"), Ok(500_000));
        assert_eq!(parse_rate_milli("30/m"), Ok(500));
        assert_eq!(parse_rate_milli("0.5/s"), Ok(500));
        assert!(
            parse_rate_milli("500").is_err()
                && parse_rate_milli("1/m").is_err()
                && parse_rate_milli("99999999/s").is_err()
        );
        assert_eq!(parse_share("99.99%").unwrap().parts_per_billion, 999_900_000);
        assert!(parse_share("101%").is_err() && parse_share("5").is_err());
        assert_eq!(parse_size("12KB"), Ok(12_000));
        assert_eq!(parse_size("8MiB"), Ok(8 << 20));
        assert_eq!(parse_duration_range("5s..15s"), Ok((Duration::from_secs(5), Duration::from_secs(15))));
        assert!(parse_duration_range("15s..5s").unwrap_err().contains("backwards"));
        assert_eq!(
            (show_rate_milli(500), show_rate_milli(500_000)),
            ("0.5/s".to_owned(), "500/s".to_owned())
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(nanos in 0_u64..30_000_000_000_000_000) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = (parse_duration(&text), parse_rate_milli(&text), parse_share(&text), parse_size(&text));
        }
    }
}
