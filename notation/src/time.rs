//! Moments, as RFC 3339 writes them.

const EXAMPLES: &str = "write for example 2026-11-27T00:00:00Z or 2026-11-27T09:00:00+09:00";

/// A moment in seconds since 1970-01-01T00:00:00Z: `2026-11-27T00:00:00Z`, `2026-11-27T09:00:00+09:00`. A fraction of
/// a second must be 0, and leap seconds are refused, because seconds since 1970 have neither.
///
/// # Errors
/// A sentence with what was found and examples.
pub fn parse_time(text: &str) -> Result<i64, String> {
    let fail = |why: &str| format!("\"{text}\" is not a moment{why}; {EXAMPLES}");
    let (date, rest) = text.trim().split_at_checked(10).ok_or_else(|| fail(""))?;
    let days = days(date).ok_or_else(|| fail(" (there is no such day)"))?;
    let time = rest.strip_prefix(['T', 't', ' ']).ok_or_else(|| fail(" (its time is missing)"))?;
    let (time, zone) = time.split_at_checked(8).ok_or_else(|| fail(" (its time is missing)"))?;
    let [hour, minute, second] = numbers(time, ':').ok_or_else(|| fail(" (there is no such time)"))?;
    if hour > 23 || minute > 59 || second > 59 {
        return Err(fail(" (there is no such time)"));
    }
    let zone = without_fraction(zone).ok_or_else(|| fail(" (it is not a whole second)"))?;
    let offset_s = offset_s(zone).ok_or_else(|| fail(" (its zone is missing)"))?;
    Ok(days * 86_400 + hour * 3_600 + minute * 60 + second - offset_s)
}

/// The numbers of a text such as `23:59:59`, each written with two digits.
fn numbers<const COUNT: usize>(text: &str, separator: char) -> Option<[i64; COUNT]> {
    let read: Option<Vec<i64>> = text.split(separator).map(|part| number(part, 2)).collect();
    read?.try_into().ok()
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let is_written = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_written)
}

/// Days since 1970-01-01 of `2026-11-27`, in the Gregorian calendar.
fn days(date: &str) -> Option<i64> {
    let (year, rest) = date.split_once('-')?;
    let year = number(year, 4)?;
    let [month, day] = numbers(rest, '-')?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years are counted from March, so that a leap day is the last of its year.
    // Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    let from_march = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (from_march.div_euclid(400), from_march.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// What follows a fraction of a second, if there is one; `None` where it is not 0.
fn without_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix('.') else { return Some(text) };
    let zone = fraction.trim_start_matches('0');
    (zone.len() < fraction.len() && !zone.starts_with(|first: char| first.is_ascii_digit())).then_some(zone)
}

/// How far a zone is ahead of UTC: `Z`, `+09:00`, `-04:30`.
fn offset_s(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (None, Some(rest)) => (-1, rest),
        (None, None) => return None,
    };
    let [hour, minute] = numbers(rest, ':')?;
    (hour <= 23 && minute <= 59).then_some(sign * (hour * 3_600 + minute * 60))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse_time;

    #[test]
    fn moments_are_read_exactly() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-11-27T00:00:00Z", 1_795_737_600),
            ("2026-11-27T09:00:00+09:00", 1_795_737_600),
            ("2026-11-26T19:30:00-04:30", 1_795_737_600),
            ("2026-11-27t00:00:00.000z", 1_795_737_600),
            ("2026-11-27 00:00:00Z", 1_795_737_600),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] {
            assert_eq!(parse_time(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_says_why() {
        for (text, why) in [
            ("", "is not a moment;"),
            ("soon", "is not a moment;"),
            ("2026-11-27", "its time is missing"),
            ("2026-11-27T00:00", "its time is missing"),
            ("2026-11-27T00:00:00", "its zone is missing"),
            ("2026-11-27T00:00:00+0900", "its zone is missing"),
            ("2026-11-27T00:00:00+24:00", "its zone is missing"),
            ("2026-02-29T00:00:00Z", "no such day"),
            ("1900-02-29T00:00:00Z", "no such day"),
            ("2026-13-01T00:00:00Z", "no such day"),
            ("2026-00-10T00:00:00Z", "no such day"),
            ("2026-11-31T00:00:00Z", "no such day"),
            ("+026-11-27T00:00:00Z", "no such day"),
            ("2026-11-27T24:00:00Z", "no such time"),
            ("2016-12-31T23:59:60Z", "no such time"),
            ("2026-11-27T0:00:000Z", "no such time"),
            ("2026-11-27T00:00:00.5Z", "not a whole second"),
            ("2026-11-27T00:00:00.Z", "not a whole second"),
            ("2026-11-2７T00:00:00Z", "is not a moment"),
        ] {
            let told = parse_time(text).unwrap_err();
            assert!(told.contains(why) && told.contains("2026-11-27T09:00:00+09:00"), "{text}: {told}");
        }
    }

    /// The same by counting days one by one.
    fn counted(year: i64, month: i64, day: i64) -> i64 {
        let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let of_year = |year| if is_leap(year) { 366 } else { 365 };
        let of_month = |month| match month {
            2 if is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let years: i64 = if year >= 1970 {
            (1970..year).map(of_year).sum()
        } else {
            -(year..1970).map(of_year).sum::<i64>()
        };
        years + (1..month).map(of_month).sum::<i64>() + day - 1
    }

    proptest! {
        #[test]
        fn days_are_those_of_the_calendar(year in 0_i64..4_000, month in 1_i64..=12, day in 1_i64..=28, second in 0_i64..86_400) {
            let (hour, minute) = (second / 3_600, second / 60 % 60);
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60);
            prop_assert_eq!(parse_time(&text), Ok(counted(year, month, day) * 86_400 + second));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9T:Z+. -]{0,30}") {
            let _ = parse_time(&text);
        }
    }
}
