//! The assets of a page: fetched at once, as far as connections allow, with what style sheets name in their turn.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use doorbuster_journeys::assets::{self, Asset, PAGE_ASSETS_MAX, Sheet};
use doorbuster_model::{ErrorClass, Part};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;

use super::Page;
use crate::address::Address;
use crate::client::Broken;
use crate::exchange::{Order, Reply, exchange};
use crate::limit::Limit;

/// The most style sheets whose assets a worker remembers.
const STYLES_MAX: usize = 1_000;

/// What style sheets name: looked up by address, and valid as long as the text is the same.
#[derive(Default)]
pub(crate) struct Styles(HashMap<String, (u64, Rc<Sheet>)>);

impl Styles {
    fn of(&mut self, address: &Address, css: &[u8], applies: bool) -> Rc<Sheet> {
        let mut hasher = DefaultHasher::new();
        (css, applies).hash(&mut hasher);
        let hash = hasher.finish();
        if let Some((_, sheet)) = self.0.get(address.whole()).filter(|(known, _)| *known == hash) {
            return Rc::clone(sheet);
        }
        let sheet = assets::of_style(css, &address.url);
        let sheet = Rc::new(if applies { sheet } else { sheet.unused() });
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

impl Page<'_> {
    /// Fetches the assets of a page and counts the page. Returns its end.
    pub(super) async fn assets(
        &self,
        step: usize,
        reply: &Reply,
        page: &Rc<Address>,
        document_ended_ns: u64,
    ) -> u64 {
        let html = reply.content_type.text(&reply.body.kept);
        let is_page = reply.content_type.is_page();
        let found = if is_page { assets::of_page(&html, &page.url) } else { Vec::new() };
        let mut known = Vec::new();
        let mut fetches = FuturesUnordered::new();
        for (address, wanted) in self.admit(&found, &mut known) {
            fetches.push(self.asset(step, address, wanted, Rc::clone(page), document_ended_ns));
        }
        let (mut ended_ns, mut good) = (document_ended_ns, true);
        while let Some(fetched) = fetches.next().await {
            ended_ns = ended_ns.max(fetched.ended_ns);
            good &= fetched.is_good;
            let Some(sheet) = fetched.sheet else { continue };
            let drawn = assets::drawn(&html, &sheet.pictures);
            let named = [&sheet.assets[..], &drawn].concat();
            for (address, wanted) in self.admit(&named, &mut known) {
                let from = Rc::clone(&fetched.address);
                fetches.push(self.asset(step, address, wanted, from, fetched.ended_ns));
            }
        }
        if good {
            let key = self.key(step, Part::Main, self.intended_ns);
            let page_us = ended_ns.saturating_sub(self.intended_ns) / 1_000;
            self.visitor.worker.tallies.borrow_mut().at(ended_ns).record_page_us(key, page_us);
        }
        ended_ns
    }

    /// Those that this page did not fetch yet and that may be fetched.
    fn admit(&self, found: &[Asset], known: &mut Vec<Rc<Address>>) -> Vec<(Rc<Address>, Wanted)> {
        let job = &self.visitor.worker.job;
        let (mut admitted, mut others) = (Vec::new(), 0);
        for asset in found {
            if known.len() >= PAGE_ASSETS_MAX || known.iter().any(|address| address.url == asset.url) {
                continue;
            }
            if job.may_go(&asset.url) {
                let address = Rc::new(Address::new(asset.url.clone(), job));
                known.push(Rc::clone(&address));
                admitted.push((address, Wanted { is_style: asset.is_style, applies: asset.applies }));
            } else {
                others += 1;
            }
        }
        if others > 0 {
            self.visitor.worker.tallies.borrow_mut().current().count("assets_of_other_hosts", others);
        }
        admitted
    }

    /// Fetches one asset, which `from` names and which was discovered at `intended_ns`.
    async fn asset(
        &self,
        step: usize,
        address: Rc<Address>,
        wanted: Wanted,
        from: Rc<Address>,
        intended_ns: u64,
    ) -> Fetched {
        let worker = &self.visitor.worker;
        let order = Order {
            key: self.key(step, Part::Asset, intended_ns),
            intended_ns,
            handled_ns: worker.clock.now_ns(),
            method: &Method::GET,
            address: &address,
            headers: &[],
            body: None,
            referer: Some(&from),
            tells_origin: false,
            wants_headers: false,
            wants_body: wanted.is_style,
            timeout: None,
        };
        let (mut sample, result) = exchange(self.visitor, &order, &Limit::default()).await;
        let mut sheet = None;
        let broken = match result {
            Ok(reply) if (200..400).contains(&reply.status) => {
                if wanted.is_style {
                    sheet = Some(worker.styles.borrow_mut().of(&address, &reply.body.kept, wanted.applies));
                }
                None
            }
            Ok(reply) => Some(Broken {
                class: ErrorClass::Status,
                message: format!("expected status 200 to 399, got {}", reply.status),
            }),
            Err(broken) => Some(broken),
        };
        match broken {
            None => worker.tallies.borrow_mut().record(&sample),
            Some(broken) => {
                sample.error = Some(broken.class);
                self.record_broken(&sample, &order, &broken);
            }
        }
        let (ended_ns, is_good) = (sample.times.ended_ns, sample.counts_as_latency());
        Fetched { address, ended_ns, is_good, sheet }
    }
}
