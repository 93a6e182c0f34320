//! What an answer's head says about its way through the edge, in a few bytes.
//!
//! Headers are shown one by one as they come. Nothing is allocated and nothing is copied, because this is done for every
//! answer of a run; what is hostile leaves a mark ([`Says::UNREADABLE`]) or none.

#[cfg(test)]
mod tests;

use super::CacheStatus;
use super::cookie::{self, STICKY_COOKIE};
use super::encoding::Encoding;
use super::fields::{list, number, parameter};
use super::kind::ContentKind;
use super::pop::Pop;
use super::rfc9211::cache_status;
use super::says::Says;
use super::status::{x_cache, x_cache_status};
use super::timing::HitLayer;

/// Stands for a number of seconds that was not told; numbers end at 2^31.
const UNTOLD: u32 = u32::MAX;

/// Who made an answer, by its `Server`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Maker {
    /// It does not say.
    #[default]
    Unsaid,
    /// CloudFront itself.
    Edge,
    /// The balancer itself: `awselb/2.0`.
    Balancer,
    /// Anybody else: the shop.
    Other,
}

/// Whose word on the cache counts, the last most: CloudFront's own, the standard's, nginx's, anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Teller {
    Nobody,
    XCache,
    XCacheStatus,
    CacheStatus,
    CloudFront,
}

/// What an answer's head says about its way through the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    age_s: u32,
    lifetime_s: u32,
    stale_while_revalidate_s: u32,
    stale_if_error_s: u32,
    /// 0 where there is none.
    sticky: u32,
    told_by: Teller,
    /// Hit, miss, …
    pub cache: CacheStatus,
    /// How the body is encoded.
    pub encoding: Encoding,
    /// What kind of content it is.
    pub kind: ContentKind,
    /// Who made it.
    pub maker: Maker,
    /// Which layer of caches had it, where Server-Timing says so.
    pub hit_layer: HitLayer,
    /// The edge location.
    pub pop: Option<Pop>,
    /// Everything that is yes or no.
    pub says: Says,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            age_s: UNTOLD,
            lifetime_s: UNTOLD,
            stale_while_revalidate_s: 0,
            stale_if_error_s: 0,
            sticky: 0,
            told_by: Teller::Nobody,
            cache: CacheStatus::None,
            encoding: Encoding::Identity,
            kind: ContentKind::Unsaid,
            maker: Maker::Unsaid,
            hit_layer: HitLayer::Unsaid,
            pop: None,
            says: Says::default(),
        }
    }
}

