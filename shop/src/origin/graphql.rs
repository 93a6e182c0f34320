//! The shop as a backend of somebody else's pages: GraphQL at one address, without cookies.
//!
//! There is no engine here. Seven operations are known by name; a document is read far enough to find
//! its operations, its variables are checked as a typed schema would check them, and answers have their
//! full shape whatever was selected. What matters to whoever drives it is as anywhere: a session that
//! begins with a mutation and lives in a bearer token, and failures with status 200.
//!
//! | Operation | Variables | Data |
//! |---|---|---|
//! | `query Products` | `search: String`, `first: Int`, `after: String` | `products: ProductConnection!` |
//! | `query Product` | `id: ID!` | `product: Product` |
//! | `query Cart` | `id: ID!` | `cart: Cart!` |
//! | `mutation CreateCart` | | `createCart: { cart: Cart!, token: String! }` |
//! | `mutation AddToCart` | `cartId: ID!`, `productId: ID!`, `quantity: Int!` | `addToCart: { cart: Cart! }` |
//! | `mutation SetAddress` | `cartId: ID!`, `address: AddressInput!` | `setAddress: { cart: Cart! }` |
//! | `mutation PlaceOrder` | `cartId: ID!`, `payment: PaymentInput!` | `placeOrder: { order: Order! }` |

mod answer;
mod bearer;
mod cart;
mod carts;
mod document;
mod order;
mod products;
mod variables;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) use self::carts::Carts;

use self::answer::Refusal;
use self::bearer::Bearer;
use self::document::Kind;
use self::variables::Variables;
use super::Origin;

/// What the shop can be asked.
struct Operation {
    name: &'static str,
    kind: Kind,
    /// The field of the answer's data.
    field: &'static str,
    variables: &'static [&'static str],
    resolve: fn(&Origin, &Bearer, Variables<'_>) -> Result<Value, Refusal>,
}

static OPERATIONS: [Operation; 7] = [
    Operation {
        name: "Products",
        kind: Kind::Query,
        field: "products",
        variables: &["search", "first", "after"],
        resolve: products::list,
    },
    Operation {
        name: "Product",
        kind: Kind::Query,
        field: "product",
        variables: &["id"],
        resolve: products::one,
    },
    Operation { name: "Cart", kind: Kind::Query, field: "cart", variables: &["id"], resolve: cart::show },
    Operation {
        name: "CreateCart",
        kind: Kind::Mutation,
        field: "createCart",
        variables: &[],
        resolve: cart::create,
    },
    Operation {
        name: "AddToCart",
        kind: Kind::Mutation,
        field: "addToCart",
        variables: &["cartId", "productId", "quantity"],
        resolve: cart::add,
    },
    Operation {
        name: "SetAddress",
        kind: Kind::Mutation,
        field: "setAddress",
        variables: &["cartId", "address"],
        resolve: cart::set_address,
    },
    Operation {
        name: "PlaceOrder",
        kind: Kind::Mutation,
        field: "placeOrder",
        variables: &["cartId", "payment"],
        resolve: order::place,
    },
];

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    operation_name: Option<String>,
    query: String,
    variables: Option<Map<String, Value>>,
}

/// The one address.
pub(super) fn router() -> Router<Arc<Origin>> {
    Router::new().route("/graphql", post(serve))
}

/// `POST /graphql`: 200 whatever comes of it, unless the body is no request at all.
async fn serve(
    State(origin): State<Arc<Origin>>,
    bearer: Bearer,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_json(&headers) {
        let refusal = Refusal::bad_input("Send the request as application/json.");
        return answer::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, &refusal);
    }
    let Ok(request) = serde_json::from_slice::<Request>(&body) else {
        let refusal = Refusal::bad_input("The body is no GraphQL request.");
        return answer::refused(StatusCode::BAD_REQUEST, None, &refusal);
    };
    let operation = match request.operation() {
        Ok(operation) => operation,
        Err(refusal) => return answer::refused(StatusCode::OK, None, &refusal),
    };
    match operation.answer(&origin, &bearer, &request.variables.unwrap_or_default()) {
        Ok(data) => answer::given(operation.field, data),
        Err(refusal) => answer::refused(StatusCode::OK, Some(operation.field), &refusal),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

impl Request {
    /// The operation that is meant: the one named beside the document, or else its first one.
    fn operation(&self) -> Result<&'static Operation, Refusal> {
        let defined =
            document::operations(&self.query).ok_or_else(|| Refusal::bad_input("The query has no end."))?;
        let meant = match &self.operation_name {
            Some(name) => defined.into_iter().find(|(_, defined)| defined == name),
            None => defined.into_iter().next(),
        };
        let (kind, name) = meant.ok_or_else(|| Refusal::bad_input("The query has no such operation."))?;
        let known = OPERATIONS.iter().find(|known| known.name == name && known.kind == kind);
        known.ok_or_else(|| Refusal::bad_input(format!("There is no {} {name} here.", kind.name())))
    }
}

impl Operation {
    /// The data of the operation's field.
    fn answer(&self, origin: &Origin, bearer: &Bearer, given: &Map<String, Value>) -> Result<Value, Refusal> {
        let variables = Variables::new(given);
        variables.only(self.variables)?;
        (self.resolve)(origin, bearer, variables)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    fn operation(request: &str) -> Result<&'static str, String> {
        let request: Request = serde_json::from_str(request).map_err(|error| error.to_string())?;
        request.operation().map(|operation| operation.name).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn an_operation_is_found_by_name_or_place() {
        let both = r#""query Products { a } mutation CreateCart { b }""#;
        let found = [
            (format!(r#"{{"query":{both}}}"#), "Products"),
            (format!(r#"{{"query":{both},"operationName":null,"variables":null}}"#), "Products"),
            (format!(r#"{{"query":{both},"operationName":"CreateCart","extensions":{{}}}}"#), "CreateCart"),
        ];
        for (request, name) in found {
            assert_eq!(operation(&request), Ok(name), "{request}");
        }
    }

    #[test]
    fn an_operation_must_be_there_and_of_its_kind() {
        for request in [
            r#"{"query":"query CreateCart { a }"}"#,
            r#"{"query":"query Everything { a }"}"#,
            r#"{"query":"{ products }"}"#,
            r#"{"query":"query Products {"}"#,
            r#"{"query":"query Products { a }","operationName":"Product"}"#,
            r#"{"query":""}"#,
            r#"{"operationName":"Products"}"#,
            r#"{"query":"query Products { a }","variables":[]}"#,
        ] {
            assert!(operation(request).is_err(), "{request}");
        }
    }
}
