//! Emptying a bucket: every object, and where somebody has turned versions on, every one of those.
//!
//! Source: Amazon S3 API Reference, ListObjectVersions and DeleteObjects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ring::digest::{SHA256, digest};

use super::{Bucket, done, escaped};
use crate::aws::Failure;
use crate::aws::http::{between, unescaped};

/// The most pages of a thousand that are removed.
const PAGES_MAX: usize = 10_000;

impl Bucket {
    /// Removes everything that is in it, and says how much that was.
    ///
    /// # Errors
    /// Why something may be left.
    pub(crate) async fn empty(&self) -> Result<usize, Failure> {
        let mut count = 0;
        for _ in 0..PAGES_MAX {
            let answer = self.ask(Method::GET, "/?versions", &[], Vec::new()).await?;
            done(&answer)?;
            let versions = versions(&answer.text());
            if versions.is_empty() {
                return Ok(count);
            }
            self.remove(&versions).await?;
            count += versions.len();
        }
        Err(Failure { is_final: true, why: format!("it still holds something after {count} objects") })
    }

    async fn remove(&self, versions: &[(String, String)]) -> Result<(), Failure> {
        let object = |(key, version): &(String, String)| {
            let (key, version) = (escaped(key), escaped(version));
            format!("<Object><Key>{key}</Key><VersionId>{version}</VersionId></Object>")
        };
        let objects: String = versions.iter().map(object).collect();
        let body = format!("<Delete><Quiet>true</Quiet>{objects}</Delete>").into_bytes();
        let checksum = STANDARD.encode(digest(&SHA256, &body));
        let own = [("content-type", "application/xml"), ("x-amz-checksum-sha256", checksum.as_str())];
        let answer = self.ask(Method::POST, "/?delete", &own, body).await?;
        done(&answer)?;
        if answer.text().contains("<Error>") { Err(answer.failure()) } else { Ok(()) }
    }
}

/// Keys and versions of a page; marks of deletion are versions, too.
fn versions(text: &str) -> Vec<(String, String)> {
    let entries = text.split("<Version>").skip(1).chain(text.split("<DeleteMarker>").skip(1));
    entries
        .filter_map(|entry| {
            Some((unescaped(between(entry, "Key")?), unescaped(between(entry, "VersionId")?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::config;
    use crate::export::testing::{MiniStack, without};

    #[test]
    fn versions_and_marks_are_found() {
        let text = "<ListVersionsResult><Name>b</Name>\
            <Version><Key>a&amp;b</Key><VersionId>1</VersionId></Version>\
            <DeleteMarker><Key>c</Key><VersionId>null</VersionId></DeleteMarker>\
            <Version><Key>a&amp;b</Key><VersionId>2</VersionId></Version></ListVersionsResult>";
        let mut found = versions(text);
        found.sort();
        let expected = [("a&b", "1"), ("a&b", "2"), ("c", "null")];
        assert_eq!(found, expected.map(|(key, version)| (key.to_owned(), version.to_owned())));
        assert!(versions("<ListVersionsResult></ListVersionsResult>").is_empty());
    }

    #[tokio::test]
    async fn a_bucket_is_emptied_with_all_its_versions() {
        if without("ministack") {
            return;
        }
        let stack = MiniStack::start();
        let config = config(&stack.endpoint()).await;
        let bucket = Bucket::new(&config, Some(&stack.endpoint()), "doorbuster-versions");
        bucket.create().await.unwrap();
        bucket.put("plain", b"x".to_vec()).await.unwrap();
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        done(&bucket.ask(Method::PUT, "/?versioning", &[], on.into()).await.unwrap()).unwrap();
        for number in 0..3 {
            bucket.put("often & again", vec![number]).await.unwrap();
        }
        bucket.delete("often & again").await.unwrap();
        assert_eq!(bucket.empty().await.unwrap(), 5, "the plain one, three versions and the mark");
        assert_eq!(bucket.empty().await.unwrap(), 0);
        done(&bucket.ask(Method::DELETE, "", &[], Vec::new()).await.unwrap()).unwrap();
    }
}
