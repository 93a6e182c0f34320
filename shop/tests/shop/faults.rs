use std::time::{Duration, Instant};

use crate::client::{Client, open};
use doorbuster_shop::{Fault, Shop};
use http::Method;

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

async fn took(client: &mut Client, path: &str) -> Duration {
    let started = Instant::now();
    assert_eq!(client.get(path).await.status, 200);
    started.elapsed()
}

#[tokio::test]
async fn slow_is_slow_in_its_region_only() {
    let shop = open(|options| options.faults = vec![fault("slow=300ms@tokyo")]);
    let (mut tokyo, mut london) = (Client::of(&shop, 0).await, Client::of(&shop, 1).await);
    assert!(took(&mut tokyo, "/").await >= Duration::from_millis(300));
    assert!(took(&mut tokyo, "/").await >= Duration::from_millis(300), "hits as well");
    london.get("/").await;
    assert!(took(&mut london, "/").await < Duration::from_millis(300));
}

#[tokio::test]
async fn errors_come_at_their_rate_from_the_balancer() {
    let shop = open(|_| {});
    shop.set_fault(fault("errors=20%"));
    let mut client = Client::of(&shop, 0).await;
    let mut failed = 0;
    for _ in 0..500 {
        let answer = client.get("/").await;
        if answer.status == 503 {
            failed += 1;
            assert_eq!((answer.header("server"), answer.header("x-cache")), (Some("awselb/2.0"), None));
        } else {
            assert_eq!(answer.status, 200);
        }
    }
    // Five standard deviations around 100.
    assert!((55..=145).contains(&failed), "{failed} of 500");
    assert_eq!(shop.counts()["tokyo"]["GET / 503"], failed);
    shop.clear_faults();
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn a_freeze_answers_nobody_until_it_is_over() {
    let shop = open(|_| {});
    let (mut tokyo, mut london) = (Client::of(&shop, 0).await, Client::of(&shop, 1).await);
    tokyo.get("/").await;
    let frozen = Instant::now();
    shop.set_fault(fault("freeze=400ms@tokyo"));
    took(&mut london, "/").await;
    assert!(frozen.elapsed() < Duration::from_millis(400), "London is not frozen");
    // A new connection is accepted, and waits like the others.
    let mut late = Client::of(&shop, 0).await;
    let (one, other) = tokio::join!(tokyo.get("/"), late.get("/"));
    assert!(frozen.elapsed() >= Duration::from_millis(400));
    assert_eq!((one.status, other.status), (200, 200));
    assert!(took(&mut tokyo, "/").await < Duration::from_millis(400));
}

#[tokio::test]
async fn a_cold_cache_misses_always() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    client.get("/").await;
    shop.set_fault(fault("cold-cache"));
    for _ in 0..3 {
        let answer = client.get_with("/", &[("accept-encoding", "br")]).await;
        assert_eq!((answer.x_cache(), answer.header("content-encoding")), ("Miss", Some("br")));
    }
    shop.clear_faults();
    assert_eq!(client.get("/").await.x_cache(), "Hit");
}

#[tokio::test]
async fn no_compression_sends_everything_as_it_is() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let encoding = async |client: &mut Client| {
        let answer = client.get_with("/", &[("accept-encoding", "br, gzip")]).await;
        answer.header("content-encoding").map(str::to_owned)
    };
    assert_eq!(encoding(&mut client).await.as_deref(), Some("br"));
    shop.set_fault(fault("no-compression"));
    assert_eq!(encoding(&mut client).await, None);
}

