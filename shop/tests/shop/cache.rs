use std::time::Duration;

use crate::client::{Client, open};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};

const BROTLI: [(&str, &str); 1] = [("accept-encoding", "gzip, br")];

#[tokio::test]
async fn a_miss_becomes_a_hit_that_ages() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let miss = client.get("/p/1").await;
    assert_eq!((miss.status, miss.x_cache(), miss.age()), (200, "Miss", None));
    let hit = client.get("/p/1").await;
    assert_eq!((hit.status, hit.x_cache(), hit.age()), (200, "Hit", Some(0)));
    assert_eq!(miss.body, hit.body);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(client.get("/p/1").await.age(), Some(1));

    for answer in [&miss, &hit] {
        assert_eq!(answer.header("x-amz-cf-pop"), Some("NRT57-P1"));
        assert!(answer.header("via").unwrap().ends_with(".cloudfront.net (CloudFront)"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("set-cookie"), None);
        assert!(answer.header("date").is_some() && answer.header("x-amz-cf-id").is_some());
    }
    assert_ne!(miss.header("x-amz-cf-id"), hit.header("x-amz-cf-id"));
    let timing = |answer: &crate::client::Answer| answer.header("server-timing").unwrap().to_owned();
    assert!(timing(&miss).contains("cdn-cache-miss") && timing(&miss).contains("cdn-upstream-fbl;dur="));
    assert!(timing(&hit).contains("cdn-cache-hit") && timing(&hit).contains("cdn-hit-layer;desc=\"EDGE\""));
    assert!(timing(&hit).contains("cdn-pop;desc=\"NRT57-P1\"") && !timing(&hit).contains("cdn-upstream"));
}

#[tokio::test]
async fn every_region_has_its_own_cache() {
    let shop = open(|_| {});
    for (region, pop) in ["NRT57-P1", "LHR50-P2", "JFK50-P4"].into_iter().enumerate() {
        let mut client = Client::of(&shop, region).await;
        let first = client.get("/").await;
        assert_eq!((first.x_cache(), first.header("x-amz-cf-pop")), ("Miss", Some(pop)));
        assert_eq!(client.get("/").await.x_cache(), "Hit");
    }
}

#[tokio::test]
async fn the_key_is_host_path_and_what_pages_differ_by_but_the_path_alone_for_assets() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let style = client.get("/").await.between("rel=\"stylesheet\" href=\"", "\"");
    let mut x_cache = async |path: &str| client.get(path).await.x_cache().to_owned();
    assert_eq!(x_cache("/search?q=tent").await, "Miss");
    assert_eq!(x_cache("/search?q=lamp").await, "Miss");
    assert_eq!(x_cache("/search?q=tent").await, "Hit");
    assert_eq!(
        x_cache("/search?utm_source=news&q=tent").await,
        "Hit",
        "what follows visits is not in the key"
    );
    assert_eq!(x_cache("/c/tents?page=2&q=a").await, "Miss");
    assert_eq!(x_cache("/c/tents?q=a&page=2").await, "Hit", "nor is the order");
    assert_eq!(x_cache(&format!("{style}?v=1")).await, "Miss");
    assert_eq!(x_cache(&format!("{style}?v=2")).await, "Hit");
    client.host = "other".to_owned();
    assert_eq!(client.get("/search?q=tent").await.x_cache(), "Miss");
    assert_eq!(client.get(&style).await.x_cache(), "Hit");
}

#[tokio::test]
async fn concurrent_misses_collapse_into_one() {
    let shop = open(|options| options.regions[0].origin_rtt = Duration::from_millis(100));
    let mut viewers = Vec::new();
    for _ in 0..8 {
        let mut client = Client::of(&shop, 0).await;
        viewers.push(tokio::spawn(async move { client.get("/p/1").await }));
    }
    let mut answers = Vec::new();
    for viewer in viewers {
        answers.push(viewer.await.unwrap());
    }
    let count = |word| answers.iter().filter(|answer| answer.x_cache() == word).count();
    assert_eq!((count("Miss"), count("Hit")), (1, 7));
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
}

#[tokio::test]
async fn a_fetch_outlives_the_viewer_that_began_it() {
    let shop = open(|options| options.regions[0].origin_rtt = Duration::from_millis(100));
    let mut first = Client::of(&shop, 0).await;
    let mut second = Client::of(&shop, 0).await;
    let left = tokio::time::timeout(Duration::from_millis(40), first.get("/p/1")).await;
    assert!(left.is_err());
    drop(first);
    let answer = second.get("/p/1").await;
    assert_eq!((answer.status, answer.x_cache()), (200, "Hit"));
}

