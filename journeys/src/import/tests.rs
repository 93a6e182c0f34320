use proptest::prelude::*;
use serde_json::{Value, json};

use super::archive::read;
use super::{ImportError, ImportOptions, Imported, import};
use crate::Journey;

/// A request of the test shop, answered within 50 ms.
fn entry(at_ms: u64, method: &str, path: &str, status: u16, mime: &str, body: &str) -> Value {
    let url = if path.starts_with('/') { format!("https://shop.example{path}") } else { path.to_owned() };
    let (minutes, seconds) = (at_ms / 60_000, at_ms / 1_000 % 60);
    json!({
        "startedDateTime": format!("2026-11-27T09:{minutes:02}:{seconds:02}.{:03}Z", at_ms % 1_000),
        "time": 50,
        "cache": {},
        "request": { "method": method, "url": url, "headers": [], "cookies": [], "bodySize": -1 },
        "response": {
            "status": status,
            "headers": [],
            "content": { "size": body.len(), "mimeType": mime, "text": body },
            "redirectURL": ""
        }
    })
}

/// A page that somebody went to.
fn page(at_ms: u64, path: &str, html: &str) -> Value {
    let entry = entry(at_ms, "GET", path, 200, "text/html; charset=utf-8", html);
    sent_with(entry, "Accept", "text/html,application/xhtml+xml")
}

/// A call of a script that is answered with JSON.
fn call(at_ms: u64, method: &str, path: &str, status: u16, answer: &Value) -> Value {
    let mut entry = entry(at_ms, method, path, status, "application/json", &answer.to_string());
    entry["_resourceType"] = json!("fetch");
    entry
}

fn sent_with(mut entry: Value, name: &str, value: &str) -> Value {
    let headers = entry["request"]["headers"].as_array_mut().unwrap();
    headers.push(json!({ "name": name, "value": value }));
    entry
}

fn answered_with(mut entry: Value, name: &str, value: &str) -> Value {
    let headers = entry["response"]["headers"].as_array_mut().unwrap();
    headers.push(json!({ "name": name, "value": value }));
    entry
}

fn posting(mut entry: Value, mime: &str, text: &str) -> Value {
    entry["request"]["postData"] = json!({ "mimeType": mime, "text": text });
    entry
}

fn posting_json(entry: Value, body: &str) -> Value {
    posting(entry, "application/json", body)
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "test" }, "pages": [], "entries": entries } })
        .to_string()
}

fn imported_with(entries: &[Value], hosts: &[&str]) -> Imported {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let imported = import(&har(entries), &ImportOptions { name: "visit".to_owned(), hosts }).unwrap();
    Journey::parse("visit.yaml", &imported.text)
        .unwrap_or_else(|faults| panic!("{}\n{faults}", imported.text));
    imported
}

fn imported(entries: &[Value]) -> Imported {
    imported_with(entries, &[])
}

/// The file without its first lines, which are always the same.
fn steps(imported: &Imported) -> &str {
    let head = "# Imported from a recording of https://shop.example.\njourney: visit\nsteps:\n";
    imported.text.strip_prefix(head).unwrap_or_else(|| panic!("{}", imported.text))
}

const FORM_URLENCODED: &str = "application/x-www-form-urlencoded";

