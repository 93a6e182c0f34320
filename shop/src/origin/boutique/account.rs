//! What the boutique knows about somebody who logged in.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::HOME;
use super::guest::Guest;
use super::sheet::{Sheet, render};
use crate::origin::{Origin, page};

/// `GET /boutique/account`: for everybody else, 302 to the front page with its login.
pub(super) async fn show(State(origin): State<Arc<Origin>>, guest: Guest) -> Response {
    let mut sessions = origin.boutique.lock();
    if sessions.find(guest.sid).is_none_or(|session| session.user.is_none()) {
        return page::found(HOME);
    }
    render(&origin, &guest, &mut sessions, Sheet::ok("Your account"), |session, _| {
        let user = session.user.as_deref().unwrap_or_default();
        html! {
            h1 { "Your account" }
            p { "You are " strong #user { (user) } "." }
            p { "News: " span #has-newsletter { @if session.has_newsletter { "yes" } @else { "no" } } }
            h2 { "Your wishes" }
            ul.wishes {
                @for product in session.wishes().iter().filter_map(|id| origin.catalogue.product(*id)) {
                    li data-product=(product.id) {
                        a href={ "/boutique/p/" (product.id) } { (product.name) }
                    }
                }
            }
        }
    })
}
