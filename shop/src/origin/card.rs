//! Card numbers: what is taken for one, and which one the bank declines.

const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;
/// What payment providers' test cards decline. <https://docs.stripe.com/testing#declined-payments>
const DECLINED: &str = "4000000000000002";

/// Why something is no card number, in words for people.
pub(super) const NO_NUMBER: &str = "A card number has 12 to 19 digits.";

/// Digits alone; spaces and hyphens between groups do not count.
pub(super) fn is_number(card: &str) -> bool {
    let digits = card.chars().filter(char::is_ascii_digit).count();
    DIGITS.contains(&digits)
        && card.chars().all(|character| character.is_ascii_digit() || matches!(character, ' ' | '-'))
}

/// Whether the bank says no, where the shop asks it.
pub(super) fn is_declined(card: &str) -> bool {
    card.chars().filter(char::is_ascii_digit).eq(DECLINED.chars())
}

#[cfg(test)]
mod tests {
    use super::{is_declined, is_number};

    #[test]
    fn card_numbers_have_12_to_19_digits() {
        for card in ["123456789012", "4111 1111 1111 1111", "4111-1111-1111-1111", "1234567890123456789"] {
            assert!(is_number(card) && !is_declined(card), "{card}");
        }
        for card in ["", "12345678901", "12345678901234567890", "4111x111111111111"] {
            assert!(!is_number(card), "{card}");
        }
    }

    #[test]
    fn one_card_is_declined_however_it_is_written() {
        for card in ["4000000000000002", "4000 0000 0000 0002", "4000-0000-0000-0002"] {
            assert!(is_number(card) && is_declined(card), "{card}");
        }
    }
}
