//! The page after an order, for the session that placed it and nobody else.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

use super::Origin;
use super::checkout::destination;
use super::page::{self, Money};
use super::visitor::Visitor;
use super::warehouse::{Order, OrderNumber};

/// `GET /checkout/confirmation/<order>`
pub(super) async fn show(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Path(number): Path<String>,
) -> Response {
    let warehouse = origin.warehouse.lock();
    let placed = number.parse().ok().and_then(|number: OrderNumber| Some((number, warehouse.order(number)?)));
    match placed.filter(|(_, order)| visitor.sid == Some(order.sid)) {
        Some((number, order)) => {
            let content = confirmation(&origin, number, order);
            page::private(StatusCode::OK, page::frame(&origin.assets, "Thank you", &content))
        }
        None => page::refused(&origin.assets, StatusCode::NOT_FOUND, "You placed no such order."),
    }
}

fn confirmation(origin: &Origin, number: OrderNumber, order: &Order) -> Markup {
    html! {
        h1 { "Thank you" }
        p { "Your order is " strong #order-number { (number) } "." }
        ul.ordered {
            @for line in &order.lines {
                @if let Some(product) = origin.catalogue.product(line.product) {
                    li data-product=(line.product) { (line.quantity) " × " (product.name) }
                }
            }
        }
        p { "Paid: " strong #order-total { (Money(order.total_cents)) } }
        p {
            "It goes by " (order.delivery.name()) " delivery to " (destination(&order.address))
        }
    }
}
