//! The balancer's sticky cookies. They name the target that serves a viewer and are renewed for seven
//! days on every answer; the value changes only with the target.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::visitor::{cookie, set_cookie};
use crate::chance::Dice;

const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the cookies say of the two targets behind the balancer; opaque, as the real ones are.
const TARGETS: [&str; 2] = [
    "kz3Yq0W1vB8sT4mXn6RdLh2JcPfGu9EaQo7iKbNwZxSyVtMrHjDgCl5UeFpAOI1mXkz3Yq0W1vB8sT4mXn6RdLh2JcPfGu9E",
    "Tf8hVb2NcXq7LmRw0KjZs5GdPy4UoEaI1HtBnMx9CvQe6WrYkSl3FgJzDpAuOi2TfT8hVb2NcXq7LmRw0KjZs5GdPy4UoEaI",
];

/// The target that the viewer sticks to, or any.
pub(super) fn target_of(headers: &HeaderMap, dice: &Dice) -> &'static str {
    let stuck = cookie(headers, "AWSALB");
    TARGETS.into_iter().find(|target| stuck == Some(*target)).unwrap_or_else(|| dice.pick(&TARGETS))
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
