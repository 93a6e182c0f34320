//! The credentials that our own requests are signed with.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_lambda::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use super::{Failure, WITHOUT_CREDENTIALS, told};

/// Credentials that expire sooner are asked for anew: an address that is signed with them dies with them.
const GOOD_FOR_MIN: Duration = Duration::from_secs(20 * 60);
/// How often they are asked for anew at most while they are good at all: whoever gives them may have none that last longer.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// Where credentials come from, and the last ones: some sources take seconds, and some count how often they are asked.
#[derive(Debug)]
pub(super) struct Keys {
    provider: Option<SharedCredentialsProvider>,
    last: Mutex<Option<Last>>,
}

/// Credentials, and when they were asked for.
#[derive(Clone, Debug)]
struct Last {
    credentials: Credentials,
    asked_at: SystemTime,
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
        if let Some(last) = last.as_ref().filter(|last| last.is_good(now)) {
            return Ok(last.credentials.clone());
        }
        let Some(provider) = &self.provider else { return Err(without(WITHOUT_CREDENTIALS.to_owned())) };
        match provider.provide_credentials().await {
            Ok(credentials) => {
                *last = Some(Last { credentials: credentials.clone(), asked_at: now });
                Ok(credentials)
            }
            Err(error) => match last.as_mut().filter(|last| !last.left(now).is_zero()) {
                // As long as they are good at all, nothing fails for want of better ones.
                Some(last) => {
                    last.asked_at = now;
                    Ok(last.credentials.clone())
                }
                None => Err(without(told(&error))),
            },
        }
    }
}

impl Last {
    /// Whether they need not be asked for anew.
    fn is_good(&self, now: SystemTime) -> bool {
        let left = self.left(now);
        let was_asked = now.duration_since(self.asked_at).unwrap_or_default() < ASK_EVERY;
        left >= GOOD_FOR_MIN || (was_asked && !left.is_zero())
    }

    /// How long they last yet.
    fn left(&self, now: SystemTime) -> Duration {
        let left = |expiry: SystemTime| expiry.duration_since(now).unwrap_or_default();
        self.credentials.expiry().map_or(Duration::MAX, left)
    }
}

/// Credentials may come while others wait.
fn without(why: String) -> Failure {
    Failure { is_final: false, why }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::credential_fn::provide_credentials_fn;
    use aws_credential_types::provider::error::CredentialsError;

    use super::*;

    /// Keys whose source is counted each time that it is asked. The first credentials end `ends_in` after `now`; later there are
    /// no more.
    fn counted(now: SystemTime, ends_in: Option<Duration>) -> (Keys, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let provider = provide_credentials_fn(move || {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let credentials = Credentials::new("id", "secret", None, ends_in.map(|left| now + left), "tests");
            async move { if is_first { Ok(credentials) } else { Err(CredentialsError::not_loaded("no more")) } }
        });
        let provider = Some(SharedCredentialsProvider::new(provider));
        (Keys { provider, last: Mutex::default() }, asked)
    }

    #[tokio::test]
    async fn credentials_are_kept_until_shortly_before_they_expire() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let minutes = |number: u64| Duration::from_secs(number * 60);
        for (ends_in, at, expected) in [
            (None, minutes(100_000), 1),
            (Some(minutes(60)), minutes(40), 1),
            (Some(minutes(60)), minutes(41), 2),
            // What ends soon is asked for each minute, and not each time.
            (Some(minutes(5)), minutes(1) / 2, 1),
            (Some(minutes(5)), minutes(1), 2),
        ] {
            let (keys, asked) = counted(now, ends_in);
            keys.at(now).await.unwrap();
            // Without better ones the last are taken as long as they are good.
            keys.at(now + at).await.unwrap();
            keys.at(now + at).await.unwrap();
            assert_eq!(asked.load(Ordering::SeqCst), expected, "{ends_in:?} {at:?}");
        }
        let (keys, _) = counted(now, Some(minutes(5)));
        keys.at(now).await.unwrap();
        let failure = keys.at(now + minutes(5)).await.unwrap_err();
        assert_eq!(failure.why, WITHOUT_CREDENTIALS);
    }

    #[tokio::test]
    async fn who_has_none_is_told_so_in_a_line() {
        let config = SdkConfig::builder().build();
        let failure = Keys::of(&config).at(SystemTime::now()).await.unwrap_err();
        assert!(failure.why.starts_with("no credentials for AWS were found: set AWS_PROFILE"), "{failure:?}");
    }
}
