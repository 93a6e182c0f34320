//! The credentials that our own requests are signed with.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_lambda::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use super::{Failure, WITHOUT_CREDENTIALS, told};

/// Credentials that expire sooner are asked for anew: an address that is signed with them dies with them.
const GOOD_FOR_MIN: Duration = Duration::from_secs(20 * 60);

/// Where credentials come from, and the last ones: some sources take seconds, and some count how often they are asked.
#[derive(Debug)]
pub(super) struct Keys {
    provider: Option<SharedCredentialsProvider>,
    last: Mutex<Option<Credentials>>,
}

impl Keys {
    /// Those of a configuration.
    pub(super) fn of(config: &SdkConfig) -> Self {
        Self { provider: config.credentials_provider(), last: Mutex::new(None) }
    }

    /// Credentials to sign with at `now`.
    ///
    /// # Errors
    /// Nobody has any, or whoever has does not answer.
    pub(super) async fn at(&self, now: SystemTime) -> Result<Credentials, Failure> {
        let mut last = self.last.lock().await;
        if let Some(last) = last.as_ref().filter(|last| is_good(last, now)) {
            return Ok(last.clone());
        }
        let Some(provider) = &self.provider else { return Err(without(WITHOUT_CREDENTIALS.to_owned())) };
        let credentials = provider.provide_credentials().await.map_err(|error| without(told(&error)))?;
        Ok(last.insert(credentials).clone())
    }
}

/// Whether credentials last for a while yet.
fn is_good(credentials: &Credentials, now: SystemTime) -> bool {
    let left = |expiry: SystemTime| expiry.duration_since(now).unwrap_or_default();
    credentials.expiry().is_none_or(|expiry| left(expiry) >= GOOD_FOR_MIN)
}

/// Credentials may come while others wait.
fn without(why: String) -> Failure {
    Failure { is_final: false, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_kept_until_shortly_before_they_expire() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let of = |expiry| Credentials::new("id", "secret", None, expiry, "tests");
        assert!(is_good(&of(None), now));
        assert!(is_good(&of(Some(now + GOOD_FOR_MIN)), now));
        assert!(!is_good(&of(Some(now + GOOD_FOR_MIN / 2)), now));
        assert!(!is_good(&of(Some(now - GOOD_FOR_MIN)), now));
    }

    #[tokio::test]
    async fn who_has_none_is_told_so_in_a_line() {
        let config = SdkConfig::builder().build();
        let failure = Keys::of(&config).at(SystemTime::now()).await.unwrap_err();
        assert!(failure.why.starts_with("no credentials for AWS were found: set AWS_PROFILE"), "{failure:?}");
    }
}
