//! The shop as it was built before there were frameworks in browsers: everything is a form, everybody
//! has a session from the first page on, and a refusal is often a page like any other.
//!
//! What makes it hard to drive, and therefore worth driving: its pages hold several forms with every
//! kind of field; each page's CSRF token serves once; the session's name changes at login; a word for
//! the next page travels in a cookie with escapes; and "wrong password", "declined" and "sold out" come
//! with the statuses of success.

mod account;
mod buy;
mod cart_page;
mod checkout;
mod flash;
mod formset;
mod guest;
mod home;
mod list;
mod login;
mod multipart;
mod newsletter;
mod product;
mod sessions;
mod sheet;
mod thanks;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::Origin;

pub(super) use self::sessions::Sessions;

const HOME: &str = "/boutique/";
const ACCOUNT: &str = "/boutique/account";
const CART: &str = "/boutique/cart";

/// Everything below `/boutique`.
pub(super) fn router() -> Router<Arc<Origin>> {
    Router::new()
        .route("/boutique", get(home::enter))
        .route("/boutique/", get(home::show))
        .route("/boutique/list", get(list::show))
        .route("/boutique/p/{id}", get(product::show))
        .route("/boutique/login", post(login::log_in))
        .route("/boutique/account", get(account::show))
        .route("/boutique/newsletter", post(newsletter::subscribe))
        .route("/boutique/cart", get(cart_page::show).post(buy::take))
        .route("/boutique/cart/update", post(cart_page::update))
        .route("/boutique/checkout/1", get(checkout::address).post(checkout::take_address))
        .route("/boutique/checkout/2", get(checkout::delivery).post(checkout::take_delivery))
        .route("/boutique/checkout/3", get(checkout::payment).post(checkout::take_payment))
        .route("/boutique/thanks/{order}", get(thanks::show))
}
