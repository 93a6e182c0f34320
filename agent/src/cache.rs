//! A shopper's cache of assets, as a browser keeps one: which are used without a request, which are asked about, and
//! which are forgotten (RFC 9111, for a private cache). Without I/O, and time is an argument.
//!
//! No bodies are kept: what counts is which requests a browser would send. Of a style sheet it is kept what it names,
//! because that leads to more of them.

mod freshness;

use std::collections::HashMap;
use std::rc::Rc;

use doorbuster_journeys::assets::Sheet;
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};

use self::freshness::Terms;

/// The most assets that a shopper's cache knows: those of a few large pages.
const ENTRIES_MAX: usize = 500;
/// The longest ETag or Last-Modified that is kept, in bytes.
const VALIDATOR_BYTES_MAX: usize = 1_024;
/// The most heads that the caches of a worker's shoppers share.
const HEADS_MAX: usize = 10_000;

/// One shopper's cache.
#[derive(Default)]
pub(crate) struct Cache(Vec<Entry>);

/// An asset that is known.
struct Entry {
    head: Rc<Head>,
    /// Until when it may be used without a request; 0 where it must always be asked about.
    fresh_until_ns: u64,
    /// What it names, if it is a style sheet.
    sheet: Option<Rc<Sheet>>,
}

/// What an answer said of an asset. Shoppers who were told the same share it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The whole address, without fragment.
    address: Box<str>,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    lifetime_s: u64,
    /// Whether the next request might be answered otherwise, so that it is always asked about.
    varies: bool,
}

/// The heads that the caches of a worker's shoppers share: the last one of each address.
#[derive(Default)]
pub(crate) struct Heads(HashMap<Box<str>, Rc<Head>>);

/// What the cache has to say before an asset is asked for.
#[derive(Debug)]
pub(crate) enum Known {
    /// It is fresh, so that nothing is sent. What it names, if it is a style sheet.
    Fresh(Option<Rc<Sheet>>),
    /// It is asked for, on these conditions (RFC 9110, section 13); none where there is nothing to compare with.
    Ask(Vec<(HeaderName, HeaderValue)>),
}

/// What became of an answer in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is known from now on.
    Yes,
    /// It is, and the oldest asset is known no more.
    ForAnother,
    /// It may not be kept, or there would be no use in it.
    No,
}

impl Heads {
    fn shared(&mut self, head: Head) -> Rc<Head> {
        if let Some(known) = self.0.get(&*head.address).filter(|known| ***known == head) {
            return Rc::clone(known);
        }
        if self.0.len() >= HEADS_MAX {
            self.0.clear();
        }
        let head = Rc::new(head);
        self.0.insert(head.address.clone(), Rc::clone(&head));
        head
    }
}

impl Head {
    /// What is kept of a head, and of what one `before` said that this one does not say again: validators as far as they
    /// may be relied on.
    fn new(address: &str, headers: &HeaderMap, terms: &Terms, before: Option<&Self>) -> Self {
        let value = |name: HeaderName, before: Option<&HeaderValue>| {
            let value = headers.get(name).or(before)?;
            (value.len() <= VALIDATOR_BYTES_MAX).then(|| value.clone())
        };
        let last_modified = value(LAST_MODIFIED, before.and_then(|before| before.last_modified.as_ref()));
        let unsaid_s = before.filter(|_| terms.is_silent).map(|before| before.lifetime_s);
        let varies = terms.varies || before.is_some_and(|before| before.varies);
        Self {
            address: address.into(),
            etag: value(ETAG, before.and_then(|before| before.etag.as_ref())),
            // A time cannot tell two variants apart, an ETag can.
            last_modified: last_modified.filter(|_| !varies),
            lifetime_s: unsaid_s.or(terms.lifetime_s).unwrap_or(0),
            varies,
        }
    }
}

