//! What answers are held to: the policy, and what a worker remembers of earlier answers to judge the next one by.

mod cookie_keys;
mod first_misses;
mod forms;
mod renewals;

use std::rc::Rc;

use doorbuster_model::Sample;
use doorbuster_model::cdn::policy::Cached;
use doorbuster_model::cdn::{
    Asked, CacheStatus, ClassId, Fragments, Layer, Marks, Observed, Policy, Rule, Rules, Verb, judge,
};

use self::cookie_keys::CookieKeys;
use self::first_misses::{FirstMisses, fingerprint};
use self::forms::Forms;
use self::renewals::Renewals;
use crate::address::Address;
use crate::client::Search;
use crate::job::Job;

pub(crate) use self::forms::{Compared, Form};

/// Of the HTML that may belong to anybody, one answer in so many is looked through.
const PAGES_ONE_IN: u32 = 8;

/// One worker's knowledge of how the contract is kept.
pub(crate) struct Contract {
    /// The markers of the run, where its journeys plant any.
    marks: Option<Rc<Marks>>,
    first_misses: FirstMisses,
    fragments: Fragments,
    cookie_keys: CookieKeys,
    forms: Forms,
    renewals: Renewals,
    /// How many pages were read that may belong to anybody.
    pages: u32,
    /// Whether connections lead to an edge: the policy says so, or answers do.
    has_edge: bool,
}

/// The request that is answered.
pub(crate) struct Request<'a> {
    /// Where it went.
    pub address: &'a Address,
    /// The codings that it asked for.
    pub asked: Asked,
    /// The Cookie header that was sent; asked for only where it matters.
    pub cookies: &'a dyn Fn() -> Vec<u8>,
    /// Whether the answer binds the shopper to another target than before, where it binds one that was bound.
    pub renewal: Option<bool>,
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
}

impl Contract {
    /// Nothing is known yet.
    pub(crate) fn new(job: &Job, marks: Marks) -> Self {
        Self {
            marks: job.plants_marks().then(|| Rc::new(marks)),
            first_misses: FirstMisses::default(),
            fragments: Fragments::default(),
            cookie_keys: CookieKeys::default(),
            forms: Forms::default(),
            renewals: Renewals::default(),
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
        let is_of_policy = seen.is_of(policy);
        if !is_of_policy {
            return Judged { broken: Rules::default(), is_of_policy };
        }
        self.has_edge = true;
        let mut broken = judge(policy, job.edges.as_deref(), &seen);
        if seen.verb != Verb::Other && seen.status < 400 {
            broken.add_if(self.look_up(policy, request, sample), Rule::Fragmented);
        }
        // What comes out of a cache is no word of the balancer's to this shopper.
        if let Some(is_moved) = request.renewal.filter(|_| !seen.head.cache.is_cached()) {
            broken.add_if(self.renewals.note(is_moved), Rule::SessionMoved);
        }
        Judged { broken, is_of_policy }
    }

    /// Notes what came of a look-up; whether its address is kept again and again.
    fn look_up(&mut self, policy: &Policy, request: &Request<'_>, sample: &mut Sample) -> bool {
        let cached = policy.class(sample.class).map_or(Cached::Unsaid, |class| class.cached);
        let is_promised = matches!(cached, Cached::For(_));
        match sample.head.cache {
            CacheStatus::Miss if cached != Cached::Never => {
                let (address, url) = (fingerprint(request.address.whole()), &request.address.url);
                sample.is_first_miss = self.first_misses.is_first(address);
                is_promised
                    && (url.query().is_some_and(|query| self.fragments.missed(url.path(), query))
                        || (!sample.is_first_miss && self.cookie_keys.missed(address, request.cookies())))
            }
            // Nothing is left to find out in a right shop, so that its hits cost nothing here.
            CacheStatus::Hit if is_promised && self.cookie_keys.is_open() => {
                self.cookie_keys.hit(fingerprint(request.address.whole()), || request.cookies());
                false
            }
            _ => false,
        }
    }

    /// Compares a file with what its address gave in another coding.
    pub(crate) fn compare(&mut self, address: &Address, form: Form) -> Compared {
        self.forms.compare(fingerprint(address.whole()), form)
    }

    /// The search that an answer's body is due: each that is private is looked through, and one in eight of the other
    /// pages. `own` is the shopper's number.
    pub(crate) fn search(&mut self, is_private: bool, is_page: bool, own: u64) -> Option<Box<Search>> {
        let marks = self.marks.as_ref()?;
        self.pages = self.pages.wrapping_add(u32::from(is_page));
        let is_due = is_private || (is_page && self.pages.is_multiple_of(PAGES_ONE_IN));
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
