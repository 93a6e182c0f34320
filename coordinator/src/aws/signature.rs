//! Signatures of single requests: AWS Signature Version 4, in headers or in an address that whoever has it may use.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use aws_sdk_lambda::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningInstructions, SigningParams, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use url::Url;

use super::Failure;

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose<'a> {
    /// Who signs.
    pub(super) credentials: &'a Credentials,
    /// In which region.
    pub(super) region: &'a str,
    /// The service's name in signatures: `s3`.
    pub(super) service: &'a str,
    /// When.
    pub(super) at: SystemTime,
}

/// What is signed of a request. All its `headers` are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signable<'a> {
    /// `GET`, `PUT` …
    pub(super) method: &'a str,
    /// Where to, percent-encoded.
    pub(super) url: &'a str,
    /// Names in lower case, and values.
    pub(super) headers: &'a [(&'a str, &'a str)],
}

/// The headers that a request with this body needs beside its own.
///
/// # Errors
/// An address, or a header, that cannot be.
pub(super) fn headers(
    purpose: &Purpose<'_>,
    request: Signable<'_>,
    body: &[u8],
) -> Result<Vec<(String, String)>, Failure> {
    let signed = signed(purpose, settings(purpose.service), request, SignableBody::Bytes(body))?;
    Ok(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The address by which whoever has it may send a request with these headers, and any body, until `good_for` is over.
///
/// # Errors
/// As [`headers`].
pub(super) fn presigned(
    purpose: &Purpose<'_>,
    request: Signable<'_>,
    good_for: Duration,
) -> Result<String, Failure> {
    let mut settings = settings(purpose.service);
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(good_for);
    let signed = signed(purpose, settings, request, SignableBody::UnsignedPayload)?;
    let mut addressed = http::Request::builder().uri(request.url).body(()).map_err(|why| failed(&why))?;
    signed.apply_to_request_http1x(&mut addressed);
    Ok(addressed.uri().to_string())
}

/// How a service wants its requests signed. Source: AWS, "Create a signed AWS API request" (IAM User Guide): S3 takes paths
/// as they are sent, and asks for the body's hash in a header; all others encode paths once more.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

fn signed(
    purpose: &Purpose<'_>,
    settings: SigningSettings,
    request: Signable<'_>,
    body: SignableBody<'_>,
) -> Result<SigningInstructions, Failure> {
    if !Url::parse(request.url).is_ok_and(|url| url.has_host()) {
        let why = format!("\"{}\" is no address of a service, such as http://127.0.0.1:4566", request.url);
        return Err(Failure { is_final: true, why });
    }
    let identity = purpose.credentials.clone().into();
    let params: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region(purpose.region)
        .name(purpose.service)
        .time(purpose.at)
        .settings(settings)
        .build()
        .map_err(|why| failed(&why))?
        .into();
    let headers = request.headers.iter().copied();
    let request =
        SignableRequest::new(request.method, request.url, headers, body).map_err(|why| failed(&why))?;
    Ok(sign(request, &params).map_err(|why| failed(&why))?.into_parts().0)
}

/// What cannot be signed now can never be.
fn failed(why: &dyn Display) -> Failure {
    Failure { is_final: true, why: format!("the request cannot be signed: {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: u64 = 86_400;
    /// 2013-05-24T00:00:00Z, the time of the examples of Amazon S3.
    const EXAMPLES_S: u64 = 15_849 * DAY_S;
    /// 2015-08-30T12:36:00Z, the time of AWS's test suite.
    const SUITE_S: u64 = 16_677 * DAY_S + 45_360;
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn purpose<'a>(credentials: &'a Credentials, service: &'a str, at_s: u64) -> Purpose<'a> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at_s);
        Purpose { credentials, region: "us-east-1", service, at }
    }

    fn examples() -> Credentials {
        Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET, None, None, "tests")
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
        &headers.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header", its four examples save the
    /// one about a lifecycle.
    #[test]
    fn requests_to_s3_are_signed_as_published() {
        let credentials = examples();
        let purpose = purpose(&credentials, "s3", EXAMPLES_S);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (method, path, own, body, hash, expected) in [
            (
                "GET",
                "/test.txt",
                &[("range", "bytes=0-9")][..],
                "",
                empty,
                "host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test%24file.text",
                &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                "Welcome to Amazon S3.",
                "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
                "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                "GET",
                "/?max-keys=2&prefix=J",
                &[],
                "",
                empty,
                "host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let url = format!("https://examplebucket.s3.amazonaws.com{path}");
            let signed = headers(&purpose, Signable { method, url: &url, headers: own }, body.as_bytes());
            let signed = signed.unwrap();
            let credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
            assert_eq!(
                value(&signed, "authorization"),
                format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={expected}")
            );
            assert_eq!(value(&signed, "x-amz-date"), "20130524T000000Z");
            assert_eq!(value(&signed, "x-amz-content-sha256"), hash);
        }
    }

    /// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", its example; and the same
    /// computation, by another program, for a header that is signed with it.
    #[test]
    fn addresses_are_signed_as_published() {
        let credentials = examples();
        let purpose = purpose(&credentials, "s3", EXAMPLES_S);
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let request = Signable { method: "GET", url, headers: &[] };
        let credential = "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request";
        let begin = format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}");
        assert_eq!(
            presigned(&purpose, request, Duration::from_secs(86_400)).unwrap(),
            format!(
                "{url}?{begin}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            )
        );
        let url = "https://examplebucket.s3.amazonaws.com/runs/r/claim-a";
        let request = Signable { method: "PUT", url, headers: &[("if-none-match", "*")] };
        assert_eq!(
            presigned(&purpose, request, Duration::from_secs(900)).unwrap(),
            format!(
                "{url}?{begin}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host%3Bif-none-match&X-Amz-Signature=3dce99dd6ff6d5c079b26ac9a78607dd850bebd8517fd87267ade2764c54ea66"
            )
        );
    }

    /// Source: AWS Signature Version 4 Test Suite, `post-vanilla` and `post-sts-header-before`.
    #[test]
    fn requests_to_other_services_are_signed_as_published() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfp\
                     SPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQ\
                     DYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+sc\
                     qKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        for (token, expected) in [
            (
                None,
                "host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Some(token),
                "host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
        ] {
            let credentials =
                Credentials::new("AKIDEXAMPLE", secret, token.map(str::to_owned), None, "tests");
            let url = "https://example.amazonaws.com/";
            let request = Signable { method: "POST", url, headers: &[] };
            let signed = headers(&purpose(&credentials, "service", SUITE_S), request, b"").unwrap();
            let credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
            assert_eq!(
                value(&signed, "authorization"),
                format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={expected}")
            );
            assert_eq!(signed.iter().any(|(name, _)| name == "x-amz-security-token"), token.is_some());
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let credentials = examples();
        for url in ["localhost:4566/bucket/key", "/bucket/key", "", "mailto:ann@example.com"] {
            let request = Signable { method: "GET", url, headers: &[] };
            let failure = headers(&purpose(&credentials, "s3", 0), request, b"").unwrap_err();
            assert!(failure.is_final && failure.why.contains("no address of a service"), "{failure:?}");
        }
    }
}
