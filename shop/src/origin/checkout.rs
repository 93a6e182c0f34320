//! The guest checkout: address, delivery, payment. Every form carries the session's CSRF token, and
//! every page sends a shopper with an empty cart back to it.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::cart_page::wrong_csrf;
use super::catalogue::ProductId;
use super::page::{self, Money};
use super::sessions::{Address, Delivery, Session};
use super::visitor::Visitor;
use super::warehouse::Order;
use super::{Origin, card};
use crate::chance::Token;

pub(super) const FIELD_CHARS_MAX: usize = 200;

/// The form of the first page. What is missing is empty, and refused as such.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AddressForm {
    pub(super) csrf: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) street: String,
    pub(super) city: String,
    pub(super) postcode: String,
    pub(super) country: String,
}

/// The form of the second page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeliveryForm {
    pub(super) csrf: String,
    pub(super) delivery: String,
}

/// The form of the third page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PaymentForm {
    pub(super) csrf: String,
    pub(super) card: String,
}

/// `GET /checkout/address`
pub(super) async fn address(State(origin): State<Arc<Origin>>, visitor: Visitor) -> Response {
    with_cart(&origin, visitor, None, |session| {
        let filled = session.address.as_deref().map(AddressForm::again).unwrap_or_default();
        let form = address_form(session.csrf, &filled, None);
        step(&origin, StatusCode::OK, "Address", &form)
    })
}

/// `POST /checkout/address`
pub(super) async fn take_address(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Form(form): Form<AddressForm>,
) -> Response {
    with_cart(&origin, visitor, Some(&form.csrf), |session| match form.fault() {
        Some(fault) => {
            let form = address_form(session.csrf, &form, Some(&fault));
            step(&origin, StatusCode::UNPROCESSABLE_ENTITY, "Address", &form)
        }
        None => {
            session.address = Some(Box::new(form.address()));
            page::see_other("/checkout/delivery")
        }
    })
}

/// `GET /checkout/delivery`
pub(super) async fn delivery(State(origin): State<Arc<Origin>>, visitor: Visitor) -> Response {
    with_cart(&origin, visitor, None, |session| match session.address.as_deref() {
        Some(address) => {
            let form = delivery_form(session.csrf, Some(address), None);
            step(&origin, StatusCode::OK, "Delivery", &form)
        }
        None => page::see_other("/checkout/address"),
    })
}

/// `POST /checkout/delivery`
pub(super) async fn take_delivery(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Form(form): Form<DeliveryForm>,
) -> Response {
    with_cart(&origin, visitor, Some(&form.csrf), |session| {
        session.delivery = Delivery::named(&form.delivery);
        match session.delivery {
            Some(_) => page::see_other("/checkout/payment"),
            None => {
                let fault = Some("Choose how we deliver.");
                let form = delivery_form(session.csrf, session.address.as_deref(), fault);
                step(&origin, StatusCode::UNPROCESSABLE_ENTITY, "Delivery", &form)
            }
        }
    })
}

/// `GET /checkout/payment`
pub(super) async fn payment(State(origin): State<Arc<Origin>>, visitor: Visitor) -> Response {
    with_cart(&origin, visitor, None, |session| match (session.address.as_deref(), session.delivery) {
        (None, _) => page::see_other("/checkout/address"),
        (_, None) => page::see_other("/checkout/delivery"),
        (Some(address), Some(delivery)) => {
            let total_cents = session.cart.total_cents(&origin.catalogue) + delivery.price_cents();
            let form = payment_form(session.csrf, address, total_cents, None);
            step(&origin, StatusCode::OK, "Payment", &form)
        }
    })
}

/// `POST /checkout/payment`: places the order.
pub(super) async fn take_payment(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Form(form): Form<PaymentForm>,
) -> Response {
    with_cart(&origin, visitor, Some(&form.csrf), |session| {
        let (Some(sid), Some(address)) = (visitor.sid, &session.address) else {
            return page::see_other("/checkout/address");
        };
        let Some(delivery) = session.delivery else {
            return page::see_other("/checkout/delivery");
        };
        let total_cents = session.cart.total_cents(&origin.catalogue) + delivery.price_cents();
        if !card::is_number(&form.card) {
            let form = payment_form(session.csrf, address, total_cents, Some(card::NO_NUMBER));
            return step(&origin, StatusCode::UNPROCESSABLE_ENTITY, "Payment", &form);
        }
        let lines = session.cart.lines().to_vec();
        let address = Address::clone(address);
        let order = Order { sid, lines, total_cents, address, delivery };
        let number = match origin.warehouse.lock().sell(order, visitor.switches.oversell) {
            Ok(number) => number,
            Err(lacking) => return sold_out(&origin, &lacking),
        };
        // The next order starts afresh, and a second click on the button finds an empty cart.
        session.cart = Default::default();
        session.address = None;
        session.delivery = None;
        page::see_other(&format!("/checkout/confirmation/{number}"))
    })
}

