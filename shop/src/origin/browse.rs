//! Pages that are the same for everybody: home, category, search, product.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Origin;
use super::cart::NOTE_CHARS_MAX;
use super::catalogue::{Product, ProductId};
use super::page::{self, Money};

const PRODUCTS_PER_PAGE: usize = 24;
const QUERY_SHOWN_CHARS_MAX: usize = 100;

/// The `?page=N` of a category, from 1.
#[derive(Debug, Deserialize)]
pub(super) struct PageNumber {
    page: Option<usize>,
}

/// The `?q=WORD` of a search.
#[derive(Debug, Deserialize)]
pub(super) struct SearchQuery {
    #[serde(default)]
    q: String,
}

/// `GET /`
pub(super) async fn home(State(origin): State<Arc<Origin>>) -> Response {
    let categories = origin.catalogue.categories();
    // Every nth product, so that the featured ones come from all categories and the whole range.
    let all = origin.catalogue.products();
    let step = all.len().div_ceil(PRODUCTS_PER_PAGE) | 1;
    let content = html! {
        img.hero src=(origin.assets.hero) alt="The doors open at nine" width="1200" height="360";
        (page::category_links(categories))
        h1 { "Featured today" }
        (product_list(all.iter().step_by(step)))
    };
    page::public(page::frame(&origin.assets, "Home", &content))
}

/// `GET /c/<slug>?page=N`
pub(super) async fn category(
    State(origin): State<Arc<Origin>>,
    Path(slug): Path<String>,
    Query(PageNumber { page }): Query<PageNumber>,
) -> Response {
    let Some(category) = origin.catalogue.category(&slug) else {
        return page::not_found(&origin.assets);
    };
    let number = page.unwrap_or(1);
    let pages = category.products.len().div_ceil(PRODUCTS_PER_PAGE);
    if number == 0 || number > pages {
        return page::not_found(&origin.assets);
    }
    let ids = category.products.iter().skip((number - 1) * PRODUCTS_PER_PAGE).take(PRODUCTS_PER_PAGE);
    let content = html! {
        h1 { (category.title) }
        (product_list(ids.filter_map(|id| origin.catalogue.product(*id))))
        @if pages > 1 {
            nav.pages aria-label="Pages" {
                @for other in 1..=pages {
                    @if other == number { strong { (other) } } @else {
                        a.page href={ "/c/" (category.slug) "?page=" (other) } { (other) }
                    }
                    " "
                }
            }
        }
        (page::category_links(origin.catalogue.categories()))
    };
    page::public(page::frame(&origin.assets, category.title, &content))
}

/// `GET /search?q=WORD`
pub(super) async fn search(State(origin): State<Arc<Origin>>, Query(query): Query<SearchQuery>) -> Response {
    let found = origin.catalogue.search(&query.q);
    let shown: String = query.q.chars().take(QUERY_SHOWN_CHARS_MAX).collect();
    let content = html! {
        h1 { "Results for “" (shown) "”" }
        p { span #result-count { (found.len()) } " found" }
        (product_list(found.into_iter().take(PRODUCTS_PER_PAGE)))
    };
    page::public(page::frame(&origin.assets, "Search", &content))
}

/// `GET /p/<id>`: no CSRF token in its form, because the page is cached for everybody.
pub(super) async fn product(State(origin): State<Arc<Origin>>, Path(id): Path<String>) -> Response {
    let product = id.parse::<ProductId>().ok().and_then(|id| origin.catalogue.product(id));
    let Some(product) = product else {
        return page::not_found(&origin.assets);
    };
    let category = origin.catalogue.category_of(product);
    let in_stock = origin.warehouse.lock().stock(product.id) > 0;
    let content = html! {
        p { a.category href={ "/c/" (category.slug) } { (category.title) } }
        h1 { (product.name) }
        div.pictures {
            @for (number, address) in (1..).zip(origin.assets.pictures(product.id)) {
                img src=(address) alt={ (product.name) ", picture " (number) } width="400" height="300";
            }
        }
        p { (product.description) }
        p.price { (Money(product.price_cents)) }
        @if in_stock { p.in-stock { "In stock" } } @else { p.sold-out { "Sold out" } }
        form #add-to-cart action="/cart/add" method="post" {
            input type="hidden" name="product" value=(product.id);
            input type="hidden" name="quantity" value="1";
            label { "A note to us " input name="note" maxlength=(NOTE_CHARS_MAX) autocomplete="off"; }
            button type="submit" { "Add to cart" }
        }
    };
    page::public(page::frame(&origin.assets, &product.name, &content))
}

/// Whatever else is asked for.
pub(super) async fn nothing_here(State(origin): State<Arc<Origin>>) -> Response {
    page::not_found(&origin.assets)
}

fn product_list<'a>(products: impl Iterator<Item = &'a Product>) -> Markup {
    html! {
        ul.products {
            @for product in products {
                li {
                    a.product href={ "/p/" (product.id) } {
                        span.name { (product.name) }
                        span.price { (Money(product.price_cents)) }
                    }
                }
            }
        }
    }
}
