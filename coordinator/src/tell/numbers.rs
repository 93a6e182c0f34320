//! How numbers look to people: `12.3 ms`, `1.91 s`, `98.7 %`, `1,234,567`, `n/a`.

/// What stands where there is no figure.
pub(crate) const NOT_AVAILABLE: &str = "n/a";

/// A duration given in milliseconds, to three digits: `0.123 ms`, `12.3 ms`, `1.91 s`.
pub(crate) fn milliseconds(ms: Option<f64>) -> String {
    let Some(ms) = finite(ms) else { return NOT_AVAILABLE.to_owned() };
    if ms == 0.0 {
        "0 ms".to_owned()
    } else if ms < 0.9995 {
        format!("{ms:.3} ms")
    } else if ms < 999.5 {
        format!("{} ms", three_digits(ms))
    } else {
        format!("{} s", three_digits(ms / 1e3))
    }
}

/// A ratio as percent with one decimal: `98.7 %`. What is not all never reads `100.0 %`, and what is not nothing
/// never reads `0.0 %`.
pub(crate) fn percent(ratio: Option<f64>) -> String {
    let Some(ratio) = finite(ratio) else { return NOT_AVAILABLE.to_owned() };
    let percent = ratio * 100.0;
    if ratio > 0.0 && percent < 0.05 {
        "< 0.1 %".to_owned()
    } else if ratio < 1.0 && percent >= 99.95 {
        "99.9 %".to_owned()
    } else {
        format!("{} %", grouped_decimal(&format!("{percent:.1}")))
    }
}

/// The hit ratio of what has so many hits. Of what is never to be cached, that it should miss: there, a low one is no
/// shortcoming, and any other a leak.
pub(crate) fn hit_ratio(ratio: Option<f64>, hits: u64, never_cached: bool) -> String {
    match finite(ratio) {
        Some(_) if never_cached && hits == 0 => "should miss".to_owned(),
        Some(ratio) if never_cached => format!("{} leak", percent(Some(ratio))),
        ratio => percent(ratio),
    }
}

/// A count with its thousands apart: `1,234,567`.
pub(crate) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// A size, to three digits: `812 B`, `12.3 MB`; powers of 1,000.
pub(crate) fn bytes(bytes: u64) -> String {
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1e3;
    let mut unit = "kB";
    for larger in ["MB", "GB", "TB"] {
        // Where rounding would make a fourth digit.
        if size < 999.5 {
            break;
        }
        size /= 1e3;
        unit = larger;
    }
    format!("{} {unit}", three_digits(size))
}

/// A speed, to three digits: `812 bit/s`, `1.22 Gbit/s`; powers of 1,000.
pub(crate) fn bits_per_s(bits_per_s: f64) -> String {
    let Some(mut speed) = finite(Some(bits_per_s)) else { return NOT_AVAILABLE.to_owned() };
    let mut unit = "bit/s";
    for larger in ["kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"] {
        // Where rounding would make a fourth digit.
        if speed < 999.5 {
            break;
        }
        speed /= 1e3;
        unit = larger;
    }
    format!("{} {unit}", three_digits(speed))
}

/// Money: `46.10 USD`. What is not nothing never reads `0.00 USD`.
pub(crate) fn dollars(usd: f64) -> String {
    let Some(usd) = finite(Some(usd)) else { return NOT_AVAILABLE.to_owned() };
    if usd > 0.0 && usd < 0.005 {
        return "< 0.01 USD".to_owned();
    }
    format!("{} USD", grouped_decimal(&format!("{usd:.2}")))
}

/// A rate per second: `1,234/s`, `12.3/s`.
pub(crate) fn rate(per_second: Option<f64>) -> String {
    finite(per_second)
        .map_or_else(|| NOT_AVAILABLE.to_owned(), |per_second| format!("{}/s", three_digits(per_second)))
}

/// What a threshold observed, in its own `unit` (`ms`, `%` or `/s`): finer than elsewhere, because `200 ms` that
/// fails `< 200ms` would puzzle. At most three decimals, shares six.
pub(crate) fn observed(value: Option<f64>, unit: &str) -> String {
    let Some(value) = finite(value) else { return NOT_AVAILABLE.to_owned() };
    let text = if unit == "%" { format!("{value:.6}") } else { format!("{value:.3}") };
    let space = if unit.starts_with('/') { "" } else { " " };
    format!("{}{space}{unit}", grouped_decimal(text.trim_end_matches('0').trim_end_matches('.')))
}

