//! From a cart to an order.

use serde_json::{Value, json};

use super::answer::{Code, Refusal};
use super::bearer::Bearer;
use super::cart::sold_out;
use super::variables::Variables;
use crate::origin::cart::Cart;
use crate::origin::sessions::{Address, Delivery};
use crate::origin::warehouse::Order;
use crate::origin::{Origin, card};

/// What this face writes before the number of an order.
const LETTER: char = 'G';

/// `mutation PlaceOrder($cartId: ID!, $payment: PaymentInput!)`, which has one field, `card: String!`.
/// The cart is empty afterwards, and can be filled again.
pub(super) fn place(origin: &Origin, bearer: &Bearer, variables: Variables<'_>) -> Result<Value, Refusal> {
    let cart_id = variables.id("cartId")?;
    let card = variables.object("payment", "PaymentInput!", &["card"])?.text("card")?;
    let mut carts = origin.graphql.lock();
    let open = carts.find(bearer, &cart_id)?;
    if open.cart.is_empty() {
        return Err(Refusal::bad_input("The cart is empty."));
    }
    let Some(address) = &open.address else {
        return Err(Refusal::new(Code::AddressMissing, "Set the address first."));
    };
    if !card::is_number(card) {
        return Err(Refusal::bad_input(card::NO_NUMBER));
    }
    if card::is_declined(card) {
        return Err(Refusal::new(Code::Declined, "The card was declined."));
    }
    let delivery = Delivery::Standard;
    let total_cents = open.cart.total_cents(&origin.catalogue) + delivery.price_cents();
    let lines = open.cart.lines().to_vec();
    let order = Order { sid: open.token, lines, total_cents, address: Address::clone(address), delivery };
    let sold = origin.warehouse.lock().sell(order, bearer.switches.oversell);
    let number = sold.map_err(|lacking| sold_out(origin, &lacking))?;
    open.cart = Cart::default();
    open.address = None;
    Ok(json!({ "order": { "number": number.lettered(LETTER), "total": total_cents } }))
}
