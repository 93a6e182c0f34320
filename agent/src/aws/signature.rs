//! Objects that only this function may read: `s3://BUCKET/KEY`, fetched with the credentials that AWS gives it.
//!
//! Source: AWS, "Create a signed AWS API request" (IAM User Guide), for a GET from Amazon S3 without a query. What an
//! assignment names is signed already; this is for what stands in a schedule, and must be readable for years.

use std::env;

use http::{HeaderMap, HeaderValue};
use ring::{digest, hmac};
use url::Url;

use super::object::host;
use crate::Error;

const SCHEME: &str = "s3://";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What is signed, in this order.
const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";
const SIGNED_WITH_TOKEN: &str = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token";

/// Who asks, and where.
pub(super) struct Credentials {
    /// The id of the key.
    pub key_id: String,
    /// The key.
    pub secret: String,
    /// What shows that they are temporary.
    pub token: Option<String>,
    /// The AWS region of function and bucket.
    pub region: String,
}

impl Credentials {
    /// Those that AWS gives a function by its environment.
    pub(super) fn of_environment() -> Result<Self, Error> {
        let text = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        let needed = |name: &str| {
            let why = format!("the environment has no {name}, which AWS gives every function");
            text(name).ok_or(Error::Aws { what: "reading from S3", why })
        };
        Ok(Self {
            key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret: needed("AWS_SECRET_ACCESS_KEY")?,
            token: text("AWS_SESSION_TOKEN"),
            region: needed("AWS_REGION")?,
        })
    }
}

/// Whether an address is for who has credentials.
pub(super) fn is_private(address: &str) -> bool {
    address.starts_with(SCHEME)
}

/// What stands in for S3, by the variables that AWS's own tools read; one that is empty says nothing. Source: AWS SDKs and
/// Tools Reference Guide, "Service-specific endpoints".
pub(super) fn endpoint(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let given = |name: &str| variable(name).filter(|text| !text.is_empty());
    given("AWS_ENDPOINT_URL_S3").or_else(|| given("AWS_ENDPOINT_URL"))
}

/// Where `s3://BUCKET/KEY` is fetched: at AWS, or at `endpoint`, which stands for it.
pub(super) fn location(address: &str, region: &str, endpoint: Option<&str>) -> Result<Url, String> {
    let place = address.strip_prefix(SCHEME).and_then(|place| place.split_once('/'));
    let (bucket, key) = place
        .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        .ok_or_else(|| format!("\"{address}\" is not of the form s3://BUCKET/KEY"))?;
    let key = encoded(key);
    let text = match endpoint {
        Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
        None => format!("https://{bucket}.s3.{region}.amazonaws.com/{key}"),
    };
    Url::parse(&text).map_err(|why| format!("\"{text}\" is no address: {why}"))
}

