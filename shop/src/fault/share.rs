//! Shares of requests, written as percentages.

use std::fmt;

use crate::chance::Dice;

/// A share of a whole, exact to a millionth; written as a percentage such as `5%` or `0.25%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    per_million: u32,
}

impl Share {
    /// That many out of a million, at most all.
    pub fn per_million(per_million: u32) -> Share {
        Share { per_million: per_million.min(1_000_000) }
    }

    /// Whether it is nothing at all.
    pub(crate) fn is_zero(self) -> bool {
        self.per_million == 0
    }

    /// Whether this time is one of them. The dice are thrown only where it could be.
    pub(crate) fn strikes(self, dice: &Dice) -> bool {
        !self.is_zero() && dice.below(1_000_000) < self.per_million
    }

    pub(super) fn parse(text: &str) -> Option<Share> {
        let percent = text.strip_suffix('%')?;
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
        let digits_only = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || fraction.len() > 4
            || !digits_only(whole)
            || !digits_only(fraction)
        {
            return None;
        }
        let ten_thousandths: u32 = format!("{whole}{fraction:0<4}").parse().ok()?;
        (ten_thousandths <= 1_000_000).then_some(Share { per_million: ten_thousandths })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.per_million / 10_000, self.per_million % 10_000);
        match fraction {
            0 => write!(formatter, "{whole}%"),
            _ => write!(formatter, "{whole}.{}%", format!("{fraction:04}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Share;
    use crate::chance::Dice;

    #[test]
    fn a_share_strikes_at_its_rate() {
        let dice = Dice::new(1);
        let strikes = |share: Share| (0..10_000).filter(|_| share.strikes(&dice)).count();
        assert_eq!((strikes(Share::default()), strikes(Share::per_million(2_000_000))), (0, 10_000));
        // Five standard deviations around 2,000.
        let struck = strikes(Share::per_million(200_000));
        assert!((1_800..=2_200).contains(&struck), "{struck}");
    }

    #[test]
    fn what_never_strikes_leaves_the_dice_alone() {
        let (thrown, untouched) = (Dice::new(7), Dice::new(7));
        assert!(!Share::default().strikes(&thrown));
        assert_eq!(thrown.roll(), untouched.roll());
    }
}
