//! What answers are held to: the policy, and what a worker remembers of earlier answers to judge the next one by.

mod cached_cookies;
mod cookie_keys;
mod forms;
mod kept_errors;
mod looked_up;
mod renewals;

use std::rc::Rc;

use doorbuster_model::Sample;
use doorbuster_model::cdn::policy::Cached;
use doorbuster_model::cdn::{
    Asked, CacheStatus, ClassId, Fragments, Layer, Marks, Observed, Policy, Rule, Rules, Says, Verb,
    fingerprint, judge, session_in,
};

use self::cached_cookies::CachedCookies;
use self::cookie_keys::CookieKeys;
use self::forms::Forms;
use self::kept_errors::KeptErrors;
use self::looked_up::LookedUp;
use self::renewals::Renewals;
use crate::address::Address;
use crate::client::{HeadLines, Header, Search};
use crate::job::Job;

pub(crate) use self::forms::{Compared, Form};

/// Of the HTML that may belong to anybody, one answer in so many is looked through. Which ones, chance decides: of a journey
/// with so many pages, it would be the same page each time.
const PAGES_ONE_IN: u64 = 8;

/// One worker's knowledge of how the contract is kept.
pub(crate) struct Contract {
    /// The markers of the run, where its journeys plant any.
    marks: Option<Rc<Marks>>,
    looked_up: LookedUp,
    fragments: Fragments,
    cookie_keys: CookieKeys,
    cached_cookies: CachedCookies,
    forms: Forms,
    kept_errors: KeptErrors,
    renewals: Renewals,
    /// Whether any answer was an error of the server's own.
    has_failed: bool,
    /// How many pages were read that may belong to anybody.
    pages: u64,
    /// Whether connections lead to an edge: the policy says so, or answers do.
    has_edge: bool,
}

/// The request that is answered, and the answer's head.
pub(crate) struct Request<'a> {
    /// The number of the shopper who sent it.
    pub shopper: u64,
    /// When the head was complete.
    pub now_ns: u64,
    /// Where it went.
    pub address: &'a Address,
    /// The codings that it asked for.
    pub asked: Asked,
    /// The Cookie header that was sent; asked for only where it matters.
    pub cookies: &'a dyn Fn() -> Vec<u8>,
    /// Whether the balancer's cookie has another value than before, where the answer renews it.
    pub renewal: Option<bool>,
    /// The answer's headers.
    pub lines: HeadLines<'a>,
}

impl Request<'_> {
    /// What tells its cookies from others; 0 where it had none.
    fn cookies(&self) -> u64 {
        let cookies = (self.cookies)();
        if cookies.is_empty() { 0 } else { fingerprint(&cookies) }
    }
}

/// What an answer's head says once it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// The rules that it breaks.
    pub broken: Rules,
    /// Whether the policy applies to it.
    pub is_of_policy: bool,
    /// How much of it there was no room to remember.
    pub not_watched: u64,
}

impl Contract {
    /// Nothing is known yet.
    pub(crate) fn new(job: &Job, marks: Marks) -> Self {
        Self {
            marks: job.plants_marks().then(|| Rc::new(marks)),
            looked_up: LookedUp::default(),
            fragments: Fragments::default(),
            cookie_keys: CookieKeys::default(),
            cached_cookies: CachedCookies::default(),
            forms: Forms::default(),
            kept_errors: KeptErrors::new(
                u64::from(job.agents_of_target).saturating_mul(job.workers() as u64),
            ),
            renewals: Renewals::default(),
            has_failed: false,
            pages: 0,
            has_edge: job.plan.cdn.is_declared,
        }
    }

    /// The markers of the run, where its journeys plant any.
    pub(crate) fn marks(&self) -> Option<&Marks> {
        self.marks.as_deref()
    }

    /// What connections lead to, as far as it is known.
    pub(crate) fn front(&self) -> Layer {
        if self.has_edge { Layer::Edge } else { Layer::Origin }
    }

    /// Judges an answer whose head is complete.
    pub(crate) fn judge(&mut self, job: &Job, request: &Request<'_>, sample: &mut Sample) -> Judged {
        let policy = &job.plan.cdn;
        let seen = observed(sample, request.asked);
        self.has_failed |= seen.status >= 500;
        let seen = Observed { has_failed: self.has_failed, ..seen };
        let is_of_policy = seen.is_of(policy);
        if !is_of_policy {
            return Judged { broken: Rules::default(), is_of_policy, not_watched: 0 };
        }
        self.has_edge = true;
        let mut not_watched = 0;
        let mut broken = judge(policy, job.edges.as_deref(), &seen);
        if seen.verb != Verb::Other && seen.status < 400 {
            let is_fragmented = self.look_up(policy, request, sample, &mut not_watched);
            broken.add_if(is_fragmented, Rule::Fragmented);
        }
        broken.add_if(self.is_kept_for_long(request, &seen, &mut not_watched), Rule::ErrorCached);
        if seen.verb != Verb::Other && seen.head.is_hit() && !is_private(policy, sample) {
            let is_handed_out = self.hands_out(request, seen.head.says, &mut not_watched);
            broken.add_if(is_handed_out, Rule::CookieFromCache);
        }
        // What comes out of a cache is no word of the balancer's to this shopper.
        if let Some(value) = seen.head.sticky().filter(|_| !seen.head.is_hit()) {
            let is_moved = self.renewals.note(value, request.renewal);
            not_watched += u64::from(is_moved.is_none());
            broken.add_if(is_moved == Some(true), Rule::SessionMoved);
        }
        Judged { broken, is_of_policy, not_watched }
    }

