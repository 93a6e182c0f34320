//! The way to Amazon Web Services, for whoever has business there: figures, alarms, agents, stacks.
//!
//! What an SDK of theirs does better than we could is left to it. Where a single signed request is all that is needed, it is
//! made here ([`bucket`], [`call`]): an SDK for each service would be minutes of compiling for a handful of requests.

pub(crate) mod bucket;
pub(crate) mod call;
mod http;
mod keys;
mod signature;
#[cfg(test)]
pub(crate) mod testing;

use std::error::Error as StdError;
use std::iter::successors;
use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use self::keys::Keys;

/// How long to wait for a connection.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an attempt may take as a whole.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What is said where nobody has credentials, in one line.
const WITHOUT_CREDENTIALS: &str = "no credentials for AWS were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`";

/// What clients for a region are made of, or for what stands at `endpoint` in its place. Credentials are looked for where
/// AWS's own tools look: environment, profiles, containers, instances. `attempts` is how often a request is tried within a
/// call.
pub(crate) async fn config(region: &str, endpoint: Option<&str>, attempts: u32) -> SdkConfig {
    Box::pin(settings(region, endpoint, attempts).load()).await
}

/// Until when the credentials of a configuration last, where they end at all.
///
/// # Errors
/// Nobody has any, or whoever has does not answer.
pub(crate) async fn credentials_until(config: &SdkConfig) -> Result<Option<SystemTime>, Failure> {
    let credentials = Box::pin(Keys::of(config).at(SystemTime::now())).await?;
    Ok(credentials.expiry())
}

/// One TLS stack serves everything here, rustls with ring, so the SDK is handed its HTTP client.
fn settings(region: &str, endpoint: Option<&str>, attempts: u32) -> ConfigLoader {
    let provider = Provider::Rustls(CryptoMode::Ring);
    let http_client = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_WITHIN)
        .operation_attempt_timeout(ANSWER_WITHIN)
        .build();
    let settings = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .timeout_config(timeouts);
    match endpoint {
        Some(endpoint) => settings.endpoint_url(endpoint),
        None => settings,
    }
}

/// The domain of AWS's own endpoints in a region. Source: AWS General Reference, "AWS service endpoints".
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// Why a request did not go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The same request will never go through: what it says is wrong.
    pub is_final: bool,
    /// What went wrong, for people.
    pub why: String,
}

impl Failure {
    /// What an error of the SDK comes to.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let code = error.code().unwrap_or_default();
        let mut why = told(error);
        if let Some(message) = error.message().filter(|message| !why.contains(message)) {
            why = format!("{why}: {message}");
        }
        Self { is_final: is_final(status, code), why }
    }

    /// Whether nobody has credentials, wherever one asks.
    pub(crate) fn is_without_credentials(&self) -> bool {
        self.why == WITHOUT_CREDENTIALS
    }
}

/// Whether a request is wrong in itself. Throttling, broken connections and servers pass; credentials and rights may be
/// mended while figures wait.
fn is_final(status: Option<u16>, code: &str) -> bool {
    let is_about_the_request = ["Parameter", "Validation", "Serialization", "InvalidFormat", "LimitExceeded"]
        .into_iter()
        .any(|part| code.contains(part));
    let is_throttling = code.contains("Throttl") || code.contains("RequestLimitExceeded");
    match status {
        Some(413) => true,
        Some(400..=499) => is_about_the_request && !is_throttling,
        _ => false,
    }
}

/// Why asking AWS went wrong, in a line: where nobody has credentials, what to do about that. The SDK lists all places where it
/// looked for some then, a line each.
fn told(error: &(dyn StdError + 'static)) -> String {
    let mut causes = successors(Some(error), |&error| error.source());
    let about_credentials = causes.find_map(|error| error.downcast_ref::<CredentialsError>());
    // Only what is said first counts: a place that has credentials and does not give them is another matter.
    match about_credentials {
        Some(CredentialsError::CredentialsNotLoaded(_)) => WITHOUT_CREDENTIALS.to_owned(),
        _ => chain(error),
    }
}

/// An error and what caused it, each once, in a line.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use aws_config::meta::credentials::CredentialsProviderChain;
    use aws_credential_types::credential_fn::provide_credentials_fn;
    use aws_sdk_lambda::Client;
    use aws_sdk_lambda::config::ProvideCredentials;

    use super::*;

    /// What a client is told whose credentials come from there; nobody answers it anyway.
    async fn told_to_a_client(provider: impl ProvideCredentials + 'static) -> Failure {
        let settings = settings("eu-west-2", Some("http://127.0.0.1:1"), 1).credentials_provider(provider);
        let client = Client::new(&Box::pin(settings.load()).await);
        Failure::of(&Box::pin(client.get_account_settings().send()).await.unwrap_err())
    }

    /// One place after the other where there may be credentials, of which the last fails so.
    fn places(last: fn() -> CredentialsError) -> CredentialsProviderChain {
        let none = || async { Err(CredentialsError::not_loaded("environment variable not set")) };
        CredentialsProviderChain::first_try("Environment", provide_credentials_fn(none))
            .or_else("Profile", provide_credentials_fn(move || async move { Err(last()) }))
    }

    #[tokio::test]
    async fn who_has_no_credentials_anywhere_is_told_so_in_a_line() {
        let failure = told_to_a_client(places(CredentialsError::not_loaded_no_source)).await;
        assert_eq!(failure.why, WITHOUT_CREDENTIALS);
        assert!(failure.is_without_credentials());
    }

    #[tokio::test]
    async fn a_place_that_does_not_give_its_credentials_is_told_as_it_is() {
        let broken = || CredentialsError::provider_error(io::Error::other("the login is over:\n  log in"));
        let failure = told_to_a_client(places(broken)).await;
        assert!(failure.why.contains("the login is over: log in"), "{failure:?}");
        assert!(!failure.is_without_credentials() && !failure.why.contains('\n'), "{failure:?}");
    }

    #[test]
    fn only_what_is_wrong_in_itself_is_given_up() {
        for (status, code, expected) in [
            (None, "", false),
            (Some(200), "", false),
            (Some(400), "InvalidParameterValue", true),
            (Some(400), "InvalidParameterCombinationException", true),
            (Some(400), "MissingRequiredParameterException", true),
            (Some(400), "ValidationError", true),
            (Some(400), "Throttling", false),
            (Some(400), "ThrottlingException", false),
            (Some(400), "RequestLimitExceeded", false),
            (Some(400), "ExpiredToken", false),
            (Some(403), "AccessDenied", false),
            (Some(403), "InvalidClientTokenId", false),
            (Some(429), "", false),
            (Some(413), "", true),
            (Some(500), "InternalServiceFault", false),
            (Some(503), "InvalidParameterValue", false),
        ] {
            assert_eq!(is_final(status, code), expected, "{status:?} {code}");
        }
    }
}
