//! Judging one answer against the policy.

use super::CacheStatus;
use super::encoding::{Asked, Encoding};
use super::head::Head;
use super::kind::ContentKind;
use super::policy::{Cached, ClassId, Policy, Provider};
use super::pop::Airport;
use super::rules::{Rule, Rules};
use super::says::Says;

/// Errors may be as old as this: CloudFront keeps them for 10 s unless told otherwise, whatever their
/// `Cache-Control` \[D\].
pub const ERROR_AGE_MAX_S: u32 = 10;
/// What Age is rounded by.
const ROUNDING_S: u32 = 1;

/// What kind of request was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verb {
    /// GET
    #[default]
    Get,
    /// HEAD
    Head,
    /// One that changes something: no cache keeps its answer.
    Other,
}

/// What one answer showed, as far as promises are judged by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// What its head says.
    pub head: Head,
    /// Its class.
    pub class: ClassId,
    /// Its status.
    pub status: u16,
    /// What was asked.
    pub verb: Verb,
    /// The codings that were asked for.
    pub asked: Asked,
    /// The body's bytes over the wire.
    pub bytes_wire: u64,
    /// The body's bytes after decoding; `None` when nobody decoded it.
    pub bytes_decoded: Option<u64>,
    /// Whether the decoded body is a gzip file again, though its type is text.
    pub is_packed_inside: bool,
    /// Whether the origin was seen to fail: only then may answers be as old as `stale-if-error` has it.
    pub has_failed: bool,
}

impl Observed {
    /// Whether it is good, and whole.
    fn is_good(&self) -> bool {
        matches!(self.status, 200 | 203)
    }

    /// Whether it says that something went wrong.
    fn is_error(&self) -> bool {
        self.status >= 400
    }

    /// Whether a cache may keep it, as far as its head says.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.head.says.any(Says::FORBIDS) && self.head.lifetime_s() != Some(0)
    }

    /// Whether the policy applies: it is declared, or the provider's own headers are there.
    pub fn is_of(&self, policy: &Policy) -> bool {
        let is_seen = match policy.provider {
            Provider::CloudFront => self.head.says.any(Says::CLOUDFRONT),
            Provider::Generic => self.head.cache != CacheStatus::None || self.head.age_s().is_some(),
        };
        policy.is_declared || is_seen
    }
}

/// The rules that an answer breaks; in a right shop none. `edges` are the airports of the region that asked, where the
/// policy names them.
pub fn judge(policy: &Policy, edges: Option<&[Airport]>, seen: &Observed) -> Rules {
    let mut broken = Rules::default();
    if !seen.is_of(policy) {
        return broken;
    }
    edge(edges, seen, &mut broken);
    coding(seen, &mut broken);
    // An error that is kept gives away no less than a page: what is private stays so, and a target is a target.
    error(seen, &mut broken);
    match policy.class(seen.class).map_or(Cached::Unsaid, |class| class.cached) {
        Cached::Never => private(seen, &mut broken),
        _ if seen.verb == Verb::Other => {}
        Cached::Unsaid => cookies(seen, &mut broken),
        Cached::For(promised_s) => {
            cookies(seen, &mut broken);
            if seen.is_good() {
                kept(policy, promised_s, seen, &mut broken);
            }
        }
    }
    broken
}

/// Where it was answered, and by whom.
fn edge(edges: Option<&[Airport]>, seen: &Observed, broken: &mut Rules) {
    let head = &seen.head;
    if let (Some(edges), Some(pop)) = (edges, head.pop) {
        broken.add_if(!edges.contains(&pop.airport), Rule::OtherRegion);
    }
    let is_success = (200..300).contains(&seen.status);
    broken.add_if(is_success && head.says.any(Says::CHALLENGED), Rule::ChallengeAsPage);
    broken.add_if(head.cache == CacheStatus::Unknown, Rule::CacheWordUnknown);
}

/// How its body came.
fn coding(seen: &Observed, broken: &mut Rules) {
    let encoding = seen.head.encoding;
    if encoding == Encoding::Identity {
        broken.add_if(seen.is_packed_inside, Rule::EncodingUnsaid);
        return;
    }
    let is_twice = encoding == Encoding::Several || seen.is_packed_inside;
    broken.add_if(is_twice, Rule::CompressedTwice);
    broken.add_if(!is_twice && seen.head.kind == ContentKind::Packed, Rule::CompressedImage);
    broken.add_if(!seen.asked.takes(encoding), Rule::EncodingNotAsked);
}

/// Errors that are kept for long, as their Age has it: CloudFront calls a kept error `Error`, others a hit. Where nobody says
/// how old it is, one answer tells nothing.
fn error(seen: &Observed, broken: &mut Rules) {
    let is_kept = seen.is_error() && seen.head.age_s().is_some_and(|age_s| age_s > ERROR_AGE_MAX_S);
    broken.add_if(is_kept && seen.verb != Verb::Other, Rule::ErrorCached);
}

/// What belongs to one shopper. An Age of 0 tells nothing: Varnish says it of what it never kept. Nor does that of an error:
/// CloudFront keeps errors of all pages for some seconds, and calls them no hits.
fn private(seen: &Observed, broken: &mut Rules) {
    let is_hit = seen.head.cache.is_cached();
    let has_age = !seen.is_error() && seen.head.age_s().is_some_and(|age_s| age_s > 0);
    broken.add_if(is_hit, Rule::PrivateHit);
    broken.add_if(!is_hit && has_age, Rule::PrivateAge);
}

/// Cookies that come out of a cache: the balancer's own. One of the shop's may be made at the edge for each who asks; that
/// several are given the same, no answer tells by itself.
fn cookies(seen: &Observed, broken: &mut Rules) {
    broken.add_if(seen.head.is_hit() && seen.head.says.any(Says::SETS_STICKY), Rule::StickyFromCache);
}

/// What is promised to be kept for `promised_s` seconds.
fn kept(policy: &Policy, promised_s: u32, seen: &Observed, broken: &mut Rules) {
    let (head, says) = (&seen.head, seen.head.says);
    let stale_if_error_s = if seen.has_failed { head.stale_if_error_s() } else { 0 };
    let stale_s = head.stale_s().max(stale_if_error_s);
    let age_max_s = promised_s.saturating_add(stale_s).saturating_add(ROUNDING_S);
    broken.add_if(head.age_s().is_some_and(|age_s| age_s > age_max_s), Rule::AgePastLifetime);
    if !seen.may_be_kept() {
        // Which pages belong to one shopper, only the shop knows: what nobody declared is not held against it.
        broken.add_if(policy.is_declared, Rule::CachingForbidden);
        return;
    }
    match head.lifetime_s() {
        Some(lifetime_s) => broken.add_if(lifetime_s != promised_s, Rule::LifetimeDiffers),
        None => broken.add_if(!says.any(Says::EXPIRES), Rule::LifetimeUnsaid),
    }
    broken.add_if(says.any(Says::SETS_COOKIE), Rule::CookieOnCacheable);
    broken.add_if(says.any(Says::VARY_COOKIE), Rule::VariesOnCookie);
    broken.add_if(says.any(Says::VARY_USER_AGENT), Rule::VariesOnUserAgent);
    let is_compressed = head.encoding != Encoding::Identity && head.kind != ContentKind::Packed;
    broken.add_if(is_compressed && !says.any(Says::VARY_ENCODING), Rule::VaryEncodingMissing);
}

#[cfg(test)]
mod tests;
