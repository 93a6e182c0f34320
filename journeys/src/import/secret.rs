//! What of a recording must not stand in a journey file: passwords, cards, tokens that nobody was seen to be given.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::body::Body;
use super::looks::{Looks, is_typed_name, looks};
use super::name::{unique, words};
use super::visit::Visit;
use crate::scan::{Query, Take, scan};
use crate::selector::Css;

/// From how many characters on a secret is told by itself, wherever it stands.
const TELLING_CHARS_MIN: usize = 4;

/// The secrets of a recording, and the variables of the environment that stand for them.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    known: Vec<Secret>,
}

#[derive(Debug)]
struct Secret {
    value: String,
    /// The name that it was sent under.
    key: String,
    variable: String,
}

impl Secrets {
    /// All that `visits` sent, with these bodies.
    pub(super) fn of(visits: &[Visit<'_>], bodies: &[Body]) -> Self {
        let mut secrets = Self::default();
        let password_fields = password_fields(visits);
        for (step, (visit, body)) in visits.iter().zip(bodies).enumerate() {
            let before = visits.get(..step).unwrap_or_default();
            let query =
                visit.request.url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned()));
            for (key, value) in body.leaves().into_iter().chain(query) {
                if let Some(variable) = variable(&key, &value, &password_fields, before) {
                    secrets.add(variable, &key, &value);
                }
            }
            for (name, value) in &visit.request.headers {
                let token = if name == "authorization" { credentials(value).1 } else { value.as_str() };
                let is_secret =
                    name == "authorization" || (is_token_name(name) && looks(token) != Looks::Fixed);
                if is_secret && !token.is_empty() && !was_seen(before, token) {
                    secrets.add("SHOP_TOKEN", name, token);
                }
            }
        }
        secrets
    }

    fn add(&mut self, variable: &str, key: &str, value: &str) {
        if self.known.iter().any(|known| known.value == value && known.key == key) {
            return;
        }
        let same = self.known.iter().find(|known| known.value == value).map(|known| known.variable.clone());
        let is_taken = |name: &str| self.known.iter().any(|known| known.variable == name);
        let variable = same.unwrap_or_else(|| unique(variable, '_', is_taken));
        self.known.push(Secret { value: value.to_owned(), key: key.to_owned(), variable });
    }

    /// The variable of the environment that stands for `value` where it is called `key`.
    pub(super) fn variable(&self, key: &str, value: &str) -> Option<&str> {
        let is_telling = value.chars().count() >= TELLING_CHARS_MIN;
        let is_meant = |secret: &&Secret| secret.value == value && (is_telling || secret.key == key);
        self.known.iter().find(is_meant).map(|secret| secret.variable.as_str())
    }

    /// `text` with variables in the place of secrets that no word of a shop can be.
    pub(super) fn replaced<'t>(&self, text: &'t str, insert: impl Fn(&str) -> String) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.known.iter().filter(|secret| secret.is_unmistakable()) {
            if text.contains(&secret.value) {
                text = Cow::Owned(text.replace(&secret.value, &insert(&secret.variable)));
            }
        }
        text
    }

    /// The names of the variables, each once.
    pub(super) fn variables(&self) -> BTreeSet<&str> {
        self.known.iter().map(|secret| secret.variable.as_str()).collect()
    }
}

impl Secret {
    fn is_unmistakable(&self) -> bool {
        let is_word = self.value.chars().all(char::is_alphabetic);
        self.value.chars().count() >= 2 * TELLING_CHARS_MIN && !is_word
    }
}

/// The scheme and the credentials of an `authorization` header.
pub(super) fn credentials(value: &str) -> (&str, &str) {
    match value.trim().split_once(' ') {
        Some((scheme, credentials)) => (scheme, credentials.trim()),
        None => ("", value.trim()),
    }
}

