//! The JSON API: products for everybody, the cart for its owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde::{Deserialize, Serialize};

use super::Origin;
use super::cart::{Cart, CartError};
use super::catalogue::{Catalogue, Product, ProductId};
use super::page;
use super::visitor::{Visitor, set_session_cookie};
use super::warehouse::Warehouse;

/// Products in one answer.
const LIST_MAX: usize = 100;

/// The query of the list: one category, or everything.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    category: Option<String>,
}

/// What is put into the cart.
#[derive(Debug, Deserialize)]
pub(super) struct Addition {
    product: ProductId,
    quantity: u32,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Serialize)]
struct ProductView<'a> {
    id: ProductId,
    name: &'a str,
    category: &'a str,
    price_cents: u64,
    stock: u32,
}

#[derive(Debug, Serialize)]
struct ProductsView<'a> {
    products: Vec<ProductView<'a>>,
    /// How many there are, of which the list holds the first 100.
    total: usize,
}

#[derive(Debug, Serialize)]
struct CartView {
    lines: Vec<LineView>,
    count: u32,
    total_cents: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct LineView {
    product: ProductId,
    quantity: u32,
    line_total_cents: u64,
}

#[derive(Debug, Serialize)]
struct ErrorView<'a> {
    error: &'a str,
}

/// `GET /api/products?category=<slug>`
pub(super) async fn products(State(origin): State<Arc<Origin>>, Query(query): Query<ListQuery>) -> Response {
    let catalogue = &origin.catalogue;
    let chosen: Vec<&Product> = match &query.category {
        None => catalogue.products().iter().collect(),
        Some(slug) => match catalogue.category(slug) {
            Some(category) => category.products.iter().filter_map(|id| catalogue.product(*id)).collect(),
            None => return refused(StatusCode::NOT_FOUND, "there is no such category"),
        },
    };
    let warehouse = origin.warehouse.lock();
    let products = chosen.iter().take(LIST_MAX).map(|product| view(catalogue, &warehouse, product)).collect();
    answer(StatusCode::OK, &ProductsView { products, total: chosen.len() })
}

/// `GET /api/products/<id>`
pub(super) async fn product(State(origin): State<Arc<Origin>>, Path(id): Path<String>) -> Response {
    match id.parse().ok().and_then(|id| origin.catalogue.product(id)) {
        Some(product) => answer(StatusCode::OK, &view(&origin.catalogue, &origin.warehouse.lock(), product)),
        None => refused(StatusCode::NOT_FOUND, "there is no such product"),
    }
}

/// `GET /api/cart`
pub(super) async fn cart(State(origin): State<Arc<Origin>>, visitor: Visitor) -> Response {
    let mut sessions = origin.sessions.lock();
    let cart = sessions.find(visitor.sid).map(|session| &session.cart);
    answer(StatusCode::OK, &cart_view(&origin.catalogue, cart.unwrap_or(&Cart::default())))
}

/// `POST /api/cart`: opens a session where there is none; answers with the cart as it is then. Another
/// site cannot send it: JSON needs its permission, and `SameSite=Lax` keeps the cookie back.
pub(super) async fn add(
    State(origin): State<Arc<Origin>>,
    visitor: Visitor,
    Json(addition): Json<Addition>,
) -> Response {
    let mut sessions = origin.sessions.lock();
    let (session, opened) = sessions.find_or_open(visitor.sid);
    let written = session.cart.write(&addition.note);
    let added =
        written.and_then(|()| session.cart.add(&origin.catalogue, addition.product, addition.quantity));
    let mut answer = match added {
        Ok(()) => answer(StatusCode::OK, &cart_view(&origin.catalogue, &session.cart)),
        Err(error @ CartError::UnknownProduct) => refused(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    };
    set_session_cookie(answer.headers_mut(), opened);
    answer
}

/// A JSON answer that nobody may keep.
pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(CACHE_CONTROL, page::PRIVATE)], Json(body)).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    answer(status, &ErrorView { error })
}

fn view<'a>(catalogue: &'a Catalogue, warehouse: &Warehouse, product: &'a Product) -> ProductView<'a> {
    ProductView {
        id: product.id,
        name: &product.name,
        category: catalogue.category_of(product).slug,
        price_cents: product.price_cents,
        stock: warehouse.stock(product.id),
    }
}

fn cart_view(catalogue: &Catalogue, cart: &Cart) -> CartView {
    let lines = cart.priced(catalogue).into_iter().map(|line| LineView {
        product: line.product.id,
        quantity: line.quantity,
        line_total_cents: line.total_cents,
    });
    CartView {
        lines: lines.collect(),
        count: cart.count(),
        total_cents: cart.total_cents(catalogue),
        note: cart.note().map(str::to_owned),
    }
}
