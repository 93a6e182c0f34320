//! The shop itself, as it stands behind the balancer: pages, carts, checkout, API, stock and orders.
//!
//! It has three faces, which sell the same things from the same stock: the shop proper, [`boutique`],
//! where everything is a form, and [`graphql`], where nothing is.

mod api;
mod assets;
mod boutique;
mod browse;
mod card;
mod cart;
mod cart_page;
mod catalogue;
mod checkout;
mod confirmation;
mod graphql;
mod health;
mod page;
mod picture;
mod sessions;
mod sticky;
mod visitor;
mod warehouse;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tower::ServiceExt as _;

use self::assets::Assets;
use self::catalogue::Catalogue;
use self::sessions::Sessions;
use self::visitor::RegionIndex;
use self::warehouse::Warehouse;
use crate::chance::{Dice, Token, content_hash};
use crate::error::Error;
use crate::fault::Faults;
use crate::options::Options;
use crate::shared::Shared;

/// Larger than any page, asset or list of ours.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The shop's state.
///
/// Where both are needed, the sessions of a face are locked before `warehouse`.
#[derive(Debug)]
pub(crate) struct Origin {
    catalogue: Catalogue,
    assets: Assets,
    sessions: Shared<Sessions>,
    boutique: Shared<boutique::Sessions>,
    graphql: Shared<graphql::Carts>,
    warehouse: Shared<Warehouse>,
    faults: Arc<Faults>,
    dice: Dice,
}

/// What the shop sold, for the admin endpoint.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Sales {
    /// Orders placed and confirmed.
    orders: u64,
    /// Product → units sold, for products that sold at all.
    units_sold: std::collections::BTreeMap<u32, u64>,
    /// Units sold that were not in stock.
    units_oversold: u64,
    /// Sessions that the shop remembers, whatever its face.
    sessions: usize,
}

impl Origin {
    pub(crate) fn new(options: &Options, faults: Arc<Faults>) -> Result<Origin, Error> {
        let dice = Dice::new(options.seed);
        let catalogue = Catalogue::invent(options.products, &dice);
        let assets = Assets::new(&catalogue);
        let warehouse = Shared::new(Warehouse::new(options.products, options.stock));
        Ok(Origin {
            catalogue,
            assets,
            sessions: Shared::new(Sessions::new()?),
            boutique: Shared::new(boutique::Sessions::new()?),
            graphql: Shared::new(graphql::Carts::new()?),
            warehouse,
            faults,
            dice,
        })
    }

    pub(crate) fn sales(&self) -> Sales {
        let sessions = self.sessions.lock().len() + self.boutique.lock().len() + self.graphql.lock().len();
        let warehouse = self.warehouse.lock();
        Sales {
            orders: warehouse.orders_placed(),
            units_sold: warehouse.units_sold(),
            units_oversold: warehouse.units_oversold(),
            sessions,
        }
    }
}

/// The shop behind its balancer, ready to answer.
#[derive(Clone, Debug)]
pub(crate) struct OriginService {
    origin: Arc<Origin>,
    router: Router,
}

impl OriginService {
    pub(crate) fn new(origin: Arc<Origin>) -> OriginService {
        OriginService { router: router(Arc::clone(&origin)), origin }
    }

    /// Answers one request that came through the edge of that region.
    pub(crate) async fn answer(&self, region: usize, request: Request<Bytes>) -> Response<Bytes> {
        let (mut parts, body) = request.into_parts();
        let if_none_match = parts.headers.remove(IF_NONE_MATCH);
        let switches = self.origin.faults.switches(region);
        let target = sticky::target_of(&parts.headers, switches.unsticky, &self.origin.dice);
        let is_static = parts.uri.path().starts_with("/static/");
        let sid = visitor::sid(&parts.headers);
        parts.extensions.insert(RegionIndex(region));

        let Ok(answer) = self.router.clone().oneshot(Request::from_parts(parts, Body::from(body))).await;
        let (mut parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else {
            return failed();
        };
        if !is_static {
            sticky::renew(target, &mut parts.headers);
            if switches.session_cached || switches.cookie_sent {
                self.open_session(sid, parts.status, &mut parts.headers);
            }
        }
        finish(Response::from_parts(parts, body), if_none_match.as_ref())
    }

    /// Opens a session for whoever looks at a page that is the same for everybody, as many a framework does:
    /// the mistake behind `session-cached` and `cookie-sent`.
    fn open_session(&self, sid: Option<Token>, status: StatusCode, headers: &mut HeaderMap) {
        let is_public =
            headers.get(CACHE_CONTROL).is_some_and(|value| value.as_bytes().starts_with(b"public"));
        if status == StatusCode::OK && is_public {
            let (_, opened) = self.origin.sessions.lock().find_or_open(sid);
            visitor::set_session_cookie(headers, opened);
        }
    }
}

fn router(origin: Arc<Origin>) -> Router {
    Router::new()
        .route("/", get(browse::home))
        .route("/c/{slug}", get(browse::category))
        .route("/search", get(browse::search))
        .route("/p/{id}", get(browse::product))
        .route("/cart", get(cart_page::show))
        .route("/cart/add", post(cart_page::add))
        .route("/cart/update", post(cart_page::update))
        .route("/checkout/address", get(checkout::address).post(checkout::take_address))
        .route("/checkout/delivery", get(checkout::delivery).post(checkout::take_delivery))
        .route("/checkout/payment", get(checkout::payment).post(checkout::take_payment))
        .route("/checkout/confirmation/{order}", get(confirmation::show))
        .route("/api/products", get(api::products))
        .route("/api/products/{id}", get(api::product))
        .route("/api/cart", get(api::cart).post(api::add))
        .route("/static/{*name}", get(assets::serve))
        .route("/healthz", get(health::show))
        .merge(boutique::router())
        .merge(graphql::router())
        .fallback(browse::nothing_here)
        .with_state(origin)
}

/// Adds what every answer has: an entity tag where it may be cached, a word on caching, its length. A
/// viewer that has this very content already gets 304.
fn finish(mut answer: Response<Bytes>, if_none_match: Option<&HeaderValue>) -> Response<Bytes> {
    // What says nothing about caching (a rejected form, say) was not meant for others.
    let cache_control = answer.headers_mut().entry(CACHE_CONTROL).or_insert(page::PRIVATE);
    let is_public = cache_control.as_bytes().starts_with(b"public");
    if is_public && answer.status() == StatusCode::OK && !answer.headers().contains_key(ETAG) {
        let etag = format!("\"{}\"", content_hash(answer.body()));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            answer.headers_mut().insert(ETAG, etag);
        }
    }
    if if_none_match.is_some() && answer.headers().get(ETAG) == if_none_match {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Bytes::new();
        answer.headers_mut().remove(CONTENT_LENGTH);
        return answer;
    }
    // Kept as it is where a body was left out on purpose (HEAD).
    let length = HeaderValue::from(answer.body().len());
    answer.headers_mut().entry(CONTENT_LENGTH).or_insert(length);
    answer
}

fn failed() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(b"The shop could not make this page.\n"));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer.headers_mut().insert(CACHE_CONTROL, page::PRIVATE);
    answer
}