#[tokio::test]
async fn what_expired_is_revalidated() {
    let shop = open(|_| {});
    shop.set_fault("short-ttl=80ms".parse().unwrap());
    let mut client = Client::of(&shop, 0).await;
    let miss = client.get_with("/p/1", &BROTLI).await;
    assert_eq!(miss.header("cache-control"), Some("public, max-age=1"), "viewers are told");
    assert_eq!(client.get_with("/p/1", &BROTLI).await.x_cache(), "Hit");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refreshed = client.get_with("/p/1", &BROTLI).await;
    assert_eq!((refreshed.status, refreshed.x_cache(), refreshed.age()), (200, "RefreshHit", None));
    assert_eq!(refreshed.body, miss.body);
    assert!(refreshed.header("server-timing").unwrap().contains("cdn-cache-refresh"));
    assert_eq!(client.get_with("/p/1", &BROTLI).await.x_cache(), "Hit");
}

#[tokio::test]
async fn what_changed_is_fetched_again() {
    let shop = open(|options| options.stock = 1);
    shop.set_fault("short-ttl=0ms".parse().unwrap());
    let mut client = Client::of(&shop, 0).await;
    assert_eq!(client.get("/p/1").await.x_cache(), "Miss");
    assert_eq!(client.get("/p/1").await.x_cache(), "RefreshHit");
    client.post("/cart/add", "product=1&quantity=1").await;
    let csrf = client.get("/checkout/address").await.csrf();
    for (step, form) in [
        ("address", "name=A&email=a&street=S&city=C&postcode=1&country=X"),
        ("delivery", "delivery=standard"),
        ("payment", "card=123456789012"),
    ] {
        assert_eq!(
            client.post(&format!("/checkout/{step}"), &format!("csrf={csrf}&{form}")).await.status,
            303
        );
    }
    let changed = client.get("/p/1").await;
    assert_eq!(changed.x_cache(), "Miss");
    assert!(changed.text().contains("Sold out"));
}

#[tokio::test]
async fn compression_changes_the_bytes_and_not_the_content() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let home = client.get("/").await;
    let mut paths = home.all_between("=\"/static/", "\"");
    paths.iter_mut().for_each(|path| path.insert_str(0, "/static/"));
    paths.extend(["/".to_owned(), "/c/tents".to_owned(), "/nowhere".to_owned()]);
    for path in &paths {
        let plain = client.get(path).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        for (accepted, encoding) in [("gzip, deflate, br", "br"), ("gzip", "gzip")] {
            let packed = client.get_with(path, &[("accept-encoding", accepted)]).await;
            assert_eq!(packed.decoded(), plain.body, "{path}");
            if plain.body.len() < 1_000 || path.ends_with(".png") {
                let told = (packed.header("content-encoding"), packed.header("vary"));
                assert_eq!(told, (None, None), "{path} is too small, or no text");
                continue;
            }
            assert_eq!(packed.header("content-encoding"), Some(encoding), "{path}");
            assert_eq!(packed.header("vary"), Some("Accept-Encoding"), "{path}");
            assert!(packed.body.len() < plain.body.len(), "{path}");
            assert_eq!(packed.header("content-length"), Some(packed.body.len().to_string().as_str()));
            if let Some(strong) = plain.header("etag") {
                assert_eq!(packed.header("etag"), Some(format!("W/{strong}").as_str()), "{path}");
            }
        }
    }
    assert!(paths.iter().any(|path| path.ends_with("logo.svg")), "one asset is below 1,000 bytes");
    assert!(paths.iter().any(|path| path.ends_with("hero.png")), "one asset is no text");
    let personal = client.get_with("/api/products", &BROTLI).await;
    assert!(personal.body.len() > 1_000);
    assert_eq!(personal.header("content-encoding"), None, "what is not kept is not compressed");
}

#[tokio::test]
async fn a_viewer_that_has_the_page_is_told_so() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let page = client.get_with("/p/1", &BROTLI).await;
    let etag = page.header("etag").unwrap().to_owned();
    assert!(etag.starts_with("W/\""));
    let same = client.get_with("/p/1", &[("if-none-match", &etag), BROTLI[0]]).await;
    assert_eq!((same.status, same.body.len(), same.x_cache()), (304, 0, "Hit"));
    assert_eq!((same.header("etag"), same.header("content-length")), (Some(etag.as_str()), None));
    assert_eq!(client.get_with("/p/1", &[("if-none-match", "\"other\"")]).await.status, 200);
}

