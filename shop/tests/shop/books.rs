use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::client::{Client, open};
use doorbuster_shop::{Error, Options, Shop};

#[tokio::test]
async fn counts_and_log_agree_with_what_was_sent() {
    let log = std::env::temp_dir().join(format!("doorbuster-shop-{}.log", std::process::id()));
    let shop = open(|options| options.access_log = Some(log.clone()));
    let mut sent = Vec::new();
    for (region, requests) in [(0, 30), (1, 7)] {
        let mut client = Client::of(&shop, region).await;
        for request in 0..requests {
            let path = ["/", "/p/1?x=1", "/nowhere"][request % 3];
            let answer = client.get(path).await;
            let path = path.split('?').next().unwrap();
            let name = &shop.edges()[region].region;
            sent.push(format!("{name} GET {path} {} {}", answer.status, answer.body.len()));
        }
        client.post("/cart/add", "product=1&quantity=1").await;
        sent.push(format!("{} POST /cart/add 303 0", shop.edges()[region].region));
    }
    let mut admin = Client::at(shop.admin()).await;
    let counts: BTreeMap<String, BTreeMap<String, u64>> =
        serde_json::from_slice(&admin.get("/admin/counts").await.body).unwrap();
    assert_eq!(counts, shop.counts());
    let tokyo =
        [("GET / 200", 10), ("GET /nowhere 404", 10), ("GET /p/1 200", 10), ("POST /cart/add 303", 1)];
    assert_eq!(counts["tokyo"], tokyo.map(|(key, n)| (key.to_owned(), n)).into());
    assert_eq!(counts["london"].values().sum::<u64>(), 8);
    assert!(counts["new-york"].is_empty());
    shop.stop();
    let logged = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    assert_eq!(logged.lines().collect::<Vec<_>>(), sent);
}

#[tokio::test]
async fn a_viewer_that_left_is_in_the_books() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    shop.set_fault("freeze=1m".parse().unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(50), client.get("/")).await.is_err());
    drop(client);
    let deadline = Instant::now() + Duration::from_secs(5);
    while shop.counts()["tokyo"].get("GET / 000") != Some(&1) {
        assert!(Instant::now() < deadline, "{:?}", shop.counts());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stopped_shop_is_gone_at_once() {
    let shop = open(|options| options.regions[0].rtt = Duration::from_secs(60));
    let address = shop.edges()[0].address;
    let mut client = Client::of(&shop, 1).await;
    client.get("/").await;
    let started = Instant::now();
    shop.stop();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    // The port is free again, although connections were open.
    let mut options = Options::default();
    options.regions[0].listen = address;
    let again = Shop::start(options).unwrap();
    assert_eq!(again.edges()[0].address, address);
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let shop = open(|_| {});
    let mut options = Options::default();
    options.regions[2].listen = shop.edges()[0].address;
    let Err(error @ Error::Listen { .. }) = Shop::start(options) else {
        panic!("a port must not be taken twice");
    };
    let message = error.to_string();
    assert!(
        message.contains("new-york") && message.contains(&shop.edges()[0].address.to_string()),
        "{message}"
    );
    let options = Options { access_log: Some("/nowhere/at/all.log".into()), ..Options::default() };
    assert!(matches!(Shop::start(options), Err(Error::AccessLog { .. })));
}