impl Entry {
    /// What is known from a head that was asked for at `asked_ns`; `None` where there would be no use in it.
    fn new(head: Rc<Head>, terms: &Terms, sheet: Option<Rc<Sheet>>, asked_ns: u64) -> Option<Self> {
        // From the asking, not from the answer: the time on the way belongs to its age (RFC 9111, section 4.2.3).
        let left_s = if head.varies { 0 } else { head.lifetime_s.saturating_sub(terms.age_s) };
        let left_ns = left_s.saturating_mul(1_000_000_000);
        let fresh_until_ns = if left_ns == 0 { 0 } else { asked_ns.saturating_add(left_ns) };
        let is_of_use = fresh_until_ns > 0 || head.etag.is_some() || head.last_modified.is_some();
        is_of_use.then_some(Self { head, fresh_until_ns, sheet })
    }
}

impl Cache {
    /// What is known of the asset at `address` at `now_ns`. `is_style` says that what it names is wanted.
    pub(crate) fn look_up(&self, address: &str, is_style: bool, now_ns: u64) -> Known {
        // Of what was no style sheet before it is not known what it names.
        let entry = self.entry(address).filter(|entry| !is_style || entry.sheet.is_some());
        let Some(entry) = entry else { return Known::Ask(Vec::new()) };
        if now_ns < entry.fresh_until_ns {
            return Known::Fresh(entry.sheet.clone());
        }
        let etag = entry.head.etag.clone().map(|etag| (IF_NONE_MATCH, etag));
        let modified = entry.head.last_modified.clone().map(|date| (IF_MODIFIED_SINCE, date));
        Known::Ask(etag.into_iter().chain(modified).collect())
    }

    /// Takes an answer with status 200 to a request that was sent at `asked_ns`.
    pub(crate) fn keep(
        &mut self,
        address: &str,
        headers: &HeaderMap,
        sheet: Option<Rc<Sheet>>,
        asked_ns: u64,
        heads: &mut Heads,
    ) -> Kept {
        let entry = Terms::of(headers, None).and_then(|terms| {
            let head = Head::new(address, headers, &terms, None);
            Entry::new(heads.shared(head), &terms, sheet, asked_ns)
        });
        let Some(entry) = entry else {
            self.forget(address);
            return Kept::No;
        };
        let Some(entry) = self.replace(entry) else { return Kept::Yes };
        let is_full = self.0.len() >= ENTRIES_MAX;
        if is_full {
            self.0.remove(0);
        }
        self.0.push(entry);
        if is_full { Kept::ForAnother } else { Kept::Yes }
    }

    /// Takes an answer with status 304 to a request that was sent at `asked_ns`: what is known is right, and what the
    /// answer says of it counts from now on (RFC 9111, section 4.3.4). [`Known::Ask`] where nothing is known, so that
    /// nobody can have asked.
    pub(crate) fn refresh(
        &mut self,
        address: &str,
        headers: &HeaderMap,
        asked_ns: u64,
        heads: &mut Heads,
    ) -> Known {
        let Some(known) = self.entry(address) else { return Known::Ask(Vec::new()) };
        let (before, sheet) = (Rc::clone(&known.head), known.sheet.clone());
        let entry = Terms::of(headers, before.last_modified.as_ref()).and_then(|terms| {
            let head = Head::new(address, headers, &terms, Some(&before));
            Entry::new(heads.shared(head), &terms, sheet.clone(), asked_ns)
        });
        match entry {
            Some(entry) => drop(self.replace(entry)),
            None => self.forget(address),
        }
        Known::Fresh(sheet)
    }

    fn entry(&self, address: &str) -> Option<&Entry> {
        self.0.iter().find(|known| *known.head.address == *address)
    }

    /// Puts an entry in the place of the one that is there; gives it back where there is none.
    fn replace(&mut self, entry: Entry) -> Option<Entry> {
        match self.0.iter_mut().find(|known| known.head.address == entry.head.address) {
            Some(known) => {
                *known = entry;
                None
            }
            None => Some(entry),
        }
    }

    fn forget(&mut self, address: &str) {
        self.0.retain(|known| *known.head.address != *address);
    }
}

#[cfg(test)]
mod tests;
