//! One step: its request, the redirects that it leads to, and the assets of the page that it shows.

use doorbuster_journeys::{Answer, Failure, FailureKind, Fetch, Walk};
use doorbuster_model::pace::section_at;
use doorbuster_model::{Chance, ErrorClass, Key, Part, Sample};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;
use http::header::{CONTENT_TYPE, LOCATION};
use url::Url;

use crate::exchange::{Broken, Order, Reply, assets_of, exchange};
use crate::visit::Visitor;

/// The most redirects that are followed.
const HOPS_MAX: usize = 10;

/// A step to carry out.
pub(crate) struct Page<'a> {
    /// Who does it.
    pub visitor: &'a Visitor,
    /// The journey's position in the plan.
    pub journey: u16,
    /// When it was to start.
    pub intended_ns: u64,
}

/// Where a step got to.
pub(crate) struct Landed {
    /// When its last part ended.
    pub ended_ns: u64,
    /// The address of the last answer.
    pub url: Option<Url>,
    /// Whether the connection or the answer failed, not the journey's expectation.
    pub broken: bool,
}

/// A redirect to follow.
struct Hop {
    url: Url,
    method: Method,
    keeps_body: bool,
}

impl Page<'_> {
    /// Carries the step out and tells `walk` what came of it.
    pub(crate) async fn fetch(
        &self,
        fetch: &Fetch,
        base: &Url,
        walk: &mut Walk,
        chance: &mut Chance,
    ) -> Landed {
        let visitor = self.visitor;
        let failed_at = |broken| Landed { ended_ns: visitor.worker.clock.now_ns(), url: None, broken };
        let key = self.key(fetch.step, Part::Main, self.intended_ns);
        let mut url = match self.address(&fetch.target, base) {
            Ok(url) => url,
            Err(message) => {
                self.refuse(key, message);
                walk.broken();
                return failed_at(true);
            }
        };
        let (mut method, mut body) = (fetch.method.clone(), fetch.body.clone());
        let mut headers = fetch.headers.clone();
        let mut intended_ns = self.intended_ns;
        let mut hops = 0;
        loop {
            let part = if hops == 0 { Part::Main } else { Part::Hop };
            let order = Order {
                key: self.key(fetch.step, part, intended_ns),
                intended_ns,
                method: method.clone(),
                url: &url,
                headers: &headers,
                body: body.clone(),
                wants_body: fetch.wants_body,
                timeout: fetch.timeout,
            };
            let (mut sample, result) = exchange(visitor, &order).await;
            let reply = match result {
                Ok(reply) => reply,
                Err(broken) => {
                    self.record_broken(&sample, &order, &broken);
                    walk.broken();
                    return Landed { ended_ns: sample.times.ended_ns, url: None, broken: true };
                }
            };
            match self.hop(fetch, &method, &url, &reply, hops) {
                Ok(Some(hop)) => {
                    visitor.worker.tallies.borrow_mut().record(&sample);
                    visitor.worker.tallies.borrow_mut().current().count("redirects", 1);
                    hops += 1;
                    intended_ns = sample.times.ended_ns;
                    if !hop.keeps_body {
                        body = None;
                        headers.retain(|(name, _)| !name.as_str().starts_with("content-"));
                    }
                    (url, method) = (hop.url, hop.method);
                }
                Ok(None) => {
                    let answer = Answer {
                        status: reply.status,
                        headers: &reply.headers,
                        body: &reply.body.kept,
                        cut: reply.body.cut,
                    };
                    let judged = walk.answer(&answer, chance);
                    self.record(&mut sample, &order, judged.err());
                    let good = sample.error.is_none();
                    let mut ended_ns = sample.times.ended_ns;
                    if good && fetch.assets {
                        ended_ns = self.assets(fetch.step, &reply, &url, ended_ns).await;
                    }
                    return Landed { ended_ns, url: Some(url), broken: false };
                }
                Err(message) => {
                    let broken = Broken { class: ErrorClass::Status, message };
                    sample.error = Some(broken.class);
                    self.record_broken(&sample, &order, &broken);
                    walk.broken();
                    return failed_at(false);
                }
            }
        }
    }

    fn key(&self, step: usize, part: Part, intended_ns: u64) -> Key {
        let section = section_at(&self.visitor.worker.job.sections, intended_ns);
        Key { journey: self.journey, step: narrow(step), part, section: narrow(section) }
    }

    /// Where a step goes. The error says why it cannot go there.
    fn address(&self, target: &str, base: &Url) -> Result<Url, String> {
        let url = base.join(target).map_err(|why| format!("\"{target}\" is no address: {why}"))?;
        if self.visitor.worker.job.may_go(&url) {
            return Ok(url);
        }
        Err(format!("{} is another host; name it with --allow-host to load it", host(&url)))
    }

    /// A step that cannot be sent at all: a failure of the journey, without an exchange.
    fn refuse(&self, key: Key, message: String) {
        let now_ns = self.visitor.worker.clock.now_ns();
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        let tally = tallies.at(now_ns);
        tally.count("steps_not_sent", 1);
        tally.fail(key.journey, key.step, ErrorClass::Expectation, || message);
    }

    fn record(&self, sample: &mut Sample, order: &Order<'_>, failure: Option<Failure>) {
        let Some(failure) = failure else {
            self.visitor.worker.tallies.borrow_mut().record(sample);
            return;
        };
        let class = match failure.kind {
            FailureKind::Status => ErrorClass::Status,
            FailureKind::Expectation => ErrorClass::Expectation,
        };
        sample.error = Some(class);
        self.record_broken(sample, order, &Broken { class, message: failure.message });
    }

    fn record_broken(&self, sample: &Sample, order: &Order<'_>, broken: &Broken) {
        let mut tallies = self.visitor.worker.tallies.borrow_mut();
        tallies.record(sample);
        let example = || format!("{} {}: {}", order.method, shown(order.url), broken.message);
        tallies.at(sample.times.ended_ns).fail(sample.key.journey, sample.key.step, broken.class, example);
    }

    /// The redirect to follow, if any. The error says why one cannot be followed.
    fn hop(
        &self,
        fetch: &Fetch,
        method: &Method,
        url: &Url,
        reply: &Reply,
        hops: usize,
    ) -> Result<Option<Hop>, String> {
        if !fetch.follow_redirects || !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok()) else {
            return Ok(None);
        };
        if hops >= HOPS_MAX {
            return Err(format!("over {HOPS_MAX} redirects, the last to {location}"));
        }
        let next = url
            .join(location)
            .map_err(|why| format!("redirected to \"{location}\", which is no address: {why}"))?;
        if !self.visitor.worker.job.plan.may_load(&next) {
            let host = host(&next);
            return Err(format!(
                "redirected to {host}; name it with --allow-host to have redirects to it followed"
            ));
        }
        // RFC 9110, section 15.4: 303 makes a GET of anything; 301 and 302 make one of a POST, as browsers do.
        let becomes_get = match reply.status {
            303 => *method != Method::HEAD,
            301 | 302 => *method == Method::POST,
            _ => false,
        };
        let method = if becomes_get { Method::GET } else { method.clone() };
        Ok(Some(Hop { url: next, method, keeps_body: !becomes_get }))
    }

    /// Fetches the assets of a page, at once as far as connections allow, and counts the page. Returns its end.
    async fn assets(&self, step: usize, reply: &Reply, url: &Url, document_ended_ns: u64) -> u64 {
        let is_html =
            reply.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let (assets, others) =
            if is_html { assets_of(self.visitor, &reply.body.kept, url) } else { (Vec::new(), 0) };
        if others > 0 {
            self.visitor.worker.tallies.borrow_mut().current().count("assets_of_other_hosts", others);
        }
        let mut fetches: FuturesUnordered<_> =
            assets.iter().map(|asset| self.asset(step, asset, document_ended_ns)).collect();
        let (mut ended_ns, mut good) = (document_ended_ns, true);
        while let Some((asset_ended_ns, asset_good)) = fetches.next().await {
            ended_ns = ended_ns.max(asset_ended_ns);
            good &= asset_good;
        }
        if good {
            let key = self.key(step, Part::Main, self.intended_ns);
            let page_us = ended_ns.saturating_sub(self.intended_ns) / 1_000;
            self.visitor.worker.tallies.borrow_mut().at(ended_ns).record_page_us(key, page_us);
        }
        ended_ns
    }

    /// Fetches one asset, which was discovered at `intended_ns`. Returns its end, and whether it counts for a page.
    async fn asset(&self, step: usize, url: &Url, intended_ns: u64) -> (u64, bool) {
        let order = Order {
            key: self.key(step, Part::Asset, intended_ns),
            intended_ns,
            method: Method::GET,
            url,
            headers: &[],
            body: None,
            wants_body: false,
            timeout: None,
        };
        let (mut sample, result) = exchange(self.visitor, &order).await;
        let broken = match result {
            Ok(reply) if (200..400).contains(&reply.status) => None,
            Ok(reply) => Some(Broken {
                class: ErrorClass::Status,
                message: format!("expected status 200 to 399, got {}", reply.status),
            }),
            Err(broken) => Some(broken),
        };
        match broken {
            None => self.visitor.worker.tallies.borrow_mut().record(&sample),
            Some(broken) => {
                sample.error = Some(broken.class);
                self.record_broken(&sample, &order, &broken);
            }
        }
        (sample.times.ended_ns, sample.counts_as_latency())
    }
}

/// Positions of steps and sections: journeys and plans are limited far below 2^16.
fn narrow(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("")
}

/// A URL for messages: without its query, which may hold secrets.
fn shown(url: &Url) -> &str {
    &url[..url::Position::AfterPath]
}
