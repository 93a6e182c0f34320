//! What the edge keeps, and who is fetching what at the moment.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::fetch::{Outcome, OutcomeSender};
use super::payload::Payload;
use crate::bounded::BoundedMap;

const ENTRIES_MAX: usize = 20_000;
const WEIGHT_BYTES_MAX: usize = 256 << 20;
/// Fetches that others may join; beyond, everybody fetches alone.
const PENDING_MAX: usize = 10_000;

/// An answer that is kept. Cloning shares the payload.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) payload: Arc<Payload>,
    pub(super) stored: Instant,
    pub(super) ttl: Duration,
}

/// The cache of one region. The oldest entries leave first.
#[derive(Debug)]
pub(super) struct Cache {
    objects: BoundedMap<String, Kept>,
    weight_bytes: usize,
    pending: HashMap<String, Outcome>,
}

/// An object, and what it and its key weigh.
#[derive(Debug)]
struct Kept {
    object: Object,
    weight_bytes: usize,
}

/// What the cache says to a request.
#[derive(Debug)]
pub(super) enum Lookup {
    /// Here it is.
    Fresh { object: Object, age: Duration },
    /// Somebody is fetching it: wait for that.
    Pending(Outcome),
    /// Fetch it. `stale` is what was kept before; `lead` is how those who join learn of the outcome,
    /// none where so many fetches are under way that this one is not announced.
    Absent { stale: Option<Object>, lead: Option<OutcomeSender> },
}

impl Object {
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.stored)
    }
}

impl Default for Cache {
    fn default() -> Cache {
        Cache { objects: BoundedMap::new(ENTRIES_MAX), weight_bytes: 0, pending: HashMap::new() }
    }
}

impl Cache {
    /// Looks a key up. What is kept is fresh for as long as `fresh_for` says. Whoever is told `Absent`
    /// fetches, and calls [`Cache::conclude`].
    pub(super) fn look_up(
        &mut self,
        key: &str,
        now: Instant,
        fresh_for: impl Fn(&Object) -> Duration,
    ) -> Lookup {
        let kept = self.objects.get(key).map(|kept| &kept.object);
        if let Some(object) = kept {
            let age = object.age(now);
            if age < fresh_for(object) {
                return Lookup::Fresh { object: object.clone(), age };
            }
        }
        // A leader that died left a closed channel behind; the next one takes over.
        if let Some(outcome) = self.pending.get(key).filter(|outcome| outcome.has_changed().is_ok()) {
            return Lookup::Pending(outcome.clone());
        }
        let stale = kept.cloned();
        if self.pending.len() >= PENDING_MAX {
            return Lookup::Absent { stale, lead: None };
        }
        let (lead, outcome) = watch::channel(None);
        self.pending.insert(key.to_owned(), outcome);
        Lookup::Absent { stale, lead: Some(lead) }
    }

    /// Nobody can join that fetch any more.
    pub(super) fn conclude(&mut self, key: &str) {
        self.pending.remove(key);
    }

    /// Keeps an answer, and gives back what is kept: where the content did not change, the payload that
    /// has its packed variants already.
    pub(super) fn store(&mut self, key: String, mut object: Object) -> Object {
        let kept = self.objects.get(&key).map(|kept| &kept.object.payload);
        if let Some(payload) = kept.filter(|payload| payload.is_same(&object.payload)) {
            object.payload = Arc::clone(payload);
        }
        // The key stands in the map and in its queue.
        let weight_bytes = object.payload.weight_bytes() + 2 * key.len();
        self.weight_bytes += weight_bytes;
        let left = self.objects.insert(key, Kept { object: object.clone(), weight_bytes });
        self.weight_bytes -= left.map_or(0, |left| left.weight_bytes);
        while self.weight_bytes > WEIGHT_BYTES_MAX {
            let Some(left) = self.objects.pop_oldest() else { break };
            self.weight_bytes -= left.weight_bytes;
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, ENTRIES_MAX, Lookup, Object, WEIGHT_BYTES_MAX};
    use crate::edge::payload::Payload;
    use crate::edge::policy::Policy;
    use crate::fault::Switches;
    use bytes::Bytes;
    use http::Response;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    const TTL: Duration = Duration::from_secs(300);

    fn object(content: Bytes, stored: Instant) -> Object {
        let policy = Policy::of("/", &Switches::default()).unwrap();
        Object { payload: Arc::new(Payload::new(Response::new(content), policy, TTL)), stored, ttl: TTL }
    }

    fn ttl(object: &Object) -> Duration {
        object.ttl
    }

    #[test]
    fn an_object_is_fresh_for_its_time() {
        let (mut cache, start) = (Cache::default(), Instant::now());
        cache.store("/".to_owned(), object(Bytes::from_static(b"a"), start));
        let mut age_s = |after_s, fresh_for: fn(&Object) -> Duration| match cache.look_up(
            "/",
            start + Duration::from_secs(after_s),
            fresh_for,
        ) {
            Lookup::Fresh { age, .. } => Some(age.as_secs()),
            _ => None,
        };
        assert_eq!(age_s(0, ttl), Some(0));
        assert_eq!(age_s(299, ttl), Some(299));
        assert_eq!(age_s(300, ttl), None);
        assert_eq!(age_s(4, |_| Duration::from_secs(5)), Some(4));
        assert_eq!(age_s(5, |_| Duration::from_secs(5)), None);
    }

    #[test]
    fn the_first_leads_and_others_join_until_it_ends_or_dies() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let Lookup::Absent { stale: None, lead: Some(lead) } = cache.look_up("/", now, ttl) else {
            panic!("the first must lead");
        };
        assert!(matches!(cache.look_up("/", now, ttl), Lookup::Pending(_)));
        assert!(matches!(cache.look_up("/other", now, ttl), Lookup::Absent { .. }));
        drop(lead);
        let Lookup::Absent { lead: Some(_lead), .. } = cache.look_up("/", now, ttl) else {
            panic!("another must lead once the first died");
        };
        cache.conclude("/");
        assert!(matches!(cache.look_up("/", now, ttl), Lookup::Absent { .. }));
    }

    #[test]
    fn unchanged_content_keeps_its_payload() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let first = cache.store("/".to_owned(), object(Bytes::from_static(b"a"), now));
        let same = cache.store("/".to_owned(), object(Bytes::from_static(b"a"), now));
        assert!(Arc::ptr_eq(&first.payload, &same.payload));
        let changed = cache.store("/".to_owned(), object(Bytes::from_static(b"b"), now));
        assert!(!Arc::ptr_eq(&first.payload, &changed.payload));
        assert_eq!(cache.weight_bytes, changed.payload.weight_bytes() + 2 * "/".len());
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        for key in 0..=ENTRIES_MAX {
            cache.store(key.to_string(), object(Bytes::from_static(b"a"), now));
        }
        assert_eq!(cache.objects.len(), ENTRIES_MAX);
        assert!(cache.objects.get("0").is_none());
        // Shared content: only the books grow.
        let large = Bytes::from(vec![0; 1 << 20]);
        for key in 0..300 {
            cache.store(format!("large {key}"), object(large.clone(), now));
        }
        assert!(cache.weight_bytes <= WEIGHT_BYTES_MAX);
        assert!(cache.objects.get("large 299").is_some());
    }
}
