//! What all pages of the boutique share: the frame with its two forms, a fresh token for all forms of
//! the page, and the word that the page before left.

use axum::response::Response;
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::guest::{Guest, set_session_cookie};
use super::sessions::{Session, Sessions};
use super::{ACCOUNT, CART, HOME, flash};
use crate::chance::Token;
use crate::origin::assets::Assets;
use crate::origin::catalogue::ProductId;
use crate::origin::{Origin, page};

/// What a page is beside its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    status: StatusCode,
    title: &'a str,
    has_base: bool,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(status: StatusCode, title: &'a str) -> Sheet<'a> {
        Sheet { status, title, has_base: false }
    }

    pub(super) fn ok(title: &'a str) -> Sheet<'a> {
        Sheet::new(StatusCode::OK, title)
    }

    /// Relative addresses of the page start at `/boutique/`, wherever the page itself is.
    pub(super) fn with_base(self) -> Sheet<'a> {
        Sheet { has_base: true, ..self }
    }
}

/// A page, made from the shopper's session and the token for its forms.
pub(super) fn render(
    origin: &Origin,
    guest: &Guest,
    sessions: &mut Sessions,
    sheet: Sheet<'_>,
    content: impl FnOnce(&Session, Token) -> Markup,
) -> Response {
    let visit = sessions.visit(guest.sid);
    let content = content(visit.session, visit.csrf);
    let page = frame(&origin.assets, sheet, guest.flash.as_deref(), visit.csrf, &content);
    let mut answer = page::private(sheet.status, page);
    set_session_cookie(answer.headers_mut(), visit.opened);
    if guest.flash.is_some() {
        flash::take_away(answer.headers_mut());
    }
    answer
}

/// A page that says what went wrong, in words for people.
pub(super) fn refuse(
    origin: &Origin,
    guest: &Guest,
    sessions: &mut Sessions,
    status: StatusCode,
    reason: &str,
) -> Response {
    render(origin, guest, sessions, Sheet::new(status, "That did not work"), |_, _| {
        html! {
            h1 { "That did not work" }
            p.error { (reason) }
            p { a href=(CART) { "Back to the cart" } }
        }
    })
}

/// The answer to a form that came twice, too late, or from nowhere.
pub(super) fn expired(origin: &Origin, guest: &Guest, sessions: &mut Sessions) -> Response {
    let reason = "This form has expired. Load the page again.";
    refuse(origin, guest, sessions, StatusCode::FORBIDDEN, reason)
}

/// The bad news that looks like success: a page with status 200.
pub(super) fn sold_out(
    origin: &Origin,
    guest: &Guest,
    sessions: &mut Sessions,
    lacking: &[ProductId],
) -> Response {
    render(origin, guest, sessions, Sheet::ok("Sold out"), |_, _| {
        html! {
            h1 { "Sold out" }
            p #sold-out .error { "Sorry, this product is sold out: " (origin.catalogue.names(lacking)) "." }
            p { a href=(HOME) { "Look around" } }
        }
    })
}

fn frame(assets: &Assets, sheet: Sheet<'_>, flash: Option<&str>, csrf: Token, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                @if sheet.has_base { base href=(HOME); }
                title { (sheet.title) " · Doorbuster boutique" }
                link rel="stylesheet" href=(assets.style);
            }
            body {
                header.top {
                    a href=(HOME) { img src=(assets.logo) alt="Doorbuster boutique" width="183" height="40"; }
                    form #search action="/boutique/list" method="get" role="search" {
                        input type="search" name="q" aria-label="Search";
                        button type="submit" { "Search" }
                    }
                    a #account-link href=(ACCOUNT) { "Account" }
                    a #cart-link href=(CART) { "Cart" }
                }
                main {
                    @if let Some(word) = flash { p #flash { (word) } }
                    (content)
                }
                footer.bottom {
                    form #newsletter action="/boutique/newsletter" method="post" {
                        input type="hidden" name="csrf" value=(csrf);
                        input type="email" name="email" placeholder="you@example.com" aria-label="Email";
                        button type="submit" { "Send me news" }
                    }
                }
            }
        }
    }
}
