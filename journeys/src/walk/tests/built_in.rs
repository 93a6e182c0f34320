//! The built-in journeys against canned pages that keep a cart.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;

use super::{Dice, headers, shopper};
use crate::{Answer, BUILT_IN, Ending, Fetch, Journey, Next, Walk, built_in};

/// The shopper's marker.
const MARK: &str = "dbm-3fa09c11d2e4-123-e";

/// Just enough of a shop: answers a request with status, headers and page, and follows its own redirects.
#[derive(Default)]
struct CannedShop {
    cart: BTreeMap<String, u32>,
    /// What the shopper wrote to the shop.
    note: String,
    /// A fault to show: the cart loses what is put into it.
    loses_cart: bool,
    sold_out: bool,
}

fn fields(fetch: &Fetch) -> BTreeMap<String, String> {
    let body = fetch.body.as_deref().unwrap_or_default();
    url::form_urlencoded::parse(body).into_owned().collect()
}

impl CannedShop {
    fn serve(&mut self, fetch: &Fetch, target: &str) -> (u16, HeaderMap, String) {
        let page = |body: &str| (200, HeaderMap::new(), format!("<!doctype html><title>Shop</title>{body}"));
        let redirect = |target: &'static str| (303, headers(&[("location", target)]), String::new());
        let fields = fields(fetch);
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let path = target.split('?').next().unwrap();
        let form =
            |id: &str| page(&format!("<form id={id}><input type=hidden name=csrf value=\"t&amp;1\"></form>"));
        match (fetch.method.as_str(), path) {
            ("GET", "/") => {
                page("<a class=category href=/c/lamps>Lamps</a><a class=category href=/c/tents>T</a>")
            }
            ("GET", "/c/lamps" | "/c/tents" | "/search") => page(
                "<h1>All</h1><p id=result-count>2</p><a class=product href=/p/1>Lamp</a><a class=product href=/p/2>Tent</a>",
            ),
            ("GET", "/p/1" | "/p/2") => page(&format!(
                "<h1>Lamp</h1><b class=price>9</b><form id=add-to-cart><input type=hidden name=product value={}></form>",
                &path[3..]
            )),
            ("POST", "/cart/add") => {
                if !field("note").is_empty() {
                    self.note = field("note");
                }
                if !self.loses_cart {
                    *self.cart.entry(field("product")).or_default() +=
                        field("quantity").parse::<u32>().unwrap();
                }
                page(&self.cart_page())
            }
            ("POST", "/cart/update") if field("csrf") == "t&1" => {
                self.cart.insert(field("product"), field("quantity").parse().unwrap());
                page(&self.cart_page())
            }
            // Those who come here have written before.
            ("GET", "/cart") if self.note == MARK => page(&self.cart_page()),
            ("GET", "/checkout/address") => form("address"),
            ("GET", "/checkout/delivery") => form("delivery"),
            ("GET", "/checkout/payment") => form("payment"),
            ("POST", "/checkout/address")
                if field("email") == format!("shopper.{MARK}@example.com") && field("csrf") == "t&1" =>
            {
                redirect("/checkout/delivery")
            }
            ("POST", "/checkout/delivery") if field("delivery") == "standard" => {
                redirect("/checkout/payment")
            }
            ("POST", "/checkout/payment") if self.sold_out => (409, HeaderMap::new(), String::new()),
            ("POST", "/checkout/payment") if field("card").len() == 16 && self.note == MARK => {
                redirect("/checkout/confirmation/DB-000123")
            }
            ("GET", "/checkout/confirmation/DB-000123") => page("<p id=order-number> DB-000123 </p>"),
            _ => (404, HeaderMap::new(), String::new()),
        }
    }

    fn cart_page(&self) -> String {
        let lines: String = self
            .cart
            .iter()
            .map(|(product, quantity)| {
                format!(
                    "<tr class=line data-product=\"{product}\"><td class=quantity> {quantity} <td class=line-total>9<form class=update><input name=csrf value=\"t&amp;1\"></form>"
                )
            })
            .collect();
        let count: u32 = self.cart.values().sum();
        format!(
            "<table>{lines}</table><b id=cart-count>{count}</b><a id=to-checkout href=/checkout/address>Buy</a>"
        )
    }
}

/// Walks to the end; the steps in order, how it ended, and why it failed.
fn replay(name: &str, mut shop: CannedShop, seed: u64) -> (Vec<String>, Ending, Option<String>) {
    let journey = Arc::new(Journey::parse(name, built_in(name).unwrap()).unwrap());
    let mut walk = Walk::new(Arc::clone(&journey), shopper("r"));
    let (mut dice, mut steps, mut failure) = (Dice(seed), Vec::new(), None);
    loop {
        match walk.next(&mut dice) {
            Next::Fetch(fetch) => {
                steps.push(journey.steps()[fetch.step].name.clone());
                let (status, headers, body) = shop.serve(&fetch, fetch.target(&journey));
                let answer = Answer { headers: &headers, ..super::plain(status, &body) };
                failure = walk.answer(&answer, &mut dice).err().map(|failure| failure.message);
            }
            Next::Think(think) => assert!((200..=1_000).contains(&think.as_millis())),
            Next::Done(ending) => return (steps, ending, failure),
        }
    }
}

#[test]
fn every_built_in_journey_completes() {
    let steps_of = |name: &str| match name {
        "browse" => "home category search product",
        "cart" => {
            "cart-home cart-category cart-product add cart-search second-product second-add show-cart update view"
        }
        _ => {
            "checkout-home checkout-category checkout-product checkout-add checkout-cart address send-address delivery send-delivery payment pay confirmation"
        }
    };
    for name in BUILT_IN {
        for seed in 0..30 {
            let (steps, ending, failure) = replay(name, CannedShop::default(), seed);
            assert_eq!((ending, failure), (Ending::Completed, None), "{name} {seed}");
            assert_eq!(steps.join(" "), steps_of(name));
        }
    }
    assert!(built_in("nothing").is_none());
}

#[test]
fn a_lost_cart_and_a_sold_out_product_are_seen() {
    let (steps, ending, failure) =
        replay("cart", CannedShop { loses_cart: true, ..CannedShop::default() }, 1);
    assert_eq!((steps.last().unwrap().as_str(), ending), ("add", Ending::Failed));
    assert_eq!(failure.unwrap(), "expected 1 of tr.line, got 0 (cart:32)");
    let (steps, _, failure) = replay("checkout", CannedShop { sold_out: true, ..CannedShop::default() }, 1);
    assert_eq!(steps.last().unwrap(), "pay");
    assert_eq!(failure.unwrap(), "expected status 303, got 409");
}

#[test]
fn a_cart_with_a_wrong_quantity_is_seen() {
    let shop = CannedShop { cart: BTreeMap::from([("3".to_owned(), 1)]), ..CannedShop::default() };
    let (steps, _, failure) = replay("cart", shop, 1);
    assert_eq!(steps.last().unwrap(), "add");
    assert!(failure.unwrap().starts_with("expected 1 of tr.line, got 2"));
}
