//! The way to Amazon CloudWatch: whoever wants to write, read or make alarms there.

use std::error::Error as StdError;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// How long to wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an attempt may take as a whole.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A client for a region, or for what stands at `endpoint` in its place. Credentials are looked for where AWS's own tools
/// look: environment, profiles, containers, instances. `attempts` is how often a request is tried within a call.
pub(crate) async fn client(region: &str, endpoint: Option<&str>, attempts: u32) -> Client {
    Client::new(&Box::pin(settings(region, endpoint, attempts).load()).await)
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

/// The same with credentials that mean nothing, for what stands in for AWS.
#[cfg(test)]
pub(crate) async fn test_client(endpoint: &str) -> Client {
    let credentials = aws_sdk_cloudwatch::config::Credentials::new("test", "test", None, None, "tests");
    let settings = settings("eu-west-1", Some(endpoint), 3).credentials_provider(credentials);
    Client::new(&Box::pin(settings.load()).await)
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
        Self { is_final: is_final(status, code), why }
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
fn chain(error: &(dyn StdError + 'static)) -> String {
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
