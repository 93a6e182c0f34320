//! What the edge promises, and keeps while nothing is broken: here is whole what [`crate::contract`] breaks.

use crate::client::{Client, open};
use http::Method;

const BROTLI: (&str, &str) = ("accept-encoding", "gzip, br");
const SECONDS_OF_A_PAGE: u64 = 300;

/// Pages of each kind, and all files that two of them name.
async fn what_is_for_everybody(client: &mut Client) -> Vec<String> {
    let pages = ["/", "/c/tents", "/search?q=tent", "/p/1"];
    let mut paths: Vec<String> = pages.iter().map(|page| (*page).to_owned()).collect();
    for page in ["/", "/p/1"] {
        let files = client.get(page).await.all_between("=\"/static/", "\"");
        paths.extend(files.iter().map(|file| format!("/static/{file}")));
    }
    paths
}

#[tokio::test]
async fn what_is_for_everybody_is_kept_once_and_told_alike() {
    let shop = open(|options| options.products = 30);
    let mut client = Client::of(&shop, 0).await;
    client.post("/cart/add", "product=1&quantity=1").await;
    assert!(client.sid.is_some(), "whose cookies must not matter");
    let paths = what_is_for_everybody(&mut client).await;
    assert!(paths.len() > 8, "{paths:?}");
    for path in &paths {
        client.get_with(path, &[BROTLI]).await;
        let kept = client.get_with(path, &[BROTLI]).await;
        assert_eq!((kept.status, kept.x_cache()), (200, "Hit"), "{path}");
        assert!(kept.age().is_some_and(|age_s| age_s < SECONDS_OF_A_PAGE), "{path}");
        let is_file = path.starts_with("/static/");
        let lifetime = if is_file { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
        assert_eq!(kept.header("cache-control"), Some(lifetime), "{path}");
        assert_eq!(kept.header("set-cookie"), None, "{path}");

        let is_packed = kept.header("content-encoding").is_some();
        let is_picture = path.ends_with(".png");
        let is_large = kept.decoded().len() >= 1_000;
        assert_eq!(is_packed, is_large && !is_picture, "{path}");
        assert_eq!(kept.header("vary"), is_packed.then_some("Accept-Encoding"), "{path}");
        let etag = kept.header("etag").unwrap();
        assert_eq!(etag.starts_with("W/\""), is_packed, "{path}: {etag}");

        let same = client.get_with(path, &[BROTLI, ("if-none-match", etag)]).await;
        assert_eq!((same.status, same.header("etag"), same.body.len()), (304, Some(etag), 0), "{path}");
        assert_eq!(same.header("cache-control"), Some(lifetime), "{path}");

        let head = client.send(Method::HEAD, path, &[BROTLI], "").await;
        for name in ["content-type", "content-length", "content-encoding", "etag", "cache-control", "vary"] {
            assert_eq!(head.header(name), kept.header(name), "{path}: {name}");
        }

        let whole = client.get(path).await.body;
        let part = client.get_with(path, &[("range", "bytes=1-4")]).await;
        assert_eq!((part.status, &part.body[..]), (206, &whole[1..5]), "{path}");

        let mark = if path.contains('?') { '&' } else { '?' };
        let tracked = format!("{path}{mark}utm_source=news&gclid=1");
        let same = client.get_with(&tracked, &[BROTLI]).await;
        assert_eq!(same.x_cache(), "Hit", "{tracked}");
        assert_eq!(same.body, kept.body, "{tracked}");
    }
}

#[tokio::test]
async fn what_is_private_is_kept_by_nobody() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    client.post("/cart/add", "product=1&quantity=1").await;
    for path in ["/cart", "/api/cart", "/api/products", "/checkout/address", "/healthz"] {
        let own = client.get(path).await.cookie("AWSALB").unwrap();
        let cookies = format!("AWSALB={own}");
        for _ in 0..3 {
            let answer = client.get_with(path, &[BROTLI, ("cookie", &cookies)]).await;
            assert_eq!((answer.x_cache(), answer.age()), ("Miss", None), "{path}");
            assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{path}");
            assert_eq!(answer.header("etag"), None, "{path}");
            assert_eq!(
                answer.cookie("AWSALB").as_ref(),
                Some(&own),
                "{path}: the viewer sticks to its target"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_kept_for_seconds() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    for path in ["/nowhere", "/p/0", "/static/0/style.css"] {
        client.get(path).await;
        let kept = client.get(path).await;
        assert_eq!((kept.status, kept.x_cache()), (404, "Error"), "{path}");
        assert!(kept.age().is_some_and(|age_s| age_s < 10), "{path}");
        assert_eq!(kept.header("cache-control"), Some("public, max-age=10"), "{path}");
        assert_eq!((kept.header("set-cookie"), kept.header("etag")), (None, None), "{path}");
    }
}
