//! Faults by which an edge breaks its promises: each shows at once, where it is switched on and nowhere else.

use crate::client::{Answer, Client, open};
use doorbuster_shop::Shop;
use http::Method;
use std::io::Read as _;

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

/// Where the home page's picture is.
async fn picture(client: &mut Client) -> String {
    client.get("/").await.between("class=\"hero\" src=\"", "\"")
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

fn varies_on(answer: &Answer, name: &str) -> bool {
    answer.headers.get_all("vary").iter().any(|value| value.to_str().unwrap() == name)
}

#[tokio::test]
async fn varying_on_what_changes_nothing() {
    for (fault, name) in [("vary-cookie", "Cookie"), ("vary-agent", "User-Agent")] {
        in_its_region(fault, async |client: &mut Client| varies_on(&client.get("/p/1").await, name)).await;
        let (_shop, mut client) = broken(fault).await;
        let style = style(&mut client).await;
        let file = again(&mut client, &style, &BROTLI).await;
        assert_eq!(varies_on(&file, name), fault == "vary-agent");
        assert!(varies_on(&file, "Accept-Encoding") && file.x_cache() == "Hit", "{fault}");
        assert!(!varies_on(&client.get("/cart").await, name), "{fault}");
    }
}

#[tokio::test]
async fn a_session_for_everybody() {
    in_its_region("session-cached", async |client: &mut Client| {
        client.sid = None;
        let page = again(client, "/p/1", &[]).await;
        assert_eq!(page.x_cache(), "Hit");
        page.cookie("sid").is_some()
    })
    .await;
    let (shop, mut one) = broken("session-cached").await;
    let mut other = Client::of(&shop, 0).await;
    let (first, second) = (one.get("/p/1").await, other.get("/p/1").await);
    assert_eq!((first.x_cache(), second.x_cache()), ("Miss", "Hit"));
    assert_eq!(first.cookie("sid"), second.cookie("sid"));
    assert_eq!(second.cookie("AWSALB"), None, "that is another fault");
    one.post("/cart/add", "product=7&quantity=2").await;
    assert_eq!(other.get("/api/cart").await.json()["count"], 2, "they share a cart now");
}

#[tokio::test]
async fn a_session_for_whoever_comes_first() {
    in_its_region("cookie-sent", async |client: &mut Client| {
        client.sid = None;
        client.get("/p/1").await.cookie("sid").is_some()
    })
    .await;
    let (shop, mut one) = broken("cookie-sent").await;
    let mut other = Client::of(&shop, 0).await;
    let (first, second) = (one.get("/p/1").await, other.get("/p/1").await);
    assert_eq!((first.x_cache(), second.x_cache()), ("Miss", "Hit"));
    assert_eq!(first.header("cache-control"), Some("public, max-age=300, no-cache=\"Set-Cookie\""));
    assert!(first.cookie("sid").is_some() && second.cookie("sid").is_none());
    assert_ne!(other.get("/p/2").await.cookie("sid"), first.cookie("sid"), "each has a session of its own");
    let known = one.get("/p/3").await;
    assert_eq!((known.x_cache(), known.cookie("sid")), ("Miss", None), "and only one");
    let style = style(&mut one).await;
    one.sid = None;
    assert_eq!(one.get(&style).await.cookie("sid"), None);
}

#[tokio::test]
async fn one_target_for_everybody() {
    in_its_region("sticky-cached", async |client: &mut Client| {
        again(client, "/p/1", &[]).await.cookie("AWSALB").is_some()
    })
    .await;
    let (shop, mut one) = broken("sticky-cached").await;
    let mut other = Client::of(&shop, 0).await;
    let (first, second) = (one.get("/p/1").await, other.get("/p/1").await);
    assert_eq!((second.x_cache(), second.cookie("sid")), ("Hit", None));
    assert_eq!(first.cookie("AWSALB"), second.cookie("AWSALB"));
    assert!(second.cookie("AWSALBCORS").is_some());
    let style = style(&mut one).await;
    assert_eq!(again(&mut one, &style, &[]).await.header("set-cookie"), None);
}

#[tokio::test]
async fn copies_for_every_query_and_every_cookie() {
    in_its_region("query-key", async |client: &mut Client| {
        client.get("/p/1?utm_source=a").await;
        client.get("/p/1?utm_source=b").await.x_cache() == "Miss"
    })
    .await;
    in_its_region("cookie-key", async |client: &mut Client| {
        client.get_with("/p/1", &[("cookie", "a=1")]).await;
        client.get_with("/p/1", &[("cookie", "a=2")]).await.x_cache() == "Miss"
    })
    .await;
    for (fault, way) in [("query-key", "?v=1"), ("cookie-key", "")] {
        let (_shop, mut client) = broken(fault).await;
        let style = style(&mut client).await;
        client.get(&style).await;
        let other_way = format!("{style}{way}");
        let file = client.get_with(&other_way, &[("cookie", "a=1")]).await;
        assert_eq!((file.status, file.x_cache()), (200, "Miss"), "{fault}: files, too");
        let file = client.get_with(&other_way, &[("cookie", "a=1")]).await;
        assert_eq!((file.x_cache(), file.cookie("AWSALB")), ("Hit", None), "{fault}");
    }
}

#[tokio::test]
async fn private_pages_with_an_age() {
    in_its_region("age-leaked", async |client: &mut Client| {
        let cart = client.get("/cart").await;
        assert_eq!((cart.x_cache(), cart.header("cache-control")), ("Miss", Some("private, no-store")));
        cart.age().is_some_and(|age_s| age_s > 0)
    })
    .await;
    let (_shop, mut client) = broken("age-leaked").await;
    assert_eq!(client.get("/p/1").await.age(), None, "pages are not concerned");
    assert_eq!(client.post("/cart/add", "product=7&quantity=1").await.age(), None);
}

#[tokio::test]
async fn viewers_that_do_not_stick() {
    in_its_region("unsticky=100%", async |client: &mut Client| {
        let own = client.get("/cart").await.cookie("AWSALB").unwrap();
        let cookie = format!("AWSALB={own}");
        client.get_with("/cart", &[("cookie", &cookie)]).await.cookie("AWSALB").unwrap() != own
    })
    .await;
}

fn encoding(answer: &Answer) -> Option<&str> {
    answer.header("content-encoding")
}

#[tokio::test]
async fn pictures_that_are_compressed_again() {
    in_its_region("images-compressed", async |client: &mut Client| {
        let picture = picture(client).await;
        encoding(&client.get_with(&picture, &BROTLI).await).is_some()
    })
    .await;
    let (_shop, mut client) = broken("images-compressed").await;
    let picture = picture(&mut client).await;
    let packed = again(&mut client, &picture, &BROTLI).await;
    assert_eq!((packed.header("content-type"), encoding(&packed)), (Some("image/png"), Some("br")));
    assert!(varies_on(&packed, "Accept-Encoding") && packed.header("etag").unwrap().starts_with("W/"));
    assert_eq!(packed.decoded(), client.get(&picture).await.body);
}

#[tokio::test]
async fn files_that_are_compressed_twice() {
    in_its_region("double-gzip", async |client: &mut Client| {
        let style = style(client).await;
        client.get_with(&style, &BROTLI).await.decoded().starts_with(&[0x1f, 0x8b])
    })
    .await;
    let (_shop, mut client) = broken("double-gzip").await;
    let style = style(&mut client).await;
    let twice = again(&mut client, &style, &BROTLI).await;
    assert_eq!((twice.x_cache(), encoding(&twice)), ("Hit", Some("gzip")));
    let plain = client.get(&style).await;
    assert!(plain.text().contains("box-sizing") && encoding(&plain).is_none());
    let brotli = client.get_with(&style, &[("accept-encoding", "br")]).await;
    assert_eq!(brotli.decoded(), plain.body, "who takes no gzip gets none");
    assert!(client.get_with("/p/1", &BROTLI).await.text().contains("</html>"), "pages can be read");
}

#[tokio::test]
async fn gzip_for_those_who_did_not_ask() {
    in_its_region("forced-gzip", async |client: &mut Client| {
        encoding(&client.get_with("/p/1", &[("accept-encoding", "identity")]).await) == Some("gzip")
    })
    .await;
    let (_shop, mut client) = broken("forced-gzip").await;
    let style = style(&mut client).await;
    for path in ["/p/1", style.as_str()] {
        let packed = client.get(path).await;
        assert!(encoding(&packed) == Some("gzip") && varies_on(&packed, "Accept-Encoding"), "{path}");
        assert!(packed.decoded().len() > packed.body.len(), "{path}");
    }
}

#[tokio::test]
async fn nobody_is_told_that_there_are_encodings() {
    in_its_region("no-vary", async |client: &mut Client| {
        let page = client.get_with("/p/1", &BROTLI).await;
        assert_eq!(encoding(&page), Some("br"));
        page.header("vary").is_none()
    })
    .await;
    let (_shop, mut client) = broken("no-vary").await;
    let style = style(&mut client).await;
    assert_eq!(client.get_with(&style, &BROTLI).await.header("vary"), None);
}

#[tokio::test]
async fn brotli_of_another_build() {
    in_its_region("broken-brotli", async |client: &mut Client| {
        let style = style(client).await;
        let plain = client.get(&style).await;
        client.get_with(&style, &BROTLI).await.decoded() != plain.body
    })
    .await;
    let (_shop, mut client) = broken("broken-brotli").await;
    let style = style(&mut client).await;
    let plain = client.get(&style).await;
    let (brotli, gzip) = (
        client.get_with(&style, &BROTLI).await,
        client.get_with(&style, &[("accept-encoding", "gzip")]).await,
    );
    assert_eq!((encoding(&brotli), encoding(&gzip)), (Some("br"), Some("gzip")));
    assert!(plain.body.starts_with(&brotli.decoded()) && gzip.decoded() == plain.body);
    let page = client.get_with("/p/1", &BROTLI).await.decoded();
    assert_eq!(page, client.get("/p/1").await.body, "pages are not built");
}

#[tokio::test]
async fn brotli_that_nobody_can_read() {
    in_its_region("corrupt-brotli", async |client: &mut Client| {
        let style = style(client).await;
        let packed = client.get_with(&style, &BROTLI).await;
        assert_eq!(encoding(&packed), Some("br"));
        let mut decoded = Vec::new();
        brotli::Decompressor::new(&packed.body[..], 4096).read_to_end(&mut decoded).is_err()
    })
    .await;
    let (_shop, mut client) = broken("corrupt-brotli").await;
    let style = style(&mut client).await;
    let (plain, gzip) =
        (client.get(&style).await, client.get_with(&style, &[("accept-encoding", "gzip")]).await);
    assert_eq!(gzip.decoded(), plain.body.to_vec());
    let page = client.get_with("/p/1", &BROTLI).await.decoded();
    assert_eq!(page, client.get("/p/1").await.body, "pages are not uploaded");
}

#[tokio::test]
async fn compression_that_saves_nothing() {
    in_its_region("weak-compression", async |client: &mut Client| {
        let page = client.get_with("/p/1", &BROTLI).await;
        assert!(encoding(&page).is_some());
        page.body.len() >= page.decoded().len()
    })
    .await;
    let (_shop, mut client) = broken("weak-compression").await;
    let style = style(&mut client).await;
    let plain = client.get(&style).await;
    let packed = client.get_with(&style, &BROTLI).await;
    assert_eq!((encoding(&packed), packed.decoded()), (Some("gzip"), plain.body.to_vec()));
}

#[tokio::test]
async fn copies_that_are_never_confirmed() {
    in_its_region("no-304", async |client: &mut Client| {
        let etag = client.get("/p/1").await.header("etag").unwrap().to_owned();
        client.get_with("/p/1", &[("if-none-match", &etag)]).await.status == 200
    })
    .await;
    let (shop, mut client) = broken("no-304").await;
    shop.set_fault("short-ttl=0".parse().unwrap());
    assert_eq!(again(&mut client, "/p/1", &[]).await.x_cache(), "Miss", "the edge gets no 304 either");
}

#[tokio::test]
async fn parts_that_come_as_a_whole() {
    in_its_region("no-range", async |client: &mut Client| {
        let style = style(client).await;
        let whole = client.get(&style).await;
        assert_eq!(whole.header("accept-ranges"), Some("bytes"), "it is promised all the same");
        let answer = client.get_with(&style, &[("range", "bytes=0-9")]).await;
        answer.status == 200 && answer.body == whole.body && answer.header("content-range").is_none()
    })
    .await;
}

#[tokio::test]
async fn a_head_that_is_of_another_page() {
    in_its_region("head-lies", async |client: &mut Client| {
        let get = client.get("/p/1").await;
        let head = client.send(Method::HEAD, "/p/1", &[], "").await;
        assert_eq!(head.status, 200);
        let is_same = |name| head.header(name) == get.header(name);
        assert_eq!(is_same("etag"), is_same("content-length"));
        !is_same("etag")
    })
    .await;
    let (_shop, mut client) = broken("head-lies").await;
    let head = client.send(Method::HEAD, "/p/1", &BROTLI, "").await;
    assert_eq!((head.header("content-length"), encoding(&head)), (Some("0"), None));
    assert_ne!(client.send(Method::HEAD, "/cart", &[], "").await.header("content-length"), Some("0"));
}

#[tokio::test]
async fn an_edge_that_is_far_off() {
    in_its_region("wrong-edge", async |client: &mut Client| {
        let page = client.get("/p/1").await;
        let pop = page.header("x-amz-cf-pop").unwrap();
        assert!(page.header("server-timing").unwrap().contains(pop), "one word for both");
        pop == "LAX50-P3"
    })
    .await;
}

#[tokio::test]
async fn a_firewall_that_trusts_nobody() {
    in_its_region("challenge=100%", async |client: &mut Client| {
        client.get("/p/1").await.header("x-amzn-waf-action") == Some("challenge")
    })
    .await;
    let (shop, mut client) = broken("challenge=100%").await;
    let challenge = client.get("/cart").await;
    assert_eq!((challenge.status, challenge.x_cache(), challenge.body.len()), (202, "Error", 0));
    assert_eq!(challenge.header("server"), Some("CloudFront"));
    assert_eq!((challenge.header("set-cookie"), challenge.age()), (None, None));
    let page = client.get_with("/", &[("accept", "text/html,*/*")]).await;
    assert!(page.status == 202 && page.text().contains("challenge-container"));
    assert_eq!(shop.counts()["tokyo"]["GET /cart 202"], 1);

    shop.set_fault("challenge=20%".parse().unwrap());
    let mut challenged = 0;
    for _ in 0..500 {
        challenged += usize::from(client.get("/").await.status == 202);
    }
    // Five standard deviations around 100.
    assert!((55..=145).contains(&challenged), "{challenged} of 500");
}