#[test]
fn a_purchase_with_forms() {
    let home = r#"<nav class="categories"><a class="category" href="/c/lamps">Lamps</a>
        <a class="category" href="/c/chairs">Chairs</a></nav>"#;
    let lamps = r#"<ul><li><a class="product" href="/p/41">A</a></li><li><a class="product" href="/p/42">B</a></li></ul>"#;
    let product = r#"<form id="add" action="/cart/add" method="post">
        <input type="hidden" name="csrf" value="9f86d081884c7d659a2feaa0c55ad015">
        <input type="hidden" name="product" value="42"><input type="number" name="quantity" value="1">
        <button>Add to cart</button></form>"#;
    let cart = r#"<h1>Cart</h1><a id="to-checkout" href="/checkout">To checkout</a>"#;
    let checkout = r#"<form id="address" class="checkout" action="/checkout" method="post">
        <input type="hidden" name="csrf" value="9f86d081884c7d659a2feaa0c55ad015">
        <input name="name"><input name="email" type="email"><input name="card"><button>Pay</button></form>"#;
    let add = sent_with(entry(8_600, "POST", "/cart/add", 303, "", ""), "Accept", "text/html");
    let pay = sent_with(entry(20_800, "POST", "/checkout", 303, "", ""), "Accept", "text/html");
    let token = "csrf=9f86d081884c7d659a2feaa0c55ad015";
    let imported = imported(&[
        page(0, "/", home),
        entry(60, "GET", "/style.css", 200, "text/css", "a { color: red }"),
        entry(100, "GET", "https://stats.example/pixel.gif", 200, "image/gif", ""),
        page(3_050, "/c/lamps", lamps),
        page(8_100, "/p/42", product),
        posting(
            answered_with(add, "Location", "/cart"),
            FORM_URLENCODED,
            &format!("{token}&product=42&quantity=2"),
        ),
        page(8_650, "/cart", cart),
        page(10_700, "/checkout", checkout),
        posting(
            answered_with(pay, "Location", "/thanks/DB-1"),
            FORM_URLENCODED,
            &format!("{token}&name=Jane+Doe&email=jane%40example.com&card=4242424242424242"),
        ),
        page(20_850, "/thanks/DB-1", "<b id=order>DB-1</b>"),
    ]);
    let expected = r##"  - step: home
    get: /
    assets: true
    extract: { category: { css: a.category, attribute: href, pick: random } }
    think: 3s
  - step: c-lamps
    get: "${category}"
    extract: { product: { css: a.product, attribute: href, pick: random } }
    think: 5s
  - { step: p, get: "${product}", think: 0.5s }
  - step: cart-add
    submit: "form#add"
    fields: { quantity: 2 }
    extract: { to_checkout: { css: "a#to-checkout", attribute: href } }
    think: 2s
  - { step: checkout, get: "${to_checkout}", think: 10s }
  - step: checkout-2
    submit: "form#address"
    fields: { name: Jane Doe, email: "${shopper.email}", card: "${env.SHOP_CARD}" }
"##;
    assert_eq!(steps(&imported), expected);
    assert_eq!(imported.dropped.into_iter().collect::<Vec<_>>(), [("stats.example".to_owned(), 1)]);
    let secrets = "Secrets are not in the journey; set SHOP_CARD in the environment of the run.";
    assert_eq!(imported.remarks, [secrets]);
}

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

