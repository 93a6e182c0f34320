//! What stands in front of the shop in one region: a cache that behaves as CloudFront's does, with its
//! headers, its compression, its distances, and the faults that are switched on.

mod answer;
mod cache;
mod compress;
mod cookies;
mod fetch;
mod headers;
mod identity;
mod payload;
mod policy;
mod range;
mod receipt;
mod variant;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;

use self::answer::{Answer, CacheResult};
use self::cache::{Cache, Lookup};
use self::fetch::Fetched;
use self::identity::Identity;
use self::policy::Policy;
use self::receipt::Receipt;
use crate::chance::Dice;
use crate::counts::Counts;
use crate::fault::{Faults, Switches};
use crate::log::AccessLog;
use crate::options::RegionOptions;
use crate::origin::OriginService;
use crate::shared::Shared;

/// CloudFront's own limit on an address.
const URI_BYTES_MAX: usize = 8_192;
/// Larger than any form or JSON of the shop.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The edge of one region.
#[derive(Debug)]
pub(crate) struct RegionalEdge {
    index: usize,
    name: String,
    rtt: Duration,
    origin_rtt: Duration,
    identity: Identity,
    elsewhere: Identity,
    cache: Shared<Cache>,
    origin: OriginService,
    dice: Dice,
    opened: Instant,
    watch: Watch,
}

/// What all edges share: the switchboard that they read, and the books that they keep.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) faults: Arc<Faults>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) log: Option<Arc<AccessLog>>,
}

impl RegionalEdge {
    /// The edge of the region with that index.
    pub(crate) fn new(
        index: usize,
        region: &RegionOptions,
        seed: u64,
        origin: OriginService,
        watch: Watch,
    ) -> RegionalEdge {
        RegionalEdge {
            index,
            name: region.name.clone(),
            rtt: region.rtt,
            origin_rtt: region.origin_rtt,
            identity: Identity::new(&region.name),
            elsewhere: Identity::elsewhere(),
            cache: Shared::default(),
            origin,
            dice: Dice::new(seed.wrapping_add(index as u64)),
            opened: Instant::now(),
            watch,
        }
    }

