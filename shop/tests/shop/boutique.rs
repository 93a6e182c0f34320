use std::collections::BTreeMap;

use crate::client::{Answer, Client, open};
use doorbuster_shop::Shop;
use http::Method;

const ADDRESS: &str = "name=A&email=a%40example.com&street=S+1&city=C&postcode=1&country=X";
const BUY: &str = "size=l&colour=sand&gift=yes&newsletter=on&note=a%26b&action=cart";
const EXPIRED: &str = "form has expired";

/// A viewer with a jar for all cookies, whatever their path.
struct Browser {
    client: Client,
    jar: BTreeMap<String, String>,
}

impl Browser {
    async fn of(shop: &Shop) -> Browser {
        Browser { client: Client::of(shop, 0).await, jar: BTreeMap::new() }
    }

    async fn send(&mut self, method: Method, path: &str, content_type: &str, body: &str) -> Answer {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = pairs.join("; ");
        let headers = [("cookie", cookies.as_str()), ("content-type", content_type)];
        let answer = self.client.send(method, path, &headers, body).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, "text/plain", "").await
    }

    async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.send(Method::POST, path, "application/x-www-form-urlencoded", form).await
    }

    /// Sends a form with the token of that page.
    async fn submit(&mut self, page: &str, path: &str, form: &str) -> Answer {
        let csrf = self.get(page).await.csrf();
        self.post(path, &format!("csrf={csrf}&{form}")).await
    }

    /// From a product's page to its place in the cart.
    async fn take(&mut self, product: u32, quantity: u32) -> Answer {
        let form = format!("product={product}&quantity={quantity}&{BUY}");
        self.submit(&format!("/boutique/p/{product}"), "/boutique/cart", &form).await
    }

    /// From a filled cart to the answer to the payment.
    async fn pay(&mut self, card: &str) -> Answer {
        let answer = self.submit("/boutique/checkout/1", "/boutique/checkout/1", ADDRESS).await;
        assert_eq!(sent_on(&answer), (303, "/boutique/checkout/2"));
        let answer = self.submit("/boutique/checkout/2", "/boutique/checkout/2", "delivery=express").await;
        assert_eq!(sent_on(&answer), (303, "/boutique/checkout/3"));
        self.submit("/boutique/checkout/3", "/boutique/checkout/3", &format!("card={card}")).await
    }
}

/// Status and address of an answer that sends a browser on.
fn sent_on(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.header("location").unwrap_or_default())
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).chain(["--xyz--\r\n".to_owned()]).collect()
}

