//! The page after an order, for whoever placed it and nobody else.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

use super::guest::Guest;
use super::sheet::{Sheet, refuse, render};
use crate::origin::Origin;
use crate::origin::page::Money;
use crate::origin::warehouse::{Order, OrderNumber};

/// What the boutique writes before the number of an order.
pub(super) const LETTER: char = 'B';

/// `GET /boutique/thanks/<order>`
pub(super) async fn show(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Path(number): Path<String>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let owner = sessions.find(guest.sid).map(|session| session.owner);
    let warehouse = origin.warehouse.lock();
    let placed = OrderNumber::parse_lettered(&number, LETTER)
        .and_then(|number| Some((number, warehouse.order(number)?)))
        .filter(|(_, order)| owner == Some(order.sid));
    match placed {
        Some((number, order)) => render(&origin, &guest, &mut sessions, Sheet::ok("Thank you"), |_, _| {
            thanks(&origin, number, order)
        }),
        None => {
            let reason = "You placed no such order.";
            refuse(&origin, &guest, &mut sessions, StatusCode::NOT_FOUND, reason)
        }
    }
}

fn thanks(origin: &Origin, number: OrderNumber, order: &Order) -> Markup {
    html! {
        h1 { "Thank you" }
        p { "Your order is " strong #order-number { (number.lettered(LETTER)) } "." }
        ul.ordered {
            @for line in &order.lines {
                @if let Some(product) = origin.catalogue.product(line.product) {
                    li data-product=(line.product) { (line.quantity) " × " (product.name) }
                }
            }
        }
        p { "Paid: " strong #order-total { (Money(order.total_cents)) } }
        p {
            "It goes by " (order.delivery.name()) " delivery to " span #order-name { (order.address.name) } "."
        }
    }
}
