//! A bucket of Amazon S3, as far as fleets need one: objects that fit memory, and addresses that others may use.
//!
//! Source: Amazon S3 API Reference. Requests are our own, because the SDK for S3 compiles longer than all the others here
//! together.

mod versions;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ring::digest::{SHA256, digest};

use super::Failure;
use super::http::{Answer, Http, Request, between, unescaped};
use super::keys::Keys;
use super::signature::{Purpose, Signable, headers, presigned};

const SERVICE: &str = "s3";
/// The most keys that one request removes. Source: Amazon S3 API Reference, DeleteObjects.
const REMOVED_MAX: usize = 1_000;
/// The most pages of a list, of 1,000 keys each.
const PAGES_MAX: usize = 1_000;

/// A bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    /// Its address, without a slash at the end.
    base: String,
    region: String,
    keys: Arc<Keys>,
    http: Http,
}

impl Bucket {
    /// The bucket of this name in the configuration's region; at `endpoint` where something stands in for AWS.
    pub(crate) fn new(config: &SdkConfig, endpoint: Option<&str>, name: &str) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let base = match endpoint {
            // What stands in for AWS seldom has a name for each bucket.
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.{}", super::domain(&region)),
        };
        Self { base, region, keys: Arc::new(Keys::of(config)), http: Http::new() }
    }

    /// Writes an object.
    ///
    /// # Errors
    /// Why it is not there now, or not surely.
    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let answer = self.ask(Method::PUT, &format!("/{}", encoded(key, true)), &[], bytes).await?;
        done(&answer)
    }

    /// Reads an object; `None` where there is none.
    ///
    /// # Errors
    /// Why it cannot be read. Who may not list the bucket is refused what is not there.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.ask(Method::GET, &format!("/{}", encoded(key, true)), &[], Vec::new()).await?;
        match answer.status {
            404 if answer.code() == "NoSuchKey" => Ok(None),
            _ => done(&answer).map(|()| Some(answer.body)),
        }
    }

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// Why it may still be there.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Failure> {
        done(&self.ask(Method::DELETE, &format!("/{}", encoded(key, true)), &[], Vec::new()).await?)
    }

    /// Removes objects, if they are there, a thousand by a request.
    ///
    /// # Errors
    /// Why some of them may still be there.
    pub(crate) async fn delete_all(&self, keys: &[String]) -> Result<(), Failure> {
        for keys in keys.chunks(REMOVED_MAX) {
            let objects: String =
                keys.iter().map(|key| format!("<Object><Key>{}</Key></Object>", escaped(key))).collect();
            let body = format!("<Delete><Quiet>true</Quiet>{objects}</Delete>").into_bytes();
            let checksum = STANDARD.encode(digest(&SHA256, &body));
            let own = [("content-type", "application/xml"), ("x-amz-checksum-sha256", checksum.as_str())];
            let answer = self.ask(Method::POST, "/?delete", &own, body).await?;
            done(&answer)?;
            // The request went through, and still some of its objects may not have.
            if answer.text().contains("<Error>") {
                return Err(answer.failure());
            }
        }
        Ok(())
    }

    /// The keys that begin so, sorted.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub(crate) async fn keys(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let further =
                token.as_deref().map(|token| format!("&continuation-token={}", encoded(token, false)));
            let further = further.unwrap_or_default();
            let query = format!("/?list-type=2&prefix={}{further}", encoded(prefix, false));
            let answer = self.ask(Method::GET, &query, &[], Vec::new()).await?;
            done(&answer)?;
            let text = answer.text();
            let keys = text.split("<Key>").skip(1);
            found.extend(keys.filter_map(|key| key.split_once("</Key>")).map(|(key, _)| unescaped(key)));
            token = between(&text, "NextContinuationToken").map(unescaped);
            if token.is_none() {
                found.sort_unstable();
                return Ok(found);
            }
        }
        Err(Failure { is_final: true, why: format!("too many objects begin with \"{prefix}\" to list them") })
    }

    /// An address by which whoever has it may read an object while `good_for` lasts (at most 7 days, and no longer than the
    /// credentials that it is signed with).
    ///
    /// # Errors
    /// That it cannot be signed.
    pub(crate) async fn presigned_get(&self, key: &str, good_for: Duration) -> Result<String, Failure> {
        self.presigned("GET", key, &[], good_for).await
    }

    /// An address by which whoever has it may write an object that is not there yet, and only then: a PUT that says
    /// `if-none-match: *`, of which one succeeds, and every other is answered with 412 (or 409, while it goes on).
    ///
    /// # Errors
    /// That it cannot be signed.
    pub(crate) async fn presigned_claim(&self, key: &str, good_for: Duration) -> Result<String, Failure> {
        self.presigned("PUT", key, &[("if-none-match", "*")], good_for).await
    }

    /// Until when addresses that are signed now are good at most, whatever they were signed for: an address dies with the
    /// credentials that signed it. `None` where those do not end.
    ///
    /// # Errors
    /// There are no credentials.
    pub(crate) async fn signs_until(&self) -> Result<Option<SystemTime>, Failure> {
        Ok(self.keys.at(SystemTime::now()).await?.expiry())
    }

    async fn presigned(
        &self,
        method: &str,
        key: &str,
        headers: &[(&str, &str)],
        good_for: Duration,
    ) -> Result<String, Failure> {
        let at = SystemTime::now();
        let credentials = self.keys.at(at).await?;
        let url = format!("{}/{}", self.base, encoded(key, true));
        let purpose = Purpose { credentials: &credentials, region: &self.region, service: SERVICE, at };
        presigned(&purpose, Signable { method, url: &url, headers }, good_for)
    }

    /// Sends a signed request. `path` is encoded, and begins with a slash.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        own: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let at = SystemTime::now();
        let credentials = self.keys.at(at).await?;
        let url = format!("{}{path}", self.base);
        let purpose = Purpose { credentials: &credentials, region: &self.region, service: SERVICE, at };
        let signable = Signable { method: method.as_str(), url: &url, headers: own };
        let mut headers = headers(&purpose, signable, &body)?;
        headers.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.http.send(&Request { method, url, headers, body }).await
    }
}

