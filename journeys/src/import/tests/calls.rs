//! Calls of scripts: what they send is found in the answers before.

use serde_json::json;

use super::{call, imported, page, posting_json, sent_with, steps};

#[test]
fn calls_with_ids_tokens_and_secrets() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl";
    let user = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let bearer = format!("Bearer {token}");
    let status = |at_ms| {
        let call = call(at_ms, "GET", "/api/status", 200, &json!({ "state": "open" }));
        sent_with(call, "X-Api-Key", "k3y-0123456789abcdef")
    };
    let login =
        call(2_050, "POST", "/api/login", 200, &json!({ "accessToken": token, "user": { "id": user } }));
    let orders = json!({ "orders": [{ "id": 10_000_042, "total": 12.5 }] });
    let orders = call(2_150, "GET", &format!("/api/users/{user}/orders?limit=10"), 200, &orders);
    let cancel = call(3_200, "POST", "/api/orders/10000042/cancel", 204, &json!({}));
    let imported = imported(&[
        page(0, "/", "<div id=root></div>"),
        posting_json(login, r#"{"email":"jane@example.com","password":"hunter2-hunter2"}"#),
        sent_with(sent_with(orders, "Authorization", &bearer), "Accept", "application/json"),
        posting_json(
            sent_with(sent_with(cancel, "Authorization", &bearer), "Cookie", "sid=1"),
            r#"{"reason":"too late","notify":true,"order":10000042,"note":null}"#,
        ),
        status(5_250),
        status(7_300),
        status(9_350),
    ]);
    let expected = r#"  - { step: home, get: /, think: 2s }
  - step: api-login
    post: /api/login
    json: { email: "${shopper.email}", password: "${env.SHOP_PASSWORD}" }
    extract: { user: { json: $.user.id }, token: { json: $.accessToken } }
  - step: api-users-orders
    get: "/api/users/${user}/orders?limit=10"
    headers: { authorization: "Bearer ${token}", accept: application/json }
    extract: { order: { json: "$.orders[0].id" } }
    think: 1s
  - step: api-orders-cancel
    post: "/api/orders/${order}/cancel"
    headers: { authorization: "Bearer ${token}" }
    json: { reason: too late, notify: true, order: "${order:number}", note: null }
    expect: { status: 204 }
    think: 2s
  - repeat: 3
    steps: [{ step: api-status, get: /api/status, headers: { x-api-key: "${env.SHOP_TOKEN}" }, think: 2s }]
"#;
    assert_eq!(steps(&imported), expected);
    let secrets =
        "Secrets are not in the journey; set SHOP_PASSWORD, SHOP_TOKEN in the environment of the run.";
    assert_eq!(imported.remarks, [secrets]);
}

#[test]
fn graphql() {
    let (cart, token) = ("9a8b7c6d5e4f3a2b", "0123456789abcdef0123456789abcdef");
    let created = json!({ "data": { "createCart": { "cart": { "id": cart }, "token": token } } });
    let add = call(200, "POST", "/graphql", 200, &json!({ "data": {} }));
    let variables = format!(r#"{{"cartId":"{cart}","productId":"7","quantity":1,"weight":1.5}}"#);
    let document = r"mutation AddToCart($cartId: ID!, $productId: ID!, $quantity: Int!) {\n  addToCart(cartId: $cartId, productId: $productId, quantity: $quantity) {\n    cart { count total }\n  }\n}";
    let imported = imported(&[
        page(0, "/", "<div id=root></div>"),
        posting_json(
            call(100, "POST", "/graphql", 200, &created),
            r#"{"operationName":"CreateCart","query":"mutation CreateCart { createCart { cart { id } token } }","variables":{}}"#,
        ),
        posting_json(
            sent_with(add, "Authorization", &format!("Bearer {token}")),
            &format!(r#"{{"query":"{document}","variables":{variables},"operationName":"AddToCart"}}"#),
        ),
    ]);
    let expected = r#"  - { step: home, get: / }
  - step: CreateCart
    post: /graphql
    graphql: { operation: CreateCart, query: "mutation CreateCart { createCart { cart { id } token } }" }
    extract: { token: { json: $.data.createCart.token }, cart: { json: $.data.createCart.cart.id } }
  - step: AddToCart
    post: /graphql
    headers: { authorization: "Bearer ${token}" }
    graphql:
      operation: AddToCart
      query: |-
        mutation AddToCart($cartId: ID!, $productId: ID!, $quantity: Int!) {
          addToCart(cartId: $cartId, productId: $productId, quantity: $quantity) {
            cart { count total }
          }
        }
      variables: { cartId: "${cart}", productId: "7", quantity: 1, weight: 1.5 }
"#;
    assert_eq!(steps(&imported), expected);
    assert_eq!(imported.remarks, Vec::<String>::new());
}

#[test]
fn values_of_a_page_that_a_script_sends() {
    let html = r#"<meta name="csrf-token" content="9f86d081884c7d659a2feaa0c55ad015">
        <main data-cart-id="c0ffee00c0ffee00"><button class="buy" data-sku="LAMP-1042">Buy</button></main>"#;
    let add = call(100, "POST", "/api/cart/c0ffee00c0ffee00/items", 201, &json!({ "count": 2 }));
    let imported = imported(&[
        page(0, "/", html),
        posting_json(
            sent_with(add, "X-CSRF-Token", "9f86d081884c7d659a2feaa0c55ad015"),
            r#"{"sku":"LAMP-1042","quantity":2}"#,
        ),
    ]);
    let expected = r#"  - step: home
    get: /
    extract:
      cart: { css: "main[data-cart-id]", attribute: data-cart-id }
      csrf: { css: 'meta[name="csrf-token"]', attribute: content }
      sku: { css: "button[data-sku]", attribute: data-sku }
  - step: api-cart-items
    post: "/api/cart/${cart}/items"
    headers: { x-csrf-token: "${csrf}" }
    json: { sku: "${sku}", quantity: 2 }
    expect: { status: 201 }
"#;
    assert_eq!(steps(&imported), expected);
}
