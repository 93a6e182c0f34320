//! What a browser makes of a value before it is sent: the HTML standard's value sanitization of each type of input.

use crate::generate::day;

/// How the values of a type of input are sanitized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sanitizer {
    /// Not at all: text areas.
    Keeps,
    /// Not at all, and `_charset_` is answered.
    Hidden,
    /// Line ends are taken out.
    OneLine,
    /// As `OneLine`, and blanks at both ends.
    Trimmed,
    /// Blanks around each of several addresses.
    Addresses,
    /// What is no number is nothing.
    Number,
    /// A number within bounds, on a step.
    Range(Range),
    /// A colour as #rrggbb.
    Color,
    Date,
    Month,
    Week,
    Time,
    DateTime,
}

/// What a slider's value must be like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    least: f64,
    most: f64,
    /// 0 for any.
    step: f64,
    /// What steps are counted from.
    base: f64,
    default: f64,
}

impl Sanitizer {
    /// That of `<input type=kind>` with these attributes.
    pub(crate) fn of(kind: &str, attribute: impl Fn(&str) -> Option<String>) -> Self {
        match kind {
            "hidden" => Self::Hidden,
            "email" if attribute("multiple").is_some() => Self::Addresses,
            "url" | "email" => Self::Trimmed,
            "number" => Self::Number,
            "color" => Self::Color,
            "date" => Self::Date,
            "month" => Self::Month,
            "week" => Self::Week,
            "time" => Self::Time,
            "datetime-local" => Self::DateTime,
            "range" => {
                let read = |name: &str| attribute(name).and_then(|text| number(&text));
                let least = read("min").unwrap_or(0.0);
                let most = read("max").unwrap_or(100.0);
                let is_any = attribute("step").is_some_and(|step| step.trim().eq_ignore_ascii_case("any"));
                let step = read("step").filter(|step| *step > 0.0).unwrap_or(1.0);
                let default = if most < least { least } else { least + (most - least) / 2.0 };
                let base = read("min").or_else(|| read("value")).unwrap_or(0.0);
                Self::Range(Range { least, most, step: if is_any { 0.0 } else { step }, base, default })
            }
            _ => Self::OneLine,
        }
    }

    /// The value as it is sent.
    pub(crate) fn apply(self, value: String) -> String {
        let kept_if = |fits: bool, value: String| if fits { value } else { String::new() };
        match self {
            Self::Keeps | Self::Hidden => value,
            Self::OneLine => value.replace(['\n', '\r'], ""),
            Self::Trimmed => value.replace(['\n', '\r'], "").trim_matches(is_blank).to_owned(),
            Self::Addresses => {
                value.split(',').map(|part| part.trim_matches(is_blank)).collect::<Vec<_>>().join(",")
            }
            Self::Number => kept_if(number(&value).is_some(), value),
            Self::Range(bounds) => bounds.apply(&value),
            Self::Color => color(&value),
            Self::Date => kept_if(day(&value).is_some(), value),
            Self::Month => kept_if(day(&format!("{value}-01")).is_some(), value),
            Self::Week => kept_if(is_week(&value), value),
            Self::Time => kept_if(is_time(&value), value),
            Self::DateTime => {
                let parts = value.split_once(['T', ' ']);
                parts
                    .filter(|(date, time)| day(date).is_some() && is_time(time))
                    .map(|(date, time)| format!("{date}T{}", shortest(time)))
                    .unwrap_or_default()
            }
        }
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// A valid floating-point number of the HTML standard.
fn number(text: &str) -> Option<f64> {
    let begins = text.starts_with(|first: char| first.is_ascii_digit() || first == '-' || first == '.');
    let number: f64 = text.parse().ok().filter(|_| begins && !text.ends_with('.'))?;
    number.is_finite().then_some(number)
}

impl Range {
    /// A slider has always a value: in the middle where nothing is said, and on a step.
    fn apply(self, value: &str) -> String {
        let Self { least, most, step, base, default } = self;
        let wanted = number(value).unwrap_or(default);
        let bounded = if most < least { least } else { wanted.clamp(least, most) };
        let on_step = if step == 0.0 {
            bounded
        } else {
            // Halves go up, as in JavaScript's Math.round.
            let nearest = base + ((bounded - base) / step + 0.5).floor() * step;
            if nearest > most.max(least) { nearest - step } else { nearest }
        };
        // What steps of a tenth add up to has more digits than anybody wrote.
        ((on_step * 1e9).round() / 1e9).to_string()
    }
}

/// `#abc` is short for `#aabbcc`; what is no colour is black.
fn color(value: &str) -> String {
    let hex = value.strip_prefix('#').filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match hex.map(str::len) {
        Some(6) => value.to_ascii_lowercase(),
        Some(3) => {
            let doubled = value[1..].chars().flat_map(|digit| [digit, digit]).collect::<String>();
            format!("#{}", doubled.to_ascii_lowercase())
        }
        _ => "#000000".to_owned(),
    }
}

/// `2024-W09`
fn is_week(value: &str) -> bool {
    let Some((year, week)) = value.split_once("-W") else { return false };
    let (Some(first_day), Ok(week)) = (day(&format!("{year}-01-01")), week.parse::<u32>()) else {
        return false;
    };
    // A year has 53 weeks when it begins on a Thursday, or on a Wednesday and is a leap year (ISO 8601).
    let weekday = (first_day + 3).rem_euclid(7);
    let is_leap = day(&format!("{year}-02-29")).is_some();
    let weeks = if weekday == 3 || (weekday == 2 && is_leap) { 53 } else { 52 };
    value.len() == 8 && (1..=weeks).contains(&week)
}

/// A time without the seconds and fractions that are nothing.
fn shortest(time: &str) -> &str {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let whole_is_enough = fraction.bytes().all(|digit| digit == b'0');
    let time = if whole_is_enough { whole } else { time };
    if time.len() == 8 { time.strip_suffix(":00").unwrap_or(time) } else { time }
}

/// `09:05`, `09:05:30` or `09:05:30.5`
fn is_time(value: &str) -> bool {
    let parts: Vec<&str> = value.split(':').collect();
    let below = |part: &str, bound: u32| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse().is_ok_and(|n: u32| n < bound)
    };
    match parts.as_slice() {
        [hour, minute] => below(hour, 24) && below(minute, 60),
        [hour, minute, second] => {
            let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
            let is_fraction =
                (1..=3).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
            below(hour, 24) && below(minute, 60) && below(second, 60) && is_fraction
        }
        _ => false,
    }
}
