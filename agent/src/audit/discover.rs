//! What an answer leads to: a page's own assets, and the addresses that it or its scripts name.

use doorbuster_journeys::assets;
use doorbuster_model::cdn::audit::{Found, named_in};
use url::Url;

use super::fetch::Stage;
use crate::exchange::Reply;

/// The most that is found in one answer.
const FOUND_MAX: usize = 500;

/// What a good answer from `url` names.
pub(super) fn found(stage: &Stage<'_>, reply: &Reply, url: &Url) -> Vec<Found> {
    let (charset, text) = reply.content_type.read(&reply.body.kept);
    let mut found = Vec::new();
    if reply.content_type.is_page() {
        found.extend(assets::of_page(&text, charset, url).into_iter().map(|asset| Found::Asset(asset.url)));
    }
    if reply.content_type.is_page() || is_script(url) {
        found.extend(named_in(&text, url).into_iter().map(Found::Link));
    }
    let left = found.len().saturating_sub(FOUND_MAX);
    if left > 0 {
        let mut tallies = stage.worker.tallies.borrow_mut();
        tallies.current().count("addresses_not_looked_at", u64::try_from(left).unwrap_or(u64::MAX));
    }
    found.truncate(FOUND_MAX);
    found.into_iter().filter_map(|found| allowed(found, |url| stage.may_go(url))).collect()
}

/// What is found as far as it may be asked for; of what browsers would fetch all the same, that it is elsewhere.
fn allowed(found: Found, may_go: impl Fn(&Url) -> bool) -> Option<Found> {
    match found {
        Found::Asset(url) if may_go(&url) => Some(Found::Asset(url)),
        Found::Asset(url) | Found::Elsewhere(url) => {
            matches!(url.scheme(), "http" | "https").then_some(Found::Elsewhere(url))
        }
        Found::Link(url) => may_go(&url).then_some(Found::Link(url)),
    }
}

/// Whether it is a script, by its name: what a page calls so is known to the page alone.
fn is_script(url: &Url) -> bool {
    [".js", ".mjs"].iter().any(|end| url.path().ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_fetch_from_hosts_that_may_not_be_asked_is_told() {
        let url = |text: &str| Url::parse(text).unwrap();
        let own = |url: &Url| url.host_str() == Some("shop.test");
        for (found, expected) in [
            (
                Found::Asset(url("https://shop.test/a.css")),
                Some(Found::Asset(url("https://shop.test/a.css"))),
            ),
            (
                Found::Asset(url("https://cdn.test/a.css")),
                Some(Found::Elsewhere(url("https://cdn.test/a.css"))),
            ),
            (Found::Asset(url("data:text/css,")), None),
            (Found::Link(url("https://shop.test/p/1")), Some(Found::Link(url("https://shop.test/p/1")))),
            (Found::Link(url("https://cdn.test/")), None),
        ] {
            assert_eq!(allowed(found, own), expected);
        }
    }
}