fn done(answer: &Answer) -> Result<(), Failure> {
    if answer.is_success() { Ok(()) } else { Err(answer.failure()) }
}

/// A key or a value as it stands in an address: in a path slashes stay. Source: AWS, "Create a signed AWS API request" (IAM
/// User Guide), `UriEncode`.
fn encoded(text: &str, is_path: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || is_path && byte == b'/';
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(letter).collect()
}

/// A value as it stands in XML.
fn escaped(value: &str) -> String {
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")]
        .iter()
        .fold(value.to_owned(), |value, (letter, escape)| value.replace(letter, escape))
}

#[cfg(test)]
impl Bucket {
    /// Makes the bucket.
    pub(crate) async fn create(&self) -> Result<(), Failure> {
        let place = format!("<LocationConstraint>{}</LocationConstraint>", self.region);
        let body = format!("<CreateBucketConfiguration>{place}</CreateBucketConfiguration>");
        done(&self.ask(Method::PUT, "", &[], body.into_bytes()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Cloud, config, sent};
    use crate::export::testing::{MiniStack, without};

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn buckets_have_names_of_their_own_on_aws_and_paths_elsewhere() {
        let config = config("http://127.0.0.1:1").await;
        let at = |endpoint: Option<&str>| Bucket::new(&config, endpoint, "shop-1-eu-west-1");
        assert_eq!(at(None).base, "https://shop-1-eu-west-1.s3.eu-west-1.amazonaws.com");
        assert_eq!(at(Some("http://127.0.0.1:4566/")).base, "http://127.0.0.1:4566/shop-1-eu-west-1");
        let url = at(None).presigned_claim("runs/a b/ä", HOUR).await.unwrap();
        let begin = "https://shop-1-eu-west-1.s3.eu-west-1.amazonaws.com/runs/a%20b/%C3%A4?X-Amz-Algorithm=";
        assert!(url.starts_with(begin), "{url}");
        assert!(url.contains("&X-Amz-SignedHeaders=host%3Bif-none-match&"), "{url}");
    }

    /// What every bucket does, whoever stands in for AWS.
    async fn behaves(bucket: &Bucket) {
        assert_eq!(bucket.get("runs/r/board").await.unwrap(), None);
        bucket.put("runs/r/board", b"one".to_vec()).await.unwrap();
        bucket.put("runs/r/board", b"two".to_vec()).await.unwrap();
        bucket.put("runs/r/a b&c", vec![0, 255]).await.unwrap();
        bucket.put("runs/s/board", Vec::new()).await.unwrap();
        assert_eq!(bucket.get("runs/r/board").await.unwrap().unwrap(), b"two");
        assert_eq!(bucket.get("runs/r/a b&c").await.unwrap().unwrap(), [0, 255]);
        assert_eq!(bucket.get("runs/s/board").await.unwrap().unwrap(), b"");
        assert_eq!(bucket.keys("runs/r/").await.unwrap(), ["runs/r/a b&c", "runs/r/board"]);

        let url = bucket.presigned_get("runs/r/board", HOUR).await.unwrap();
        assert_eq!(sent(Method::GET, &url, &[], "").await, (200, b"two".to_vec()));

        bucket.delete("runs/s/board").await.unwrap();
        bucket.delete("runs/s/board").await.unwrap();
        assert_eq!(bucket.get("runs/s/board").await.unwrap(), None);
        bucket.delete_all(&bucket.keys("runs/r/").await.unwrap()).await.unwrap();
        assert!(bucket.keys("").await.unwrap().is_empty());
    }

    /// The first claim is taken, and no other.
    async fn claims(bucket: &Bucket) {
        let url = bucket.presigned_claim("runs/r/claim-1", HOUR).await.unwrap();
        let claim = [("if-none-match", "*")];
        assert_eq!(sent(Method::PUT, &url, &claim, "first").await.0, 200);
        assert_eq!(sent(Method::PUT, &url, &claim, "second").await.0, 412);
        assert_eq!(bucket.get("runs/r/claim-1").await.unwrap().unwrap(), b"first");
        bucket.delete("runs/r/claim-1").await.unwrap();
    }

    #[tokio::test]
    async fn objects_come_and_go() {
        let cloud = Cloud::start().await;
        let bucket = cloud.bucket().await;
        behaves(&bucket).await;
        claims(&bucket).await;
    }

    #[tokio::test]
    async fn long_lists_are_read_to_their_end() {
        let cloud = Cloud::start().await;
        let bucket = cloud.bucket().await;
        let keys: Vec<String> = (0..2_345).map(|number| format!("runs/r/{number:04}")).collect();
        for key in &keys {
            cloud.keep(key, b"x");
        }
        cloud.keep("other", b"x");
        assert_eq!(bucket.keys("runs/").await.unwrap(), keys);
        bucket.delete_all(&keys).await.unwrap();
        assert_eq!(bucket.keys("").await.unwrap(), ["other"]);
    }

    #[tokio::test]
    async fn what_is_refused_is_told_and_what_is_busy_is_tried_again() {
        let cloud = Cloud::start().await;
        let bucket = cloud.bucket().await;
        cloud.refuse("PUT /fleet/", &[503, 503]);
        bucket.put("a", b"1".to_vec()).await.unwrap();
        assert_eq!(cloud.asked("PUT /fleet/a"), 3);
        cloud.refuse("PUT /fleet/", &[403]);
        let failure = bucket.put("a", b"2".to_vec()).await.unwrap_err();
        assert_eq!(failure.why, "AccessDenied: not here (status 403)");
        assert_eq!(cloud.asked("PUT /fleet/a"), 4, "a refusal is an answer");
    }

    #[tokio::test]
    async fn a_bucket_of_ministack_behaves() {
        if without("ministack") {
            return;
        }
        let stack = MiniStack::start();
        let config = config(&stack.endpoint()).await;
        let bucket = Bucket::new(&config, Some(&stack.endpoint()), "doorbuster-tests");
        let missing = bucket.get("runs/r/board").await.unwrap_err();
        assert!(missing.why.starts_with("NoSuchBucket"), "{missing:?}");
        bucket.create().await.unwrap();
        behaves(&bucket).await;
        claims(&bucket).await;
    }
}
