//! `GET /healthz`: what was checked, and what was found.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::sessions::SESSIONS_MAX;
use super::{Origin, api};

/// Answers 200 with `status` `ok`, or `degraded` where one of the `checks` found something: the shop
/// still sells, so a balancer must not take it out.
pub(super) async fn show(State(origin): State<Arc<Origin>>) -> Response {
    let sessions = origin.sessions.lock().len();
    let (products, categories) = (origin.catalogue.products().len(), origin.catalogue.categories().len());
    let warehouse = origin.warehouse.lock();
    let ((units, sold_out), oversold) = (warehouse.stock_taking(), warehouse.units_oversold());

    let catalogue_ok = products > 0 && categories > 0;
    let stock_ok = oversold == 0 && sold_out < products;
    let sessions_ok = sessions < SESSIONS_MAX;
    let word = |ok: bool| if ok { "ok" } else { "degraded" };
    let findings = json!({
        "status": word(catalogue_ok && stock_ok && sessions_ok),
        "checks": {
            "catalogue": { "status": word(catalogue_ok), "products": products, "categories": categories },
            "stock": {
                "status": word(stock_ok), "units": units, "sold_out": sold_out, "oversold": oversold,
            },
            "sessions": { "status": word(sessions_ok), "open": sessions, "limit": SESSIONS_MAX },
            "orders": { "status": "ok", "placed": warehouse.orders_placed() },
        },
    });
    api::answer(StatusCode::OK, &findings)
}
