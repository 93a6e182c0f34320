//! What a receiver's answer means: delivered, to be tried again, or refused.

use std::time::{Duration, SystemTime};

use crate::tell::{plain, shortened};

/// The longest time that a receiver may ask for with `Retry-After`.
const RETRY_AFTER_MAX_S: u64 = 600;
/// How much of an answer is shown.
const SHOWN_CHARS_MAX: usize = 200;

/// Why a message was not delivered. Neither holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotDelivered {
    /// No further attempt can mend it.
    Refused(String),
    /// A further attempt may succeed.
    Retry {
        /// What went wrong.
        why: String,
        /// How long the receiver asks to be left alone, in seconds.
        after_s: Option<u64>,
    },
}

impl NotDelivered {
    /// A failure that may pass.
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), after_s: None }
    }
}

/// What an answer other than 2xx means. `is_passing` says that this receiver tells by its body that it will pass.
pub(super) fn judge(status: u16, retry_after: Option<&str>, body: &str, is_passing: bool) -> NotDelivered {
    let said = shortened(&plain(body), SHOWN_CHARS_MAX);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    match status {
        // What was sent is at fault, and it stays what it is.
        400 | 413 | 422 if !is_passing => NotDelivered::Refused(format!("answered {status}{said}")),
        // Somebody may be mending the receiver, a proxy before it or its keys: no page is lost for that.
        300..=399 => NotDelivered::passing(format!(
            "answered {status}: redirects are not followed, so name the address that it leads to"
        )),
        _ => NotDelivered::Retry {
            why: format!("answered {status}{said}"),
            after_s: retry_after.and_then(|text| wait_s(text, SystemTime::now())),
        },
    }
}

/// The seconds of a `Retry-After`: a number, or a date. Source: RFC 9110, section 10.2.3.
fn wait_s(text: &str, now: SystemTime) -> Option<u64> {
    let text = text.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(now).unwrap_or(Duration::ZERO).as_secs()
        }
    };
    Some(seconds.min(RETRY_AFTER_MAX_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_letter_s_own_fault_is_tried_again() {
        for status in [401, 403, 404, 405, 408, 409, 410, 425, 429, 451, 500, 502, 503, 504, 599] {
            let judged = judge(status, None, "", false);
            assert_eq!(judged, NotDelivered::passing(format!("answered {status}")));
        }
        for status in [400, 413, 422] {
            let judged = judge(status, Some("5"), "", false);
            assert_eq!(judged, NotDelivered::Refused(format!("answered {status}")));
        }
        assert!(matches!(judge(400, None, "", true), NotDelivered::Retry { after_s: None, .. }));
        for status in [301, 302, 307, 308] {
            let NotDelivered::Retry { why, .. } = judge(status, None, "x", false) else { panic!("{status}") };
            assert!(why.contains("redirects are not followed"), "{why}");
        }
    }

    #[test]
    fn what_was_answered_is_shown_shortened_and_on_one_line() {
        let judged = judge(400, None, &format!("in\u{1b}[31mvalid\n{}", "x".repeat(5_000)), false);
        let NotDelivered::Refused(why) = judged else { panic!("{judged:?}") };
        assert!(why.starts_with("answered 400: in [31mvalid x") && why.chars().count() < 230, "{why}");
    }

    #[test]
    fn a_receiver_says_how_long_to_wait_within_bounds() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("86400", Some(600)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", Some(600)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
        ] {
            assert_eq!(wait_s(text, now), expected, "{text}");
        }
        let asked = judge(429, Some("30"), "", false);
        assert!(matches!(asked, NotDelivered::Retry { after_s: Some(30), .. }), "{asked:?}");
    }
}