    /// Whether it is an error that came out of a cache for so long that it must be the same. Where an Age is told, that
    /// tells more.
    fn is_kept_for_long(&mut self, request: &Request<'_>, seen: &Observed, not_watched: &mut u64) -> bool {
        let cache = seen.head.cache;
        let is_error = seen.status >= 400 && seen.verb != Verb::Other;
        if !is_error || !cache.is_lookup() || seen.head.age_s().is_some() {
            return false;
        }
        let is_hit = cache == CacheStatus::Hit;
        let is_kept = self.kept_errors.note(request.address.content, is_hit, request.now_ns);
        *not_watched += u64::from(is_kept.is_none());
        is_kept == Some(true)
    }

    /// Whether what came out of a cache sets a cookie that another shopper was given, too.
    fn hands_out(&mut self, request: &Request<'_>, says: Says, not_watched: &mut u64) -> bool {
        let mut is_handed_out = false;
        if !says.any(Says::SETS_COOKIE) {
            return is_handed_out;
        }
        request.lines.each(|name, value| {
            let session = Some(value).filter(|_| Header::of(name) == Header::SetCookie).and_then(session_in);
            let Some(session) = session else { return };
            match self.cached_cookies.note(fingerprint(&session), request.shopper) {
                Some(is_another_s) => is_handed_out |= is_another_s,
                None => *not_watched += 1,
            }
        });
        is_handed_out
    }

    /// Notes what came of a look-up; whether its content is kept again and again.
    fn look_up(
        &mut self,
        policy: &Policy,
        request: &Request<'_>,
        sample: &mut Sample,
        not_watched: &mut u64,
    ) -> bool {
        let cached = policy.class(sample.class).map_or(Cached::Unsaid, |class| class.cached);
        let cache = sample.head.lookup();
        if cached == Cached::Never || !cache.is_lookup() {
            return false;
        }
        let content = request.address.content;
        // Hits are noted, too: who missed what others hit before fills no empty cache.
        let is_first = self.looked_up.is_first(content, not_watched);
        let is_promised = matches!(cached, Cached::For(_));
        match cache {
            CacheStatus::Miss => {
                sample.is_first_miss = is_first;
                is_promised && self.is_fragmented(request, is_first, not_watched)
            }
            // Nothing is left to find out in a right shop, so that its hits cost nothing here.
            CacheStatus::Hit if is_promised => {
                if self.fragments.is_open() {
                    self.fragments.hit(content, request.address.url.query().unwrap_or_default());
                }
                if self.cookie_keys.is_open() {
                    self.cookie_keys.hit(content, || request.cookies());
                }
                false
            }
            _ => false,
        }
    }

    /// Notes a miss; whether it tells that the query, or a cookie, is in the cache's key without changing anything.
    fn is_fragmented(&mut self, request: &Request<'_>, is_first: bool, not_watched: &mut u64) -> bool {
        let (content, query) = (request.address.content, request.address.url.query());
        let mut is_known = |watched: Option<bool>| {
            *not_watched += u64::from(watched.is_none());
            watched == Some(true)
        };
        query.is_some_and(|query| is_known(self.fragments.missed(content, query)))
            || (!is_first && is_known(self.cookie_keys.missed(content, request.cookies())))
    }

    /// Compares a file with what its address gave in another coding.
    pub(crate) fn compare(&mut self, address: &Address, form: Form) -> Compared {
        self.forms.compare(address.content, form)
    }

    /// The search that an answer's body is due: each that is private is looked through, and one in eight of the other
    /// pages. `own` is the shopper's number.
    pub(crate) fn search(&mut self, is_private: bool, is_page: bool, own: u64) -> Option<Box<Search>> {
        let marks = self.marks.as_ref()?;
        self.pages = self.pages.wrapping_add(u64::from(is_page));
        let is_drawn = || fingerprint(&(own, self.pages)).is_multiple_of(PAGES_ONE_IN);
        let is_due = is_private || (is_page && is_drawn());
        is_due.then(|| Box::new(Search::new(marks, own)))
    }
}

/// What an answer shows, as the policy judges it.
pub(crate) fn observed(sample: &Sample, asked: Asked) -> Observed {
    Observed {
        head: sample.head,
        class: sample.class,
        status: sample.status.unwrap_or(0),
        verb: sample.verb,
        asked,
        bytes_wire: sample.bytes_wire,
        bytes_decoded: sample.bytes_decoded,
        // What is inside is known only where a body is decoded, and is a finding of its own then.
        is_packed_inside: false,
        has_failed: false,
    }
}

/// Whether an answer belongs to one shopper alone.
pub(crate) fn is_private(policy: &Policy, sample: &Sample) -> bool {
    policy.class(sample.class).is_some_and(|class| class.cached == Cached::Never)
}

/// Whether an answer belongs to no class though it has something to be classified by: those that lead elsewhere, and those
/// that say that nothing has changed, tell no type.
pub(crate) fn is_unclassified(sample: &Sample) -> bool {
    let has_type = |status: u16| status != 204 && !(300..400).contains(&status);
    sample.class == ClassId::UNCLASSIFIED && sample.status.is_some_and(has_type)
}

#[cfg(test)]
mod tests;
