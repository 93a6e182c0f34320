//! A topic of Amazon SNS: Publish, by the Query API.

use jiff::Timestamp;
use serde_json::json;
use url::Url;
use url::form_urlencoded::Serializer;

use super::answer::NotDelivered;
use super::client::Request;
use super::credentials::Credentials;
use super::document::Document;
use super::message::Message;
use super::signature::{Purpose, authorization};
use super::token::token;
use crate::tell::plain;

/// The longest subject. Source: Amazon SNS API Reference, Publish.
const SUBJECT_CHARS_MAX: usize = 100;
/// The longest group and deduplication id. Source: the same.
const ID_BYTES_MAX: usize = 128;
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[derive(Clone, Debug)]
pub(super) struct Sns {
    topic_arn: String,
    region: String,
    endpoint: Url,
}

impl Sns {
    /// The topic, behind AWS's own endpoint or another one, which has no path.
    pub(super) fn new(topic_arn: &str, region: &str, endpoint: Option<&Url>) -> Result<Self, String> {
        let own = || {
            let suffix =
                if topic_arn.starts_with("arn:aws-cn:") { "amazonaws.com.cn" } else { "amazonaws.com" };
            Url::parse(&format!("https://sns.{region}.{suffix}/")).map_err(|error| error.to_string())
        };
        let endpoint = endpoint.cloned().map_or_else(own, Ok)?;
        Ok(Self { topic_arn: topic_arn.to_owned(), region: region.to_owned(), endpoint })
    }

    pub(super) fn request(
        &self,
        message: &Message<'_>,
        credentials: &Credentials,
    ) -> Result<Request, NotDelivered> {
        let mut request = Request::json(self.endpoint.clone(), &Document::of(message))?;
        request.body = self.form(message, &request.body);
        request.headers = self.headers(message.now_s, credentials, &request.body)?;
        request.secrets.push(credentials.secret_access_key.clone());
        request.secrets.extend(credentials.session_token.clone());
        request.is_passing = is_passing;
        Ok(request)
    }

    /// People get text, programs the JSON document.
    fn form(&self, message: &Message<'_>, document: &str) -> String {
        let texts = json!({
            "default": message.text(),
            "http": document,
            "https": document,
            "lambda": document,
            "sqs": document,
            "firehose": document,
        });
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", "Publish")
            .append_pair("Version", "2010-03-31")
            .append_pair("TopicArn", &self.topic_arn)
            .append_pair("Subject", &subject(&message.title()))
            .append_pair("MessageStructure", "json")
            .append_pair("Message", &texts.to_string());
        if self.topic_arn.ends_with(".fifo") {
            form.append_pair("MessageGroupId", &token(&message.thread(), ID_BYTES_MAX))
                .append_pair("MessageDeduplicationId", &token(&message.key(), ID_BYTES_MAX));
        }
        form.finish()
    }

    fn headers(
        &self,
        now_s: i64,
        credentials: &Credentials,
        body: &str,
    ) -> Result<Vec<(&'static str, String)>, NotDelivered> {
        let now = Timestamp::from_second(now_s).map_err(|error| NotDelivered::passing(error.to_string()))?;
        let at = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let host = self.endpoint.host_str().unwrap_or("");
        let host = self.endpoint.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut headers = vec![("content-type", FORM.to_owned()), ("x-amz-date", at.clone())];
        let token = credentials.session_token.as_ref();
        headers.extend(token.map(|token| ("x-amz-security-token", token.reveal().to_owned())));
        let mut signed: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // The client sends it by itself.
        signed.push(("host", &host));
        let purpose = Purpose { region: &self.region, service: "sns", at: &at };
        let authorization =
            authorization(credentials, purpose, self.endpoint.path(), &signed, body.as_bytes());
        headers.push(("authorization", authorization));
        Ok(headers)
    }
}

/// A subject as SNS takes it: ASCII on one line, beginning with a letter, and short.
fn subject(title: &str) -> String {
    let ascii = |c: char| if c.is_ascii() { c } else { '?' };
    plain(title).chars().map(ascii).take(SUBJECT_CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// Whether an error with 400 is one that a later attempt mends: AWS tells throttling and expired credentials so, too.
/// Source: Amazon SNS API Reference, "Common errors", and Publish.
fn is_passing(body: &str) -> bool {
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.is_some_and(|(code, _)| {
        let code = code.trim();
        code.contains("Throttl")
            || matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired")
    })
}
