//! What to fetch next, and when: the least that proves every promise, never faster than was told.

use url::Url;

use super::super::judge::ERROR_AGE_MAX_S;
use super::super::policy::{Cached, Policy};
use super::address;
use super::answer::{Answer, Broken, Declined, Found, Offered};
use super::ask::{Ask, Offer, Way, Who};
use super::course;
use super::left_out::LeftOut;
use super::proof::Proof;
use super::subject::{Role, Subject};
use super::taken::Taken;

/// The most pages that an audit begins with.
const PAGES_MAX: usize = 10;
/// The most assets: one of each class and kind of file.
const ASSETS_MAX: usize = 6;
/// The most addresses that belong to one shopper.
const PRIVATE_MAX: usize = 8;
/// Of them, those that pages and scripts name; the others come from a journey.
const PRIVATE_NAMED_MAX: usize = 4;
/// Addresses with several parameters, to write in another order.
const PAIRS_MAX: usize = 1;
/// The most failures of walks that are kept.
const STUMBLES_MAX: usize = 10;
/// The most answers of walks that are taken down.
const WALKED_MAX: usize = 400;
/// Thousandths of a nanosecond-second: what a rate in thousandths per second divides.
const MILLI_SECONDS_NS: u64 = 1_000_000_000_000;

/// What an audit is told.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What was promised.
    pub policy: Policy,
    /// Where it is asked from.
    pub region: String,
    /// The most requests, in thousandths per second; 0 counts as 1.
    pub rate_milli: u64,
    /// Whether lifetimes are waited for.
    pub is_patient: bool,
    /// Letters and digits that no other audit of this edge has: what makes addresses that nobody asked for before.
    pub nonce: String,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send a request, and say what came of it by [`Script::answer`].
    Fetch(Box<Ask>),
    /// Make a handshake and no request, and say what came of it by [`Script::offered`].
    Offer {
        /// What to offer.
        offer: Offer,
        /// Whose server.
        url: Url,
        /// When, in nanoseconds since the audit began.
        at_ns: u64,
    },
}

/// An audit under way.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) setting: Setting,
    pub(super) subjects: Vec<Subject>,
    /// What came of two shoppers' walks.
    pub(super) walked: Vec<Taken>,
    /// Redirects that were followed.
    pub(super) passed: Vec<Taken>,
    pub(super) offers: Vec<(Offer, Result<Offered, Declined>)>,
    /// The shoppers who entered their markers, and when each had.
    pub(super) planted: Vec<(u64, u64)>,
    /// How many answers of walks there was no room for.
    pub(super) walked_not_kept: u64,
    /// Why walks went no further.
    pub(super) stumbles: Vec<String>,
    /// How many more such reasons there were.
    pub(super) stumbles_not_kept: usize,
    /// What is not asked for.
    pub(super) left_out: LeftOut,
    /// When the next request may start.
    free_ns: u64,
}

impl Script {
    /// An audit that begins with these pages.
    pub fn new(setting: Setting, pages: &[Url]) -> Self {
        let mut subjects: Vec<Subject> = Vec::new();
        // First, since it must be waited for.
        let missing = pages.first().and_then(|page| address::missing(page, &setting.nonce));
        subjects.extend(missing.map(|url| Subject::new(url, Role::Missing, &setting)));
        for (position, page) in pages.iter().take(PAGES_MAX).enumerate() {
            if !subjects.iter().any(|known| known.url == *page) {
                let mut subject = Subject::new(page.clone(), Role::Page, &setting);
                subject.is_first = position == 0;
                subjects.push(subject);
            }
        }
        Self {
            setting,
            subjects,
            walked: Vec::new(),
            passed: Vec::new(),
            offers: Vec::new(),
            planted: Vec::new(),
            walked_not_kept: 0,
            stumbles: Vec::new(),
            stumbles_not_kept: 0,
            left_out: LeftOut { pages: pages.len().saturating_sub(PAGES_MAX), ..LeftOut::default() },
            free_ns: 0,
        }
    }

