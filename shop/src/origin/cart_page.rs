//! The cart's page and its forms.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::Origin;
use super::cart::{Cart, CartError, QUANTITY_MAX};
use super::catalogue::{Catalogue, ProductId};
use super::page::{self, Money};
use super::visitor::{Visitor, set_session_cookie};
use crate::chance::Token;

/// The form on a product's page.
#[derive(Debug, Deserialize)]
pub(super) struct AddForm {
    product: ProductId,
    quantity: u32,
    #[serde(default)]
    note: String,
}

/// The form in a line of the cart.
#[derive(Debug, Deserialize)]
pub(super) struct UpdateForm {
    #[serde(default)]
    csrf: String,
    product: ProductId,
    quantity: u32,
}

/// `GET /cart`
pub(super) async fn show(State(origin): State<Arc<Origin>>, visitor: Visitor) -> Response {
    let mut sessions = origin.sessions.lock();
    let content = match sessions.find(visitor.sid).filter(|session| !session.cart.is_empty()) {
        Some(session) => filled(&origin.catalogue, &session.cart, session.csrf),
        None => empty(),
    };
    page::private(StatusCode::OK, page::frame(&origin.assets, "Cart", &content))
}

/// `POST /cart/add`: opens a session where there is none.
pub(super) async fn add(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Form(form): Form<AddForm>,
) -> Response {
    let mut sessions = origin.sessions.lock();
    let (session, opened) = sessions.find_or_open(visitor.sid);
    let written = session.cart.write(&form.note);
    let added = written.and_then(|()| session.cart.add(&origin.catalogue, form.product, form.quantity));
    let mut answer = match added {
        Ok(()) => page::see_other("/cart"),
        Err(error) => refused(&origin, error),
    };
    set_session_cookie(answer.headers_mut(), opened);
    answer
}

/// `POST /cart/update`: sets a quantity, 0 takes the line out.
pub(super) async fn update(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Form(form): Form<UpdateForm>,
) -> Response {
    let mut sessions = origin.sessions.lock();
    match sessions.find(visitor.sid).filter(|session| session.issued(&form.csrf)) {
        Some(session) => match session.cart.set(form.product, form.quantity) {
            Ok(()) => page::see_other("/cart"),
            Err(error) => refused(&origin, error),
        },
        None => wrong_csrf(&origin),
    }
}

/// A form that did not come from a page of this session.
pub(super) fn wrong_csrf(origin: &Origin) -> Response {
    page::refused(
        &origin.assets,
        StatusCode::FORBIDDEN,
        "This form is not from your session. Load the page again.",
    )
}

/// The status of a page that refuses to put something into a cart.
pub(super) fn status_of(error: CartError) -> StatusCode {
    match error {
        CartError::UnknownProduct => StatusCode::NOT_FOUND,
        CartError::Quantity | CartError::Full | CartError::LongNote => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn refused(origin: &Origin, error: CartError) -> Response {
    page::refused(&origin.assets, status_of(error), &error.to_string())
}

fn empty() -> Markup {
    html! {
        h1 { "Your cart" }
        p { "It is empty: " span #cart-count { "0" } " things, " span #cart-total { (Money(0)) } "." }
        p { a href="/" { "Look around" } }
    }
}

fn filled(catalogue: &Catalogue, cart: &Cart, csrf: Token) -> Markup {
    html! {
        h1 { "Your cart" }
        table.cart {
            thead { tr { th { "Product" } th { "Quantity" } th { "Total" } th { "Change" } } }
            tbody {
                @for line in cart.priced(catalogue) {
                    tr.line data-product=(line.product.id) {
                        td { a href={ "/p/" (line.product.id) } { (line.product.name) } }
                        td.quantity { (line.quantity) }
                        td.line-total { (Money(line.total_cents)) }
                        td {
                            form.update action="/cart/update" method="post" {
                                input type="hidden" name="csrf" value=(csrf);
                                input type="hidden" name="product" value=(line.product.id);
                                input type="number" name="quantity" min="0" max=(QUANTITY_MAX)
                                    value=(line.quantity) aria-label="Quantity";
                                button type="submit" { "Change" }
                            }
                        }
                    }
                }
            }
        }
        p { span #cart-count { (cart.count()) } " things, " strong #cart-total { (Money(cart.total_cents(catalogue))) } }
        @if let Some(note) = cart.note() { p { "Your note to us: " span #cart-note { (note) } } }
        p { a #to-checkout href="/checkout/address" { "To checkout" } }
    }
}
