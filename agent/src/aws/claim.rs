//! An assignment is carried out once: by whoever puts its claim first.
//!
//! AWS may invoke a function twice for one request, and a coordinator tries again what was throttled. All of them race for one
//! object of S3 that can be put only once.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::sleep;
use url::Url;

use super::object::{Objects, said, shown};
use crate::Error;

/// How long one attempt may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How often it is attempted.
const ATTEMPTS_MAX: u32 = 4;
/// What waits before the second attempt; twice as long before each that follows.
const BACKOFF: Duration = Duration::from_millis(200);

/// Whether the assignment is ours. `body` says who claims it.
///
/// An attempt may succeed without an answer that says so. The next one then looks as if somebody else had been first, and
/// nobody carries the assignment out: an agent that is missing makes a run invalid, one too many would hurt the target.
///
/// # Errors
/// When neither could be found out.
pub(super) async fn claim(objects: &mut Objects, url: &Url, body: &Bytes) -> Result<bool, Error> {
    let mut attempt = 0;
    loop {
        let (why, may_help) = match objects.put_new(url, body.clone(), WITHIN).await {
            Ok(answer) if answer.status.is_success() => return Ok(true),
            Ok(answer) if answer.status == StatusCode::PRECONDITION_FAILED => return Ok(false),
            // 409: somebody else is about to put it.
            Ok(answer) => {
                let may_help = answer.status == StatusCode::CONFLICT || answer.status.is_server_error();
                (said(&answer), may_help)
            }
            Err(why) => (why, true),
        };
        attempt += 1;
        if !may_help || attempt >= ATTEMPTS_MAX {
            let why = format!("{} says {why}; nothing was sent to the target", shown(url));
            return Err(Error::Aws { what: "claiming the assignment", why });
        }
        sleep(BACKOFF * 2_u32.pow(attempt - 1)).await;
    }
}
