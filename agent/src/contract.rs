//! What answers are held to: the policy, and what a worker remembers of earlier answers to judge the next one by.

mod first_misses;
mod renewals;

use std::rc::Rc;

use doorbuster_model::Sample;
use doorbuster_model::cdn::policy::Cached;
use doorbuster_model::cdn::{
    Asked, CacheStatus, ClassId, Fragments, Layer, Marks, Observed, Policy, Rule, Rules, Verb, judge,
};

use self::first_misses::FirstMisses;
use self::renewals::Renewals;
use crate::address::Address;
use crate::client::Search;
use crate::job::Job;

/// Of the HTML that may belong to anybody, one answer in so many is looked through.
const PAGES_ONE_IN: u32 = 8;

/// One worker's knowledge of how the contract is kept.
pub(crate) struct Contract {
    /// The markers of the run, where its journeys plant any.
    marks: Option<Rc<Marks>>,
    first_misses: FirstMisses,
    fragments: Fragments,
    renewals: Renewals,
    /// How many pages were read that may belong to anybody.
    pages: u32,
    /// Whether connections lead to an edge: the policy says so, or answers do.
    has_edge: bool,
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

    /// Judges an answer whose head is complete. `renewal`: whether it binds the shopper to another target than before,
    /// where it binds one that was bound.
    pub(crate) fn judge(
        &mut self,
        job: &Job,
        address: &Address,
        asked: Asked,
        renewal: Option<bool>,
        sample: &mut Sample,
    ) -> Judged {
        let policy = &job.plan.cdn;
        let seen = observed(sample, asked, false);
        let is_of_policy = seen.is_of(policy);
        if !is_of_policy {
            return Judged { broken: Rules::default(), is_of_policy };
        }
        self.has_edge = true;
        let mut broken = judge(policy, job.edges.as_deref(), &seen);
        let is_missed = seen.head.cache == CacheStatus::Miss && seen.verb != Verb::Other && seen.status < 400;
        if is_missed {
            broken.add_if(self.misses(policy, address, sample), Rule::Fragmented);
        }
        // What comes out of a cache is no word of the balancer's to this shopper.
        if let Some(is_moved) = renewal.filter(|_| !seen.head.cache.is_cached()) {
            broken.add_if(self.renewals.note(is_moved), Rule::SessionMoved);
        }
        Judged { broken, is_of_policy }
    }

    /// Notes a miss; whether its address is fragmented.
    fn misses(&mut self, policy: &Policy, address: &Address, sample: &mut Sample) -> bool {
        let cached = policy.class(sample.class).map_or(Cached::Unsaid, |class| class.cached);
        if cached == Cached::Never {
            return false;
        }
        sample.is_first_miss = self.first_misses.is_first(address.whole());
        match address.url.query() {
            Some(query) if matches!(cached, Cached::For(_)) => {
                self.fragments.missed(address.url.path(), query)
            }
            _ => false,
        }
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
pub(crate) fn observed(sample: &Sample, asked: Asked, is_packed_inside: bool) -> Observed {
    Observed {
        head: sample.head,
        class: sample.class,
        status: sample.status.unwrap_or(0),
        verb: sample.verb,
        asked,
        bytes_wire: sample.bytes_wire,
        bytes_decoded: sample.bytes_decoded,
        is_packed_inside,
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
