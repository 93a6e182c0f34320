//! The admin endpoint: what is on, what was answered, what was sold, and the switches. It has its own
//! loopback listener, and nothing of it appears in the shop's counts or log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::counts::Counts;
use crate::edge::Watch;
use crate::fault::{CATALOGUE, Fault, FaultEntry};
use crate::listener::{DoorCounts, Doors};
use crate::origin::{Origin, Sales};
use crate::shop::Edge;

/// Switches off everything that is on.
const ALL: &str = "all";

/// All that the endpoint can see and switch.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) watch: Watch,
    pub(crate) origin: Arc<Origin>,
    pub(crate) doors: Arc<Doors>,
    pub(crate) edges: Arc<[Edge]>,
}

/// The body of `POST` and `DELETE /admin/faults`.
#[derive(Debug, Deserialize)]
struct Order {
    fault: String,
}

/// The answer of `GET /admin`.
#[derive(Debug, Serialize)]
struct Overview {
    faults: Vec<String>,
    regions: BTreeMap<String, String>,
    #[serde(flatten)]
    doors: DoorCounts,
    access_log_failed_writes: u64,
    kinds: &'static [FaultEntry],
}

pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/admin", get(overview))
        .route("/admin/counts", get(counts))
        .route("/admin/orders", get(orders))
        .route("/admin/faults", post(switch_on).delete(switch_off))
        .with_state(Arc::new(desk))
}

async fn overview(State(desk): State<Arc<Desk>>) -> Json<Overview> {
    Json(Overview {
        faults: desk.faults_on(),
        regions: desk.edges.iter().map(|edge| (edge.region.clone(), edge.address.to_string())).collect(),
        doors: desk.doors.counts(),
        access_log_failed_writes: desk.watch.log.as_ref().map_or(0, |log| log.failed_writes()),
        kinds: &CATALOGUE,
    })
}

async fn counts(State(desk): State<Arc<Desk>>) -> Json<BTreeMap<String, BTreeMap<String, u64>>> {
    Json(Counts::snapshot(&desk.watch.counts))
}

async fn orders(State(desk): State<Arc<Desk>>) -> Json<Sales> {
    Json(desk.origin.sales())
}

async fn switch_on(State(desk): State<Arc<Desk>>, Json(order): Json<Order>) -> Response {
    if order.fault == ALL {
        desk.watch.faults.clear();
        return desk.what_is_on();
    }
    desk.with_fault(&order, |fault| desk.watch.faults.switch_on(fault, Instant::now()))
}

async fn switch_off(State(desk): State<Arc<Desk>>, Json(order): Json<Order>) -> Response {
    if order.fault == ALL {
        desk.watch.faults.clear();
        return desk.what_is_on();
    }
    desk.with_fault(&order, |fault| {
        desk.watch.faults.switch_off(&fault);
    })
}

impl Desk {
    fn faults_on(&self) -> Vec<String> {
        self.watch.faults.list(Instant::now()).iter().map(Fault::to_string).collect()
    }

    fn what_is_on(&self) -> Response {
        Json(json!({ "faults": self.faults_on() })).into_response()
    }

    /// Reads the fault and switches it; answers with what is on then, or with what is wrong.
    fn with_fault(&self, order: &Order, switch: impl FnOnce(Fault)) -> Response {
        let fault: Fault = match order.fault.parse() {
            Ok(fault) => fault,
            Err(error) => return refused(&error),
        };
        if let Some(region) = fault.region().filter(|region| !self.watch.faults.knows(region)) {
            let known = self.edges.iter().map(|edge| edge.region.as_str()).collect::<Vec<_>>().join(", ");
            return refused(&crate::Error::UnknownRegion { given: region.to_owned(), known });
        }
        switch(fault);
        self.what_is_on()
    }
}

fn refused(error: &crate::Error) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error.to_string() }))).into_response()
}
