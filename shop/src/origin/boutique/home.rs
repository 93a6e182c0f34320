//! The boutique's front page: some products, and a login beside the search.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::HOME;
use super::guest::Guest;
use super::list::product_list;
use super::sheet::{Sheet, render};
use crate::origin::{Origin, page};

const PRODUCTS_SHOWN: usize = 12;

/// `?login=failed`, where a login led back here.
#[derive(Debug, Deserialize)]
pub(super) struct HomeQuery {
    login: Option<String>,
}

/// `GET /boutique`
pub(super) async fn enter() -> Response {
    page::found(HOME)
}

/// `GET /boutique/`
pub(super) async fn show(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Query(query): Query<HomeQuery>,
) -> Response {
    let mut sessions = origin.boutique.lock();
    let has_failed = query.login.as_deref() == Some("failed");
    render(&origin, &guest, &mut sessions, Sheet::ok("Home").with_base(), |session, csrf| {
        html! {
            h1 { "The boutique" }
            @if has_failed { p #login-failed .error { "Wrong user or password" } }
            @if let Some(user) = &session.user { p { "You are " strong #user { (user) } "." } }
            form #login action="login" method="post" {
                input type="hidden" name="csrf" value=(csrf);
                label { "User " input type="text" name="user" autocomplete="username"; }
                label { "Password " input type="password" name="password"; }
                button type="submit" { "Log in" }
            }
            (product_list(origin.catalogue.products().iter().take(PRODUCTS_SHOWN)))
            p { a #to-list href="list" { "Everything we have" } }
        }
    })
}
