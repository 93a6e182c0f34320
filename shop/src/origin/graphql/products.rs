//! Products, one by one and as a connection.
//! <https://relay.dev/graphql/connections.htm>

use serde_json::{Value, json};

use super::answer::Refusal;
use super::bearer::Bearer;
use super::variables::Variables;
use crate::origin::Origin;
use crate::origin::catalogue::{Product, ProductId};

const FIRST: std::ops::RangeInclusive<usize> = 1..=50;
const FIRST_DEFAULT: i32 = 10;
/// What a cursor begins with; the product's number follows.
const CURSOR: &str = "after-";

/// `query Products($search: String, $first: Int, $after: String)`
pub(super) fn list(origin: &Origin, _: &Bearer, variables: Variables<'_>) -> Result<Value, Refusal> {
    let search = variables.optional_text("search")?.unwrap_or_default();
    let first = variables.optional_int("first")?.unwrap_or(FIRST_DEFAULT);
    let after = variables.optional_text("after")?.map(product_of).transpose()?.unwrap_or_default();
    let first = usize::try_from(first).ok().filter(|first| FIRST.contains(first));
    let first = first
        .ok_or_else(|| Refusal::bad_input(format!("\"first\" is {} to {}.", FIRST.start(), FIRST.end())))?;

    let found: Vec<&Product> = if search.trim().is_empty() {
        origin.catalogue.products().iter().collect()
    } else {
        origin.catalogue.search(search)
    };
    // Both are in the order of their numbers.
    let ahead: Vec<&Product> = found.iter().copied().skip_while(|product| product.id <= after).collect();
    let shown = &ahead[..first.min(ahead.len())];
    let edge = |product: &&Product| json!({ "cursor": cursor_of(product), "node": node(origin, product) });
    Ok(json!({
        "edges": shown.iter().map(edge).collect::<Vec<_>>(),
        "pageInfo": {
            "hasNextPage": ahead.len() > shown.len(),
            "endCursor": shown.last().map(|product| cursor_of(product)),
        },
        "totalCount": found.len(),
    }))
}

/// `query Product($id: ID!)`: null where there is none.
pub(super) fn one(origin: &Origin, _: &Bearer, variables: Variables<'_>) -> Result<Value, Refusal> {
    let id = variables.id("id")?;
    let product = id.parse().ok().and_then(|id| origin.catalogue.product(id));
    Ok(product.map_or(Value::Null, |product| node(origin, product)))
}

/// A product; its price is in cents.
fn node(origin: &Origin, product: &Product) -> Value {
    let in_stock = origin.warehouse.lock().stock(product.id) > 0;
    json!({
        "id": product.id.to_string(),
        "name": product.name,
        "price": product.price_cents,
        "inStock": in_stock,
    })
}

fn cursor_of(product: &Product) -> String {
    format!("{CURSOR}{}", product.id)
}

fn product_of(cursor: &str) -> Result<ProductId, Refusal> {
    let id = cursor.strip_prefix(CURSOR).and_then(|id| id.parse().ok());
    id.ok_or_else(|| Refusal::bad_input("\"after\" is no cursor of ours."))
}
