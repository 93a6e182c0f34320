//! What is told to whoever has to look: hosts that were left out, and what a recording lacks.

use serde_json::json;

use super::{answered_with, call, entry, imported, imported_with, page, posting, sent_with, steps};

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
