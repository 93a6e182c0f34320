//! Static files under `/static/<hash>/…`. The hash is of the content, so that a file may be cached for
//! ever: a changed file is a new address.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderValue, StatusCode};

use super::catalogue::{Catalogue, Product, ProductId};
use super::page::{self, NOT_FOUND_CACHE_CONTROL};
use super::{Origin, picture};
use crate::chance::content_hash;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const SVG: &str = "image/svg+xml";

/// All static files, and the addresses at which pages find them.
#[derive(Debug)]
pub(super) struct Assets {
    // Keyed by what follows `/static/`.
    files: HashMap<String, Asset>,
    pub(super) style: String,
    pub(super) script: String,
    pub(super) logo: String,
    pub(super) hero: String,
    pictures: HashMap<ProductId, Vec<String>>,
}

#[derive(Debug)]
struct Asset {
    content: Bytes,
    content_type: HeaderValue,
    etag: HeaderValue,
}

impl Assets {
    /// Gathers the files and draws the pictures of the whole catalogue.
    pub(super) fn new(catalogue: &Catalogue) -> Assets {
        let mut files = HashMap::new();
        let mut add = |name: &str, content: Bytes, content_type: &'static str| -> String {
            let hash = content_hash(&content);
            let address = format!("/static/{hash}/{name}");
            let etag =
                HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""));
            let asset = Asset { content, content_type: HeaderValue::from_static(content_type), etag };
            files.insert(format!("{hash}/{name}"), asset);
            address
        };
        let style = add(
            "style.css",
            Bytes::from_static(include_bytes!("static/style.css")),
            "text/css; charset=utf-8",
        );
        let script = add(
            "app.js",
            Bytes::from_static(include_bytes!("static/app.js")),
            "text/javascript; charset=utf-8",
        );
        let logo = add("logo.svg", Bytes::from_static(include_bytes!("static/logo.svg")), SVG);
        // The one picture that is no text: an edge leaves it as it is.
        let hero = add("hero.png", Bytes::from_static(include_bytes!("static/hero.png")), "image/png");
        let mut pictures_of = |product: &Product| -> Vec<String> {
            let draw = |number| {
                let name = format!("products/{}-{number}.svg", product.id);
                add(&name, Bytes::from(picture::draw(product.id, number)), SVG)
            };
            (1..=product.pictures()).map(draw).collect()
        };
        let pictures =
            catalogue.products().iter().map(|product| (product.id, pictures_of(product))).collect();
        Assets { files, style, script, logo, hero, pictures }
    }

    /// The addresses of a product's pictures.
    pub(super) fn pictures(&self, product: ProductId) -> &[String] {
        self.pictures.get(&product).map(Vec::as_slice).unwrap_or_default()
    }
}

/// `GET /static/<hash>/<name>`
pub(super) async fn serve(State(origin): State<Arc<Origin>>, Path(name): Path<String>) -> Response {
    match origin.assets.files.get(&name) {
        Some(asset) => {
            let headers = [
                (CONTENT_TYPE, asset.content_type.clone()),
                (CACHE_CONTROL, IMMUTABLE),
                (ETAG, asset.etag.clone()),
                (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
            ];
            (headers, asset.content.clone()).into_response()
        }
        None => {
            let headers = [(CONTENT_TYPE, page::TEXT), (CACHE_CONTROL, NOT_FOUND_CACHE_CONTROL)];
            (StatusCode::NOT_FOUND, headers, "There is no such file.\n").into_response()
        }
    }
}
