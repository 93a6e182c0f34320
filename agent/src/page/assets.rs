//! The assets of a page: fetched at once, as far as connections allow, with what style sheets name in their turn. Where
//! shoppers keep assets, those that are fresh are not fetched.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use doorbuster_journeys::assets::{self, Asset, PAGE_ASSETS_MAX, Sheet};
use doorbuster_journeys::{Fetch, Walk};
use doorbuster_model::{ErrorClass, Part, Sample};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;

use super::redirect::{Redirected, led, whence};
use super::{Hop, Page};
use crate::address::Address;
use crate::blame::blame;
use crate::cache::{Kept, Known};
use crate::client::Broken;
use crate::exchange::{Order, Reply, exchange};
use crate::flight::sample_of;
use crate::limit::Limit;
use crate::probe;
use crate::trace::{self, Went};

/// The most style sheets whose assets a worker remembers.
const STYLES_MAX: usize = 1_000;

/// What style sheets name: looked up by address, and valid as long as the text is the same.
#[derive(Default)]
pub(crate) struct Styles(HashMap<String, (u64, Rc<Sheet>)>);

impl Styles {
    fn of(&mut self, address: &Address, css: &[u8]) -> Rc<Sheet> {
        let mut hasher = DefaultHasher::new();
        css.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some((_, sheet)) = self.0.get(address.whole()).filter(|(known, _)| *known == hash) {
            return Rc::clone(sheet);
        }
        let sheet = Rc::new(assets::of_style(css, &address.url));
        if self.0.len() >= STYLES_MAX {
            self.0.clear();
        }
        self.0.insert(address.whole().to_owned(), (hash, Rc::clone(&sheet)));
        sheet
    }
}

/// What is wanted of an asset.
#[derive(Clone, Copy)]
struct Wanted {
    is_style: bool,
    applies: bool,
}

/// An asset that was fetched.
struct Fetched {
    address: Rc<Address>,
    ended_ns: u64,
    /// Whether it counts for a page's time.
    is_good: bool,
    /// What it names in its turn, if it is a style sheet.
    sheet: Option<Rc<Sheet>>,
}

impl Fetched {
    /// One that is good, with what it names as far as the page uses that.
    fn good(address: Rc<Address>, ended_ns: u64, wanted: Wanted, sheet: Option<Rc<Sheet>>) -> Self {
        let sheet =
            sheet.map(|sheet| if wanted.applies { sheet } else { Rc::new(Sheet::clone(&sheet).unused()) });
        Self { address, ended_ns, is_good: true, sheet }
    }
}

