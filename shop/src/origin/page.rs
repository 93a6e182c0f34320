//! What all pages share: the frame around them, and how an answer says who may keep it.

use std::fmt;

use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};

use super::assets::Assets;
use super::catalogue::Category;

/// Pages that are the same for everybody.
const PUBLIC: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// Anything that belongs to one shopper.
pub(super) const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");
/// What does not exist may be made soon.
pub(super) const NOT_FOUND_CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=10");
pub(super) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An amount in cents, shown as `€12.95`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Money(pub(super) u64);

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "€{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A page that everybody may keep.
pub(super) fn public(page: Markup) -> Response {
    ([(CACHE_CONTROL, PUBLIC)], Html(page.into_string())).into_response()
}

/// A page for one shopper alone.
pub(super) fn private(status: StatusCode, page: Markup) -> Response {
    (status, [(CACHE_CONTROL, PRIVATE)], Html(page.into_string())).into_response()
}

/// Sends a browser on with GET.
pub(super) fn see_other(address: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, address)
}

/// Sends a browser on with 302, as shops did before there was 303.
pub(super) fn found(address: &str) -> Response {
    redirect(StatusCode::FOUND, address)
}

fn redirect(status: StatusCode, address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    (status, [(LOCATION, location), (CACHE_CONTROL, PRIVATE)]).into_response()
}

/// A page that says only that there is nothing at this address.
pub(super) fn not_found(assets: &Assets) -> Response {
    let content = html! {
        h1 { "Nothing here" }
        p.error { "There is no such page. " a href="/" { "Back to the shop" } }
    };
    let page = frame(assets, "Nothing here", &content);
    (StatusCode::NOT_FOUND, [(CACHE_CONTROL, NOT_FOUND_CACHE_CONTROL)], Html(page.into_string()))
        .into_response()
}

/// A page for one shopper that says what went wrong, in words for people.
pub(super) fn refused(assets: &Assets, status: StatusCode, reason: &str) -> Response {
    let content = html! {
        h1 { "That did not work" }
        p.error { (reason) }
        p { a href="/cart" { "Back to the cart" } }
    };
    private(status, frame(assets, "That did not work", &content))
}

/// The frame around every page.
pub(super) fn frame(assets: &Assets, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Doorbuster demo shop" }
                link rel="stylesheet" href=(assets.style);
                script src=(assets.script) defer {}
            }
            body {
                header.top {
                    a href="/" { img src=(assets.logo) alt="Doorbuster demo shop" width="183" height="40"; }
                    form #search action="/search" method="get" role="search" {
                        input type="search" name="q" placeholder="Tent, lamp, bicycle…" aria-label="Search" required;
                        button type="submit" { "Search" }
                    }
                    a #cart-link href="/cart" { "Cart " span.badge hidden {} }
                }
                main { (content) }
                footer.bottom {
                    p { "A shop that sells nothing: it is here to be loaded, measured and broken on purpose." }
                }
            }
        }
    }
}

/// Links to all categories.
pub(super) fn category_links(categories: &[Category]) -> Markup {
    html! {
        nav.categories aria-label="Categories" {
            @for category in categories {
                a.category href={ "/c/" (category.slug) } { (category.title) }
            }
        }
    }
}
