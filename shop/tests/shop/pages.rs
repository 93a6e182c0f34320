use crate::client::{Client, open};
use http::Method;

#[tokio::test]
async fn every_link_and_asset_of_the_shop_leads_somewhere() {
    let shop = open(|options| options.products = 30);
    let mut client = Client::of(&shop, 0).await;
    let home = client.get("/").await;
    let categories = home.all_between("class=\"category\" href=\"", "\"");
    let products = home.all_between("class=\"product\" href=\"", "\"");
    assert_eq!(categories.len(), 12);
    assert!(products.len() > 5);
    for path in categories.iter().chain(&products) {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
    for path in &products {
        let product = client.get(path).await;
        let assets: Vec<String> = product.all_between("=\"/static/", "\"");
        assert!((4..=6).contains(&assets.len()), "{path}: {assets:?}");
        for asset in assets {
            let asset = client.get(&format!("/static/{asset}")).await;
            assert_eq!(asset.status, 200);
            assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(asset.header("set-cookie"), None);
        }
    }
    assert_eq!(home.all_between("=\"/static/", "\"").len(), 4);
}

#[tokio::test]
async fn pages_hold_what_journeys_look_for() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let home = client.get("/").await.text();
    assert!(home.contains("<form id=\"search\" action=\"/search\" method=\"get\""));
    let product = client.get("/p/7").await;
    assert!(product.text().contains("<form id=\"add-to-cart\" action=\"/cart/add\" method=\"post\">"));
    assert!(product.text().contains("name=\"product\" value=\"7\""));
    assert!(product.text().contains("name=\"quantity\" value=\"1\""));
    assert!(!product.text().contains("csrf"), "a page for everybody holds nobody's token");
    assert!(product.between("<p class=\"price\">", "</p>").starts_with('€'));
    let word = product.between("<h1>", "</h1>").split(' ').next_back().unwrap().to_owned();
    let found = client.get(&format!("/search?q={word}")).await;
    assert_eq!(found.between("id=\"result-count\">", "<"), "25");
    assert!(found.text().contains("class=\"product\" href=\"/p/"));
}

#[tokio::test]
async fn lists_have_pages_and_an_end() {
    let shop = open(|options| options.products = 600);
    let mut client = Client::of(&shop, 0).await;
    for (path, products) in [("/c/tents", 24), ("/c/tents?page=2", 24), ("/c/tents?page=3", 2)] {
        let page = client.get(path).await;
        assert_eq!(page.all_between("class=\"product\"", ">").len(), products, "{path}");
    }
    for path in [
        "/c/tents?page=4",
        "/c/tents?page=0",
        "/c/zeppelins",
        "/p/601",
        "/p/x",
        "/nowhere",
        "/static/0/style.css",
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_a_shopper_types_is_escaped() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let page = client.get("/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("<script>alert") && page.text().contains("&lt;script&gt;"));
}

#[tokio::test]
async fn the_api_tells_the_same_as_the_pages() {
    let shop = open(|options| options.stock = 5);
    let mut client = Client::of(&shop, 0).await;
    let product = client.get("/api/products/13").await;
    assert_eq!(product.header("cache-control"), Some("private, no-store"));
    let product = product.json();
    let page = client.get("/p/13").await;
    assert_eq!(product["name"], page.between("<h1>", "</h1>"));
    assert_eq!((&product["category"], &product["stock"]), (&"tents".into(), &5.into()));
    let cents = product["price_cents"].as_u64().unwrap();
    assert_eq!(page.between("<p class=\"price\">€", "<"), format!("{}.{:02}", cents / 100, cents % 100));

    let list = client.get("/api/products?category=tents").await.json();
    assert_eq!((list["total"].as_u64(), list["products"].as_array().unwrap().len()), (Some(25), 25));
    assert_eq!(client.get("/api/products").await.json()["products"].as_array().unwrap().len(), 100);
    for path in ["/api/products?category=zeppelins", "/api/products/0", "/api/products/x"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }

    assert_eq!(client.get("/api/cart").await.json()["count"], 0);
    let cart = client.json(Method::POST, "/api/cart", r#"{"product":13,"quantity":2}"#).await.json();
    assert_eq!(cart, client.get("/api/cart").await.json());
    assert_eq!(cart["lines"][0]["line_total_cents"].as_u64(), Some(2 * cents));
    assert_eq!((cart["count"].as_u64(), cart["total_cents"].as_u64()), (Some(2), Some(2 * cents)));
    assert_eq!(client.get("/cart").await.between("id=\"cart-count\">", "<"), "2");
    for body in
        ["{", r#"{"product":13}"#, r#"{"product":13,"quantity":100}"#, r#"{"product":999,"quantity":1}"#]
    {
        assert!((400..500).contains(&client.json(Method::POST, "/api/cart", body).await.status), "{body}");
    }
}

#[tokio::test]
async fn health_says_what_was_checked() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let health = client.get("/healthz").await.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["checks"]["catalogue"]["products"], 300);
    assert_eq!(health["checks"]["stock"]["sold_out"], 0);
    assert_eq!(health["checks"]["sessions"]["open"], 0);
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    assert_eq!(client.get(&format!("/search?q={}", "x".repeat(8_192))).await.status, 414);
    let form = format!("product=1&quantity={}", "1".repeat(70_000));
    assert_eq!(client.post("/cart/add", &form).await.status, 413);
}
