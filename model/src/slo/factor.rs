//! How many times faster than allowed a budget may be spent before a rule fires: an exact decimal.

use std::cmp::Ordering;
use std::fmt;

/// The most digits of a factor: with those of a share they are below 2⁶⁴.
const DIGITS_MAX: usize = 10;
/// The most of them behind the point.
const DECIMALS_MAX: usize = 6;

/// An exact decimal above 0, such as 14.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    digits: u64,
    decimals: u32,
}

impl Factor {
    /// Reads `14.4`.
    ///
    /// # Errors
    /// A sentence with what was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = |why: &str| format!("\"{text}\" is not a factor{why}; write for example 14.4 or 6");
        let (whole, fraction) = match text.trim().split_once('.') {
            Some((_, "")) => return Err(fail("")),
            Some(parts) => parts,
            None => (text.trim(), ""),
        };
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(fail(""));
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        if fraction.len() > DECIMALS_MAX || whole.len() + fraction.len() > DIGITS_MAX {
            return Err(fail(&format!(" (over {DIGITS_MAX} digits, or {DECIMALS_MAX} behind the point)")));
        }
        // Without any digit left it was some 0.
        let digits: u64 = format!("0{whole}{fraction}").parse().map_err(|_| fail(""))?;
        let decimals = u32::try_from(fraction.len()).map_err(|_| fail(""))?;
        if digits == 0 {
            return Err(fail(" (0 would always fire)"));
        }
        Ok(Self { digits, decimals })
    }

    /// `digits` ÷ 10, as the rules that everybody has are written.
    pub(super) fn of_tenths(tenths: u64) -> Self {
        if tenths.is_multiple_of(10) {
            Self { digits: tenths / 10, decimals: 0 }
        } else {
            Self { digits: tenths, decimals: 1 }
        }
    }

    /// The number without its point.
    pub(super) fn digits(self) -> u64 {
        self.digits
    }

    /// What [`digits`](Self::digits) are to be divided by.
    pub(super) fn scale(self) -> u64 {
        10_u64.pow(self.decimals)
    }

    /// For systems that have no decimals: the nearest number in floating point.
    pub fn as_f64(self) -> f64 {
        self.digits as f64 / self.scale() as f64
    }
}

impl Ord for Factor {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (u128::from(self.digits), u128::from(other.digits));
        (ours * u128::from(other.scale())).cmp(&(theirs * u128::from(self.scale())))
    }
}

impl PartialOrd for Factor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.digits / self.scale(), self.digits % self.scale());
        match usize::try_from(self.decimals) {
            Ok(decimals) if decimals > 0 => write!(formatter, "{whole}.{rest:0decimals$}"),
            _ => write!(formatter, "{whole}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Factor;

    #[test]
    fn factors_are_exact_decimals() {
        for (text, shown) in [
            ("14.4", "14.4"),
            ("6", "6"),
            ("6.0", "6"),
            ("0.050", "0.05"),
            ("00123456.000001", ""),
            ("1.000001", "1.000001"),
        ] {
            match Factor::parse(text) {
                Ok(factor) => assert_eq!(factor.to_string(), shown),
                Err(why) => assert!(shown.is_empty() && why.contains("over 10 digits"), "{why}"),
            }
        }
        assert_eq!(Factor::of_tenths(144), Factor::parse("14.40").unwrap());
        assert_eq!(Factor::of_tenths(60), Factor::parse("6").unwrap());
        assert!(Factor::parse("14.4").unwrap() > Factor::parse("14.399999").unwrap());
        assert!((Factor::parse("14.4").unwrap().as_f64() - 14.4).abs() < 1e-12);
    }

    #[test]
    fn what_is_none_is_said() {
        for (text, part) in [
            ("", "is not a factor"),
            ("0.0", "would always fire"),
            ("-1", "is not a factor"),
            ("1e3", "is not a factor"),
            ("1.", "is not a factor"),
            (".5", "is not a factor"),
            ("1.2.3", "is not a factor"),
            ("0.0000001", "behind the point"),
        ] {
            let why = Factor::parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