/// A number of at least 0 that has no unit, to three digits: `14.4`.
pub(crate) fn figure(value: Option<f64>) -> String {
    match finite(value) {
        None => NOT_AVAILABLE.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) => three_digits(value),
    }
}

/// A stretch of time in whole units, as people say it: `95 s`, `12 min`, `36 h`, `9 d`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", grouped(&(seconds / 86_400).to_string())),
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// At least three digits of a number of at least 0, never more than two decimals.
fn three_digits(value: f64) -> String {
    // The bounds are where rounding would make a fourth digit: 9.996 is 10.0.
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    grouped_decimal(&format!("{value:.decimals$}"))
}

fn grouped_decimal(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(text),
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits() {
        for (ms, text) in [
            (0.0, "0 ms"),
            (0.0004, "0.000 ms"),
            (0.123, "0.123 ms"),
            (0.9996, "1.00 ms"),
            (1.234, "1.23 ms"),
            (9.996, "10.0 ms"),
            (12.34, "12.3 ms"),
            (99.96, "100 ms"),
            (999.4, "999 ms"),
            (999.6, "1.00 s"),
            (1_912.0, "1.91 s"),
            (3_600_000.0, "3,600 s"),
        ] {
            assert_eq!(milliseconds(Some(ms)), text, "{ms}");
        }
        assert_eq!(milliseconds(None), "n/a");
        assert_eq!(milliseconds(Some(f64::NAN)), "n/a");
    }

    #[test]
    fn shares_never_round_to_all_or_nothing() {
        for (ratio, text) in [
            (0.0, "0.0 %"),
            (0.000_01, "< 0.1 %"),
            (0.987, "98.7 %"),
            (0.999_99, "99.9 %"),
            (1.0, "100.0 %"),
            (2.5, "250.0 %"),
            (16.618, "1,661.8 %"),
        ] {
            assert_eq!(percent(Some(ratio)), text, "{ratio}");
        }
        assert_eq!(percent(None), "n/a");
    }

    #[test]
    fn what_is_never_to_be_cached_has_no_low_hit_ratio() {
        assert_eq!(hit_ratio(Some(0.0), 0, true), "should miss");
        assert_eq!(hit_ratio(Some(0.25), 1, true), "25.0 % leak");
        assert_eq!(
            (hit_ratio(Some(0.0), 0, false), hit_ratio(None, 0, true)),
            ("0.0 %".into(), "n/a".into())
        );
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(rate(Some(12_345.6)), "12,346/s");
        assert_eq!(rate(Some(0.5)), "0.50/s");
        assert_eq!(rate(None), "n/a");
    }

    #[test]
    fn sizes_keep_three_digits() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (10_000_000_000, "10.0 GB"),
            (12_345_000_000_000_000, "12,345 TB"),
        ] {
            assert_eq!(bytes(size), text, "{size}");
        }
    }

    #[test]
    fn speeds_and_money_are_short() {
        for (speed, text) in [
            (0.0, "0.00 bit/s"),
            (812.4, "812 bit/s"),
            (999.6, "1.00 kbit/s"),
            (1.216e9, "1.22 Gbit/s"),
            (150e9, "150 Gbit/s"),
            (1e16, "10,000 Tbit/s"),
            (f64::INFINITY, "n/a"),
        ] {
            assert_eq!(bits_per_s(speed), text, "{speed}");
        }
        for (usd, text) in [
            (0.0, "0.00 USD"),
            (0.004, "< 0.01 USD"),
            (46.104_793, "46.10 USD"),
            (12_345.678, "12,345.68 USD"),
        ] {
            assert_eq!(dollars(usd), text, "{usd}");
        }
    }

    #[test]
    fn spans_and_figures_are_short() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min"), (7_200, "2 h"), (200_000, "2 d")]
        {
            assert_eq!(span(seconds), text);
        }
        for (value, text) in [(0.0, "0"), (0.456, "0.46"), (14.44, "14.4"), (1_234.5, "1,234")] {
            assert_eq!(figure(Some(value)), text);
        }
        assert_eq!(figure(None), "n/a");
    }

    #[test]
    fn observations_are_fine_enough_to_explain_a_failure() {
        assert_eq!(observed(Some(200.3), "ms"), "200.3 ms");
        assert_eq!(observed(Some(1_200.0), "ms"), "1,200 ms");
        assert_eq!(observed(Some(0.0104), "%"), "0.0104 %");
        assert_eq!(observed(Some(812.25), "/s"), "812.25/s");
        assert_eq!(observed(None, "ms"), "n/a");
    }
}