#[tokio::test]
async fn every_page_is_private_and_has_a_fresh_token() {
    let shop = open(|_| {});
    let mut browser = Browser::of(&shop).await;
    let mut tokens = Vec::new();
    for path in ["/boutique/", "/boutique/", "/boutique/list?page=2", "/boutique/p/7", "/boutique/cart"] {
        let page = browser.get(path).await;
        assert_eq!((page.status, page.x_cache()), (200, "Miss"), "{path}");
        assert_eq!(page.header("cache-control"), Some("private, no-store"), "{path}");
        tokens.extend(page.all_between("name=\"csrf\" value=\"", "\"").into_iter().take(1));
    }
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
    let list = browser.get("/boutique/list").await;
    assert!(list.text().contains("<a rel=\"next\" href=\"?page=2\">"));
    assert!(list.text().contains("<a class=\"product\" href=\"p/1\">"));
    let found = browser.get("/boutique/list?q=tent").await;
    assert_eq!(found.between("id=\"result-count\">", "<"), "25");
    assert!(found.text().contains("<a rel=\"next\" href=\"?page=2&amp;q=tent\">"));
    for path in ["/boutique/list?page=0", "/boutique/list?page=99", "/boutique/p/301", "/boutique/p/x"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    assert_eq!(sent_on(&browser.get("/boutique").await), (302, "/boutique/"));
}

#[tokio::test]
async fn a_form_is_good_for_one_submission() {
    let shop = open(|_| {});
    let mut browser = Browser::of(&shop).await;
    let one = browser.get("/boutique/").await.csrf();
    let other = browser.get("/boutique/").await.csrf();
    for csrf in [one.as_str(), other.as_str()] {
        let answer = browser.post("/boutique/newsletter", &format!("csrf={csrf}&email=a%40b")).await;
        assert_eq!(sent_on(&answer), (303, "/boutique/"));
    }
    for csrf in [one.as_str(), "", "x"] {
        let answer = browser.post("/boutique/newsletter", &format!("csrf={csrf}&email=a%40b")).await;
        assert!(answer.status == 403 && answer.text().contains(EXPIRED), "{csrf}");
    }
    let mut stranger = Browser::of(&shop).await;
    let answer = stranger.post("/boutique/newsletter", "email=a%40b").await;
    assert!(answer.status == 403 && answer.text().contains(EXPIRED));
}

#[tokio::test]
async fn a_login_changes_the_session_and_leaves_a_word() {
    let shop = open(|_| {});
    let mut browser = Browser::of(&shop).await;
    assert_eq!(sent_on(&browser.get("/boutique/account").await), (302, "/boutique/"));
    let failed = browser.submit("/boutique/", "/boutique/login", "user=amber&password=x").await;
    assert_eq!(sent_on(&failed), (302, "/boutique/?login=failed"));
    let page = browser.get("/boutique/?login=failed").await;
    assert!(page.status == 200 && page.text().contains("Wrong user or password"));

    browser.take(7, 1).await;
    let before = browser.jar["boutique_session"].clone();
    let answer = browser.submit("/boutique/", "/boutique/login", "user=amber&password=secret-amber").await;
    assert_eq!(sent_on(&answer), (302, "/boutique/account"));
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let flash = r#"boutique_flash="Welcome\054 amber\073 good to see you!"; Path=/boutique"#;
    assert!(cookies.contains(&flash), "{cookies:?}");
    let session = cookies.iter().find(|cookie| cookie.starts_with("boutique_session=")).unwrap();
    assert!(session.contains("; Path=/boutique; HttpOnly"), "{session}");
    assert_ne!(browser.jar["boutique_session"], before);

    let account = browser.get("/boutique/account").await;
    assert_eq!(account.between("id=\"flash\">", "<"), "Welcome, amber; good to see you!");
    assert_eq!(account.between("id=\"user\">", "<"), "amber");
    let again = browser.get("/boutique/account").await;
    assert!(again.status == 200 && !again.text().contains("id=\"flash\""));
    assert_eq!(browser.get("/boutique/cart").await.between("id=\"cart-count\">", "<"), "1");

    let mut thief = Browser::of(&shop).await;
    thief.jar.insert("boutique_session".to_owned(), before);
    assert_eq!(sent_on(&thief.get("/boutique/account").await), (302, "/boutique/"));
}

#[tokio::test]
async fn all_kinds_of_fields_arrive() {
    let shop = open(|_| {});
    let mut browser = Browser::of(&shop).await;
    let page = browser.get("/boutique/p/7").await.text();
    for part in [
        "<base href=\"/boutique/\">",
        "<form id=\"buy\" action=\"cart\" method=\"post\">",
        "<option value=\"s\">S</option><option value=\"m\" selected>M</option>",
        "<input type=\"radio\" name=\"colour\" value=\"moss\" checked>",
        "<input type=\"checkbox\" name=\"gift\" value=\"yes\">",
        "<input type=\"checkbox\" name=\"newsletter\" checked>",
        ">No ribbon, please &amp; thank you</textarea>",
        "<button type=\"submit\" name=\"action\" value=\"wishlist\">",
        "<form id=\"newsletter\" action=\"/boutique/newsletter\" method=\"post\">",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(sent_on(&browser.take(7, 2).await), (303, "/boutique/cart"));
    let cart = browser.get("/boutique/cart").await;
    assert_eq!(
        ["size", "colour", "gift", "news", "note"]
            .map(|class| cart.between(&format!("dd class=\"{class}\">"), "<")),
        ["l", "sand", "yes", "yes", "a&amp;b"]
    );
    let wish = "product=8&quantity=1&size=s&colour=moss&action=wishlist";
    let answer = browser.submit("/boutique/p/8", "/boutique/cart", wish).await;
    assert_eq!(sent_on(&answer), (303, "/boutique/p/8"));
    assert!(browser.get("/boutique/p/8").await.between("id=\"flash\">", "<").ends_with("on your wishlist."));
    for form in ["size=m", "size=M&colour=moss&action=cart", "size=m&colour=moss"] {
        let form = format!("product=8&quantity=1&{form}");
        assert_eq!(browser.submit("/boutique/p/8", "/boutique/cart", &form).await.status, 422, "{form}");
    }
}

#[tokio::test]
async fn the_cart_is_one_form_of_many_lines() {
    let shop = open(|_| {});
    let mut browser = Browser::of(&shop).await;
    browser.take(7, 2).await;
    browser.take(8, 1).await;
    let cart = browser.get("/boutique/cart").await;
    assert_eq!(cart.between("name=\"line-TOTAL\" value=\"", "\""), "2");
    assert_eq!(cart.between("name=\"line-1-product\" value=\"", "\""), "8");
    let csrf = cart.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("line-TOTAL", "2"),
        ("line-0-product", "7"),
        ("line-0-quantity", "5"),
        ("line-1-product", "8"),
        ("line-1-quantity", "1"),
        ("line-1-remove", "on"),
    ];
    let multipart_type = "multipart/form-data; boundary=xyz";
    let update = "/boutique/cart/update";
    let answer = browser.send(Method::POST, update, multipart_type, &multipart(&fields)).await;
    assert_eq!(sent_on(&answer), (303, "/boutique/cart"));
    assert_eq!(browser.get("/boutique/cart").await.between("id=\"cart-count\">", "<"), "5");
    let answer = browser.send(Method::POST, update, multipart_type, &multipart(&fields)).await;
    assert!(answer.status == 403 && answer.text().contains(EXPIRED));
    assert_eq!(browser.post(update, "line-TOTAL=0").await.status, 415);
    assert_eq!(browser.send(Method::POST, update, multipart_type, "--xyz").await.status, 400);
    let csrf = browser.get("/boutique/cart").await.csrf();
    let fields = [("csrf", csrf.as_str()), ("line-TOTAL", "1")];
    assert_eq!(browser.send(Method::POST, update, multipart_type, &multipart(&fields)).await.status, 422);
}

#[tokio::test]
async fn a_whole_checkout_counts_as_an_order() {
    let shop = open(|options| options.stock = 2);
    let mut browser = Browser::of(&shop).await;
    assert_eq!(sent_on(&browser.get("/boutique/checkout/1").await), (302, "/boutique/cart"));
    browser.take(7, 2).await;
    for step in [2, 3] {
        let answer = browser.get(&format!("/boutique/checkout/{step}")).await;
        assert_eq!(sent_on(&answer), (302, "/boutique/checkout/1"));
    }
    let declined = browser.pay("4000+0000+0000+0002").await;
    assert_eq!(sent_on(&declined), (302, "/boutique/checkout/3?declined=1"));
    let page = browser.get("/boutique/checkout/3?declined=1").await;
    assert!(page.status == 200 && page.text().contains("declined"));
    let paid = browser.pay("4111111111111111").await;
    assert_eq!(sent_on(&paid), (303, "/boutique/thanks/B-1"));
    assert_eq!(browser.get("/boutique/thanks/B-1").await.between("<strong id=\"order-number\">", "<"), "B-1");
    let orders = Client::at(shop.admin()).await.get("/admin/orders").await.json();
    assert_eq!((&orders["orders"], &orders["units_sold"]["7"]), (&1.into(), &2.into()));

    let mut late = Browser::of(&shop).await;
    let sorry = late.take(7, 1).await;
    assert!(sorry.status == 200 && sorry.text().contains("Sorry, this product is sold out"));
    assert_eq!(late.get("/boutique/thanks/B-1").await.status, 404);
    late.take(8, 3).await;
    let sorry = late.pay("4111111111111111").await;
    assert!(sorry.status == 200 && sorry.text().contains("Sorry, this product is sold out"));
}

#[tokio::test]
async fn a_cart_is_lost_here_too() {
    let shop = open(|_| {});
    let mut browser = Browser::of(&shop).await;
    browser.take(7, 2).await;
    shop.set_fault("lost-cart=100%@tokyo".parse().unwrap());
    assert_eq!(browser.get("/boutique/cart").await.between("id=\"cart-count\">", "<"), "0");
}
