//! What can be broken.

use std::time::Duration;

use super::share::Share;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Every answer takes that much longer.
    Slow(Duration),
    /// The balancer answers 503 at that share of requests.
    Errors(Share),
    /// Connections are accepted but nothing is answered for that long, from when it is switched on.
    Freeze(Duration),
    /// Every lookup misses.
    ColdCache,
    /// The edge compresses nothing.
    NoCompression,
    /// The edge caches `GET /api/…`, whoever asks.
    ApiCached,
    /// The edge caches cart and checkout pages and gives them to others.
    CartLeaked,
    /// Nothing stays fresh for longer than that, and `Cache-Control` says so.
    ShortTtl(Duration),
    /// A session's cart is found empty at that rate of its requests.
    LostCart(Share),
    /// Stock is not checked.
    Oversell,
    /// The origin is gone: 502 from the edge for everything uncached.
    Down,
    /// Pages say that they may be kept for a year; the edge keeps them for as long as it may, a day.
    HtmlYear,
    /// Pages are kept past their lifetime, and are at least that old already.
    StaleHtml(Duration),
    /// Pages say that nobody may keep them.
    NoStoreHtml,
    /// Neither pages nor files say for how long they may be kept.
    NoLifetime,
    /// The edge keeps errors for that long, where that is longer than 10 s.
    ErrorTtl(Duration),
}

impl FaultKind {
    /// The name in the catalogue.
    pub(super) fn name(&self) -> &'static str {
        match self {
            FaultKind::Slow(_) => "slow",
            FaultKind::Errors(_) => "errors",
            FaultKind::Freeze(_) => "freeze",
            FaultKind::ColdCache => "cold-cache",
            FaultKind::NoCompression => "no-compression",
            FaultKind::ApiCached => "api-cached",
            FaultKind::CartLeaked => "cart-leaked",
            FaultKind::ShortTtl(_) => "short-ttl",
            FaultKind::LostCart(_) => "lost-cart",
            FaultKind::Oversell => "oversell",
            FaultKind::Down => "down",
            FaultKind::HtmlYear => "html-year",
            FaultKind::StaleHtml(_) => "stale-html",
            FaultKind::NoStoreHtml => "no-store-html",
            FaultKind::NoLifetime => "no-lifetime",
            FaultKind::ErrorTtl(_) => "error-ttl",
        }
    }
}
