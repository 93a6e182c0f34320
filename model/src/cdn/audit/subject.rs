//! What an audit is about: an address, and everything that it answered.

use http::header::{ETAG, LAST_MODIFIED, LOCATION};
use url::Url;

use super::super::CacheStatus;
use super::super::encoding::Encoding;
use super::super::kind::ContentKind;
use super::super::policy::{Cached, ClassId, ContentClass, Matched};
use super::ask::Way;
use super::course::{self, Course};
use super::script::Setting;
use super::taken::Taken;
use crate::ErrorClass;

/// The most redirects from a page that are followed.
const HOPS_MAX: u32 = 5;
/// Smaller texts are left uncompressed, in bytes \[D\].
const COMPRESSED_BYTES_MIN: u64 = 1_000;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A page that somebody named, or that a page leads to.
    Page,
    /// What belongs to a page.
    Asset,
    /// What belongs to one shopper.
    Private,
    /// What cannot be there.
    Missing,
}

/// An address under audit.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) url: Url,
    /// The address as it may be shown, where that is another.
    pub(super) shown: Option<String>,
    pub(super) role: Role,
    pub(super) class: ClassId,
    /// Whether the class is settled: by the path of what belongs to one shopper and of what no browser can read, otherwise
    /// by a good answer.
    pub(super) is_settled: bool,
    /// Whether it stands for its class where one address is enough.
    pub(super) is_primary: bool,
    /// Whether it is the page that the audit begins with.
    pub(super) is_first: bool,
    pub(super) taken: Vec<Taken>,
    /// Ways in which it cannot be asked.
    pub(super) impossible: Vec<Way>,
    hops: u32,
}

impl Subject {
    /// An address that was not asked for yet.
    pub(super) fn new(url: Url, role: Role, setting: &Setting) -> Self {
        let mut subject = Self {
            url,
            shown: None,
            role,
            class: ClassId::UNCLASSIFIED,
            is_settled: false,
            is_primary: false,
            is_first: false,
            taken: Vec::new(),
            impossible: Vec::new(),
            hops: 0,
        };
        subject.classify(setting);
        subject
    }

    /// What its path says of its class. Only what belongs to one shopper is settled by that.
    fn classify(&mut self, setting: &Setting) {
        let policy = &setting.policy;
        self.class = policy.choose(policy.of_path(self.url.path()), Matched::default());
        self.is_settled = self.is_private(setting) && self.role != Role::Missing;
        if self.is_settled {
            self.role = Role::Private;
        }
    }

