//! Every fault there is: its name, how its value is written, and what it does.

use std::time::Duration;

use super::kind::FaultKind;
use super::share::Share;

/// One line of [`CATALOGUE`].
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct FaultEntry {
    pub(crate) name: &'static str,
    pub(crate) example: &'static str,
    pub(crate) does: &'static str,
    #[serde(skip)]
    pub(super) takes: Takes,
}

/// What stands behind the name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Nothing(FaultKind),
    Time(fn(Duration) -> FaultKind),
    Share(fn(Share) -> FaultKind),
}

/// Every kind. The one list behind parsing, help and errors.
pub(crate) static CATALOGUE: [FaultEntry; 37] = [
    timed("slow", "slow=300ms@tokyo", "every answer takes that much longer", FaultKind::Slow),
    shared("errors", "errors=5%", "the balancer answers 503 at that share of requests", FaultKind::Errors),
    timed("freeze", "freeze=2s", "accepts but answers nothing until the time is over", FaultKind::Freeze),
    plain("cold-cache", "every lookup misses", FaultKind::ColdCache),
    plain("no-compression", "the edge compresses nothing", FaultKind::NoCompression),
    plain("api-cached", "the edge caches GET /api/…, whoever asks", FaultKind::ApiCached),
    plain(
        "cart-leaked",
        "the edge caches /cart and /checkout and gives them to others",
        FaultKind::CartLeaked,
    ),
    timed("short-ttl", "short-ttl=5s", "nothing stays fresh for longer", FaultKind::ShortTtl),
    shared("lost-cart", "lost-cart=10%", "carts are found empty at that rate", FaultKind::LostCart),
    plain("oversell", "stock is not checked", FaultKind::Oversell),
    plain("down", "the origin is gone: 502 for everything uncached", FaultKind::Down),
    plain("html-year", "pages may be kept for a year, they say", FaultKind::HtmlYear),
    timed(
        "stale-html",
        "stale-html=1h",
        "pages are kept past their lifetime, and are that old already",
        FaultKind::StaleHtml,
    ),
    plain("no-store-html", "pages say no-store, and none is kept", FaultKind::NoStoreHtml),
    plain("no-lifetime", "pages and files do not say for how long they may be kept", FaultKind::NoLifetime),
    timed("error-ttl", "error-ttl=1h", "the edge keeps errors for that long", FaultKind::ErrorTtl),
    plain("vary-cookie", "pages say Vary: Cookie", FaultKind::VaryCookie),
    plain("vary-agent", "pages and files say Vary: User-Agent", FaultKind::VaryAgent),
    plain(
        "session-cached",
        "pages open a session that the edge gives to everybody",
        FaultKind::SessionCached,
    ),
    plain("cookie-sent", "pages open a session for whoever comes first", FaultKind::CookieSent),
    plain("sticky-cached", "the edge keeps the balancer's cookies with pages", FaultKind::StickyCached),
    plain("query-key", "any query makes a copy of its own", FaultKind::QueryKey),
    plain("cookie-key", "any cookie makes a copy of its own", FaultKind::CookieKey),
    plain("age-leaked", "private pages tell an Age", FaultKind::AgeLeaked),
    shared(
        "unsticky",
        "unsticky=10%",
        "the balancer changes a viewer's target at that rate",
        FaultKind::Unsticky,
    ),
    plain("images-compressed", "pictures are compressed again", FaultKind::ImagesCompressed),
    plain("double-gzip", "files are compressed twice, and say so once", FaultKind::DoubleGzip),
    plain("forced-gzip", "text comes in gzip, whatever was asked for", FaultKind::ForcedGzip),
    plain("no-vary", "compressed answers do not say Vary: Accept-Encoding", FaultKind::NoVary),
    plain("broken-brotli", "files under brotli are of the build before", FaultKind::BrokenBrotli),
    plain("corrupt-brotli", "files under brotli break off in the middle", FaultKind::CorruptBrotli),
    plain("weak-compression", "text comes in gzip that saves nothing", FaultKind::WeakCompression),
    plain("no-304", "conditional requests get the whole answer again", FaultKind::No304),
    plain("no-range", "requests for a part get the whole", FaultKind::NoRange),
    plain("head-lies", "HEAD tells other headers than GET", FaultKind::HeadLies),
    plain("wrong-edge", "the edge of a far-off city answers", FaultKind::WrongEdge),
    shared(
        "challenge",
        "challenge=5%",
        "the firewall answers 202 at that share of requests",
        FaultKind::Challenge,
    ),
];

/// A fault without a value.
const fn plain(name: &'static str, does: &'static str, kind: FaultKind) -> FaultEntry {
    FaultEntry { name, example: name, does, takes: Takes::Nothing(kind) }
}

/// A fault whose value is a duration.
const fn timed(
    name: &'static str,
    example: &'static str,
    does: &'static str,
    make: fn(Duration) -> FaultKind,
) -> FaultEntry {
    FaultEntry { name, example, does, takes: Takes::Time(make) }
}

/// A fault whose value is a percentage.
const fn shared(
    name: &'static str,
    example: &'static str,
    does: &'static str,
    make: fn(Share) -> FaultKind,
) -> FaultEntry {
    FaultEntry { name, example, does, takes: Takes::Share(make) }
}

#[cfg(test)]
mod tests {
    use super::CATALOGUE;

    #[test]
    fn every_name_is_given_once_and_belongs_to_its_kind() {
        for (index, entry) in CATALOGUE.iter().enumerate() {
            assert!(!CATALOGUE[..index].iter().any(|other| other.name == entry.name), "{}", entry.name);
            assert!(entry.example.starts_with(entry.name) && !entry.does.is_empty(), "{}", entry.name);
        }
    }
}