impl Page<'_> {
    /// Fetches the assets of a page and counts the page. Returns its end.
    pub(super) async fn assets(
        &self,
        fetch: &Fetch,
        walk: &Walk,
        reply: Reply,
        page: &Rc<Address>,
        document_ended_ns: u64,
    ) -> u64 {
        let (charset, html) = reply.content_type.read(&reply.body.kept);
        let is_page = reply.content_type.is_page();
        let found = if is_page { assets::of_page(&html, charset, &page.url) } else { Vec::new() };
        let mut known = Vec::new();
        let mut fetches = FuturesUnordered::new();
        for (address, wanted) in self.admit(&found, &mut known, document_ended_ns) {
            fetches.push(self.asset(fetch, walk, address, wanted, Rc::clone(page), document_ended_ns));
        }
        let (mut ended_ns, mut good) = (document_ended_ns, true);
        while let Some(fetched) = fetches.next().await {
            ended_ns = ended_ns.max(fetched.ended_ns);
            good &= fetched.is_good;
            let Some(sheet) = fetched.sheet else { continue };
            let drawn = assets::drawn(&html, &sheet.pictures);
            let named = [&sheet.assets[..], &drawn].concat();
            for (address, wanted) in self.admit(&named, &mut known, fetched.ended_ns) {
                let from = Rc::clone(&fetched.address);
                fetches.push(self.asset(fetch, walk, address, wanted, from, fetched.ended_ns));
            }
        }
        if good {
            let key = self.key(fetch.name, Part::Main, self.intended_ns);
            let page_ns = ended_ns.saturating_sub(self.intended_ns);
            self.visitor.worker.tallies.borrow_mut().at(ended_ns).record_page_us(key, page_ns / 1_000);
            probe::note_page(self.visitor, key.step, page_ns);
        }
        ended_ns
    }

    /// Those that this page did not fetch yet and that may be fetched, of what was found in an answer that ended then.
    /// The others are counted.
    fn admit(
        &self,
        found: &[Asset],
        known: &mut Vec<Rc<Address>>,
        ended_ns: u64,
    ) -> Vec<(Rc<Address>, Wanted)> {
        let job = &self.visitor.worker.job;
        let (mut admitted, mut others, mut too_many) = (Vec::new(), 0, 0);
        for asset in found {
            if known.iter().any(|address| address.url == asset.url) {
                continue;
            }
            if !job.may_go(&asset.url) {
                others += 1;
            } else if known.len() >= PAGE_ASSETS_MAX {
                too_many += 1;
            } else {
                let address = Rc::new(Address::new(asset.url.clone(), job));
                known.push(Rc::clone(&address));
                admitted.push((address, Wanted { is_style: asset.is_style, applies: asset.applies }));
            }
        }
        for (counter, number) in [("assets_of_other_hosts", others), ("assets_not_fetched", too_many)] {
            if number > 0 {
                self.visitor.worker.tallies.borrow_mut().at(ended_ns).count(counter, number);
            }
        }
        admitted
    }

    /// Fetches one asset, which `from` names and which was discovered at `intended_ns`, from where redirects lead.
    async fn asset(
        &self,
        fetch: &Fetch,
        walk: &Walk,
        mut address: Rc<Address>,
        wanted: Wanted,
        from: Rc<Address>,
        mut intended_ns: u64,
    ) -> Fetched {
        let worker = &self.visitor.worker;
        let mut redirected: Option<Box<Redirected>> = None;
        let mut hops = 0;
        loop {
            let handled_ns = worker.clock.now_ns();
            let key = self.key(fetch.name, Part::Asset, intended_ns);
            let conditions = match self.known(fetch, &address, wanted, handled_ns) {
                Known::Fresh(sheet) => {
                    worker.tallies.borrow_mut().at(handled_ns).count("assets_from_cache", 1);
                    trace::note_kept(self.visitor, key, &address, handled_ns, walk);
                    return Fetched::good(address, intended_ns, wanted, sheet);
                }
                Known::Ask(conditions) => conditions,
            };
            let turn_ns = worker.turn_ns(handled_ns).await;
            intended_ns += turn_ns - handled_ns;
            let handled_ns = turn_ns;
            let order = Order {
                key,
                intended_ns,
                handled_ns,
                method: &Method::GET,
                address: &address,
                headers: &conditions,
                body: None,
                from: whence(redirected.as_deref(), Some(&from).filter(|_| fetch.referer)),
                tells_origin: false,
                wants_headers: fetch.cache || worker.job.traces > 0,
                wants_body: wanted.is_style,
                timeout: None,
                head: Cell::default(),
            };
            let mut sample = sample_of(self.visitor, &order);
            let result = exchange(self.visitor, &order, &mut sample, &Limit::default(), None).await;
            let ended_ns = sample.times.ended_ns;
            let result =
                result.and_then(|reply| Ok((self.asset_hop(&order, &reply, hops, ended_ns)?, reply)));
            let broken = match result {
                Ok((Some(next), reply)) => {
                    self.record_redirect(&sample);
                    trace::note(self.visitor, &order, &sample, &Went::Answered(&reply, None), walk);
                    (address, redirected) = (next.address, Some(next.request));
                    (intended_ns, hops) = (ended_ns, hops + 1);
                    continue;
                }
                Ok((None, reply)) if (200..400).contains(&reply.status) => {
                    let sheet = self.take(fetch, &address, &reply, wanted, &sample);
                    worker.tallies.borrow_mut().record(&sample);
                    trace::note(self.visitor, &order, &sample, &Went::Answered(&reply, None), walk);
                    return Fetched::good(address, ended_ns, wanted, sheet);
                }
                Ok((None, reply)) => Broken::new(
                    ErrorClass::Status,
                    format!("expected status 200 to 399, got {}", reply.status),
                ),
                Err(broken) => broken,
            };
            blame(worker, &mut sample, &broken);
            self.record_broken(&sample, &order, &broken);
            trace::note(self.visitor, &order, &sample, &Went::Broke(&broken), walk);
            let is_good = sample.counts_as_latency();
            return Fetched { address, ended_ns, is_good, sheet: None };
        }
    }

    /// The redirect of an asset to follow, if any. One to a host that may not be loaded is where the asset ends.
    fn asset_hop(
        &self,
        order: &Order<'_>,
        reply: &Reply,
        hops: usize,
        ended_ns: u64,
    ) -> Result<Option<Hop>, Broken> {
        // What is asked of one address is not asked of the next: so no headers go along.
        let led = led(order, &[], reply, hops).map_err(|why| Broken::new(ErrorClass::Status, why))?;
        let Some((url, request)) = led else { return Ok(None) };
        let job = &self.visitor.worker.job;
        if !job.may_go(&url) {
            self.visitor.worker.tallies.borrow_mut().at(ended_ns).count("assets_of_other_hosts", 1);
            return Ok(None);
        }
        Ok(Some(Hop { address: Rc::new(Address::new(url, job)), request: Box::new(request) }))
    }

    /// What the shopper knows of an asset before asking for it.
    fn known(&self, fetch: &Fetch, address: &Address, wanted: Wanted, now_ns: u64) -> Known {
        if !fetch.cache {
            return Known::Ask(Vec::new());
        }
        self.visitor.with_cache(|cache| cache.look_up(address.whole(), wanted.is_style, now_ns))
    }

    /// Lets the shopper keep what a good answer leaves. What the asset names, if it is a style sheet.
    fn take(
        &self,
        fetch: &Fetch,
        address: &Address,
        reply: &Reply,
        wanted: Wanted,
        sample: &Sample,
    ) -> Option<Rc<Sheet>> {
        let worker = &self.visitor.worker;
        let is_sheet = wanted.is_style && (200..300).contains(&reply.status);
        let sheet = is_sheet.then(|| worker.styles.borrow_mut().of(address, &reply.body.kept));
        if !fetch.cache {
            return sheet;
        }
        let headers = reply.headers.as_deref().unwrap_or(&worker.no_headers);
        let asked_ns = sample.times.sent_ns.unwrap_or(sample.times.handled_ns);
        let heads = &mut worker.heads.borrow_mut();
        let (known, counter) = self.visitor.with_cache(|cache| match reply.status {
            200 => {
                let kept = cache.keep(address.whole(), headers, sheet.clone(), asked_ns, heads);
                (sheet, (kept == Kept::ForAnother).then_some("assets_dropped_from_cache"))
            }
            304 => match cache.refresh(address.whole(), headers, asked_ns, heads) {
                Known::Fresh(sheet) => (sheet, Some("assets_revalidated")),
                Known::Ask(_) => (None, None),
            },
            _ => (sheet, None),
        });
        if let Some(counter) = counter {
            worker.tallies.borrow_mut().at(sample.times.ended_ns).count(counter, 1);
        }
        known
    }
}
