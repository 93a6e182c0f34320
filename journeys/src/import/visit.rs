//! Folds a recording's requests into what a shopper did: pages and calls, with the redirects between and the assets
//! behind them.

use std::collections::BTreeMap;

use super::archive::Entry;
use super::host::{Hosts, is_web};
use super::kind::{Kind, kind};
use crate::format::STEPS_MAX;

/// The most redirects of one request.
const HOPS_MAX: usize = 10;
/// How many requests later the target of a redirect is looked for.
const REDIRECT_WITHIN: usize = 50;
/// From how many equal requests in a row on they are a loop.
const ROUNDS_MIN: u32 = 3;

/// Something that a shopper asked for.
#[derive(Clone, Debug)]
pub(super) struct Visit<'a> {
    pub(super) request: &'a Entry,
    /// The entry with the answer, after redirects.
    pub(super) answer: &'a Entry,
    pub(super) is_page: bool,
    /// Whether assets of the shop came with it.
    pub(super) has_assets: bool,
    /// The last redirect leads away from the shop.
    pub(super) leaves: bool,
    /// How often it was asked for in a row.
    pub(super) times: u32,
    /// From the answer to the next request.
    pub(super) pause_ms: i64,
}

/// What a recording holds.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) visits: Vec<Visit<'a>>,
    /// How many requests went to other hosts.
    pub(super) dropped: BTreeMap<String, usize>,
    pub(super) remarks: Vec<String>,
}

/// What of a recording are visits to the shop, which has the host of the first page and `further` ones.
pub(super) fn gather<'a>(entries: &'a [Entry], further: &[String]) -> Gathered<'a> {
    let kinds: Vec<Kind> = entries.iter().map(kind).collect();
    let hosts = Hosts::new(entries, &kinds, further);
    let mut gathered = Gathered::default();
    let mut is_taken = vec![false; entries.len()];
    let mut strangers: BTreeMap<String, usize> = BTreeMap::new();
    let mut unanswered = 0_usize;
    for (number, entry) in entries.iter().enumerate() {
        let kind = kinds[number];
        if is_taken[number] || !is_web(&entry.url) {
            continue;
        }
        if !hosts.has(&entry.url) {
            let host = super::host::authority(&entry.url);
            if kind == Kind::Page || (kind == Kind::Call && hosts.is_related(&entry.url)) {
                *strangers.entry(host.clone()).or_default() += 1;
            }
            *gathered.dropped.entry(host).or_default() += 1;
            continue;
        }
        match kind {
            Kind::Noise => {}
            Kind::Asset => gathered.asset(entry),
            _ if entry.status == 0 => unanswered += 1,
            _ => {
                let answer = follow(entries, number, &mut is_taken, &hosts);
                let leads_to = answer.location.as_ref().filter(|_| answer.is_redirect());
                gathered.visits.push(Visit {
                    request: entry,
                    answer,
                    is_page: kind == Kind::Page || super::kind::kind(answer) == Kind::Page,
                    has_assets: false,
                    leaves: leads_to.is_some_and(|url| !hosts.has(url)),
                    times: 1,
                    pause_ms: 0,
                });
            }
        }
    }
    gathered.time();
    gathered.fold_rounds();
    gathered.limit();
    gathered.tell(&strangers, unanswered);
    gathered
}

/// The entry that a request ends with, once redirects are followed.
fn follow<'a>(entries: &'a [Entry], number: usize, is_taken: &mut [bool], hosts: &Hosts) -> &'a Entry {
    let mut last = number;
    for _ in 0..HOPS_MAX {
        let from = &entries[last];
        let Some(location) = from.location.as_ref().filter(|_| from.is_redirect()) else { break };
        let until = entries.len().min(last + REDIRECT_WITHIN);
        let is_target = |number: &usize| {
            let entry = &entries[*number];
            let keeps_method = entry.method == "GET" || entry.method == from.method;
            !is_taken[*number] && entry.url == *location && keeps_method && entry.status > 0
        };
        let Some(target) = (last + 1..until).find(is_target).filter(|_| hosts.has(location)) else { break };
        is_taken[target] = true;
        last = target;
    }
    &entries[last]
}

impl Gathered<'_> {
    /// An asset belongs to the last page before it; of several windows to that of its own.
    fn asset(&mut self, entry: &Entry) {
        let of_window = |visit: &Visit<'_>| visit.is_page && visit.request.page == entry.page;
        let position = self.visits.iter().rposition(of_window);
        let position = position.or_else(|| self.visits.iter().rposition(|visit| visit.is_page));
        if let Some(page) = position.and_then(|position| self.visits.get_mut(position)) {
            page.has_assets = true;
        }
    }

    /// Notes how long each visit was looked at.
    fn time(&mut self) {
        let starts: Vec<i64> = self.visits.iter().skip(1).map(|visit| visit.request.start_ms).collect();
        for (visit, start_ms) in self.visits.iter_mut().zip(starts) {
            visit.pause_ms = start_ms.saturating_sub(visit.answer.end_ms);
        }
    }

    /// Equal requests in a row become one that is made several times.
    fn fold_rounds(&mut self) {
        let mut rest = std::mem::take(&mut self.visits).into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut round = vec![first];
            while let Some(next) = rest.next_if(|next| next.request.asks_the_same(round[0].request)) {
                round.push(next);
            }
            let times = u32::try_from(round.len()).unwrap_or(u32::MAX);
            if times < ROUNDS_MIN {
                self.visits.append(&mut round);
                continue;
            }
            let between = round.iter().take(round.len() - 1).map(|visit| visit.pause_ms.max(0));
            let pause_ms = between.sum::<i64>() / i64::from(times - 1);
            let has_assets = round.iter().any(|visit| visit.has_assets);
            self.visits.extend(round.pop().map(|last| Visit { times, pause_ms, has_assets, ..last }));
        }
    }

    fn limit(&mut self) {
        let found = self.visits.len();
        if found > STEPS_MAX {
            self.visits.truncate(STEPS_MAX);
            self.remarks.push(format!(
                "The recording has {found} steps, and a journey at most {STEPS_MAX}: the rest was left out; record less at a time."
            ));
        }
    }

    fn tell(&mut self, strangers: &BTreeMap<String, usize>, unanswered: usize) {
        for (host, count) in strangers {
            self.remarks.push(format!(
                "{count} pages or calls of {host} were left out; if this host belongs to the shop, name it and import again."
            ));
        }
        if unanswered > 0 {
            self.remarks.push(format!(
                "{unanswered} requests were left out because the browser got no answer or gave them up."
            ));
        }
        let elsewhere = self.visits.iter().filter(|visit| visit.leaves).count();
        if elsewhere > 0 {
            self.remarks.push(format!(
                "{elsewhere} answers lead to another host, a payment provider perhaps; the journey does not follow them."
            ));
        }
    }
}
