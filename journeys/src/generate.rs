//! Values that are made up: the same draws make the same values.

use rand_core::Rng;

use crate::think::below;

const FIRST_NAMES: [&str; 24] = [
    "Alice", "Amir", "Anna", "Ben", "Chloe", "Daniel", "Elena", "Emma", "Felix", "Grace", "Hana", "Hugo",
    "Ines", "James", "Kenji", "Leo", "Lucas", "Maria", "Mei", "Noah", "Olivia", "Sara", "Tom", "Yuki",
];
const LAST_NAMES: [&str; 24] = [
    "Adams", "Brown", "Clark", "Davies", "Evans", "Fischer", "Garcia", "Hall", "Ito", "Jones", "Keller",
    "Lewis", "Martin", "Nguyen", "Okada", "Patel", "Quinn", "Rossi", "Sato", "Taylor", "Ueda", "Vidal",
    "Walker", "Young",
];
const STREETS: [&str; 12] = [
    "Market Street",
    "Church Road",
    "Mill Lane",
    "Station Road",
    "Park Avenue",
    "High Street",
    "Bridge Street",
    "Green Lane",
    "King Street",
    "Orchard Road",
    "Harbour Street",
    "Garden Way",
];
const CITIES: [&str; 12] = [
    "London", "Leeds", "Bristol", "Tokyo", "Osaka", "Kyoto", "New York", "Boston", "Chicago", "Berlin",
    "Paris", "Madrid",
];

/// What is made up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Generator {
    /// A first and a last name.
    Name,
    FirstName,
    LastName,
    /// An address at example.com (RFC 2606), as good as unique.
    Email,
    /// Digits with a leading +.
    Phone,
    /// A house number and a street.
    Street,
    City,
    /// Five digits.
    Postcode,
    /// A random one (RFC 9562, version 4).
    Uuid,
    /// A whole number between these two, both included.
    Number(i64, i64),
    /// A day between these two, both included, as YYYY-MM-DD.
    Date(Day, Day),
    /// So many letters and digits.
    Text(usize),
}

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// Days since 1970-01-01.
    Fixed(i64),
    /// Days after the run's first.
    After(i64),
}

impl Day {
    fn number(self, today: i64) -> i64 {
        match self {
            Self::Fixed(day) => day,
            Self::After(days) => today + days,
        }
    }
}

/// Generators that need nothing else, by name.
pub(crate) const PLAIN: [(&str, Generator); 9] = [
    ("name", Generator::Name),
    ("first-name", Generator::FirstName),
    ("last-name", Generator::LastName),
    ("email", Generator::Email),
    ("phone", Generator::Phone),
    ("street", Generator::Street),
    ("city", Generator::City),
    ("postcode", Generator::Postcode),
    ("uuid", Generator::Uuid),
];

impl Generator {
    /// A value; `today` is the run's first day.
    pub(crate) fn draw(&self, today: i64, rng: &mut dyn Rng) -> String {
        match self {
            Self::Name => format!("{} {}", one(&FIRST_NAMES, rng), one(&LAST_NAMES, rng)),
            Self::FirstName => one(&FIRST_NAMES, rng).to_owned(),
            Self::LastName => one(&LAST_NAMES, rng).to_owned(),
            Self::Email => {
                let (first, last) = (one(&FIRST_NAMES, rng), one(&LAST_NAMES, rng));
                format!("{first}.{last}.{}@example.com", text(10, rng)).to_ascii_lowercase()
            }
            Self::Phone => format!("+1555{:07}", below(10_000_000, rng)),
            Self::Street => format!("{} {}", 1 + below(200, rng), one(&STREETS, rng)),
            Self::City => one(&CITIES, rng).to_owned(),
            Self::Postcode => format!("{:05}", 10_000 + below(90_000, rng)),
            Self::Uuid => uuid(rng),
            Self::Number(from, to) => between(*from, *to, rng).to_string(),
            Self::Date(from, to) => date(between(from.number(today), to.number(today), rng)),
            Self::Text(length) => text(*length, rng),
        }
    }
}

fn one<'a>(words: &[&'a str], rng: &mut dyn Rng) -> &'a str {
    usize::try_from(below(words.len() as u64, rng))
        .ok()
        .and_then(|number| words.get(number))
        .copied()
        .unwrap_or("")
}

fn between(from: i64, to: i64, rng: &mut dyn Rng) -> i64 {
    let span = u64::try_from(i128::from(to) - i128::from(from)).unwrap_or(0);
    let offset = if span == u64::MAX { rng.next_u64() } else { below(span + 1, rng) };
    from.wrapping_add_unsigned(offset)
}

fn text(length: usize, rng: &mut dyn Rng) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bits = 0;
    (0..length)
        .map(|position| {
            if position % 12 == 0 {
                bits = rng.next_u64();
            }
            let letter = LETTERS[usize::try_from(bits & 31).unwrap_or(0)];
            bits >>= 5;
            char::from(letter)
        })
        .collect()
}

fn uuid(rng: &mut dyn Rng) -> String {
    let (high, low) = (rng.next_u64(), rng.next_u64());
    let high = high & !0xf000 | 0x4000;
    let low = low & !(3 << 62) | (2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// A day as YYYY-MM-DD (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
pub(crate) fn date(days: i64) -> String {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The day of a date as YYYY-MM-DD (the same source, `days_from_civil`); `None` for what is none.
pub(crate) fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part = parts
            .next()
            .filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
        part.and_then(|part| part.parse::<i64>().ok())
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    // What is no day of its month comes back as another one.
    (parts.next().is_none() && date(days) == text).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::{Day, Generator, PLAIN, date, day};
    use crate::walk::tests::Dice;

    #[test]
    fn days_and_dates() {
        for (text, number) in
            [("1970-01-01", 0), ("2026-11-23", 20_780), ("2000-02-29", 11_016), ("1969-12-31", -1)]
        {
            assert_eq!((day(text), date(number)), (Some(number), text.to_owned()));
        }
        for text in ["2026-02-29", "2026-13-01", "2026-1-1", "x", "2026-01-01-01", ""] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_draws_make_the_same_values() {
        let all = PLAIN.map(|(_, generator)| generator);
        let more =
            [Generator::Number(-3, 3), Generator::Date(Day::After(1), Day::After(3)), Generator::Text(8)];
        for generator in all.iter().chain(&more) {
            assert_eq!(generator.draw(7, &mut Dice(5)), generator.draw(7, &mut Dice(5)));
            assert_ne!(generator.draw(7, &mut Dice(5)), "");
        }
        let mut dice = Dice(1);
        let drawn: Vec<String> = (0..200).map(|_| more[1].draw(0, &mut dice)).collect();
        assert!(drawn.iter().all(|date| ["1970-01-02", "1970-01-03", "1970-01-04"].contains(&date.as_str())));
        let uuid = Generator::Uuid.draw(0, &mut dice);
        assert!(uuid.len() == 36 && &uuid[14..15] == "4" && "89ab".contains(&uuid[19..20]), "{uuid}");
    }
}