    /// When a request may start that is to start now, for what is not asked by this script: a shopper's walk.
    pub fn slot(&mut self, now_ns: u64) -> u64 {
        let at_ns = now_ns.max(self.free_ns);
        self.free_ns = at_ns.saturating_add(self.gap_ns());
        at_ns
    }

    /// A request went onto the wire only at `sent_ns`: its connection had to be opened first. The next keeps its distance
    /// from that, since what counts is what the server gets.
    pub fn sent(&mut self, sent_ns: u64) {
        self.free_ns = self.free_ns.max(sent_ns.saturating_add(self.gap_ns()));
    }

    /// The least time between two requests.
    fn gap_ns(&self) -> u64 {
        MILLI_SECONDS_NS / self.setting.rate_milli.max(1)
    }

    /// What to do next; `None` when all that can be proved is.
    pub fn next(&mut self, now_ns: u64) -> Option<Next> {
        if let Some((offer, url)) = self.offer() {
            return Some(Next::Offer { offer, url, at_ns: self.slot(now_ns) });
        }
        let ready_ns = now_ns.max(self.free_ns);
        loop {
            let wanted = self.subjects.iter().enumerate().filter_map(|(number, subject)| {
                let (way, not_before_ns) = subject.wanted(&self.setting)?;
                Some((not_before_ns.max(ready_ns), number, way))
            });
            let (at_ns, number, way) = wanted.min()?;
            match Ask::of(&self.subjects[number], way, &self.setting, number) {
                Some(mut ask) => {
                    ask.at_ns = self.slot(at_ns);
                    return Some(Next::Fetch(Box::new(ask)));
                }
                None => self.subjects[number].impossible.push(way),
            }
        }
    }

    /// The next handshake to make, and with whom, once it is known that TLS is spoken.
    fn offer(&self) -> Option<(Offer, Url)> {
        let offer = *Offer::ALL.get(self.offers.len())?;
        let first = self.subjects.iter().find(|subject| subject.is_first)?;
        let speaks = first.url.scheme() == "https" && first.plain().any(|taken| taken.answer().is_some());
        speaks.then(|| (offer, first.url.clone()))
    }

    /// What came of a handshake.
    pub fn offered(&mut self, offer: Offer, result: Result<Offered, Declined>) {
        self.offers.push((offer, result));
    }

    /// What came of a request, which ended at `ended_ns`.
    pub fn answer(&mut self, ask: Ask, ended_ns: u64, mut result: Result<Answer, Broken>) {
        let number = ask.subject;
        let Some(subject) = self.subjects.get_mut(number) else { return };
        let found = result.as_mut().map(|answer| std::mem::take(&mut answer.found)).unwrap_or_default();
        let known = subject.is_settled.then_some(subject.class);
        let taken = Taken::new(ask, ended_ns, result, known, &self.setting);
        if !subject.take(&taken, &self.setting) {
            self.passed.push(taken);
            return;
        }
        if known.is_none() && subject.is_settled {
            self.settle(number);
        }
        // Of what no browser can read, another form tells what it names.
        let is_settled_by_it = known.is_none() && self.subjects[number].is_settled;
        let is_read = taken.is_good() && (taken.way() == Way::Plain || is_settled_by_it);
        if is_read && matches!(self.subjects[number].role, Role::Page | Role::Asset) {
            self.admit(found);
        }
    }

    /// The first of its class stands for it.
    fn settle(&mut self, number: usize) {
        let class = self.subjects[number].class;
        let has_primary = self.subjects.iter().any(|other| other.is_primary && other.class == class);
        self.subjects[number].is_primary = !has_primary;
    }

    /// What came of a request of a shopper's walk. `has_planted`: it carried the shopper's own marker.
    pub fn walked(&mut self, ask: Ask, has_planted: bool, ended_ns: u64, result: Result<Answer, Broken>) {
        if let Who::Shopper(shopper) = ask.who
            && has_planted
            && result.is_ok()
            && !self.planted.iter().any(|(planter, _)| *planter == shopper)
        {
            self.planted.push((shopper, ended_ns));
        }
        if self.walked.len() >= WALKED_MAX {
            self.walked_not_kept = self.walked_not_kept.saturating_add(1);
            return;
        }
        let taken = Taken::new(ask, ended_ns, result, None, &self.setting);
        let is_page = taken.is_good() && taken.ask.method == http::Method::GET;
        let (mut url, shown) = (taken.ask.url.clone(), taken.ask.shown_otherwise());
        self.walked.push(taken);
        if is_page {
            url.set_fragment(None);
            self.admit_private(url, shown, PRIVATE_MAX);
        }
    }

