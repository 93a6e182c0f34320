use crate::client::{Answer, Client, open};
use doorbuster_shop::Shop;

const ADDRESS: &str = "name=A&email=a%40example.com&street=S+1&city=C&postcode=1&country=X";
const CARD: &str = "4111111111111111";

/// From a product to the answer to the payment.
async fn buy(client: &mut Client, product: u32, quantity: u32) -> Answer {
    assert_eq!(client.post("/cart/add", &format!("product={product}&quantity={quantity}")).await.status, 303);
    pay(client).await
}

/// From a filled cart to the answer to the payment.
async fn pay(client: &mut Client) -> Answer {
    let csrf = client.get("/checkout/address").await.csrf();
    let answer = client.post("/checkout/address", &format!("csrf={csrf}&{ADDRESS}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/checkout/delivery")));
    let csrf = client.get("/checkout/delivery").await.csrf();
    let answer = client.post("/checkout/delivery", &format!("csrf={csrf}&delivery=express")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/checkout/payment")));
    let csrf = client.get("/checkout/payment").await.csrf();
    client.post("/checkout/payment", &format!("csrf={csrf}&card={CARD}")).await
}

async fn sales(shop: &Shop) -> serde_json::Value {
    Client::at(shop.admin()).await.get("/admin/orders").await.json()
}

#[tokio::test]
async fn a_whole_checkout() {
    let shop = open(|options| options.stock = 10);
    let mut client = Client::of(&shop, 0).await;
    let added = client.post("/cart/add", "product=7&quantity=2").await;
    assert_eq!((added.status, added.header("location")), (303, Some("/cart")));
    let cookies: Vec<&str> =
        added.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("sid=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    assert!(cookies.iter().any(|cookie| cookie.starts_with("AWSALB=")));
    assert!(cookies.iter().any(|cookie| cookie.starts_with("AWSALBCORS=")));

    let again = client.post("/cart/add", "product=8&quantity=1").await;
    assert_eq!(again.cookie("sid"), None, "the session is kept");
    let cart = client.get("/cart").await;
    assert!(cart.text().contains("<tr class=\"line\" data-product=\"7\">"));
    assert_eq!(cart.all_between("<td class=\"quantity\">", "<"), ["2", "1"]);
    assert_eq!(cart.between("id=\"cart-count\">", "<"), "3");
    assert!(cart.text().contains("<a id=\"to-checkout\" href=\"/checkout/address\">"));

    let update = format!("csrf={}&product=8&quantity=0", cart.csrf());
    assert_eq!(client.post("/cart/update", &update).await.status, 303);
    assert_eq!(client.get("/cart").await.between("id=\"cart-count\">", "<"), "2");

    let paid = pay(&mut client).await;
    assert_eq!(paid.status, 303);
    let confirmation = paid.header("location").unwrap();
    assert_eq!(confirmation, "/checkout/confirmation/DB-000001");
    assert_eq!(client.get(confirmation).await.between("id=\"order-number\">", "<"), "DB-000001");
    assert_eq!(client.get("/cart").await.between("id=\"cart-count\">", "<"), "0");
    assert_eq!(client.get("/api/products/7").await.json()["stock"], 8);
    let sales = sales(&shop).await;
    assert_eq!((&sales["orders"], &sales["units_sold"]["7"]), (&1.into(), &2.into()));

    let mut stranger = Client::of(&shop, 0).await;
    assert_eq!(stranger.get(confirmation).await.status, 404);
    stranger.post("/cart/add", "product=1&quantity=1").await;
    assert_eq!(stranger.get(confirmation).await.status, 404);
}

#[tokio::test]
async fn what_a_shopper_told_is_shown_to_that_shopper() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    let form = client.get("/p/7").await;
    assert!(form.text().contains("<input name=\"note\" maxlength=\"200\""));
    client.post("/cart/add", "product=7&quantity=1&note=ring+%3Ctwice%3E").await;
    client.post("/cart/add", "product=7&quantity=1&note=").await;
    let cart = client.get("/cart").await;
    assert_eq!(cart.between("id=\"cart-note\">", "<"), "ring &lt;twice&gt;");
    assert_eq!(client.get("/api/cart").await.json()["note"], "ring <twice>");
    let long = format!("product=7&quantity=1&note={}", "x".repeat(201));
    assert_eq!(client.post("/cart/add", &long).await.status, 422);
    assert_eq!(client.get("/api/cart").await.json()["count"], 2, "nothing was put in with it");

    let csrf = client.get("/checkout/address").await.csrf();
    client.post("/checkout/address", &format!("csrf={csrf}&{ADDRESS}")).await;
    let again = client.get("/checkout/address").await;
    assert!(again.text().contains("<input name=\"street\" value=\"S 1\""), "{}", again.text());
    client.post("/checkout/delivery", &format!("csrf={csrf}&delivery=standard")).await;
    for step in ["delivery", "payment"] {
        let page = client.get(&format!("/checkout/{step}")).await;
        let destination = page.between("class=\"destination\">", "<");
        assert!(
            destination.starts_with("To A, S 1, 1 C, X.") && destination.contains("a@example.com"),
            "{step}"
        );
    }
    let mut other = Client::of(&shop, 0).await;
    other.post("/cart/add", "product=7&quantity=1").await;
    assert!(!other.get("/cart").await.text().contains("cart-note"));
    assert_eq!(other.get("/api/cart").await.json().get("note"), None);
}

