//! What a request was made for: a page, a call of a script, what a page is made of, or nothing that a shopper wants.

use super::archive::Entry;

/// What a request was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody went there.
    Page,
    /// A script asked, and does something with the answer.
    Call,
    /// A style sheet, script, picture, font: comes with its page.
    Asset,
    /// Preflights, prefetches, beacons: browsers send them by themselves.
    Noise,
}

/// The methods that a step can have.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// The ends of paths that name an asset.
const ASSET_ENDS: &[&str] = &[
    "avif",
    "css",
    "eot",
    "gif",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "map",
    "mjs",
    "mp3",
    "mp4",
    "otf",
    "png",
    "svg",
    "ttf",
    "wasm",
    "webm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
];

/// What `entry` was made for: by what the browser says of it, otherwise by its types and its address.
pub(super) fn kind(entry: &Entry) -> Kind {
    if !METHODS.contains(&entry.method.as_str()) || is_prefetch(entry) || is_measured(entry) {
        return Kind::Noise;
    }
    if entry.method == "HEAD" {
        return Kind::Call;
    }
    let destination = entry.header("sec-fetch-dest").unwrap_or_default();
    if matches!(destination, "iframe" | "frame" | "fencedframe" | "embed" | "object") {
        return Kind::Asset;
    }
    match entry.kind.as_deref().unwrap_or_default() {
        "document" => return Kind::Page,
        "xhr" | "fetch" => return asked_by_script(entry),
        "stylesheet" | "script" | "image" | "font" | "media" | "manifest" | "texttrack" => {
            return Kind::Asset;
        }
        "ping"
        | "beacon"
        | "preflight"
        | "csp-violation-report"
        | "cspviolationreport"
        | "websocket"
        | "eventsource"
        | "prefetch" => return Kind::Noise,
        _ => {}
    }
    match destination {
        "document" => Kind::Page,
        "empty" if entry.header("sec-fetch-mode") == Some("navigate") => Kind::Page,
        "empty" => asked_by_script(entry),
        "report" => Kind::Noise,
        "" => guessed(entry),
        _ => Kind::Asset,
    }
}

fn is_prefetch(entry: &Entry) -> bool {
    let purposes = ["sec-purpose", "purpose", "x-purpose", "x-moz"].map(|name| entry.header(name));
    purposes.into_iter().flatten().any(|purpose| purpose.to_ascii_lowercase().contains("prefetch"))
        || entry.header("next-router-prefetch").is_some()
}

/// What a content delivery network measures of its visitors.
fn is_measured(entry: &Entry) -> bool {
    entry.url.path().starts_with("/cdn-cgi/")
}

/// A script may fetch pictures and scripts as well.
fn asked_by_script(entry: &Entry) -> Kind {
    if entry.method == "GET" && (is_asset_type(&entry.mime) || has_asset_end(entry)) {
        Kind::Asset
    } else {
        Kind::Call
    }
}

fn guessed(entry: &Entry) -> Kind {
    let accept = entry.header("accept").unwrap_or_default();
    let wants_page = accept.contains("text/html") || accept.contains("application/xhtml");
    let by_script = entry.header("x-requested-with").is_some();
    let wants_asset = ["image/", "text/css", "font/"].iter().any(|kind| accept.starts_with(kind));
    let is_html = entry.mime.contains("html");
    match entry.method.as_str() {
        "GET" if is_asset_type(&entry.mime) || has_asset_end(entry) || wants_asset => Kind::Asset,
        _ if wants_page && !by_script => Kind::Page,
        "GET" if is_html && accept.is_empty() && !by_script => Kind::Page,
        _ => Kind::Call,
    }
}

fn is_asset_type(mime: &str) -> bool {
    ["image/", "font/", "audio/", "video/", "text/css", "text/vtt", "application/font", "application/x-font"]
        .iter()
        .any(|kind| mime.starts_with(kind))
        || ["javascript", "ecmascript", "wasm", "manifest+json"].iter().any(|kind| mime.contains(kind))
}

fn has_asset_end(entry: &Entry) -> bool {
    let end = entry.url.path().rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    end.is_some_and(|end| ASSET_ENDS.contains(&end.as_str()))
}