    /// A shopper's walk did not go as its journey says.
    pub fn stumbled(&mut self, shopper: u64, why: &str) {
        if self.stumbles.len() < STUMBLES_MAX {
            self.stumbles.push(format!("shopper {shopper}: {why}"));
        } else {
            self.stumbles_not_kept = self.stumbles_not_kept.saturating_add(1);
        }
    }

    /// Takes up what an answer names: of assets one of each kind, of links what belongs to one shopper.
    fn admit(&mut self, found: Vec<Found>) {
        for found in found {
            match found {
                Found::Asset(url) => self.admit_asset(url),
                Found::Link(url) => self.admit_link(url),
                Found::Elsewhere(url) => self.left_out.elsewhere.add(url),
            }
        }
    }

    fn knows(&self, url: &Url) -> bool {
        self.subjects.iter().any(|subject| subject.url == *url)
    }

    fn count(&self, role: Role) -> usize {
        self.subjects.iter().filter(|subject| subject.role == role).count()
    }

    fn admit_asset(&mut self, url: Url) {
        let subject = Subject::new(url, Role::Asset, &self.setting);
        let kind = address::extension(&subject.url);
        let mut assets = self.subjects.iter().filter(|known| known.role == Role::Asset);
        let is_there = assets.any(|known| {
            let by_path = Subject::new(known.url.clone(), Role::Asset, &self.setting).class;
            by_path == subject.class && address::extension(&known.url) == kind
        });
        if is_there || subject.role != Role::Asset || self.knows(&subject.url) {
            return;
        }
        if self.count(Role::Asset) < ASSETS_MAX {
            self.subjects.push(subject);
        } else {
            self.left_out.assets.add(subject.url);
        }
    }

    fn admit_link(&mut self, url: Url) {
        if address::may_act(&url) {
            return;
        }
        let pairs = |subject: &&Subject| address::orders(&subject.url) > 0;
        let has_pair = self.subjects.iter().filter(pairs).count() >= PAIRS_MAX;
        let subject = Subject::new(url, Role::Page, &self.setting);
        if subject.role != Role::Page {
            let part = address::first_part(&subject.url);
            let mut known = self.subjects.iter().filter(|known| known.role == Role::Private);
            if subject.url.query().is_none() && !known.any(|known| address::first_part(&known.url) == part) {
                self.admit_private(subject.url, None, PRIVATE_NAMED_MAX);
            }
        } else if !has_pair && address::orders(&subject.url) > 0 && !self.knows(&subject.url) {
            self.subjects.push(subject);
        }
    }

    /// Takes up what belongs to one shopper, if there are fewer than `most` of the kind.
    fn admit_private(&mut self, url: Url, shown: Option<String>, most: usize) {
        let mut subject = Subject::new(url, Role::Page, &self.setting);
        subject.shown = shown;
        if subject.role != Role::Private || self.knows(&subject.url) {
            return;
        }
        if self.count(Role::Private) < most {
            self.subjects.push(subject);
        } else {
            self.left_out.private.add(subject.url);
        }
    }

    /// What was seen of every promise: class by class in the policy's order, then what is about the edge as a whole.
    pub fn proofs(&self) -> Vec<Proof> {
        super::promise::prove(self)
    }

    /// How long the audit takes at least, beyond the time for its requests: what it waits for.
    pub fn waits_s(policy: &Policy, is_patient: bool) -> u32 {
        let lifetimes = policy.classes().iter().filter_map(|class| match class.cached {
            Cached::For(lifetime_s) if lifetime_s <= course::PATIENCE_MAX_S => Some(lifetime_s),
            _ => None,
        });
        let longest_s = lifetimes.max().filter(|_| is_patient).unwrap_or(0);
        longest_s.max(ERROR_AGE_MAX_S)
    }
}