impl Head {
    /// The head of these headers.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut head = Self::default();
        headers.into_iter().for_each(|(name, value)| head.header(name, value));
        head
    }

    /// `Age` in seconds.
    pub fn age_s(&self) -> Option<u32> {
        told(self.age_s)
    }

    /// How long shared caches may keep it, in seconds: `s-maxage`, else `max-age`.
    pub fn lifetime_s(&self) -> Option<u32> {
        told(self.lifetime_s)
    }

    /// For how many seconds beyond its lifetime it may be served stale, whatever happens: `stale-while-revalidate` (RFC
    /// 5861, section 3).
    pub fn stale_s(&self) -> u32 {
        self.stale_while_revalidate_s
    }

    /// For how many seconds beyond its lifetime it may be served stale where the origin fails: `stale-if-error` (RFC 5861,
    /// section 4).
    pub fn stale_if_error_s(&self) -> u32 {
        self.stale_if_error_s
    }

    /// What came of looking it up: the cache's own word; or, where there is none, a hit of what has been kept for a while. Every
    /// cache tells an Age (RFC 9111, section 5.1), and Varnish as it comes nothing else; but one of 0 may be that of a miss.
    pub fn lookup(&self) -> CacheStatus {
        let is_told_by_age = self.cache == CacheStatus::None && self.age_s().is_some_and(|age_s| age_s > 0);
        if is_told_by_age { CacheStatus::Hit } else { self.cache }
    }

    /// Whether it came out of a cache, with or without asking the origin.
    pub fn is_hit(&self) -> bool {
        self.lookup().is_cached()
    }

    /// Whether it came out of a cache without asking the origin.
    pub fn is_fresh_hit(&self) -> bool {
        self.lookup() == CacheStatus::Hit
    }

    /// What tells one value of the sticky cookie `AWSALB` from another; `None` where it is not set.
    pub fn sticky(&self) -> Option<u32> {
        (self.sticky != 0).then_some(self.sticky)
    }

    /// Takes a header into account, whatever the case of its name. Length and first letter rule out most.
    #[inline]
    pub fn header(&mut self, name: &[u8], value: &[u8]) {
        let Some(first) = name.first() else { return };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match (name.len(), first | 0x20) {
            (3, b'a') if is("age") => self.age(value),
            (3, b'v') if is("via") => self.via(value),
            (4, b'v') if is("vary") => self.vary(value),
            (6, b's') if is("server") => self.server(value),
            (7, b'x') if is("x-cache") => {
                let (status, is_cloudfront) = x_cache(value);
                if is_cloudfront {
                    self.says.add(Says::CLOUDFRONT);
                }
                self.hear(if is_cloudfront { Teller::CloudFront } else { Teller::XCache }, status);
            }
            (7, b'e') if is("expires") => self.says.add(Says::EXPIRES),
            (10, b's') if is("set-cookie") => self.set_cookie(value),
            (12, b'c') if is("content-type") => self.kind = ContentKind::of(value),
            (12, b'c') if is("cache-status") => self.hear(Teller::CacheStatus, cache_status(value)),
            (12, b'x') if is("x-amz-cf-pop") => self.x_amz_cf_pop(value),
            (13, b'c') if is("cache-control") => self.cache_control(value),
            (13, b's') if is("server-timing") => {
                let layer = HitLayer::of(value);
                if layer != HitLayer::Unsaid {
                    self.hit_layer = layer;
                }
            }
            (14, b'x') if is("x-cache-status") => self.hear(Teller::XCacheStatus, x_cache_status(value)),
            (16, b'c') if is("content-encoding") => self.encoding = self.encoding.with(value),
            (17, b'x') if is("x-amzn-waf-action") && is_challenge(value) => self.says.add(Says::CHALLENGED),
            _ => {}
        }
    }

    /// Of several words of the same kind, the last counts: it is that of the cache nearest to the client.
    fn hear(&mut self, teller: Teller, status: CacheStatus) {
        if teller >= self.told_by {
            (self.told_by, self.cache) = (teller, status);
        }
    }

    /// Of a list, and of several, the first counts (RFC 9111, section 5.1).
    fn age(&mut self, value: &[u8]) {
        if self.age_s != UNTOLD {
            return;
        }
        match list(value).next().and_then(number) {
            Some(age_s) => self.age_s = age_s,
            None => self.says.add(Says::UNREADABLE),
        }
    }

    /// CloudFront stands at the end of the list, being nearest to the client.
    fn via(&mut self, value: &[u8]) {
        const MARK: &[u8] = b"(CloudFront)";
        let value = value.trim_ascii();
        let tail = value.len().checked_sub(MARK.len()).map_or(&[][..], |begin| &value[begin..]);
        if tail.eq_ignore_ascii_case(MARK) {
            self.says.add(Says::CLOUDFRONT);
        }
    }

    fn vary(&mut self, value: &[u8]) {
        for name in list(value) {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            match name.len() {
                1 if is("*") => self.says.add(Says::VARY_ANYTHING),
                6 if is("cookie") => self.says.add(Says::VARY_COOKIE),
                10 if is("user-agent") => self.says.add(Says::VARY_USER_AGENT),
                15 if is("accept-encoding") => self.says.add(Says::VARY_ENCODING),
                _ => {}
            }
        }
    }

    fn server(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        let begins =
            |known: &[u8]| value.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known));
        self.maker = if value.eq_ignore_ascii_case(b"cloudfront") {
            Maker::Edge
        } else if begins(b"awselb/") {
            Maker::Balancer
        } else {
            Maker::Other
        };
    }

    fn set_cookie(&mut self, line: &[u8]) {
        let (name, value) = cookie::pair(line);
        self.says.add(if cookie::is_sticky(name) { Says::SETS_STICKY } else { Says::SETS_COOKIE });
        if name == STICKY_COOKIE.as_bytes() {
            self.sticky = fingerprint(value);
        }
    }

    fn x_amz_cf_pop(&mut self, value: &[u8]) {
        self.says.add(Says::CLOUDFRONT);
        self.pop = Pop::parse(value);
        if self.pop.is_none() {
            self.says.add(Says::UNREADABLE);
        }
    }

    /// Of a directive that is repeated, the first counts (RFC 9111, section 4.2.1); one that restricts single headers
    /// (`private="x-a"`) does not restrict the answer.
    fn cache_control(&mut self, value: &[u8]) {
        for (name, value) in list(value).map(parameter) {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            let is_whole = value.is_none();
            match name.len() {
                7 if is("max-age") => self.lifetime(value, false),
                8 if is("s-maxage") => self.lifetime(value, true),
                8 if is("no-store") => self.says.add(Says::NO_STORE),
                8 if is("no-cache") && is_whole => self.says.add(Says::NO_CACHE),
                7 if is("private") && is_whole => self.says.add(Says::PRIVATE),
                14 if is("stale-if-error") => longer(&mut self.stale_if_error_s, value),
                22 if is("stale-while-revalidate") => longer(&mut self.stale_while_revalidate_s, value),
                _ => {}
            }
        }
    }

    /// `s-maxage` stands over `max-age`, wherever it stands (RFC 9111, section 5.2.2.10).
    fn lifetime(&mut self, value: Option<&[u8]>, is_shared: bool) {
        let Some(lifetime_s) = value.and_then(number) else {
            self.says.add(Says::UNREADABLE);
            return;
        };
        let shared_before = self.says.any(Says::SHARED_LIFETIME);
        if self.lifetime_s == UNTOLD || (is_shared && !shared_before) {
            self.lifetime_s = lifetime_s;
        }
        if is_shared {
            self.says.add(Says::SHARED_LIFETIME);
        }
    }
}

/// Of a directive that is repeated, the longer time counts: what may be kept so long breaks no promise.
fn longer(known_s: &mut u32, value: Option<&[u8]>) {
    *known_s = value.and_then(number).unwrap_or(0).max(*known_s);
}

fn told(seconds: u32) -> Option<u32> {
    (seconds != UNTOLD).then_some(seconds)
}

/// A firewall's silent challenge, or its puzzle.
fn is_challenge(action: &[u8]) -> bool {
    let action = action.trim_ascii();
    action.eq_ignore_ascii_case(b"challenge") || action.eq_ignore_ascii_case(b"captcha")
}

/// Tells texts apart, eight bytes at a time; never 0. It keeps no secret from anybody who can guess the text.
fn fingerprint(text: &[u8]) -> u32 {
    let mut sum = text.len() as u64;
    for chunk in text.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        sum ^= sum >> 32;
    }
    u32::try_from(sum >> 32).unwrap_or(u32::MAX).max(1)
}
