//! Links and forms: what was clicked, chosen and typed.

use serde_json::json;

use super::{
    FORM_URLENCODED, answered_with, call, entry, imported, page, posting, posting_json, sent_with, steps,
};

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
