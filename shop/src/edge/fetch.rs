//! Fetching from the origin on behalf of one viewer or of many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use tokio::sync::watch;

use super::RegionalEdge;
use super::answer::CacheResult;
use super::cache::Object;
use super::cookies;
use super::payload::Payload;
use super::policy::Policy;
use crate::fault::Switches;

/// Where those who joined a fetch learn what came of it.
pub(super) type Outcome = watch::Receiver<Option<Fetched>>;
pub(super) type OutcomeSender = watch::Sender<Option<Fetched>>;

/// What came of a fetch. Cloning shares the payload.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    /// None: the origin did not answer, and nothing stale was at hand.
    pub(super) object: Option<Object>,
    /// What the viewer is told for whom the fetch was made.
    pub(super) result: CacheResult,
    /// How long the origin took, its round trip included.
    pub(super) upstream: Duration,
    /// Cookies for the viewer for whom the fetch was made.
    pub(super) cookies: Vec<HeaderValue>,
}

impl Fetched {
    /// Whether others than the viewer for whom it was fetched may have it.
    pub(super) fn is_shareable(&self) -> bool {
        self.object.as_ref().is_none_or(|object| !object.ttl.is_zero())
    }
}

/// Waits for the end of a fetch; none if it died.
pub(super) async fn outcome(mut outcome: Outcome) -> Option<Fetched> {
    let fetched = outcome.wait_for(Option::is_some).await.ok()?;
    Option::clone(&fetched)
}

impl RegionalEdge {
    /// Fetches on a task of its own: those who joined must not lose it when the first viewer leaves.
    pub(super) fn lead(
        self: &Arc<Self>,
        request: Request<Bytes>,
        policy: &'static Policy,
        key: String,
        stale: Option<Object>,
        lead: Option<OutcomeSender>,
        switches: Switches,
    ) -> Outcome {
        let is_announced = lead.is_some();
        let sender = lead.unwrap_or_else(|| watch::channel(None).0);
        let outcome = sender.subscribe();
        let edge = Arc::clone(self);
        tokio::spawn(async move {
            let fetched = edge.fetch(request, policy, key.clone(), stale, &switches).await;
            if is_announced {
                edge.cache.lock().conclude(&key);
            }
            sender.send_replace(Some(fetched));
        });
        outcome
    }

    /// Asks the origin and keeps what may be kept. Where the origin fails, what is stale is served.
    pub(super) async fn fetch(
        &self,
        request: Request<Bytes>,
        policy: &Policy,
        key: String,
        stale: Option<Object>,
        switches: &Switches,
    ) -> Fetched {
        let started = Instant::now();
        let answer = self.ask_origin(request).await;
        let (stored, upstream) = (Instant::now(), started.elapsed());
        let mut cookies = Vec::new();
        let (object, result) = match (answer, stale) {
            (None, None) => (None, CacheResult::Error),
            (None, Some(stale)) => (Some(stale), CacheResult::Hit),
            (Some(answer), Some(stale)) if answer.status().is_server_error() => {
                (Some(stale), CacheResult::Hit)
            }
            (Some(answer), Some(stale)) if answer.status() == StatusCode::NOT_MODIFIED => {
                let object = self.cache.lock().store(key, Object { stored, ..stale });
                (Some(object), CacheResult::RefreshHit)
            }
            (Some(mut answer), _) => {
                cookies = cookies::part(answer.headers_mut(), policy.kind(), switches);
                let ttl = policy.ttl(answer.status(), answer.headers(), switches);
                let object = Object { payload: Arc::new(Payload::new(answer, policy, ttl)), stored, ttl };
                let object = if ttl.is_zero() { object } else { self.cache.lock().store(key, object) };
                (Some(object), CacheResult::Miss)
            }
        };
        Fetched { object, result, upstream, cookies }
    }
}
