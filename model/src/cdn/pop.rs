//! Edge locations: which airport's letters an answer carries, and where that is.

use std::fmt;
use std::num::NonZeroU16;

use super::fields::number;

/// Airports that edge locations are named after: code, city and country, in the order of the codes.
const AIRPORTS: &str = include_str!("airports.csv");
/// Letters of the alphabet.
const LETTERS: u16 = 26;
/// Numbers of edge locations are below this: they have at most four digits.
const NUMBERS_END: u16 = 10_000;

/// An airport by the three letters of its IATA code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Airport(NonZeroU16);

impl Airport {
    /// Reads three letters, of either case.
    pub fn parse(code: &[u8]) -> Option<Self> {
        let [first, second, third] = code else { return None };
        let mut sum = 0;
        for letter in [first, second, third] {
            let letter = letter.to_ascii_uppercase();
            if !letter.is_ascii_uppercase() {
                return None;
            }
            sum = sum * LETTERS + u16::from(letter - b'A');
        }
        // 26³ is far below 2^16.
        NonZeroU16::new(sum + 1).map(Self)
    }

    /// Its city, where it is known here.
    pub fn city(self) -> Option<&'static str> {
        let mut rows = AIRPORTS.lines().skip(1).filter_map(|row| row.split_once(','));
        let (_, place) = rows.find(|(code, _)| Self::parse(code.as_bytes()) == Some(self))?;
        place.split(',').next()
    }
}

impl fmt::Display for Airport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = self.0.get() - 1;
        for letter in [sum / (LETTERS * LETTERS), sum / LETTERS % LETTERS, sum % LETTERS] {
            let letter = u8::try_from(letter).unwrap_or(u8::MAX).saturating_add(b'A');
            write!(formatter, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Airport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// An edge location: `NRT57`. Which of its caches answered (`-P1`) is left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pop {
    /// The airport that it is named after.
    pub airport: Airport,
    /// Its number there.
    pub number: u16,
}

impl Pop {
    /// Reads a value of `X-Amz-Cf-Pop`: `NRT57-P1`, or `LHR50`.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let end = value.iter().position(|byte| *byte == b'-').unwrap_or(value.len());
        let (location, cache) = value.split_at(end);
        let is_cache = cache.len() <= 9 && cache.iter().skip(1).all(u8::is_ascii_alphanumeric);
        let (code, digits) = location.split_at_checked(3)?;
        if !is_cache || digits.len() > 4 {
            return None;
        }
        let number = u16::try_from(number(digits)?).ok()?;
        Some(Self { airport: Airport::parse(code)?, number })
    }

    /// It as a number, which is never 0: the airport in the upper half.
    pub fn code(self) -> u32 {
        (u32::from(self.airport.0.get()) << 16) | u32::from(self.number)
    }

    /// The edge location of a number; `None` where no location has it.
    pub fn of_code(code: u32) -> Option<Self> {
        let airport = u16::try_from(code >> 16).ok().and_then(NonZeroU16::new)?;
        let number = u16::try_from(code & u32::from(u16::MAX)).ok()?;
        let is_one = airport.get() <= LETTERS.pow(3) && number < NUMBERS_END;
        is_one.then_some(Self { airport: Airport(airport), number })
    }
}

impl fmt::Display for Pop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.airport, self.number)
    }
}

impl fmt::Debug for Pop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn locations_are_read_as_answers_name_them() {
        for (value, shown, city) in [
            ("NRT57-P1", "NRT57", "Tokyo"),
            ("NRT12", "NRT12", "Tokyo"),
            ("LHR50-P2", "LHR50", "London"),
            ("JFK52-C1", "JFK52", "New York"),
            (" EWR53-P12 ", "EWR53", "Newark"),
            ("iad89-p1", "IAD89", "Washington"),
        ] {
            let pop = Pop::parse(value.as_bytes()).unwrap();
            assert_eq!((pop.to_string().as_str(), pop.airport.city()), (shown, Some(city)), "{value}");
        }
        for value in ["", "NRT", "57-P1", "NRT57P1", "NRT12345", "NRT57-P1, LHR50", "ÅRN52-P1", "-P1"] {
            assert_eq!(Pop::parse(value.as_bytes()), None, "{value}");
        }
        let nowhere = Airport::parse(b"XXX").unwrap();
        assert_eq!((nowhere.city(), nowhere.to_string().as_str()), (None, "XXX"));
    }

    #[test]
    fn the_table_of_airports_can_be_read() {
        let rows: Vec<Vec<&str>> = AIRPORTS.lines().map(|row| row.split(',').collect()).collect();
        assert_eq!(rows[0], ["code", "city", "country"]);
        for pair in rows[1..].windows(2) {
            assert!(pair[0][0] < pair[1][0], "{} is out of order", pair[1][0]);
        }
        for row in &rows[1..] {
            let is_code = row[0].len() == 3 && row[0].bytes().all(|byte| byte.is_ascii_uppercase());
            assert!(is_code && row.len() == 3 && !row[1].is_empty() && row[2].len() == 2, "{row:?}");
            assert_eq!(Airport::parse(row[0].as_bytes()).and_then(Airport::city), Some(row[1]));
        }
        assert!(rows.len() > 100);
    }

    proptest! {
        #[test]
        fn codes_are_shown_as_they_were_read(code in "[A-Z]{3}", number in 0_u16..10_000) {
            let pop = Pop::parse(format!("{code}{number}-P4").as_bytes()).unwrap();
            prop_assert_eq!(pop.to_string(), format!("{code}{number}"));
            prop_assert_eq!(Pop::of_code(pop.code()), Some(pop));
        }

        #[test]
        fn no_number_is_a_location_that_could_not_be_read(code in any::<u32>()) {
            if let Some(pop) = Pop::of_code(code) {
                prop_assert_eq!((pop.code(), Pop::parse(pop.to_string().as_bytes())), (code, Some(pop)));
            }
        }

        #[test]
        fn no_value_panics(value in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = Pop::parse(&value).map(|pop| pop.airport.city());
        }
    }
}