#[tokio::test]
async fn a_cached_api_tells_everybody_the_same() {
    let shop = open(|options| options.faults = vec![fault("api-cached")]);
    let (mut one, mut other) = (Client::of(&shop, 0).await, Client::of(&shop, 0).await);
    one.json(Method::POST, "/api/cart", r#"{"product":7,"quantity":2}"#).await;
    assert_eq!(one.get("/api/cart").await.json()["count"], 2);
    let leaked = other.get("/api/cart").await;
    assert_eq!((leaked.x_cache(), &leaked.json()["count"]), ("Hit", &2.into()));
    assert_eq!(other.get("/cart").await.x_cache(), "Miss", "pages are not concerned");
    shop.clear_faults();
    assert_eq!(other.get("/api/cart").await.json()["count"], 0);
}

#[tokio::test]
async fn a_leaked_cart_is_given_to_others() {
    let shop = open(|options| options.faults = vec![fault("cart-leaked@tokyo")]);
    let (mut one, mut other) = (Client::of(&shop, 0).await, Client::of(&shop, 0).await);
    one.post("/cart/add", "product=7&quantity=2").await;
    let own = one.get("/cart").await;
    let leaked = other.get("/cart").await;
    assert_eq!((leaked.x_cache(), leaked.csrf()), ("Hit", own.csrf()));
    let mut london = Client::of(&shop, 1).await;
    assert_eq!(london.get("/cart").await.between("id=\"cart-count\">", "<"), "0");
    assert_eq!(one.get("/checkout/address").await.status, 200);
    assert_eq!(other.get("/checkout/address").await.status, 200, "with an empty cart of its own");
}

#[tokio::test]
async fn a_leaked_checkout_shows_whose_it_is() {
    let shop = open(|options| options.faults = vec![fault("cart-leaked@tokyo")]);
    let (mut one, mut other) = (Client::of(&shop, 0).await, Client::of(&shop, 0).await);
    one.post("/cart/add", "product=7&quantity=2&note=for+Shopper+1").await;
    other.post("/cart/add", "product=8&quantity=1&note=for+Shopper+2").await;
    assert_eq!(one.get("/cart").await.between("id=\"cart-note\">", "<"), "for Shopper 1");
    assert_eq!(other.get("/cart").await.between("id=\"cart-note\">", "<"), "for Shopper 1", "leaked");

    let csrf = one.get("/checkout/address").await.csrf();
    let address =
        "name=Shopper+1&email=shopper-1%40example.com&street=1+Market+Street&city=C&postcode=1&country=X";
    assert_eq!(one.post("/checkout/address", &format!("csrf={csrf}&{address}")).await.status, 303);
    assert_eq!(one.get("/checkout/delivery").await.x_cache(), "Miss");
    let leaked = other.get("/checkout/delivery").await;
    assert_eq!((leaked.status, leaked.x_cache()), (200, "Hit"));
    let text = leaked.text();
    for personal in ["Shopper 1", "shopper-1@example.com", "1 Market Street"] {
        assert!(text.contains(personal), "{personal} in {text}");
    }
    shop.clear_faults();
    assert_eq!(other.get("/cart").await.between("id=\"cart-note\">", "<"), "for Shopper 2");
    let own = other.get("/checkout/delivery").await;
    assert_eq!((own.status, own.header("location")), (303, Some("/checkout/address")));
}

#[tokio::test]
async fn while_the_origin_is_down_only_the_cache_answers() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    client.get("/p/1").await;
    shop.set_fault(fault("down"));
    assert_eq!(client.get("/p/1").await.x_cache(), "Hit");
    for path in ["/p/2", "/cart", "/api/products", "/healthz"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.x_cache()), (502, "Error"), "{path}");
        assert_eq!(answer.header("server"), Some("CloudFront"));
    }
    shop.set_fault(fault("short-ttl=0ms"));
    let stale = client.get("/p/1").await;
    assert_eq!((stale.status, stale.x_cache()), (200, "Hit"), "what expired is better than nothing");
    shop.clear_faults();
    assert_eq!(client.get("/p/2").await.status, 200);
}

async fn switch(shop: &Shop, method: Method, fault: &str) -> crate::client::Answer {
    let body = serde_json::json!({ "fault": fault }).to_string();
    Client::at(shop.admin()).await.json(method, "/admin/faults", &body).await
}

#[tokio::test]
async fn the_admin_endpoint_switches_and_tells() {
    let shop = open(|_| {});
    let mut admin = Client::at(shop.admin()).await;
    assert_eq!(switch(&shop, Method::POST, "slow=20ms@tokyo").await.json()["faults"][0], "slow=20ms@tokyo");
    assert_eq!(switch(&shop, Method::POST, "errors=0.5%").await.status, 200);
    let overview = admin.get("/admin").await.json();
    assert_eq!(overview["faults"], serde_json::json!(["slow=20ms@tokyo", "errors=0.5%"]));
    assert_eq!(overview["regions"]["tokyo"], shop.edges()[0].address.to_string());
    let kinds = overview["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 37);
    assert!(kinds.iter().any(|kind| kind["example"] == "lost-cart=10%" && kind["name"] == "lost-cart"));
    assert!(kinds.iter().all(|kind| kind["does"].as_str().is_some_and(|does| !does.is_empty())));
    assert_eq!(
        switch(&shop, Method::DELETE, "errors=0.5%").await.json()["faults"].as_array().unwrap().len(),
        1
    );
    assert_eq!(switch(&shop, Method::POST, "all").await.json()["faults"], serde_json::json!([]));
    let unknown = switch(&shop, Method::POST, "sloow").await;
    assert!(unknown.status == 422 && unknown.text().contains("short-ttl=5s"));
    let elsewhere = switch(&shop, Method::POST, "down@mars").await;
    assert!(elsewhere.status == 422 && elsewhere.text().contains("tokyo, london, new-york"));
    // A page in a browser could send this without asking.
    assert_eq!(admin.post("/admin/faults", r#"{"fault":"down"}"#).await.status, 415);
}
