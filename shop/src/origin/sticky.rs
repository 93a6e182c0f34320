//! The balancer's sticky cookies. They name the target that serves a viewer and are renewed for seven
//! days on every answer; the value changes only with the target.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::visitor::{cookie, set_cookie};
use crate::chance::Dice;
use crate::fault::Share;

const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the cookies say of the two targets behind the balancer; opaque, as the real ones are.
const TARGETS: [&str; 2] = [
    "kz3Yq0W1vB8sT4mXn6RdLh2JcPfGu9EaQo7iKbNwZxSyVtMrHjDgCl5UeFpAOI1mXkz3Yq0W1vB8sT4mXn6RdLh2JcPfGu9E",
    "Tf8hVb2NcXq7LmRw0KjZs5GdPy4UoEaI1HtBnMx9CvQe6WrYkSl3FgJzDpAuOi2TfT8hVb2NcXq7LmRw0KjZs5GdPy4UoEaI",
];

/// The target that the viewer sticks to, or any. At the rate of `unsticky` it is another one: the viewer's own
/// was taken out, as far as the balancer knows.
pub(super) fn target_of(headers: &HeaderMap, unsticky: Share, dice: &Dice) -> &'static str {
    let stuck = cookie(headers, "AWSALB");
    let own = TARGETS.into_iter().find(|target| stuck == Some(*target));
    let Some(own) = own else { return dice.pick(&TARGETS) };
    if unsticky.strikes(dice) {
        return TARGETS.into_iter().find(|target| *target != own).unwrap_or(own);
    }
    own
}

/// Renews both cookies; the second is for requests from other sites.
pub(super) fn renew(target: &str, headers: &mut HeaderMap) {
    let expires = httpdate::fmt_http_date(SystemTime::now() + KEPT_FOR);
    for cookie in [
        format!("AWSALB={target}; Expires={expires}; Path=/"),
        format!("AWSALBCORS={target}; Expires={expires}; Path=/; SameSite=None; Secure"),
    ] {
        set_cookie(headers, &cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::{TARGETS, target_of};
    use crate::chance::Dice;
    use crate::fault::Share;
    use http::header::COOKIE;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn a_viewer_sticks_to_a_target_unless_it_is_taken_out() {
        let dice = Dice::new(1);
        let mut headers = HeaderMap::new();
        assert!(TARGETS.contains(&target_of(&headers, Share::default(), &dice)));
        headers.insert(COOKIE, HeaderValue::from_str(&format!("sid=1; AWSALB={}", TARGETS[1])).unwrap());
        let targets = |unsticky: Share| -> Vec<&str> {
            (0..1_000).map(|_| target_of(&headers, unsticky, &dice)).collect()
        };
        assert!(targets(Share::default()).iter().all(|target| *target == TARGETS[1]));
        assert!(targets(Share::per_million(1_000_000)).iter().all(|target| *target == TARGETS[0]));
        let moved =
            targets(Share::per_million(100_000)).iter().filter(|target| **target == TARGETS[0]).count();
        // Five standard deviations around 100.
        assert!((52..=148).contains(&moved), "{moved}");
    }
}
