//! How long an answer stays fresh, from its head: RFC 9111, and where that leaves a choice, what Chromium does.

use std::time::SystemTime;

use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, PRAGMA, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What a shopper's requests for one asset may differ in: all other headers are the same in each, or in none.
const DIFFER: [&str; 2] = ["cookie", "referer"];
/// The longest time that is told apart, in seconds: 68 years (RFC 9111, section 1.2.2).
const SECONDS_MAX: u64 = 1 << 31;
/// The share of its age for which an answer is taken to be fresh that does not say so (section 4.2.2).
const GUESSED_ONE_IN: u64 = 10;

/// On what terms an answer may be kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// How long it is fresh from when it was made, in seconds; `None` where its head does not tell.
    pub(super) lifetime_s: Option<u64>,
    /// How old it was when it came, in seconds.
    pub(super) age_s: u64,
    /// Whether the next request might be answered otherwise, so that it must be asked.
    pub(super) varies: bool,
    /// Whether its head has no header at all that is about being kept.
    pub(super) is_silent: bool,
}

impl Terms {
    /// Those of an answer's head; `None` where it may not be kept at all. `modified` stands for a Last-Modified that
    /// the head does not say again.
    pub(super) fn of(headers: &HeaderMap, modified: Option<&HeaderValue>) -> Option<Self> {
        let is_forbidden = directives(headers).any(|(name, _)| name.eq_ignore_ascii_case("no-store"));
        let varies_by: Vec<&str> = members(headers, &VARY).collect();
        if is_forbidden || varies_by.contains(&"*") {
            return None;
        }
        let age_s = members(headers, &AGE).next().and_then(seconds).unwrap_or(0);
        Some(Self {
            lifetime_s: lifetime_s(headers, modified),
            age_s,
            varies: varies_by.iter().any(|name| DIFFER.iter().any(|other| name.eq_ignore_ascii_case(other))),
            is_silent: ![CACHE_CONTROL, EXPIRES, PRAGMA].iter().any(|name| headers.contains_key(name)),
        })
    }
}

fn lifetime_s(headers: &HeaderMap, modified: Option<&HeaderValue>) -> Option<u64> {
    let mut max_age_s = None;
    let mut may_guess = true;
    for (name, argument) in directives(headers) {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("no-cache") {
            return Some(0);
        }
        if is("max-age") && max_age_s.is_none() {
            // One that cannot be read is over (section 4.2.1).
            max_age_s = Some(argument.and_then(seconds).unwrap_or(0));
        }
        may_guess &= !is("must-revalidate");
    }
    if max_age_s.is_some() {
        return max_age_s;
    }
    let is_asked_each_time = members(headers, &PRAGMA).any(|word| word.eq_ignore_ascii_case("no-cache"));
    if is_asked_each_time && !headers.contains_key(CACHE_CONTROL) {
        return Some(0);
    }
    let made = headers.get(DATE).and_then(date);
    if let Some(expires) = headers.get(EXPIRES) {
        // Without a Date it would be this machine's clock against the other's; so it is taken to be over, as what is no
        // date is (section 5.3).
        let lifetime = date(expires).zip(made).and_then(|(expires, made)| expires.duration_since(made).ok());
        return Some(lifetime.map_or(0, |lifetime| lifetime.as_secs().min(SECONDS_MAX)));
    }
    let modified = headers.get(http::header::LAST_MODIFIED).or(modified).and_then(date);
    let unchanged = made.zip(modified).and_then(|(made, modified)| made.duration_since(modified).ok());
    unchanged.filter(|_| may_guess).map(|unchanged| (unchanged.as_secs() / GUESSED_ONE_IN).min(SECONDS_MAX))
}

/// The directives of all Cache-Control lines, each with its argument.
fn directives(headers: &HeaderMap) -> impl Iterator<Item = (&str, Option<&str>)> {
    members(headers, &CACHE_CONTROL).map(|directive| match directive.split_once('=') {
        Some((name, argument)) => (name.trim(), Some(argument.trim())),
        None => (directive, None),
    })
}

/// The members of a list that may stand on several lines; commas in quotes part nothing.
fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let members = lines.flat_map(|line| {
        let mut is_quoted = false;
        line.split(move |character: char| {
            is_quoted ^= character == '"';
            character == ',' && !is_quoted
        })
    });
    members.map(str::trim).filter(|member| !member.is_empty())
}

/// A number of seconds, with or without quotes; what is too large is very long.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_matches('"');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(SECONDS_MAX).min(SECONDS_MAX))
}

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?.trim()).ok()
}
