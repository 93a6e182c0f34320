//! Everything there is, or what a search finds, page by page.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::guest::Guest;
use super::sheet::{Sheet, refuse, render};
use crate::origin::Origin;
use crate::origin::catalogue::Product;
use crate::origin::page::Money;

const PRODUCTS_PER_PAGE: usize = 20;
const QUERY_CHARS_MAX: usize = 100;

/// `?page=N`, from 1, and `&q=WORD`.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<usize>,
    #[serde(default)]
    q: String,
}

/// `GET /boutique/list?page=N&q=WORD`
pub(super) async fn show(
    State(origin): State<Arc<Origin>>,
    guest: Guest,
    Query(query): Query<ListQuery>,
) -> Response {
    let sought: String = query.q.trim().chars().take(QUERY_CHARS_MAX).collect();
    let found: Vec<&Product> = if sought.is_empty() {
        origin.catalogue.products().iter().collect()
    } else {
        origin.catalogue.search(&sought)
    };
    let number = query.page.unwrap_or(1);
    let pages = found.len().div_ceil(PRODUCTS_PER_PAGE).max(1);
    let mut sessions = origin.boutique.lock();
    if number == 0 || number > pages {
        return refuse(&origin, &guest, &mut sessions, StatusCode::NOT_FOUND, "There is no such page.");
    }
    // What a link to another page of the same search ends with.
    let search = if sought.is_empty() { String::new() } else { format!("&q={}", percent_encoded(&sought)) };
    let shown = found.iter().skip((number - 1) * PRODUCTS_PER_PAGE).take(PRODUCTS_PER_PAGE);
    render(&origin, &guest, &mut sessions, Sheet::ok("All products"), |_, _| {
        html! {
            h1 { "All products" }
            p { span #result-count { (found.len()) } " products, page " (number) " of " (pages) }
            (product_list(shown.copied()))
            nav.pages aria-label="Pages" {
                @if number > 1 { a rel="prev" href={ "?page=" (number - 1) (search) } { "Back" } }
                " "
                @if number < pages { a rel="next" href={ "?page=" (number + 1) (search) } { "Next" } }
            }
        }
    })
}

/// Links to products, relative to `/boutique/`.
pub(super) fn product_list<'a>(products: impl Iterator<Item = &'a Product>) -> Markup {
    html! {
        ul.products {
            @for product in products {
                li {
                    a.product href={ "p/" (product.id) } {
                        span.name { (product.name) }
                        span.price { (Money(product.price_cents)) }
                    }
                }
            }
        }
    }
}

/// A word as it stands in a query: all but RFC 3986's unreserved characters as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn reserved_characters_are_encoded() {
        assert_eq!(percent_encoded("a-b._~9"), "a-b._~9");
        assert_eq!(percent_encoded("tent & lamp+é"), "tent%20%26%20lamp%2B%C3%A9");
    }
}