    /// Answers a viewer.
    pub(crate) async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let receipt = Receipt::open(Arc::clone(&self), &request);
        // Frozen twice: nothing is handled meanwhile, and nothing is sent that was handled before.
        self.watch.faults.thaw(self.index).await;
        let switches = self.switches();
        let started = Instant::now();
        let is_head = request.method() == Method::HEAD;
        let answer = if switches.errors.strikes(&self.dice) {
            Answer::from_balancer(StatusCode::SERVICE_UNAVAILABLE)
        } else if switches.challenge.strikes(&self.dice) {
            Answer::challenge(request.headers())
        } else {
            self.answer(request, &switches).await
        };
        wait(self.rtt + switches.slow).await;
        self.watch.faults.thaw(self.index).await;
        let identity = if switches.wrong_edge { &self.elsewhere } else { &self.identity };
        let response = answer.into_response(identity, &self.dice, started.elapsed(), is_head);
        receipt.close(&response);
        response
    }

    fn switches(&self) -> Switches {
        self.watch.faults.switches(self.index)
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>, switches: &Switches) -> Answer {
        let (parts, body) = request.into_parts();
        if parts.uri.path_and_query().is_some_and(|address| address.as_str().len() > URI_BYTES_MAX) {
            return Answer::edge_error(StatusCode::URI_TOO_LONG);
        }
        let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
        match Policy::of(parts.uri.path(), switches).filter(|_| is_read) {
            Some(policy) => {
                let answer = self.cached(&parts, policy, switches).await;
                let is_lie = switches.head_lies && parts.method == Method::HEAD;
                if is_lie { answer.without_content() } else { answer }
            }
            // Off the hot path, so its larger state is kept out of every waiting hit.
            None => Box::pin(self.pass_through(parts, body, switches)).await,
        }
    }

    /// From the cache, or by way of it.
    async fn cached(self: &Arc<Self>, parts: &Parts, policy: &'static Policy, switches: &Switches) -> Answer {
        let key = policy.key(parts, switches);
        if switches.cold_cache || policy.keeps_nothing(switches) {
            return self.fetch_alone(parts, policy, key, switches).await;
        }
        let now = Instant::now();
        let lookup = self.cache.lock().look_up(&key, now, |object| policy.fresh_for(object, switches));
        match lookup {
            Lookup::Fresh { object, age } => {
                let age = age + policy.older_by(object.payload.status(), switches).unwrap_or_default();
                object.payload.answer(parts, switches).cached(CacheResult::Hit, Some(age), None)
            }
            Lookup::Pending(outcome) => match fetch::outcome(outcome).await {
                Some(fetched) if fetched.is_shareable() => {
                    answer_fetched(&fetched, policy, parts, switches, CacheResult::Hit)
                }
                // What the leader got was for the leader alone.
                Some(_) => self.fetch_alone(parts, policy, key, switches).await,
                None => Answer::edge_error(StatusCode::BAD_GATEWAY),
            },
            Lookup::Absent { stale, lead } => {
                let request = policy.forward(parts, stale.as_ref(), switches);
                let outcome = self.lead(request, policy, key, stale, lead, *switches);
                match fetch::outcome(outcome).await {
                    Some(fetched) => answer_fetched(&fetched, policy, parts, switches, fetched.result),
                    None => Answer::edge_error(StatusCode::BAD_GATEWAY),
                }
            }
        }
    }

    /// From the origin, for one viewer and unconditionally.
    async fn fetch_alone(&self, parts: &Parts, policy: &Policy, key: String, switches: &Switches) -> Answer {
        let request = policy.forward(parts, None, switches);
        let fetched = Box::pin(self.fetch(request, policy, key, None, switches)).await;
        answer_fetched(&fetched, policy, parts, switches, fetched.result)
    }

    /// Straight to the origin, with everything that the viewer sent; nothing is kept or compressed.
    async fn pass_through(&self, mut parts: Parts, body: Incoming, switches: &Switches) -> Answer {
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return Answer::edge_error(StatusCode::PAYLOAD_TOO_LARGE);
        };
        policy::remove_hop_by_hop(&mut parts.headers);
        let started = Instant::now();
        let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
        match self.ask_origin(Request::from_parts(parts, body.to_bytes())).await {
            Some(answer) => {
                let (parts, body) = answer.into_parts();
                let is_old = switches.age_leaked && is_read && parts.status == StatusCode::OK;
                let age = is_old.then(|| self.age_behind(started));
                let answer = Answer::new(parts.status, parts.headers, body);
                answer.cached(CacheResult::Miss, age, Some(started.elapsed()))
            }
            None => Answer::edge_error(StatusCode::BAD_GATEWAY),
        }
    }

    /// How old an answer is that a cache between edge and origin keeps for a minute: from 1 s on.
    fn age_behind(&self, now: Instant) -> Duration {
        let second = now.saturating_duration_since(self.opened).as_secs() % 60;
        Duration::from_secs(1 + second)
    }

    /// The origin's answer, a round trip later; none while it is down.
    async fn ask_origin(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        wait(self.origin_rtt).await;
        if self.switches().down {
            return None;
        }
        Some(self.origin.answer(self.index, request).await)
    }
}

/// What a viewer is told of what was fetched.
fn answer_fetched(
    fetched: &Fetched,
    policy: &Policy,
    parts: &Parts,
    switches: &Switches,
    result: CacheResult,
) -> Answer {
    let Some(object) = &fetched.object else {
        return Answer::edge_error(StatusCode::BAD_GATEWAY);
    };
    // What is older than this edge's copy came out of a cache behind it.
    let older_by = policy.older_by(object.payload.status(), switches);
    let result = if older_by.is_some() { CacheResult::Hit } else { result };
    let is_hit = result == CacheResult::Hit;
    // A miss has no age yet; what was served stale, or fetched for an earlier viewer, has one.
    let age = is_hit.then(|| object.age(Instant::now()) + older_by.unwrap_or_default());
    let cookies = if result == CacheResult::Miss { fetched.cookies.as_slice() } else { &[] };
    let answer = object.payload.answer(parts, switches).with_cookies(cookies);
    answer.cached(result, age, (!is_hit).then_some(fetched.upstream))
}

/// Waits, without a timer where there is nothing to wait for.
async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
