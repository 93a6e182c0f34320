//! A product's page, with every kind of field that a form can have.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

use super::guest::Guest;
use super::sheet::{Sheet, refuse, render};
use crate::chance::Token;
use crate::origin::Origin;
use crate::origin::cart::{CartError, QUANTITY_MAX};
use crate::origin::catalogue::{Product, ProductId};
use crate::origin::page::Money;

/// Value and text of the sizes.
pub(super) const SIZES: [(&str, &str); 3] = [("s", "S"), ("m", "M"), ("l", "L")];
const SIZE_SELECTED: &str = "m";
pub(super) const COLOURS: [&str; 3] = ["slate", "moss", "sand"];
const COLOUR_CHECKED: &str = "moss";
pub(super) const NOTE_CHARS_MAX: usize = 200;

/// How a thing was chosen, beside how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) size: &'static str,
    pub(super) colour: &'static str,
    pub(super) is_gift: bool,
    pub(super) wants_news: bool,
    pub(super) note: String,
}

/// `GET /boutique/p/<id>`
pub(super) async fn show(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Path(id): Path<String>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let product = id.parse::<ProductId>().ok().and_then(|id| origin.catalogue.product(id));
    let Some(product) = product else {
        let reason = CartError::UnknownProduct.to_string();
        return refuse(&origin, &guest, &mut sessions, StatusCode::NOT_FOUND, &reason);
    };
    let in_stock = origin.warehouse.lock().stock(product.id) > 0;
    render(&origin, &guest, &mut sessions, Sheet::ok(&product.name).with_base(), |_, csrf| {
        html! {
            h1 { (product.name) }
            @for (number, address) in (1..).zip(origin.assets.pictures(product.id)) {
                img src=(address) alt={ (product.name) ", picture " (number) } width="400" height="300";
            }
            p { (product.description) }
            p.price { (Money(product.price_cents)) }
            @if in_stock { p.in-stock { "In stock" } } @else { p.sold-out { "Sold out" } }
            (buy_form(product, csrf))
        }
    })
}

fn buy_form(product: &Product, csrf: Token) -> Markup {
    html! {
        form #buy action="cart" method="post" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="product" value=(product.id);
            label {
                "Size "
                select name="size" {
                    @for (value, text) in SIZES {
                        option value=(value) selected[value == SIZE_SELECTED] { (text) }
                    }
                }
            }
            fieldset {
                legend { "Colour" }
                @for colour in COLOURS {
                    label {
                        input type="radio" name="colour" value=(colour) checked[colour == COLOUR_CHECKED];
                        " " (colour)
                    }
                }
            }
            label { input type="checkbox" name="gift" value="yes"; " Wrap it as a gift" }
            label { input type="checkbox" name="newsletter" checked; " Send me news about it" }
            label { "Quantity " input type="number" name="quantity" value="1" min="1" max=(QUANTITY_MAX); }
            label {
                "Note "
                textarea name="note" rows="2" maxlength=(NOTE_CHARS_MAX) { "No ribbon, please & thank you" }
            }
            button type="submit" name="action" value="cart" { "Add to cart" }
            button type="submit" name="action" value="wishlist" { "Save for later" }
        }
    }
}
