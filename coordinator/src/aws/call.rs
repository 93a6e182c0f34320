//! One signed call of a service that needs no SDK here.

use std::time::SystemTime;

use aws_config::SdkConfig;
use reqwest::Method;
use serde_json::Value;

use super::Failure;
use super::http::{Answer, Http, Request, between};
use super::keys::Keys;
use super::signature::{Purpose, Signable, headers};

/// Calls an operation by JSON, in the configuration's region: `target` is its whole name, such as
/// `Logs_20140328.FilterLogEvents` of the service `logs`. Source: Smithy, "AWS JSON 1.1 protocol".
///
/// # Errors
/// Why it was not done, or what came is no JSON.
pub(crate) async fn call(
    config: &SdkConfig,
    endpoint: Option<&str>,
    service: &str,
    target: &str,
    body: &Value,
) -> Result<Value, Failure> {
    let own = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    let answer = ask(config, endpoint, service, &own, body.to_string().into_bytes()).await?;
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| Failure { is_final: true, why: format!("{service} answered with no JSON: {error}") })
}

/// The id of the account that the credentials belong to. Source: AWS Security Token Service API Reference,
/// GetCallerIdentity.
///
/// # Errors
/// Why nobody says.
pub(crate) async fn account(config: &SdkConfig, endpoint: Option<&str>) -> Result<String, Failure> {
    let own = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
    let answer = ask(config, endpoint, "sts", &own, body).await?;
    let text = answer.text();
    let is_id = |id: &&str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    between(&text, "Account").filter(is_id).map(str::to_owned).ok_or_else(|| {
        let why = "the service for identities (sts) did not say which account this is".to_owned();
        Failure { is_final: true, why }
    })
}

async fn ask(
    config: &SdkConfig,
    endpoint: Option<&str>,
    service: &str,
    own: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let url = match endpoint {
        Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
        None => format!("https://{service}.{region}.{}/", super::domain(&region)),
    };
    let at = SystemTime::now();
    let credentials = Keys::of(config).at(at).await?;
    let purpose = Purpose { credentials: &credentials, region: &region, service, at };
    let mut headers = headers(&purpose, Signable { method: "POST", url: &url, headers: own }, &body)?;
    headers.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let answer = Http::new().send(&Request { method: Method::POST, url, headers, body }).await?;
    if answer.is_success() { Ok(answer) } else { Err(answer.failure()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::testing::{ACCOUNT, Cloud, config};
    use crate::export::testing::{MiniStack, without};

    #[tokio::test]
    async fn calls_are_signed_and_their_answers_read() {
        let cloud = Cloud::start().await;
        let config = config(&cloud.endpoint).await;
        assert_eq!(account(&config, Some(&cloud.endpoint)).await.unwrap(), ACCOUNT);
        // What the stand-in says: the target that it saw, and the body.
        let asked = json!({ "logGroupName": "/aws/lambda/doorbuster-agent" });
        let told =
            call(&config, Some(&cloud.endpoint), "logs", "Logs_20140328.FilterLogEvents", &asked).await;
        assert_eq!(told.unwrap(), json!({ "target": "Logs_20140328.FilterLogEvents", "asked": asked }));
        cloud.refuse("POST /", &[400]);
        let refused = call(&config, Some(&cloud.endpoint), "logs", "Logs_20140328.X", &asked).await;
        assert_eq!(refused.unwrap_err().why, "AccessDenied: not here (status 400)");
    }

    #[tokio::test]
    async fn ministack_says_whose_account_it_is() {
        if without("ministack") {
            return;
        }
        let stack = MiniStack::start();
        let config = config(&stack.endpoint()).await;
        let account = account(&config, Some(&stack.endpoint())).await.unwrap();
        assert!(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()), "{account}");
        let groups = json!({ "logGroupNamePrefix": "/aws/lambda/nobody" });
        let target = "Logs_20140328.DescribeLogGroups";
        let told = call(&config, Some(&stack.endpoint()), "logs", target, &groups).await.unwrap();
        assert_eq!(told["logGroups"], json!([]));
    }
}
