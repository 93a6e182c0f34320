//! The boutique's checkout: a wizard of three pages. Who skips one is sent back to it.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::CART;
use super::guest::Guest;
use super::sessions::{Session, Sessions};
use super::sheet::{Sheet, expired, render, sold_out};
use super::thanks::LETTER;
use crate::chance::Token;
use crate::origin::checkout::{AddressForm, DeliveryForm, FIELD_CHARS_MAX, PaymentForm};
use crate::origin::page::{self, Money};
use crate::origin::sessions::{Address, Delivery};
use crate::origin::warehouse::Order;
use crate::origin::{Origin, card};

const ADDRESS: &str = "/boutique/checkout/1";
const DELIVERY: &str = "/boutique/checkout/2";
const DECLINED: &str = "/boutique/checkout/3?declined=1";
const PAYMENT: &str = "/boutique/checkout/3";

/// The pages in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Address,
    Delivery,
    Payment,
}

/// `?declined=1`, where a payment led back to its page.
#[derive(Debug, Deserialize)]
pub(super) struct PaymentQuery {
    declined: Option<String>,
}

/// `GET /boutique/checkout/1`
pub(super) async fn address(State(origin): State<Arc<Origin>>, guest: Guest) -> Response {
    let mut sessions = origin.boutique.lock();
    if let Some(elsewhere) = skipped(&mut sessions, &guest, Step::Address) {
        return page::found(elsewhere);
    }
    address_page(&origin, &guest, &mut sessions, &AddressForm::default(), None)
}

/// `POST /boutique/checkout/1`
pub(super) async fn take_address(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Form(form): Form<AddressForm>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let Some(session) = sessions.submitted(guest.sid, &form.csrf) else {
        return expired(&origin, &guest, &mut sessions);
    };
    if let Some(elsewhere) = missing(session, Step::Address) {
        return page::found(elsewhere);
    }
    match form.fault() {
        Some(fault) => address_page(&origin, &guest, &mut sessions, &form, Some(&fault)),
        None => {
            session.address = Some(Box::new(form.address()));
            page::see_other(DELIVERY)
        }
    }
}

/// `GET /boutique/checkout/2`
pub(super) async fn delivery(State(origin): State<Arc<Origin>>, guest: Guest) -> Response {
    let mut sessions = origin.boutique.lock();
    if let Some(elsewhere) = skipped(&mut sessions, &guest, Step::Delivery) {
        return page::found(elsewhere);
    }
    delivery_page(&origin, &guest, &mut sessions, None)
}

/// `POST /boutique/checkout/2`
pub(super) async fn take_delivery(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Form(form): Form<DeliveryForm>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let Some(session) = sessions.submitted(guest.sid, &form.csrf) else {
        return expired(&origin, &guest, &mut sessions);
    };
    if let Some(elsewhere) = missing(session, Step::Delivery) {
        return page::found(elsewhere);
    }
    match Delivery::named(&form.delivery) {
        None => delivery_page(&origin, &guest, &mut sessions, Some("Choose how we deliver.")),
        Some(delivery) => {
            session.delivery = Some(delivery);
            page::see_other(PAYMENT)
        }
    }
}

/// `GET /boutique/checkout/3`
pub(super) async fn payment(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Query(query): Query<PaymentQuery>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    if let Some(elsewhere) = skipped(&mut sessions, &guest, Step::Payment) {
        return page::found(elsewhere);
    }
    let fault = query.declined.map(|_| "Your card was declined.");
    payment_page(&origin, &guest, &mut sessions, StatusCode::OK, fault)
}

/// `POST /boutique/checkout/3`: places the order.
pub(super) async fn take_payment(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Form(form): Form<PaymentForm>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let Some(session) = sessions.submitted(guest.sid, &form.csrf) else {
        return expired(&origin, &guest, &mut sessions);
    };
    if let Some(elsewhere) = missing(session, Step::Payment) {
        return page::found(elsewhere);
    }
    if !card::is_number(&form.card) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return payment_page(&origin, &guest, &mut sessions, status, Some(card::NO_NUMBER));
    }
    if card::is_declined(&form.card) {
        return page::found(DECLINED);
    }
    // Both are there: nothing was missing.
    let (Some(address), Some(delivery)) = (&session.address, session.delivery) else {
        return page::found(ADDRESS);
    };
    let order = Order {
        sid: session.owner,
        lines: session.cart.lines().to_vec(),
        total_cents: session.cart.total_cents(&origin.catalogue) + delivery.price_cents(),
        address: Address::clone(address),
        delivery,
    };
    let sold = origin.warehouse.lock().sell(order, guest.switches.oversell);
    match sold {
        Ok(number) => {
            session.forget_order();
            page::see_other(&format!("/boutique/thanks/{}", number.lettered(LETTER)))
        }
        Err(lacking) => sold_out(&origin, &guest, &mut sessions, &lacking),
    }
}