    /// Its class in the policy.
    pub(super) fn content_class<'a>(&self, setting: &'a Setting) -> Option<&'a ContentClass> {
        setting.policy.class(self.class)
    }

    /// Whether its class is one that is never cached.
    pub(super) fn is_private(&self, setting: &Setting) -> bool {
        self.content_class(setting).is_some_and(|class| class.cached == Cached::Never)
    }

    /// For how many seconds it was promised to be kept.
    pub(super) fn promised_s(&self, setting: &Setting) -> Option<u32> {
        match self.content_class(setting)?.cached {
            Cached::For(promised_s) => Some(promised_s),
            Cached::Unsaid | Cached::Never => None,
        }
    }

    /// After how many seconds no copy may be left that was there at first; `None` where nothing is promised. What may be
    /// served stale where the origin fails is left out: nothing fails here.
    pub(super) fn outlived_s(&self, setting: &Setting) -> Option<u32> {
        let stale_s = self.plain().map(|taken| taken.head.stale_s()).max().unwrap_or(0);
        Some(self.promised_s(setting)?.saturating_add(stale_s))
    }

    /// What came of asking in a way.
    pub(super) fn of(&self, way: Way) -> impl Iterator<Item = &Taken> {
        self.taken.iter().filter(move |taken| taken.way() == way)
    }

    /// What came of asking as browsers do.
    pub(super) fn plain(&self) -> impl Iterator<Item = &Taken> {
        self.of(Way::Plain)
    }

    /// The last good answer to a browser's request.
    pub(super) fn last_good(&self) -> Option<&Taken> {
        self.plain().filter(|taken| taken.is_good()).last()
    }

    /// Whether a browser's request was a hit without asking the origin.
    pub(super) fn is_kept(&self) -> bool {
        self.plain().any(|taken| taken.is_good() && taken.is_fresh_hit())
    }

    /// Whether nothing but an Age tells a hit from a miss: then only a copy that has aged can be told.
    pub(super) fn tells_by_age_alone(&self) -> bool {
        let answered = || self.taken.iter().filter(|taken| taken.answer().is_some());
        answered().any(|taken| taken.head.age_s().is_some())
            && answered().all(|taken| taken.head.cache == CacheStatus::None)
    }

    /// Whether a parameter that follows visits was seen to make no copy of its own.
    pub(super) fn shares_tracking(&self) -> bool {
        self.of(Way::Tracking).any(|taken| taken.is_hit())
    }

    /// Hits that tell an Age, in the order in which they came.
    pub(super) fn aged(&self) -> impl Iterator<Item = (&Taken, u32)> {
        let plain = |taken: &&Taken| matches!(taken.way(), Way::Plain | Way::Later) && taken.is_good();
        self.taken.iter().filter(plain).filter_map(|taken| {
            let age_s = taken.head.age_s()?;
            taken.is_fresh_hit().then_some((taken, age_s))
        })
    }

    /// Whether an edge might compress it, or did.
    pub(super) fn may_be_packed(&self) -> bool {
        let may_be = |taken: &Taken| {
            let is_large = taken.answer().is_some_and(|answer| answer.bytes_wire >= COMPRESSED_BYTES_MIN);
            let is_packed = taken.head.encoding != Encoding::Identity;
            let is_kind = matches!(taken.head.kind, ContentKind::Text | ContentKind::Compressible);
            is_kind && (is_large || is_packed)
        };
        self.last_good().is_some_and(may_be) || self.unreadable(Way::Plain).is_some()
    }

    /// The answer in a way whose body could not be read, though it was asked for twice.
    pub(super) fn unreadable(&self, way: Way) -> Option<&Taken> {
        let is_broken =
            |taken: &&Taken| taken.result.as_ref().is_err_and(|broken| broken.class == ErrorClass::Body);
        let is_good = self.of(way).any(|taken| taken.is_good());
        self.of(way).filter(is_broken).nth(1).filter(|_| !is_good)
    }

    /// Whether it says by what later requests can ask whether it is still right.
    pub(super) fn has_validator(&self) -> bool {
        self.last_good().and_then(Taken::answer).is_some_and(|answer| {
            answer.headers.contains_key(ETAG) || answer.headers.contains_key(LAST_MODIFIED)
        })
    }

    /// How it is asked next, and when at the earliest; `None` where nothing is left to ask.
    pub(super) fn wanted(&self, setting: &Setting) -> Option<(Way, u64)> {
        self.courses(setting).iter().find_map(|course| {
            let is_left = !self.impossible.contains(&course.way)
                && self.of(course.way).count() < course.tries_max
                && (course.applies)(self, setting)
                && !(course.is_enough)(self, course.way);
            is_left.then(|| (course.way, (course.not_before_ns)(self, setting)))
        })
    }

    fn courses(&self, setting: &Setting) -> &'static [Course] {
        match self.role {
            Role::Missing => &course::MISSING,
            _ if !self.is_settled => &course::UNSETTLED,
            _ => match self.content_class(setting).map(|class| class.cached) {
                Some(Cached::Never) => &course::PRIVATE,
                Some(Cached::For(_)) => &course::KEPT,
                Some(Cached::Unsaid) => &course::UNSAID,
                None => &course::UNSETTLED,
            },
        }
    }

    /// Takes an answer down. False where it led to another address, which is asked for instead.
    pub(super) fn take(&mut self, taken: &Taken, setting: &Setting) -> bool {
        if let Some(url) = self.leads_to(taken) {
            self.url = url;
            self.hops += 1;
            self.classify(setting);
            return false;
        }
        let is_it = taken.is_good() && taken.way() != Way::Clear;
        if is_it && !self.is_settled && self.role != Role::Missing {
            self.class = taken.class;
            self.is_settled = true;
        }
        self.taken.push(taken.clone());
        if !self.is_settled && self.role != Role::Missing && self.class != ClassId::UNCLASSIFIED {
            // Without an answer there is no type: what no browser can read has the class of its path.
            self.is_settled = self.unreadable(Way::Plain).is_some();
        }
        true
    }

    /// Where a redirect of a page leads on the same host.
    fn leads_to(&self, taken: &Taken) -> Option<Url> {
        let is_redirect = matches!(taken.status()?, 301 | 302 | 303 | 307 | 308);
        let is_followed = self.role == Role::Page && !self.is_settled && taken.way() == Way::Plain;
        if !is_redirect || !is_followed || self.hops >= HOPS_MAX {
            return None;
        }
        let mut url = taken.ask.url.join(taken.header(&LOCATION)?).ok()?;
        url.set_fragment(None);
        let is_web = matches!(url.scheme(), "http" | "https");
        (is_web && url.host_str() == self.url.host_str() && url != self.url).then_some(url)
    }
}
