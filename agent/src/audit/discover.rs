//! What an answer leads to: a page's own assets, and the addresses that it or its scripts name.

use doorbuster_journeys::assets;
use doorbuster_model::cdn::audit::{Found, named_in};
use url::Url;

use super::fetch::Stage;
use crate::exchange::Reply;

/// The most that is found in one answer.
const FOUND_MAX: usize = 500;

/// What a good answer from `url` names, as far as it may be asked for.
pub(super) fn found(stage: &Stage<'_>, reply: &Reply, url: &Url) -> Vec<Found> {
    let (charset, text) = reply.content_type.read(&reply.body.kept);
    let mut found = Vec::new();
    if reply.content_type.is_page() {
        found.extend(assets::of_page(&text, charset, url).into_iter().map(|asset| Found::Asset(asset.url)));
    }
    if reply.content_type.is_page() || is_script(url) {
        found.extend(named_in(&text, url).into_iter().map(Found::Link));
    }
    found.retain(|found| match found {
        Found::Asset(url) | Found::Link(url) => stage.may_go(url),
    });
    found.truncate(FOUND_MAX);
    found
}

/// Whether it is a script, by its name: what a page calls so is known to the page alone.
fn is_script(url: &Url) -> bool {
    [".js", ".mjs"].iter().any(|end| url.path().ends_with(end))
}