#[tokio::test]
async fn forms_of_others_are_refused() {
    let shop = open(|_| {});
    let (mut one, mut other) = (Client::of(&shop, 0).await, Client::of(&shop, 0).await);
    one.post("/cart/add", "product=7&quantity=2").await;
    other.post("/cart/add", "product=7&quantity=2").await;
    let foreign = other.get("/cart").await.csrf();
    for csrf in [foreign.as_str(), "", "x"] {
        let update = one.post("/cart/update", &format!("csrf={csrf}&product=7&quantity=0")).await;
        assert_eq!(update.status, 403);
        let address = one.post("/checkout/address", &format!("csrf={csrf}&{ADDRESS}")).await;
        assert_eq!(address.status, 403);
    }
    assert_eq!(one.post("/cart/update", "product=7&quantity=0").await.status, 403);
    assert_eq!(one.get("/api/cart").await.json()["count"], 2);
}

#[tokio::test]
async fn steps_cannot_be_skipped_or_left_empty() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    for step in ["address", "delivery", "payment"] {
        let answer = client.get(&format!("/checkout/{step}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/cart")), "{step}: empty cart");
        let answer = client.post(&format!("/checkout/{step}"), "csrf=x").await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/cart")), "{step}: empty cart");
    }
    client.post("/cart/add", "product=7&quantity=1").await;
    for step in ["delivery", "payment"] {
        let answer = client.get(&format!("/checkout/{step}")).await;
        assert_eq!(answer.header("location"), Some("/checkout/address"), "{step}: no address yet");
    }
    let csrf = client.get("/checkout/address").await.csrf();
    let answer = client
        .post("/checkout/address", &format!("csrf={csrf}&{}", ADDRESS.replace("city=C", "city=")))
        .await;
    assert_eq!((answer.status, answer.between("class=\"error\">", "<").as_str()), (422, "City is missing."));
    assert_eq!(answer.csrf(), csrf, "the form comes back, ready to be sent again");
    assert_eq!(client.post("/checkout/address", &format!("csrf={csrf}&{ADDRESS}")).await.status, 303);
    assert_eq!(client.post("/checkout/delivery", &format!("csrf={csrf}&delivery=dove")).await.status, 422);
    assert_eq!(
        client.post("/checkout/delivery", &format!("csrf={csrf}&delivery=standard")).await.status,
        303
    );
    for card in ["", "12345678901", "12345678901234567890"] {
        let answer = client.post("/checkout/payment", &format!("csrf={csrf}&card={card}")).await;
        assert!(answer.status == 422 && answer.text().contains("class=\"error\""), "{card}");
    }
    assert_eq!(sales(&shop).await["orders"], 0);
}

#[tokio::test]
async fn the_last_ones_are_sold_once() {
    let shop = open(|options| options.stock = 5);
    let mut buyers = Vec::new();
    for buyer in 0..12 {
        let mut client = Client::of(&shop, buyer % 3).await;
        buyers.push(tokio::spawn(async move { buy(&mut client, 9, 1).await }));
    }
    let mut statuses = Vec::new();
    for buyer in buyers {
        let answer = buyer.await.unwrap();
        if answer.status == 409 {
            assert!(answer.between("class=\"error\">", "<").starts_with("Sold out"));
        }
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[303; 5].as_slice(), &[409; 7]].concat());
    let sales = sales(&shop).await;
    assert_eq!((&sales["units_sold"]["9"], &sales["units_oversold"]), (&5.into(), &0.into()));
    let mut client = Client::of(&shop, 0).await;
    assert_eq!(client.get("/api/products/9").await.json()["stock"], 0);
    assert!(client.get("/p/9").await.text().contains("Sold out"));
    assert_eq!(client.get("/healthz").await.json()["checks"]["stock"]["sold_out"], 1);
}

#[tokio::test]
async fn oversell_sells_what_is_not_there() {
    let shop = open(|options| {
        options.stock = 1;
        options.faults = vec!["oversell".parse().unwrap()];
    });
    for _ in 0..3 {
        assert_eq!(buy(&mut Client::of(&shop, 0).await, 9, 1).await.status, 303);
    }
    let sales = sales(&shop).await;
    assert_eq!((&sales["units_sold"]["9"], &sales["units_oversold"]), (&3.into(), &2.into()));
    let mut client = Client::of(&shop, 0).await;
    assert_eq!(client.get("/api/products/9").await.json()["stock"], 0, "never below zero");
    assert_eq!(client.get("/healthz").await.json()["status"], "degraded");
}

#[tokio::test]
async fn a_lost_cart_is_found_empty() {
    let shop = open(|_| {});
    let mut client = Client::of(&shop, 0).await;
    client.post("/cart/add", "product=7&quantity=1").await;
    assert_eq!(client.get("/api/cart").await.json()["count"], 1);
    shop.set_fault("lost-cart=100%@london".parse().unwrap());
    assert_eq!(client.get("/api/cart").await.json()["count"], 1, "only in London");
    shop.set_fault("lost-cart=100%@tokyo".parse().unwrap());
    assert_eq!(client.get("/checkout/address").await.header("location"), Some("/cart"));
    assert_eq!(client.get("/api/cart").await.json()["count"], 0);
}