/// The variable for a value that must be one of the environment's.
fn variable(
    key: &str,
    value: &str,
    password_fields: &BTreeSet<String>,
    before: &[Visit<'_>],
) -> Option<&'static str> {
    let words = words(key);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if value.is_empty() {
        None
    } else if password_fields.contains(key) || has(&["password", "passwd", "pwd", "passcode", "passphrase"]) {
        Some("SHOP_PASSWORD")
    } else if has(&["cvc", "cvv", "cvv2", "csc", "cvn"]) {
        Some("SHOP_CVC")
    } else if is_card(value) && !is_typed_name(key) && !was_seen(before, value) {
        Some("SHOP_CARD")
    } else if is_token_name(key) && looks(value) == Looks::Random && !was_seen(before, value) {
        Some("SHOP_TOKEN")
    } else {
        None
    }
}

/// True for names of headers and fields that hold what lets somebody in; tokens against forgery do not.
fn is_token_name(name: &str) -> bool {
    let words = words(name);
    let has = |word: &str| words.iter().any(|known| known == word);
    let lets_in = ["access", "refresh", "auth", "api", "client", "id", "bearer", "storefront"];
    has("secret")
        || has("apikey")
        || has("authorization")
        || ((has("token") || has("key")) && lets_in.iter().any(|word| has(word)))
}

/// Whether an answer before held the value, so that the journey can take it from there.
pub(super) fn was_seen(before: &[Visit<'_>], value: &str) -> bool {
    let escaped = value.replace('/', "\\/");
    let holds = |text: &str| text.contains(value) || text.contains(&escaped);
    before.iter().any(|visit| {
        let body = visit.answer.body.as_deref();
        let mut headers = visit.answer.answer_headers.iter().chain(&visit.request.answer_headers);
        body.is_some_and(holds) || headers.any(|(_, value)| holds(value))
    })
}

/// A card's number: 13 to 19 digits, perhaps in groups, with Luhn's check digit (ISO/IEC 7812-1, annex B).
pub(super) fn is_card(value: &str) -> bool {
    let digits: Vec<u32> = value.chars().filter_map(|character| character.to_digit(10)).collect();
    let has_others =
        value.contains(|character: char| !character.is_ascii_digit() && !" -".contains(character));
    let is_issued = digits.first().is_some_and(|first| (2..=6).contains(first));
    let check = digits.iter().rev().enumerate().map(|(position, digit)| match (position % 2, digit * 2) {
        (0, _) => *digit,
        (_, doubled) => doubled / 10 + doubled % 10,
    });
    (13..=19).contains(&digits.len()) && is_issued && !has_others && check.sum::<u32>().is_multiple_of(10)
}

/// The names of all fields for passwords that a page shows.
fn password_fields(visits: &[Visit<'_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Ok(selector) = "input[type=\"password\"]".parse::<Css>() else { return names };
    for html in visits.iter().filter_map(|visit| visit.answer.html()).filter(|html| html.contains("password"))
    {
        let query = Query { selector: Cow::Borrowed(&selector), take: Take::Attribute("name"), until: None };
        let found = scan(html.as_bytes(), &[query]).unwrap_or_default();
        names.extend(found.into_iter().flat_map(|found| found.values));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{credentials, is_card, is_token_name};

    #[test]
    fn cards_are_told_by_their_check_digit() {
        assert!(is_card("4242424242424242") && is_card("4242 4242 4242 4242") && is_card("378282246310005"));
        for other in ["4242424242424241", "1795770000123", "4242", "4242x4242424242424", ""] {
            assert!(!is_card(other), "{other}");
        }
    }

    #[test]
    fn what_lets_somebody_in_has_a_name() {
        assert!(["x-api-key", "accessToken", "client_secret", "apikey"].into_iter().all(is_token_name));
        assert!(!["x-csrf-token", "key", "token", "product"].into_iter().any(is_token_name));
        assert_eq!(credentials("Bearer abc"), ("Bearer", "abc"));
        assert_eq!(credentials("abc"), ("", "abc"));
    }
}
