//! The cart's page: all lines in one form, which is sent as multipart, and a way to the checkout.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use super::formset::{self, field};
use super::guest::Guest;
use super::multipart::Fields;
use super::product::Choice;
use super::sessions::Session;
use super::sheet::{Sheet, expired, refuse, render};
use super::{CART, HOME};
use crate::chance::Token;
use crate::origin::Origin;
use crate::origin::cart::{PricedLine, QUANTITY_MAX};
use crate::origin::cart_page::status_of;
use crate::origin::page::{self, Money};

/// `GET /boutique/cart`
pub(super) async fn show(State(origin): State<Arc<Origin>>, guest: Guest) -> Response {
    let mut sessions = origin.boutique.lock();
    render(&origin, &guest, &mut sessions, Sheet::ok("Cart"), |session, csrf| {
        if session.cart.is_empty() { empty() } else { filled(&origin, session, csrf) }
    })
}

/// `POST /boutique/cart/update`: all lines at once.
pub(super) async fn update(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = Fields::parse(content_type, &body);
    let mut sessions = origin.boutique.lock();
    let fields = match fields {
        Ok(fields) => fields,
        Err(error) => return refuse(&origin, &guest, &mut sessions, error.status(), &error.to_string()),
    };
    let csrf = fields.get("csrf").unwrap_or_default();
    let Some(session) = sessions.submitted(guest.sid, csrf) else {
        return expired(&origin, &guest, &mut sessions);
    };
    let Some(changes) = formset::read(&fields) else {
        let reason = "A line of the cart is incomplete.";
        return refuse(&origin, &guest, &mut sessions, StatusCode::UNPROCESSABLE_ENTITY, reason);
    };
    match formset::changed(&session.cart, &changes) {
        Ok(cart) => {
            session.cart = cart;
            page::see_other(CART)
        }
        Err(error) => refuse(&origin, &guest, &mut sessions, status_of(error), &error.to_string()),
    }
}

fn empty() -> Markup {
    html! {
        h1 { "Your cart" }
        p { "It is empty: " span #cart-count { "0" } " things." }
        p { a href=(HOME) { "Look around" } }
    }
}

fn filled(origin: &Origin, session: &Session, csrf: Token) -> Markup {
    let lines = session.cart.priced(&origin.catalogue);
    html! {
        h1 { "Your cart" }
        @if let Some(choice) = &session.latest { (latest(choice)) }
        form #lines action="/boutique/cart/update" method="post" enctype="multipart/form-data" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name=(formset::TOTAL) value=(lines.len());
            table.cart {
                thead { tr { th { "Product" } th { "Quantity" } th { "Total" } th { "Remove" } } }
                tbody { @for (index, line) in lines.iter().enumerate() { (row(index, line)) } }
            }
            button type="submit" { "Update" }
        }
        p {
            span #cart-count { (session.cart.count()) } " things, "
            strong #cart-total { (Money(session.cart.total_cents(&origin.catalogue))) }
        }
        form #checkout action="/boutique/checkout/1" method="get" {
            input type="hidden" name="from" value="cart";
            button type="submit" { "To checkout" }
        }
    }
}

fn row(index: usize, line: &PricedLine<'_>) -> Markup {
    html! {
        tr.line data-product=(line.product.id) {
            td {
                a href={ "/boutique/p/" (line.product.id) } { (line.product.name) }
                input type="hidden" name=(field(index, "product")) value=(line.product.id);
            }
            td {
                input type="number" name=(field(index, "quantity")) value=(line.quantity) min="0"
                    max=(QUANTITY_MAX) aria-label="Quantity";
            }
            td.line-total { (Money(line.total_cents)) }
            td { input type="checkbox" name=(field(index, "remove")) aria-label="Remove"; }
        }
    }
}

/// What the form on a product's page was understood to say.
fn latest(choice: &Choice) -> Markup {
    let word = |is_so: bool| if is_so { "yes" } else { "no" };
    html! {
        dl #latest {
            dt { "Size" } dd.size { (choice.size) }
            dt { "Colour" } dd.colour { (choice.colour) }
            dt { "Gift" } dd.gift { (word(choice.is_gift)) }
            dt { "News" } dd.news { (word(choice.wants_news)) }
            dt { "Note" } dd.note { (choice.note) }
        }
    }
}
