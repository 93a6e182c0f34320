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
        }
    }
}
