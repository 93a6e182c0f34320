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
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// How long to wait for a connection.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an attempt may take as a whole.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What is said where nobody has credentials, in one line.
const WITHOUT_CREDENTIALS: &str = "no credentials for AWS were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`";
/// What the SDK says then.
const NO_PROVIDER: &str = "no providers in chain provided credentials";

/// What clients for a region are made of, or for what stands at `endpoint` in its place. Credentials are looked for where
/// AWS's own tools look: environment, profiles, containers, instances. `attempts` is how often a request is tried within a
/// call.
pub(crate) async fn config(region: &str, endpoint: Option<&str>, attempts: u32) -> SdkConfig {
    Box::pin(settings(region, endpoint, attempts).load()).await
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
        let mut why = chain(error);
        if let Some(message) = error.message().filter(|message| !why.contains(message)) {
            why = format!("{why}: {message}");
        }
        if why.contains(NO_PROVIDER) {
            WITHOUT_CREDENTIALS.clone_into(&mut why);
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

/// An error and what caused it, each once.
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
    told
}

#[cfg(test)]
mod tests {
    use super::is_final;

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