/// A key as it stands in an address: S3 signs it encoded once.
fn encoded(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                text.push(byte.into())
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The headers that make a GET of `url` one of who has these credentials, at `unix_s` seconds since 1970.
pub(super) fn signed(credentials: &Credentials, url: &Url, unix_s: u64) -> Result<HeaderMap, Error> {
    let at = basic(unix_s);
    let day = at.get(..8).unwrap_or(&at);
    let scope = format!("{day}/{}/s3/aws4_request", credentials.region);
    let nothing = hex(digest::digest(&digest::SHA256, b"").as_ref());
    let token = credentials.token.as_ref();
    let names = if token.is_some() { SIGNED_WITH_TOKEN } else { SIGNED };
    let token_line = token.map(|token| format!("x-amz-security-token:{token}\n")).unwrap_or_default();
    let request = format!(
        "GET\n{}\n\nhost:{}\nx-amz-content-sha256:{nothing}\nx-amz-date:{at}\n{token_line}\n{names}\n{nothing}",
        url.path(),
        host(url),
    );
    let request = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
    let to_sign = format!("{ALGORITHM}\n{at}\n{scope}\n{request}");
    let secret = format!("AWS4{}", credentials.secret).into_bytes();
    let parts = [day, credentials.region.as_str(), "s3", "aws4_request"];
    let key = parts.iter().fold(secret, |key, part| authenticated(&key, part.as_bytes()));
    let signature = hex(&authenticated(&key, to_sign.as_bytes()));
    let id = &credentials.key_id;
    let authorization =
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    let mut headers = HeaderMap::new();
    let told = [("x-amz-content-sha256", Some(&nothing)), ("x-amz-date", Some(&at))];
    let told =
        told.into_iter().chain([("x-amz-security-token", token), ("authorization", Some(&authorization))]);
    for (name, text) in told.filter_map(|(name, text)| Some((name, text?))) {
        let mut value = HeaderValue::from_str(text).map_err(|_| Error::Aws {
            what: "reading from S3",
            why: "the function's credentials hold what no header may".to_owned(),
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn authenticated(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time as ISO 8601 has it in its basic form: `20150830T123600Z`.
fn basic(unix_s: u64) -> String {
    let (days, second) = (unix_s / 86_400, unix_s % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// The Gregorian date that is so many days after 1970-01-01. Years are counted from a first of March, so that the leap day is
/// a year's last.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    // From 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let (era, of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (DAYS_IN_400_YEARS - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // Months from March on have 153 days in each five.
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(token: Option<&str>) -> Credentials {
        Credentials {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: token.map(str::to_owned),
            region: "us-east-1".to_owned(),
        }
    }

    #[test]
    fn a_bucket_s_address_is_that_of_its_region() {
        let at = |text: &str, endpoint| location(text, "eu-west-2", endpoint).map(String::from);
        assert_eq!(
            at("s3://b-1/probes/a b.json", None).unwrap(),
            "https://b-1.s3.eu-west-2.amazonaws.com/probes/a%20b.json"
        );
        assert_eq!(at("s3://b/k", Some("http://127.0.0.1:4566/")).unwrap(), "http://127.0.0.1:4566/b/k");
        for wrong in ["s3://b", "s3:///k", "s3://b/", "https://b/k"] {
            assert!(at(wrong, None).unwrap_err().contains("s3://BUCKET/KEY"), "{wrong}");
        }
        assert!(is_private("s3://b/k") && !is_private("https://b/k"));
    }

    #[test]
    fn what_stands_in_for_s3_is_named_by_the_environment() {
        let of = |variables: &[(&str, &str)]| {
            endpoint(|name| {
                let given = variables.iter().find(|(known, _)| *known == name);
                given.map(|(_, text)| (*text).to_owned())
            })
        };
        let (any, s3) = (("AWS_ENDPOINT_URL", "http://any"), ("AWS_ENDPOINT_URL_S3", "http://s3"));
        assert_eq!(of(&[any, s3]).as_deref(), Some("http://s3"));
        assert_eq!(of(&[any]).as_deref(), Some("http://any"));
        assert_eq!(of(&[any, ("AWS_ENDPOINT_URL_S3", "")]).as_deref(), Some("http://any"));
        assert_eq!(of(&[("AWS_ENDPOINT_URL", "")]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (1_709_251_199, "20240229T235959Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ];
        for (unix_s, text) in cases {
            assert_eq!(basic(unix_s), text);
        }
    }

    #[test]
    fn signatures_are_those_that_aws_s_own_tools_make() {
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
        let cases = [
            (None, "df548e2ce037944d03f3e68682813b093763996d597cf890ca3d9037fd231eb4"),
            (Some("token/with+signs="), "845095cdb8b097d561a9b62fa3a45e7b437450d68f11846da7dc3d4deb8659fc"),
        ];
        for (token, signature) in cases {
            let headers = signed(&credentials(token), &url, 1_369_353_600).unwrap();
            let text = headers["authorization"].to_str().unwrap();
            assert!(text.ends_with(&format!("Signature={signature}")), "{text}");
            assert!(
                text.contains("Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"),
                "{text}"
            );
            assert_eq!(headers.contains_key("x-amz-security-token"), token.is_some());
        }
    }
}