#[tokio::test]
async fn a_part_of_what_is_kept_can_be_had() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let style = client.get("/").await.between("rel=\"stylesheet\" href=\"", "\"");
    let whole = client.get(&style).await;
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let range = [("range", "bytes=10-"), BROTLI[0]];
    for path in [style.as_str(), "/p/1"] {
        let whole = client.get(path).await;
        let part = client.get_with(path, &range).await;
        assert_eq!((part.status, part.x_cache()), (206, "Hit"), "{path}");
        assert_eq!(&part.body[..], &whole.body[10..], "{path}");
        let told = format!("bytes 10-{}/{}", whole.body.len() - 1, whole.body.len());
        assert_eq!(part.header("content-range"), Some(told.as_str()), "{path}");
        assert_eq!(part.header("etag"), whole.header("etag"), "{path}");
    }
    let beyond = client.get_with(&style, &[("range", "bytes=99999-")]).await;
    assert_eq!((beyond.status, beyond.body.len()), (416, 0));
    assert_eq!((beyond.x_cache(), beyond.age()), ("Error", None));
    assert_eq!(client.get_with("/cart", &range).await.status, 200, "what is private comes as a whole");
}

#[tokio::test]
async fn a_head_has_the_headers_of_a_get_and_no_body() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    for path in ["/p/1", "/cart"] {
        let get = client.get(path).await;
        let head = client.send(Method::HEAD, path, &[], "").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
}

#[tokio::test]
async fn errors_are_kept_for_a_while_and_told_as_errors() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let first = client.get("/nowhere").await;
    assert_eq!((first.status, first.x_cache(), first.age()), (404, "Error", None));
    let second = client.get("/nowhere").await;
    assert_eq!((second.status, second.x_cache(), second.age()), (404, "Error", Some(0)));
}

#[tokio::test]
async fn private_pages_are_never_shared() {
    let shop = open(|_| {});
    let (mut one, mut other) = (Client::of(&shop, 0).await, Client::of(&shop, 0).await);
    one.post("/cart/add", "product=7&quantity=2").await;
    for _ in 0..2 {
        for path in ["/cart", "/api/cart", "/checkout/address", "/healthz"] {
            let answer = one.get(path).await;
            assert_eq!((answer.status, answer.x_cache(), answer.age()), (200, "Miss", None), "{path}");
            assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{path}");
            assert!(answer.cookie("AWSALB").is_some(), "{path}");
        }
    }
    assert_eq!(other.get("/cart").await.between("id=\"cart-count\">", "<"), "0");
    assert_eq!(other.get("/api/cart").await.json()["count"], 0);
    assert_eq!(other.get("/checkout/address").await.status, 303);
}

#[tokio::test]
async fn distances_are_added_where_they_lie() {
    let shop = open(|options| {
        options.regions[0].rtt = Duration::from_millis(30);
        options.regions[0].origin_rtt = Duration::from_millis(300);
    });
    let mut client = Client::of(&shop, 0).await;
    let mut took_ms = async |path: &str| {
        let started = std::time::Instant::now();
        client.get(path).await;
        started.elapsed().as_millis()
    };
    assert!(took_ms("/p/1").await >= 330, "a miss travels to the origin");
    let hit_ms = took_ms("/p/1").await;
    assert!((30..330).contains(&hit_ms), "a hit travels to the edge: {hit_ms} ms");
    assert!(took_ms("/cart").await >= 330, "what is private travels to the origin");
}

#[tokio::test]
async fn http_2_is_served_on_the_same_port() {
    let shop = open(|_| {});
    let address = shop.edges()[0].address;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut connection, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let request = |method| {
        let request = Request::builder().method(method).uri(format!("http://{address}/p/1"));
        request.body(Full::new(Bytes::new())).unwrap()
    };
    let get = connection.send_request(request(Method::GET)).await.unwrap();
    assert_eq!((get.status().as_u16(), get.version()), (200, http::Version::HTTP_2));
    let body = get.into_body().collect().await.unwrap().to_bytes();
    let head = connection.send_request(request(Method::HEAD)).await.unwrap();
    assert_eq!(head.headers()["content-length"], body.len().to_string());
    assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    // The host is part of the key, and it is the same in both versions.
    assert_eq!(Client::of(&shop, 0).await.get("/p/1").await.x_cache(), "Hit");
}