/// Answers a shopper who has something in the cart. `csrf` is the token of the form, where there is one.
fn with_cart(
    origin: &Origin,
    visitor: Visitor,
    csrf: Option<&str>,
    answer: impl FnOnce(&mut Session) -> Response,
) -> Response {
    let mut sessions = origin.sessions.lock();
    match sessions.find(visitor.sid).filter(|session| !session.cart.is_empty()) {
        None => page::see_other("/cart"),
        Some(session) if csrf.is_some_and(|csrf| !session.issued(csrf)) => wrong_csrf(origin),
        Some(session) => answer(session),
    }
}

impl AddressForm {
    /// The form of who comes back to it, as it was sent before.
    fn again(address: &Address) -> AddressForm {
        let Address { name, email, street, city, postcode, country } = address.clone();
        AddressForm { csrf: String::new(), name, email, street, city, postcode, country }
    }

    /// The inputs in the order of the page: name, label, value.
    pub(super) fn fields(&self) -> [(&'static str, &'static str, &str); 6] {
        [
            ("name", "Name", &self.name),
            ("email", "Email", &self.email),
            ("street", "Street and number", &self.street),
            ("city", "City", &self.city),
            ("postcode", "Postcode", &self.postcode),
            ("country", "Country", &self.country),
        ]
    }

    /// What is wrong with the form, in words for people.
    pub(super) fn fault(&self) -> Option<String> {
        self.fields().into_iter().find_map(|(_, label, value)| match value.trim().chars().count() {
            0 => Some(format!("{label} is missing.")),
            length if length > FIELD_CHARS_MAX => Some(format!("{label} is too long.")),
            _ => None,
        })
    }

    pub(super) fn address(&self) -> Address {
        let [name, email, street, city, postcode, country] =
            self.fields().map(|(_, _, value)| value.trim().to_owned());
        Address { name, email, street, city, postcode, country }
    }
}

fn sold_out(origin: &Origin, lacking: &[ProductId]) -> Response {
    let reason = format!("Sold out: {}.", origin.catalogue.names(lacking));
    page::refused(&origin.assets, StatusCode::CONFLICT, &reason)
}

fn step(origin: &Origin, status: StatusCode, title: &str, form: &Markup) -> Response {
    let content = html! { h1 { (title) } (form) };
    page::private(status, page::frame(&origin.assets, title, &content))
}

fn address_form(csrf: Token, filled: &AddressForm, fault: Option<&str>) -> Markup {
    html! {
        @if let Some(fault) = fault { p.error { (fault) } }
        form #address .checkout action="/checkout/address" method="post" {
            input type="hidden" name="csrf" value=(csrf);
            @for (name, label, value) in filled.fields() {
                label { (label) " " input name=(name) value=(value) maxlength=(FIELD_CHARS_MAX) required; }
            }
            button type="submit" { "To delivery" }
        }
    }
}

/// Where an order goes, for the shopper to check.
pub(super) fn destination(address: &Address) -> Markup {
    html! {
        (address.name) ", " (address.street) ", " (address.postcode) " " (address.city) ", "
        (address.country) ". We would write to " (address.email) ", were we real."
    }
}

fn delivery_form(csrf: Token, address: Option<&Address>, fault: Option<&str>) -> Markup {
    html! {
        @if let Some(fault) = fault { p.error { (fault) } }
        @if let Some(address) = address { p.destination { "To " (destination(address)) } }
        form #delivery .checkout action="/checkout/delivery" method="post" {
            input type="hidden" name="csrf" value=(csrf);
            @for delivery in Delivery::ALL {
                label {
                    input type="radio" name="delivery" value=(delivery.name()) required;
                    " " (delivery.name()) ", " (Money(delivery.price_cents()))
                }
            }
            button type="submit" { "To payment" }
        }
    }
}

fn payment_form(csrf: Token, address: &Address, total_cents: u64, fault: Option<&str>) -> Markup {
    html! {
        @if let Some(fault) = fault { p.error { (fault) } }
        p.destination { "To " (destination(address)) }
        p { "To pay: " strong.price { (Money(total_cents)) } }
        form #payment .checkout action="/checkout/payment" method="post" {
            input type="hidden" name="csrf" value=(csrf);
            label { "Card number " input name="card" inputmode="numeric" autocomplete="off" required; }
            button type="submit" { "Place order" }
        }
        p { "Any number of 12 to 19 digits will do; nothing is charged, and the number is not kept." }
    }
}

#[cfg(test)]
mod tests {
    use super::AddressForm;

    #[test]
    fn an_empty_or_endless_field_is_refused() {
        let filled = || {
            let [name, email, street, city, postcode, country] = [" a "; 6].map(str::to_owned);
            AddressForm { csrf: String::new(), name, email, street, city, postcode, country }
        };
        assert_eq!(filled().fault(), None);
        assert_eq!(filled().address().city, "a");
        let blank = AddressForm { city: "  ".to_owned(), ..filled() };
        assert_eq!(blank.fault().as_deref(), Some("City is missing."));
        let endless = AddressForm { street: "x".repeat(201), ..filled() };
        assert!(endless.fault().is_some());
    }
}
