//! AWS Signature Version 4 of a POST without a query.
//!
//! Source: AWS, "Create a signed AWS API request" (IAM User Guide). The tests hold it against AWS's own test suite.

use super::credentials::Credentials;
use super::hmac::{hex, hmac_sha256, sha256_hex};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose<'a> {
    /// The AWS region.
    pub(super) region: &'a str,
    /// The service's name in signatures: `sns`.
    pub(super) service: &'a str,
    /// When: `20150830T123600Z`.
    pub(super) at: &'a str,
}

/// The value of `Authorization` for a POST to `path`. `headers` are all that is signed, by their names in lower case;
/// `host` and `x-amz-date` must be among them.
pub(super) fn authorization(
    credentials: &Credentials,
    purpose: Purpose<'_>,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let Purpose { region, service, at } = purpose;
    let day = at.get(..8).unwrap_or(at);
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let (request, signed) = canonical(path, headers, body);
    let to_sign = format!("{ALGORITHM}\n{at}\n{scope}\n{}", sha256_hex(request.as_bytes()));
    let secret = format!("AWS4{}", credentials.secret_access_key.reveal());
    let key = [day, region, service, "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()).as_ref().to_vec());
    let signature = hex(hmac_sha256(&key, to_sign.as_bytes()).as_ref());
    let who = &credentials.access_key_id;
    format!("{ALGORITHM} Credential={who}/{scope}, SignedHeaders={signed}, Signature={signature}")
}

/// The request in the one form that both sides compute, and the names of the headers in it.
fn canonical(path: &str, headers: &[(&str, &str)], body: &[u8]) -> (String, String) {
    let mut headers = headers.to_vec();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines = headers.iter().map(|(name, value)| {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        format!("{name}:{}\n", words.join(" "))
    });
    let lines: String = lines.collect();
    (format!("POST\n{path}\n\n{lines}\n{names}\n{}", sha256_hex(body)), names)
}

#[cfg(test)]
mod tests {
    use super::super::secret::Secret;
    use super::*;

    /// The credentials and the time of AWS's test suite.
    fn signed(headers: &[(&str, &str)], body: &[u8]) -> String {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        };
        let purpose = Purpose { region: "us-east-1", service: "service", at: "20150830T123600Z" };
        authorization(&credentials, purpose, "/", headers, body)
    }

    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");

    fn expected(headers: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={headers}, Signature={signature}"
        )
    }

    /// Source: AWS Signature Version 4 Test Suite, `post-vanilla`.
    #[test]
    fn a_plain_post_is_signed_as_published() {
        let signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        assert_eq!(signed(&[HOST, DATE], b""), expected("host;x-amz-date", signature));
        // Order and spaces make no difference.
        let spaced = ("host", "  example.amazonaws.com ");
        assert_eq!(signed(&[DATE, spaced], b""), expected("host;x-amz-date", signature));
    }

    /// Source: the same, `post-x-www-form-urlencoded` and `post-x-www-form-urlencoded-parameters`.
    #[test]
    fn a_form_is_signed_as_published() {
        for (kind, signature) in [
            (
                "application/x-www-form-urlencoded",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                "application/x-www-form-urlencoded; charset=utf8",
                "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
            ),
        ] {
            let authorization = signed(&[("content-type", kind), HOST, DATE], b"Param1=value1");
            assert_eq!(authorization, expected("content-type;host;x-amz-date", signature));
        }
    }

    /// Source: the same, `post-sts-header-before`.
    #[test]
    fn a_session_s_token_is_signed_as_published() {
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfp\
                     SPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQ\
                     DYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+sc\
                     qKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        let signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
        let authorization = signed(&[HOST, DATE, ("x-amz-security-token", token)], b"");
        assert_eq!(authorization, expected("host;x-amz-date;x-amz-security-token", signature));
    }
}