#[test]
fn another_button_boxes_and_a_page_further_back() {
    let html = r#"<form id="buy" action="/wishlist" method="post">
        <input type="hidden" name="csrf" value="0123456789abcdef">
        <select name="size"><option value="s">S</option><option value="m" selected>M</option></select>
        <input type="checkbox" name="gift" value="yes"><input type="checkbox" name="news" checked>
        <button name="action" value="cart">Cart</button><button name="action" value="later">Later</button></form>"#;
    let save = entry(200, "POST", "/wishlist", 200, "text/html", "<p>Saved</p>");
    let imported = imported(&[
        page(0, "/", html),
        call(100, "GET", "/api/stock", 200, &json!({ "stock": 3 })),
        posting(save, FORM_URLENCODED, "csrf=0123456789abcdef&size=s&gift=yes&action=later"),
    ]);
    let expected = r#"  - { step: home, get: / }
  - { step: api-stock, get: /api/stock }
  - step: wishlist
    submit: "form#buy"
    page: home
    button: 'button[value="later"]'
    fields: { size: s, news: false, gift: true }
"#;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn forms_whose_fields_are_the_query() {
    let home = r#"<form id="search" action="/search?x=y"><input name="q"><input type="hidden" name="lang" value="en">
        <input type="checkbox" name="sale" value="1"><button>Search</button></form>
        <a class="popular" href="/search?q=chairs&amp;lang=en">Chairs</a>"#;
    let found = r#"<form id="sort" action="/search" method="GET"><input type="hidden" name="q" value="desk lamp">
        <select name="by"><option value="name">Name<option value="price">Price</select><button>Sort</button></form>"#;
    let imported = imported(&[
        page(0, "/", home),
        page(3_050, "/search?q=desk+lamp&lang=en", found),
        page(6_100, "/search?q=desk+lamp&by=price", "<p>Sorted</p>"),
        page(9_150, "/search?q=chairs&lang=en", "<p>Chairs</p>"),
        page(12_200, "/search?q=sofas&lang=en&page=2", "<p>Sofas</p>"),
        call(13_000, "GET", "/search?q=sofas&lang=en", 200, &json!([])),
    ]);
    let expected = r##"  - { step: home, get: /, extract: { popular: { css: a.popular, attribute: href } }, think: 3s }
  - { step: search, submit: "form#search", fields: { q: desk lamp }, think: 3s }
  - { step: search-2, submit: "form#sort", fields: { by: price }, think: 3s }
  - { step: search-3, get: "${popular}", think: 3s }
  - { step: search-4, get: /search?q=sofas&lang=en&page=2, think: 0.8s }
  - { step: search-5, get: /search?q=sofas&lang=en }
"##;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn a_link_is_not_random_where_more_depends_on_it() {
    let home = r#"<a class="product" href="/p/desk-lamp">Desk lamp</a><a class="product" href="/p/oak-chair">Oak chair</a>"#;
    let viewed = call(200, "POST", "/api/views", 200, &json!({}));
    let imported = imported(&[
        page(0, "/", home),
        page(100, "/p/oak-chair", "<h1>Oak chair</h1>"),
        posting_json(viewed, r#"{"product":"oak-chair"}"#),
    ]);
    let expected = r#"  - { step: home, get: /, extract: { product: { css: a.product, attribute: href, pick: 1 } } }
  - { step: p-oak-chair, get: "${product}" }
  - { step: api-views, post: /api/views, json: { product: oak-chair } }
"#;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn hosts_of_the_shop_and_of_others() {
    let first = sent_with(entry(0, "GET", "/", 302, "", ""), "Accept", "text/html");
    let entries = [
        answered_with(first, "Location", "https://www.shop.example/"),
        page(10, "https://www.shop.example/", "<h1>Shop</h1>"),
        call(70, "GET", "https://api.shop.example/v1/prices", 200, &json!([])),
        entry(80, "POST", "https://stats.example/collect", 204, "", ""),
        page(130, "https://www.shop.example/cart", "<h1>Cart</h1>"),
    ];
    let alone = imported(&entries);
    assert_eq!(steps(&alone), "  - { step: home, get: / }\n  - { step: cart, get: /cart }\n");
    assert_eq!(
        alone.dropped.into_iter().collect::<Vec<_>>(),
        [("api.shop.example".to_owned(), 1), ("stats.example".to_owned(), 1)]
    );
    assert_eq!(
        alone.remarks,
        [
            "1 pages or calls of api.shop.example were left out; if this host belongs to the shop, name it and import again."
        ]
    );
    let both = imported_with(&entries, &["https://api.shop.example/"]);
    let expected = r#"  - { step: home, get: / }
  - { step: v1-prices, get: "https://api.shop.example/v1/prices" }
  - { step: cart, get: "https://www.shop.example/cart" }
"#;
    assert_eq!(steps(&both), expected);
    assert_eq!(
        both.remarks,
        [
            "Steps with a whole address go to https://api.shop.example, https://www.shop.example, whatever the target of a run is; the run has to allow it."
        ]
    );
}

#[test]
fn where_somebody_has_to_look() {
    let mut home = page(0, "/", "");
    home["response"]["content"] = json!({ "size": 100, "mimeType": "text/html" });
    let upload = entry(100, "POST", "/upload", 200, "application/json", "{}");
    let parts = "--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--xyz\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nabc\r\n--xyz--\r\n";
    let track = entry(200, "POST", "/track", 200, "application/json", "{}");
    let orders = call(300, "GET", "/orders/4f5e6d7c8b9a0f1e2d3c", 200, &json!({}));
    let imported = imported(&[
        home,
        posting(upload, "multipart/form-data; boundary=xyz", parts),
        sent_with(track, "Content-Length", "12"),
        orders,
    ]);
    let expected = r#"# Imported from a recording of https://shop.example.
# look here: 1 of 4 answers were recorded without their bodies, in which links, forms and tokens would be found; record
#   again with content
journey: visit
steps:
  - { step: home, get: / }
  # look here: a file was uploaded; set the size of what is to be sent instead
  - { step: upload, post: /upload, multipart: { note: hello, photo: { file: a.png, type: image/png, size: 3B } } }
  # look here: what was sent was not recorded
  - { step: track, post: /track }
  # look here: "order" is 4f5e6d7c8b9a0f1e2d3c, which looks like an id or a token and was found in no answer before
  - { step: orders, get: /orders/4f5e6d7c8b9a0f1e2d3c }
"#;
    assert_eq!(imported.text, expected);
    assert_eq!(imported.remarks.len(), 4, "{:#?}", imported.remarks);
    assert_eq!(imported.remarks[2], "Step \"track\": what was sent was not recorded.");
}

#[test]
fn texts_stay_texts_and_secrets_never_show() {
    let login = entry(100, "POST", "/login", 200, "text/html", "<p>Welcome</p>");
    let form = "user=no&note=%24%7Ba%7D&code=007&password=Tr0ub4dor%263&hint=Tr0ub4dor%263!";
    let imported = imported(&[page(0, "/", "<h1>Shop</h1>"), posting(login, FORM_URLENCODED, form)]);
    let expected = r#"  - { step: home, get: / }
  - step: login
    post: /login
    form: { user: "no", note: "$${a}", code: "007", password: "${env.SHOP_PASSWORD}", hint: "${env.SHOP_PASSWORD}!" }
"#;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn bodies_of_other_kinds_hold_no_secrets_and_old_tokens_either() {
    let home = r#"<meta name="csrf-token" content="9f86d081884c7d659a2feaa0c55ad015">"#;
    let soap = sent_with(entry(100, "POST", "/soap", 200, "text/xml", "<ok/>"), "Content-Type", "text/xml");
    let xml = "<a><password>Pa55</password><csrf>9f86d081884c7d659a2feaa0c55ad015</csrf></a>";
    let pay = sent_with(entry(200, "POST", "/pay", 200, "", ""), "Content-Type", "text/plain");
    let lines =
        "card 4242 4242 4242 4242, at 2026-11-27\nmail: jane@example.com\n9f86d081884c7d659a2feaa0c55ad015";
    let imported =
        imported(&[page(0, "/", home), posting(soap, "text/xml", xml), posting(pay, "text/plain", lines)]);
    let expected = r#"  - { step: home, get: /, extract: { csrf: { css: 'meta[name="csrf-token"]', attribute: content } } }
  # look here: the body is sent as it was recorded, but for what could be told in it; see that no secret is left there
  - step: soap
    post: /soap
    headers: { content-type: text/xml }
    body: "<a><password>${env.SHOP_PASSWORD}</password><csrf>${csrf}</csrf></a>"
  # look here: the body is sent as it was recorded, but for what could be told in it; see that no secret is left there
  - step: pay
    post: /pay
    headers: { content-type: text/plain }
    body: "card ${env.SHOP_CARD}, at 2026-11-27\nmail: ${shopper.email}\n${csrf}"
"#;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn no_way_to_write_a_password_into_a_body_brings_it_into_a_journey() {
    for (mime, body, secret, expected) in [
        (
            "text/xml",
            "<password><![CDATA[Geheim77]]></password>",
            "Geheim77",
            "<password><![CDATA[${env.SHOP_PASSWORD}]]></password>",
        ),
        (
            "application/json",
            r#"{"password":"Pa\"55word"} x"#,
            "55word",
            r#"'{"password":"${env.SHOP_PASSWORD}"} x'"#,
        ),
        ("text/yaml", "password: 'Top$ecret'", "Top$", "\"password: '${env.SHOP_PASSWORD}'\""),
    ] {
        let login = entry(100, "POST", "/login", 200, "", "");
        let imported = imported(&[page(0, "/", "<h1>Shop</h1>"), posting(login, mime, body)]);
        let text = steps(&imported);
        assert!(!text.contains(secret) && text.contains(expected), "{text}");
        assert!(text.contains("  # look here: the body is sent as it was recorded"), "{text}");
    }
}

#[test]
fn what_is_no_recording_is_refused() {
    let options = |name: &str| ImportOptions { name: name.to_owned(), hosts: Vec::new() };
    let nothing = import(&har(&[]), &options("x"));
    assert_eq!(nothing, Err(ImportError::Nothing { requests: 0 }));
    assert!(matches!(import("<html>", &options("x")), Err(ImportError::NotHar { .. })));
    assert!(matches!(import(&har(&[]), &options("a b")), Err(ImportError::Name { .. })));
}

#[test]
fn entries_are_read_with_what_they_have() {
    let mut encoded = page(500, "/b", "");
    encoded["response"]["content"]["text"] = json!("PGEgaWQ9IngiIGhyZWY9Ii94LzE/YT0xIj54PC9hPg==");
    encoded["response"]["content"]["encoding"] = json!("base64");
    let bare = json!({ "request": { "method": "get", "url": "https://shop.example/c" } });
    let entries = [encoded, page(0, "/a", "<p>"), json!(7), json!({ "request": {} }), bare];
    let archive = read(&format!("\u{feff}{}", har(&entries))).unwrap();
    let paths: Vec<&str> = archive.entries.iter().map(|entry| entry.url.path()).collect();
    assert_eq!((paths, archive.unreadable), (vec!["/a", "/c", "/b"], 2));
    assert_eq!(archive.entries[2].body.as_deref(), Some(r#"<a id="x" href="/x/1?a=1">x</a>"#));
    assert_eq!((archive.entries[1].method.as_str(), archive.entries[1].status), ("GET", 0));
}

/// What stands in many recordings, whole or in pieces.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,30}",
        "[a-f0-9]{16,20}",
        "(<form |<input |<a |</form>|<button |method=post |action=/x |name=[ab] |value=[a-f0-9]{16} |href=/p/[0-9]|class=c |id=i |>|\\PC){0,20}",
        "(\\{|\\}|\\[|\\]|\"a\":|\"[a-f0-9]{16}\"|,|[0-9]{1,9}|null|\"query\":\"\\{a\\}\"){0,12}",
        "([ab]=[a-f0-9]{0,16}&?){0,5}",
        Just("{\"a\":{\"id\":\"0123456789abcdef\",\"b\":[1,2.5,null,true,10000042]}}".to_owned()),
    ]
}

fn some_entry() -> impl Strategy<Value = Value> {
    let paths = prop_oneof![
        Just("/".to_owned()),
        "/[a-c/]{0,4}(\\?[a-c&=%$\\{]{0,8})?",
        "/p/(0123456789abcdef|10000042|[0-9]{1,3})",
        "https://(www\\.shop|api\\.shop|other)\\.example/[a-c]?",
        "\\PC{0,20}",
    ];
    let methods =
        prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("HEAD"), Just("DELETE"), Just("x")];
    let mimes = prop_oneof![
        Just("text/html"),
        Just("application/json"),
        Just("text/css"),
        Just("application/x-www-form-urlencoded"),
        Just("multipart/form-data; boundary=b"),
        Just("text/plain"),
        Just(""),
    ];
    let statuses =
        prop_oneof![Just(200_u16), Just(302_u16), Just(303_u16), Just(404_u16), Just(0_u16), Just(999_u16)];
    let headers = proptest::collection::vec(
        ("(authorization|x-[ab]|location|set-cookie|accept|\\PC{0,5})", text()),
        0..4,
    );
    (
        0..9_000_u64,
        methods,
        paths,
        statuses,
        (mimes.clone(), mimes),
        text(),
        proptest::option::of(text()),
        headers,
    )
        .prop_map(|(at_ms, method, path, status, (mime, sent_mime), body, sent, headers)| {
            let mut entry = entry(at_ms, method, &path, status, mime, &body);
            if let Some(sent) = sent {
                entry = posting(entry, sent_mime, &sent);
            }
            for (name, value) in headers {
                entry = answered_with(sent_with(entry, &name, &value), &name, &value);
            }
            entry
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_text_panics(text in "(\\{\"log\":\\{\"entries\":\\[)?(\\{\"request\":|\"url\":|\"method\":|\\{|\\}|\\[|\\]|,|:|\"\\PC{0,9}\"|[0-9]{1,4}|\\PC){0,30}") {
        let _ = import(&text, &ImportOptions { name: "x".to_owned(), hosts: vec![text.clone()] });
    }

    #[test]
    fn whatever_was_recorded_can_be_read(entries in proptest::collection::vec(some_entry(), 0..12)) {
        let options = ImportOptions { name: "x".to_owned(), hosts: vec!["api.shop.example".to_owned()] };
        if let Ok(imported) = import(&har(&entries), &options) {
            prop_assert!(Journey::parse("x.yaml", &imported.text).is_ok(), "{}\n{:#?}", imported.text, imported.remarks);
            prop_assert!(imported.text.lines().all(|line| line.chars().count() <= 120), "{}", imported.text);
        }
    }
}
