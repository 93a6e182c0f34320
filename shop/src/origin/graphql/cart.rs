//! A cart's operations, from its creation to its address.

use serde_json::{Value, json};

use super::answer::{Code, Refusal};
use super::bearer::Bearer;
use super::carts::OpenCart;
use super::variables::Variables;
use crate::origin::Origin;
use crate::origin::cart::CartError;
use crate::origin::catalogue::{Catalogue, ProductId};
use crate::origin::checkout::AddressForm;

const ADDRESS_FIELDS: [&str; 6] = ["name", "email", "street", "city", "postcode", "country"];

/// `mutation CreateCart`: the token goes into the header of everything that follows.
pub(super) fn create(origin: &Origin, _: &Bearer, _: Variables<'_>) -> Result<Value, Refusal> {
    let (id, token) = origin.graphql.lock().create();
    Ok(json!({ "cart": { "id": id.to_string() }, "token": token.to_string() }))
}

/// `query Cart($id: ID!)`
pub(super) fn show(origin: &Origin, bearer: &Bearer, variables: Variables<'_>) -> Result<Value, Refusal> {
    let id = variables.id("id")?;
    let mut carts = origin.graphql.lock();
    Ok(view(&origin.catalogue, carts.find(bearer, &id)?))
}

/// `mutation AddToCart($cartId: ID!, $productId: ID!, $quantity: Int!)`
pub(super) fn add(origin: &Origin, bearer: &Bearer, variables: Variables<'_>) -> Result<Value, Refusal> {
    let (cart_id, product_id) = (variables.id("cartId")?, variables.id("productId")?);
    let quantity = variables.int("quantity")?;
    let mut carts = origin.graphql.lock();
    let open = carts.find(bearer, &cart_id)?;
    // No product has the number 0, and no line that quantity.
    let product: ProductId = product_id.parse().unwrap_or(0);
    let quantity = u32::try_from(quantity).unwrap_or(0);
    let is_known = origin.catalogue.product(product).is_some();
    if is_known && origin.warehouse.lock().stock(product) == 0 && !bearer.switches.oversell {
        return Err(sold_out(origin, &[product]));
    }
    open.cart.add(&origin.catalogue, product, quantity).map_err(refusal_of)?;
    Ok(json!({ "cart": view(&origin.catalogue, open) }))
}

/// `mutation SetAddress($cartId: ID!, $address: AddressInput!)`, all of whose fields are `String!`.
pub(super) fn set_address(
    origin: &Origin,
    bearer: &Bearer,
    variables: Variables<'_>,
) -> Result<Value, Refusal> {
    let cart_id = variables.id("cartId")?;
    let input = variables.object("address", "AddressInput!", &ADDRESS_FIELDS)?;
    let field = |name: &str| input.text(name).map(str::to_owned);
    let form = AddressForm {
        csrf: String::new(),
        name: field("name")?,
        email: field("email")?,
        street: field("street")?,
        city: field("city")?,
        postcode: field("postcode")?,
        country: field("country")?,
    };
    if let Some(fault) = form.fault() {
        return Err(Refusal::bad_input(fault));
    }
    let mut carts = origin.graphql.lock();
    let open = carts.find(bearer, &cart_id)?;
    open.address = Some(Box::new(form.address()));
    Ok(json!({ "cart": view(&origin.catalogue, open) }))
}

/// What cannot be had any more.
pub(super) fn sold_out(origin: &Origin, lacking: &[ProductId]) -> Refusal {
    Refusal::new(Code::SoldOut, format!("Sold out: {}.", origin.catalogue.names(lacking)))
}

fn refusal_of(error: CartError) -> Refusal {
    Refusal::bad_input(error.to_string())
}

/// A cart; its prices are in cents.
fn view(catalogue: &Catalogue, open: &OpenCart) -> Value {
    let lines = open.cart.priced(catalogue).into_iter().map(|line| {
        json!({
            "product": {
                "id": line.product.id.to_string(),
                "name": line.product.name,
                "price": line.product.price_cents,
            },
            "quantity": line.quantity,
            "total": line.total_cents,
        })
    });
    json!({
        "id": open.id.to_string(),
        "lines": lines.collect::<Vec<_>>(),
        "count": open.cart.count(),
        "total": open.cart.total_cents(catalogue),
        "hasAddress": open.address.is_some(),
    })
}
