//! When a request was sent: the moments of a recording (ISO 8601).

use crate::generate::day;

/// Milliseconds since 1970-01-01 UTC of a moment such as `2026-11-27T09:00:00.250+09:00`.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hours, minutes) = (number(parts.next()?, 23)?, number(parts.next()?, 59)?);
    let seconds = parts.next().map_or(Some(0), |part| number(part, 60))?;
    let fraction = number(format!("{fraction:0<3}").get(..3)?, 999)?;
    let ahead = match zone.get(1..).filter(|digits| !digits.is_empty()) {
        None => 0,
        Some(digits) => {
            let digits = digits.replace(':', "");
            let (hours, minutes) = (digits.get(..2)?, digits.get(2..).filter(|rest| !rest.is_empty()));
            let minutes = number(hours, 23)? * 60 + number(minutes.unwrap_or("0"), 59)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let minutes = (day(date)? * 24 + hours) * 60 + minutes - ahead;
    Some((minutes * 60 + seconds) * 1_000 + fraction)
}

fn number(digits: &str, most: i64) -> Option<i64> {
    let is_number = digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| is_number && *number <= most)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn moments_of_all_zones() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-02T00:00:01.5Z", Some(86_401_500)),
            ("1970-01-01T09:00:00.250+09:00", Some(250)),
            ("1969-12-31T19:30:00.123456-0430", Some(123)),
            ("1970-01-01 00:01", Some(60_000)),
            ("1970-01-01", None),
            ("1970-13-01T00:00:00Z", None),
            ("1970-01-01T25:00:00Z", None),
            ("1970-01-01T00:00:00+é", None),
            ("", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
