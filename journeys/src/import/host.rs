//! Which hosts belong to the shop.

use url::Url;

use super::archive::Entry;
use super::kind::Kind;

/// The most redirects from the first address to the shop's own.
const HOPS_MAX: usize = 5;

/// The hosts of a shop.
pub(super) struct Hosts {
    /// Hosts, with the port where it is not the scheme's own.
    known: Vec<String>,
}

impl Hosts {
    /// The host of the first page, those that it redirects to, and `further` ones.
    pub(super) fn new(entries: &[Entry], kinds: &[Kind], further: &[String]) -> Self {
        let mut known: Vec<String> = Vec::new();
        let mut next = home(entries, kinds);
        for _ in 0..HOPS_MAX {
            let Some(entry) = next else { break };
            known.push(authority(&entry.url));
            let location = entry.location.as_ref().filter(|_| entry.is_redirect());
            next = location.and_then(|location| entries.iter().find(|entry| entry.url == *location));
        }
        known.extend(further.iter().map(|host| named(host)));
        Self { known }
    }

    /// Whether an address belongs to the shop.
    pub(super) fn has(&self, url: &Url) -> bool {
        let authority = authority(url);
        let host = url.host_str().unwrap_or_default();
        self.known.iter().any(|known| {
            let known = without_www(known);
            known == without_www(&authority) || known == without_www(host)
        })
    }

    /// Whether a host looks like one of the shop's without being known as such: `api.shop.example`.
    pub(super) fn is_related(&self, url: &Url) -> bool {
        let wanted = site(url.host_str().unwrap_or_default());
        self.known.iter().any(|known| site(known.split(':').next().unwrap_or_default()) == wanted)
    }
}

/// The first page that was answered, or else the first call.
fn home<'a>(entries: &'a [Entry], kinds: &[Kind]) -> Option<&'a Entry> {
    let first = |wanted: Kind| {
        let mut entries = entries.iter().zip(kinds);
        entries.find(|(entry, kind)| **kind == wanted && is_web(&entry.url) && entry.status > 0)
    };
    first(Kind::Page).or_else(|| first(Kind::Call)).map(|(entry, _)| entry)
}

/// True for http and https.
pub(super) fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// A host, with the port where it is not the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A host as somebody names it: alone, with a port, or as an address.
fn named(host: &str) -> String {
    let host = host.trim().to_ascii_lowercase();
    match Url::parse(&host) {
        Ok(url) if is_web(&url) => authority(&url),
        _ => host,
    }
}

fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

/// The last two labels of a name; an IP address as a whole.
fn site(host: &str) -> &str {
    let is_name = host.chars().any(|character| character.is_ascii_alphabetic());
    let dot = host.rmatch_indices('.').nth(1).filter(|_| is_name && !host.starts_with('['));
    dot.map_or(host, |(dot, _)| host.get(dot + 1..).unwrap_or(host))
}
