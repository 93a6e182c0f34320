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
    /// Pages say `Vary: Cookie`.
    VaryCookie,
    /// Pages and files say `Vary: User-Agent`.
    VaryAgent,
    /// Every page opens a session, and the edge keeps its cookie with the page: all share one session.
    SessionCached,
    /// Every page opens a session, and its cookie goes to the viewer for whom the page is fetched.
    CookieSent,
    /// The edge keeps the balancer's sticky cookies with pages: all are sent to one target.
    StickyCached,
    /// The whole query string is in the key of pages and files, tracking parameters and all.
    QueryKey,
    /// All cookies are in the key of pages and files.
    CookieKey,
    /// Private pages tell an `Age`: a cache between edge and origin has them.
    AgeLeaked,
    /// The balancer sends a viewer to another target at that rate.
    Unsticky(Share),
    /// Pictures that their format packs already are compressed again.
    ImagesCompressed,
    /// Static text is compressed twice, and says so once.
    DoubleGzip,
    /// Text comes in gzip, whatever the viewer takes.
    ForcedGzip,
    /// What is compressed does not say `Vary: Accept-Encoding`.
    NoVary,
    /// Under brotli, files are those of the build before.
    BrokenBrotli,
    /// Under brotli, files break off in the middle.
    CorruptBrotli,
    /// Text comes in gzip that saves nothing.
    WeakCompression,
    /// Whoever asks whether a copy is still right gets another one.
    No304,
    /// Whoever asks for a part gets the whole.
    NoRange,
    /// A HEAD of what may be kept tells no entity tag, and a length of 0.
    HeadLies,
    /// The edge of a far-off city answers.
    WrongEdge,
    /// The firewall answers with a challenge at that share of requests.
    Challenge(Share),
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
            FaultKind::VaryCookie => "vary-cookie",
            FaultKind::VaryAgent => "vary-agent",
            FaultKind::SessionCached => "session-cached",
            FaultKind::CookieSent => "cookie-sent",
            FaultKind::StickyCached => "sticky-cached",
            FaultKind::QueryKey => "query-key",
            FaultKind::CookieKey => "cookie-key",
            FaultKind::AgeLeaked => "age-leaked",
            FaultKind::Unsticky(_) => "unsticky",
            FaultKind::ImagesCompressed => "images-compressed",
            FaultKind::DoubleGzip => "double-gzip",
            FaultKind::ForcedGzip => "forced-gzip",
            FaultKind::NoVary => "no-vary",
            FaultKind::BrokenBrotli => "broken-brotli",
            FaultKind::CorruptBrotli => "corrupt-brotli",
            FaultKind::WeakCompression => "weak-compression",
            FaultKind::No304 => "no-304",
            FaultKind::NoRange => "no-range",
            FaultKind::HeadLies => "head-lies",
            FaultKind::WrongEdge => "wrong-edge",
            FaultKind::Challenge(_) => "challenge",
        }
    }
}
