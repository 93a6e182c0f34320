//! What becomes of the form on a product's page.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::guest::Guest;
use super::product::{COLOURS, Choice, NOTE_CHARS_MAX, SIZES};
use super::sheet::{expired, refuse, sold_out};
use super::{CART, flash};
use crate::origin::cart::CartError;
use crate::origin::cart_page::status_of;
use crate::origin::catalogue::ProductId;
use crate::origin::{Origin, page};

/// The form as it comes. What is missing is empty, and refused where it must be there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BuyForm {
    csrf: String,
    product: String,
    size: String,
    colour: String,
    gift: String,
    newsletter: String,
    quantity: String,
    note: String,
    action: String,
}

/// Which of the two buttons was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Cart,
    Wishlist,
}

/// The form as it was understood; whether there is such a product is not known yet.
#[derive(Debug, PartialEq, Eq)]
struct Purchase {
    product: ProductId,
    quantity: u32,
    choice: Choice,
    action: Action,
}

/// `POST /boutique/cart`
pub(super) async fn take(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Form(form): Form<BuyForm>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let Some(session) = sessions.submitted(guest.sid, &form.csrf) else {
        return expired(&origin, &guest, &mut sessions);
    };
    let purchase = match form.read() {
        Ok(purchase) => purchase,
        Err(reason) => {
            return refuse(&origin, &guest, &mut sessions, StatusCode::UNPROCESSABLE_ENTITY, reason);
        }
    };
    let Some(product) = origin.catalogue.product(purchase.product) else {
        let error = CartError::UnknownProduct;
        return refuse(&origin, &guest, &mut sessions, status_of(error), &error.to_string());
    };
    if purchase.action == Action::Wishlist {
        session.wish(product.id);
        let mut answer = page::see_other(&format!("/boutique/p/{}", product.id));
        flash::leave(answer.headers_mut(), &format!("\"{}\" is on your wishlist.", product.name));
        return answer;
    }
    let is_sold_out = origin.warehouse.lock().stock(product.id) == 0;
    if is_sold_out && !guest.switches.oversell {
        return sold_out(&origin, &guest, &mut sessions, &[product.id]);
    }
    match session.cart.add(&origin.catalogue, product.id, purchase.quantity) {
        Ok(()) => {
            session.latest = Some(Box::new(purchase.choice));
            page::see_other(CART)
        }
        Err(error) => refuse(&origin, &guest, &mut sessions, status_of(error), &error.to_string()),
    }
}

impl BuyForm {
    /// The form's meaning, or what is wrong with it, in words for people.
    fn read(&self) -> Result<Purchase, &'static str> {
        let action = match self.action.as_str() {
            "cart" => Action::Cart,
            "wishlist" => Action::Wishlist,
            _ => return Err("Press one of the two buttons."),
        };
        let product: ProductId = self.product.parse().map_err(|_| "The product is missing.")?;
        let quantity: u32 = self.quantity.trim().parse().map_err(|_| "The quantity is no number.")?;
        let size = SIZES.into_iter().map(|(value, _)| value).find(|size| *size == self.size);
        let colour = COLOURS.into_iter().find(|colour| *colour == self.colour);
        if self.note.chars().count() > NOTE_CHARS_MAX {
            return Err("The note is too long.");
        }
        let choice = Choice {
            size: size.ok_or("Choose one of our sizes.")?,
            colour: colour.ok_or("Choose one of our colours.")?,
            is_gift: ticked(&self.gift, "yes").ok_or("The gift box is ticked or not.")?,
            // A box without a value says `on`.
            wants_news: ticked(&self.newsletter, "on").ok_or("The news box is ticked or not.")?,
            note: self.note.clone(),
        };
        Ok(Purchase { product, quantity, choice, action })
    }
}

/// Whether a checkbox is ticked; none where it says neither.
fn ticked(given: &str, value: &str) -> Option<bool> {
    if given.is_empty() { Some(false) } else { (given == value).then_some(true) }
}

#[cfg(test)]
mod tests {
    use super::{Action, BuyForm};

    fn form() -> BuyForm {
        let [size, colour, quantity, product, action] = ["m", "moss", "2", "7", "cart"].map(str::to_owned);
        BuyForm { size, colour, quantity, product, action, ..BuyForm::default() }
    }

    #[test]
    fn boxes_are_ticked_or_left_out() {
        let purchase = form().read().unwrap();
        assert_eq!((purchase.product, purchase.quantity, purchase.action), (7, 2, Action::Cart));
        assert!(!purchase.choice.is_gift && !purchase.choice.wants_news);
        let [gift, newsletter, action] = ["yes", "on", "wishlist"].map(str::to_owned);
        let purchase = BuyForm { gift, newsletter, action, ..form() }.read().unwrap();
        assert!(purchase.choice.is_gift && purchase.choice.wants_news);
        assert_eq!(purchase.action, Action::Wishlist);
    }

    #[test]
    fn what_the_page_does_not_offer_is_refused() {
        let text = |text: &str| text.to_owned();
        for form in [
            BuyForm::default(),
            BuyForm { size: text("M"), ..form() },
            BuyForm { colour: text(""), ..form() },
            BuyForm { quantity: text("two"), ..form() },
            BuyForm { quantity: text("-1"), ..form() },
            BuyForm { product: text(""), ..form() },
            BuyForm { gift: text("on"), ..form() },
            BuyForm { newsletter: text("yes"), ..form() },
            BuyForm { action: text("buy"), ..form() },
            BuyForm { note: "x".repeat(201), ..form() },
        ] {
            assert!(form.read().is_err(), "{form:?}");
        }
    }
}