/// Where somebody who asks for that page must go before, if anywhere.
fn skipped(sessions: &mut Sessions, guest: &Guest, step: Step) -> Option<&'static str> {
    sessions.find(guest.sid).map_or(Some(CART), |session| missing(session, step))
}

/// Where a shopper must go before that page, if anywhere.
fn missing(session: &Session, step: Step) -> Option<&'static str> {
    if session.cart.is_empty() {
        Some(CART)
    } else if step > Step::Address && session.address.is_none() {
        Some(ADDRESS)
    } else if step > Step::Delivery && session.delivery.is_none() {
        Some(DELIVERY)
    } else {
        None
    }
}

fn address_page(
    origin: &Origin,
    guest: &Guest,
    sessions: &mut Sessions,
    filled: &AddressForm,
    fault: Option<&str>,
) -> Response {
    render(origin, guest, sessions, sheet(fault, "Address"), |_, csrf| {
        let fields = html! {
            @for (name, label, value) in filled.fields() {
                label { (label) " " input type="text" name=(name) value=(value) maxlength=(FIELD_CHARS_MAX); }
            }
        };
        wizard("address", ADDRESS, csrf, fault, &fields, "To delivery")
    })
}

fn delivery_page(origin: &Origin, guest: &Guest, sessions: &mut Sessions, fault: Option<&str>) -> Response {
    render(origin, guest, sessions, sheet(fault, "Delivery"), |session, csrf| {
        let chosen = session.delivery.unwrap_or(Delivery::Standard);
        let fields = html! {
            @for delivery in Delivery::ALL {
                label {
                    input type="radio" name="delivery" value=(delivery.name()) checked[delivery == chosen];
                    " " (delivery.name()) ", " (Money(delivery.price_cents()))
                }
            }
        };
        wizard("delivery", DELIVERY, csrf, fault, &fields, "To payment")
    })
}

/// Its status is given: a declined card comes with 200.
fn payment_page(
    origin: &Origin,
    guest: &Guest,
    sessions: &mut Sessions,
    status: StatusCode,
    fault: Option<&str>,
) -> Response {
    render(origin, guest, sessions, Sheet::new(status, "Payment"), |session, csrf| {
        let delivery_cents = session.delivery.map_or(0, Delivery::price_cents);
        let total_cents = session.cart.total_cents(&origin.catalogue) + delivery_cents;
        let fields = html! {
            p { "To pay: " strong #total { (Money(total_cents)) } }
            label { "Card number " input type="text" name="card" inputmode="numeric" autocomplete="off"; }
        };
        wizard("payment", PAYMENT, csrf, fault, &fields, "Place order")
    })
}

fn sheet<'a>(fault: Option<&str>, title: &'a str) -> Sheet<'a> {
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Sheet::new(status, title)
}

/// One page of the wizard.
fn wizard(id: &str, action: &str, csrf: Token, fault: Option<&str>, fields: &Markup, button: &str) -> Markup {
    html! {
        h1 { "Checkout: " (id) }
        @if let Some(fault) = fault { p.error { (fault) } }
        form #(id) .checkout action=(action) method="post" {
            input type="hidden" name="csrf" value=(csrf);
            (fields)
            button type="submit" { (button) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS, CART, DELIVERY, Step, missing};
    use crate::chance::Dice;
    use crate::origin::boutique::sessions::{Session, Sessions};
    use crate::origin::catalogue::Catalogue;
    use crate::origin::checkout::AddressForm;
    use crate::origin::sessions::Delivery;

    const STEPS: [Step; 3] = [Step::Address, Step::Delivery, Step::Payment];

    #[test]
    fn who_skips_a_page_is_sent_to_the_first_that_is_missing() {
        let mut sessions = Sessions::new().unwrap();
        let sid = sessions.visit(None).opened;
        let session = sessions.find(sid).unwrap();
        let asked = |session: &Session| STEPS.map(|step| missing(session, step));
        assert_eq!(asked(session), [Some(CART); 3]);

        session.cart.add(&Catalogue::invent(1, &Dice::new(1)), 1, 1).unwrap();
        session.delivery = Some(Delivery::Express);
        assert_eq!(asked(session), [None, Some(ADDRESS), Some(ADDRESS)]);
        session.address = Some(Box::new(AddressForm::default().address()));
        assert_eq!(asked(session), [None; 3]);
        session.delivery = None;
        assert_eq!(asked(session), [None, None, Some(DELIVERY)]);
    }
}
