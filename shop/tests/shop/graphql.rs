use crate::client::{Answer, Client, open};
use http::Method;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A client with the token of its cart.
struct Caller {
    client: Client,
    token: Option<String>,
}

impl Caller {
    async fn of(shop: &doorbuster_shop::Shop) -> Caller {
        Caller { client: Client::of(shop, 0).await, token: None }
    }

    async fn send(&mut self, body: &str) -> Answer {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let authorization = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let headers: Vec<(&str, &str)> = [JSON].into_iter().chain(authorization).collect();
        self.client.send(Method::POST, "/graphql", &headers, body).await
    }

    /// The answer to an operation; `head` is its kind and name.
    async fn call(&mut self, head: &str, variables: Value) -> Value {
        let body = json!({ "query": format!("{head} {{ a }}"), "variables": variables });
        let answer = self.send(&body.to_string()).await;
        assert_eq!(answer.status, 200, "{head}");
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        answer.json()
    }

    /// Creates a cart and keeps its token; returns its number.
    async fn create(&mut self) -> Value {
        let created = self.call("mutation CreateCart", json!({})).await["data"]["createCart"].clone();
        self.token = Some(created["token"].as_str().unwrap().to_owned());
        created["cart"]["id"].clone()
    }

    async fn add(&mut self, cart: &Value, product: u32, quantity: Value) -> Value {
        let variables = json!({ "cartId": cart, "productId": product.to_string(), "quantity": quantity });
        self.call("mutation AddToCart", variables).await
    }

    async fn place(&mut self, cart: &Value, card: &str) -> Value {
        self.call("mutation PlaceOrder", json!({ "cartId": cart, "payment": { "card": card } })).await
    }
}

fn code(answer: &Value) -> &str {
    assert_eq!(answer["data"], Value::Null, "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap()
}

fn address() -> Value {
    json!({ "name": "A", "email": "a@example.com", "street": "S", "city": "C", "postcode": "1", "country": "X" })
}

#[tokio::test]
async fn products_come_page_by_page() {
    let shop = open(|_| {});
    let mut caller = Caller::of(&shop).await;
    let (mut after, mut ids) = (Value::Null, Vec::new());
    loop {
        let variables = json!({ "search": "tent", "first": 10, "after": after });
        let products = caller.call("query Products", variables).await["data"]["products"].clone();
        assert_eq!(products["totalCount"], 25);
        let edges = products["edges"].as_array().unwrap();
        ids.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()));
        after = products["pageInfo"]["endCursor"].clone();
        if products["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(ids.len(), 25);
    let product = caller.call("query Product", json!({ "id": ids[0] })).await["data"]["product"].clone();
    assert_eq!((&product["id"], &product["inStock"]), (&ids[0].clone().into(), &true.into()));
    assert_eq!(
        caller.call("query Product", json!({ "id": 999 })).await,
        json!({ "data": { "product": null } })
    );
    for variables in
        [json!({ "first": "10" }), json!({ "first": 0 }), json!({ "after": "x" }), json!({ "q": "x" })]
    {
        assert_eq!(code(&caller.call("query Products", variables).await), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn a_whole_checkout_counts_as_an_order() {
    let shop = open(|options| options.stock = 2);
    let mut caller = Caller::of(&shop).await;
    let cart = caller.create().await;
    let quantity = caller.add(&cart, 7, json!("2")).await;
    assert_eq!((code(&quantity), &quantity["errors"][0]["path"]), ("BAD_USER_INPUT", &json!(["addToCart"])));
    let added = caller.add(&cart, 7, json!(2)).await;
    assert_eq!(added["data"]["addToCart"]["cart"]["count"], 2);
    assert_eq!(code(&caller.place(&cart, "4111111111111111").await), "ADDRESS_MISSING");
    let variables = json!({ "cartId": cart, "address": address() });
    let set = caller.call("mutation SetAddress", variables).await;
    assert_eq!(set["data"]["setAddress"]["cart"]["hasAddress"], true);
    assert_eq!(code(&caller.place(&cart, "x").await), "BAD_USER_INPUT");
    assert_eq!(code(&caller.place(&cart, "4000000000000002").await), "DECLINED");
    let placed = caller.place(&cart, "4111111111111111").await;
    assert_eq!(placed["data"]["placeOrder"]["order"]["number"], "G-1");
    assert_eq!(code(&caller.place(&cart, "4111111111111111").await), "BAD_USER_INPUT", "the cart is empty");
    let orders = Client::at(shop.admin()).await.get("/admin/orders").await.json();
    assert_eq!((&orders["orders"], &orders["units_sold"]["7"]), (&1.into(), &2.into()));

    assert_eq!(code(&caller.add(&cart, 7, json!(1)).await), "SOLD_OUT");
    caller.add(&cart, 8, json!(3)).await;
    caller.call("mutation SetAddress", json!({ "cartId": cart, "address": address() })).await;
    assert_eq!(code(&caller.place(&cart, "4111111111111111").await), "SOLD_OUT");
}

#[tokio::test]
async fn a_cart_needs_its_token() {
    let shop = open(|_| {});
    let (mut one, mut other) = (Caller::of(&shop).await, Caller::of(&shop).await);
    assert_eq!(code(&one.call("query Cart", json!({ "id": "x" })).await), "UNAUTHENTICATED");
    let cart = one.create().await;
    other.create().await;
    assert_eq!(code(&other.call("query Cart", json!({ "id": cart })).await), "CART_NOT_FOUND");
    assert_eq!(one.add(&cart, 7, json!(1)).await["data"]["addToCart"]["cart"]["count"], 1);
    shop.set_fault("lost-cart=100%@tokyo".parse().unwrap());
    assert_eq!(one.call("query Cart", json!({ "id": cart })).await["data"]["cart"]["count"], 0);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let shop = open(|_| {});
    let mut caller = Caller::of(&shop).await;
    for body in ["{", "[]", "{}", r#"{"query":"query Product { a }","variables":3}"#] {
        assert_eq!(caller.send(body).await.status, 400, "{body}");
    }
    assert_eq!(code(&caller.call("query Everything", json!({})).await), "BAD_USER_INPUT");
    assert_eq!(code(&caller.call("query CreateCart", json!({})).await), "BAD_USER_INPUT");
    assert_eq!(caller.client.post("/graphql", "query=x").await.status, 415);
    assert_eq!(caller.client.get("/graphql").await.status, 405);
}
