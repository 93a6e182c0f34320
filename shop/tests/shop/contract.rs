//! Faults by which an edge breaks its promises: each shows at once, where it is switched on and nowhere else.

use crate::client::{Answer, Client, open};
use doorbuster_shop::Shop;

const BROTLI: [(&str, &str); 1] = [("accept-encoding", "gzip, br")];

/// Switches a fault on in Tokyo, and off again. `shows` looks at a shop whose page `/p/1` may be kept already.
async fn in_its_region(fault: &str, shows: impl AsyncFn(&mut Client) -> bool) {
    let shop = open(|_| {});
    let (mut tokyo, mut london) = (Client::of(&shop, 0).await, Client::of(&shop, 1).await);
    assert!(!shows(&mut tokyo).await, "{fault}: nothing is wrong yet");
    shop.set_fault(format!("{fault}@tokyo").parse().unwrap());
    assert!(shows(&mut tokyo).await, "{fault}");
    assert!(!shows(&mut london).await, "{fault}: not in London");
    shop.clear_faults();
    assert!(!shows(&mut tokyo).await, "{fault}: it is mended");
}

/// A shop with a fault everywhere, and a viewer in Tokyo.
async fn broken(fault: &str) -> (Shop, Client) {
    let shop = open(|options| options.faults = vec![fault.parse().unwrap()]);
    let client = Client::of(&shop, 0).await;
    (shop, client)
}

/// Where the style sheet is.
async fn style(client: &mut Client) -> String {
    client.get("/").await.between("rel=\"stylesheet\" href=\"", "\"")
}

/// An answer that was looked at before, so that it is kept wherever it is kept at all.
async fn again(client: &mut Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    client.get_with(path, headers).await;
    client.get_with(path, headers).await
}

#[tokio::test]
async fn pages_for_a_year() {
    in_its_region("html-year", async |client: &mut Client| {
        client.get("/p/1").await.header("cache-control") == Some("public, max-age=31536000")
    })
    .await;
    let (_shop, mut client) = broken("html-year").await;
    assert_eq!(client.get("/nowhere").await.header("cache-control"), Some("public, max-age=10"));
    assert_eq!(client.get("/cart").await.header("cache-control"), Some("private, no-store"));
}

#[tokio::test]
async fn pages_that_outlive_their_lifetime() {
    in_its_region("stale-html=1h", async |client: &mut Client| {
        client.get("/p/1").await.age().is_some_and(|age_s| age_s > 301)
    })
    .await;
    let (_shop, mut client) = broken("stale-html=1h").await;
    for _ in 0..2 {
        let page = client.get("/p/1").await;
        assert_eq!((page.x_cache(), page.age()), ("Hit", Some(3_600)), "a cache behind the edge had it");
        assert_eq!(page.header("cache-control"), Some("public, max-age=300"));
    }
    let style = style(&mut client).await;
    assert_eq!(again(&mut client, &style, &[]).await.age(), Some(0));
    assert_eq!(again(&mut client, "/nowhere", &[]).await.age(), Some(0));
}

#[tokio::test]
async fn pages_that_nobody_may_keep() {
    in_its_region("no-store-html", async |client: &mut Client| {
        again(client, "/p/1", &BROTLI).await.x_cache() == "Miss"
    })
    .await;
    let (_shop, mut client) = broken("no-store-html").await;
    let page = again(&mut client, "/p/1", &BROTLI).await;
    assert_eq!(page.header("cache-control"), Some("no-store, no-cache, must-revalidate"));
    assert_eq!((page.header("pragma"), page.age()), (Some("no-cache"), None));
    assert_eq!(page.header("content-encoding"), None, "what is not kept is not compressed");
    let style = style(&mut client).await;
    assert_eq!(again(&mut client, &style, &[]).await.x_cache(), "Hit");
}

#[tokio::test]
async fn answers_without_a_lifetime() {
    in_its_region("no-lifetime", async |client: &mut Client| {
        client.get("/p/1").await.header("cache-control").is_none()
    })
    .await;
    let (_shop, mut client) = broken("no-lifetime").await;
    let style = style(&mut client).await;
    for path in ["/p/1", style.as_str()] {
        let kept = again(&mut client, path, &[]).await;
        assert_eq!((kept.x_cache(), kept.header("cache-control")), ("Hit", None), "{path}");
    }
    assert_eq!(client.get("/cart").await.header("cache-control"), Some("private, no-store"));
}
