//! What all agents of a region are told: an object that they look at, because nothing can be sent to a function that runs.
//!
//! It is written by one task: at once when something changed that agents must hear of soon (a start, a stop, an agent that is
//! let go), and otherwise as often as the lease is renewed, however many agents it is renewed for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorbuster_wire::{Board as Told, ToAgent};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::aws::Failure;
use crate::aws::bucket::Bucket;

/// How often a new lease is written.
const LEASE_EVERY: Duration = Duration::from_secs(2);
/// How long writing may take: what hangs is given up, so that what is newer is not late.
const WRITE_WITHIN: Duration = Duration::from_secs(4);
/// How long to wait after what was not written.
const PAUSE: Duration = Duration::from_millis(500);

/// A region's board. Its writer ends with it.
#[derive(Debug)]
pub(super) struct Board {
    shared: Arc<Shared>,
    writer: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    news: Mutex<News>,
    changed: Notify,
}

/// What is to be told, and what is known of the telling.
#[derive(Debug, Default)]
struct News {
    lease: u64,
    start_at_unix_ns: Option<u64>,
    stop: bool,
    let_go: BTreeSet<String>,
    /// Why the last attempt to write came to nothing.
    trouble: Option<String>,
}

impl Board {
    /// Writes the first board, and whatever is told from then on.
    ///
    /// # Errors
    /// That not even the first one can be written.
    pub(super) async fn open(bucket: Bucket, key: String) -> Result<Self, Failure> {
        let first = Told::default();
        bucket.put(&key, first.encode()).await?;
        let shared = Arc::new(Shared { news: Mutex::default(), changed: Notify::new() });
        let writer = tokio::spawn(write(Arc::clone(&shared), bucket, key, first));
        Ok(Self { shared, writer })
    }

    /// Tells all agents of the region: a stop is for all of them, and of starts the first holds, since they are one.
    pub(super) fn tell(&self, message: &ToAgent) {
        let mut news = self.shared.news();
        match message {
            ToAgent::Lease { counter } => news.lease = news.lease.max(*counter),
            ToAgent::Start { at_unix_ns } => {
                news.start_at_unix_ns.get_or_insert(*at_unix_ns);
            }
            ToAgent::Stop => news.stop = true,
            // Both stand in an invocation.
            ToAgent::Hello { .. } | ToAgent::Assign(_) => return,
        }
        drop(news);
        self.shared.changed.notify_one();
    }

    /// Tells the agent of an assignment to end at once.
    pub(super) fn let_go(&self, id: &str) {
        self.shared.news().let_go.insert(id.to_owned());
        self.shared.changed.notify_one();
    }

    /// The agent of an assignment has ended: there is nobody to tell any more.
    pub(super) fn has_ended(&self, id: &str) {
        // What is written less can wait for the next lease.
        self.shared.news().let_go.remove(id);
    }

    /// Writes nothing any more.
    pub(super) fn stop(&self) {
        self.writer.abort();
    }

    /// Why agents are told nothing at present, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.shared.news().trouble.clone()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    fn told(&self) -> Told {
        Told {
            lease: self.lease,
            start_at_unix_ns: self.start_at_unix_ns,
            stop: self.stop,
            let_go: self.let_go.iter().cloned().collect(),
        }
    }
}

/// Whether agents must hear at once of what changed.
fn is_urgent(written: &Told, next: &Told) -> bool {
    next.start_at_unix_ns != written.start_at_unix_ns
        || next.stop != written.stop
        || next.let_go.iter().any(|id| !written.let_go.contains(id))
}

/// Writes what is new, for ever.
async fn write(shared: Arc<Shared>, bucket: Bucket, key: String, first: Told) {
    let mut written = first;
    let mut last = Instant::now();
    loop {
        let next = shared.news().told();
        if next == written {
            shared.changed.notified().await;
            continue;
        }
        if !is_urgent(&written, &next) && Instant::now() < last + LEASE_EVERY {
            tokio::select! {
                () = shared.changed.notified() => {}
                () = sleep_until(last + LEASE_EVERY) => {}
            }
            continue;
        }
        last = Instant::now();
        let failure = match timeout(WRITE_WITHIN, bucket.put(&key, next.encode())).await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure.why),
            Err(_) => Some(format!("it took over {WRITE_WITHIN:?}")),
        };
        shared.news().trouble.clone_from(&failure);
        if failure.is_none() {
            written = next;
        } else {
            sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::Cloud;

    const KEY: &str = "runs/r/board";

    async fn until(cloud: &Cloud, is_met: impl Fn(&Told) -> bool) -> Told {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let told = Told::decode(&cloud.objects()[KEY]).unwrap();
            if is_met(&told) {
                return told;
            }
            assert!(Instant::now() < deadline, "{told:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn leases_are_written_every_two_seconds_and_all_else_at_once() {
        let cloud = Cloud::start().await;
        let board = Board::open(cloud.bucket().await, KEY.to_owned()).await.unwrap();
        assert_eq!(until(&cloud, |_| true).await, Told::default());
        let began = Instant::now();
        // A start and a stop, each for many agents: they are heard of well before a lease would be.
        for agent in 0..200_u64 {
            board.tell(&ToAgent::Lease { counter: 1 });
            board.tell(&ToAgent::Start { at_unix_ns: 5 + agent });
        }
        assert_eq!(until(&cloud, |told| told.start_at_unix_ns.is_some()).await.start_at_unix_ns, Some(5));
        board.let_go("r-1");
        board.tell(&ToAgent::Stop);
        let told = until(&cloud, |told| told.stop && !told.let_go.is_empty()).await;
        assert_eq!((told.lease, told.let_go), (1, vec!["r-1".to_owned()]));
        assert!(began.elapsed() < LEASE_EVERY, "{:?}", began.elapsed());
        let asked = cloud.asked("PUT /fleet/runs/r/board");
        assert!(asked <= 5, "{asked}");

        // Leases for many agents are one.
        board.has_ended("r-1");
        for counter in 2..=3 {
            for _ in 0..200 {
                board.tell(&ToAgent::Lease { counter });
            }
        }
        let told = until(&cloud, |told| told.lease == 3).await;
        assert!(told.let_go.is_empty(), "{told:?}");
        assert!(began.elapsed() > Duration::from_millis(1_500), "{:?}", began.elapsed());
        assert!(cloud.asked("PUT /fleet/runs/r/board") <= asked + 1);
        // An old counter is no news.
        board.tell(&ToAgent::Lease { counter: 2 });
        sleep(LEASE_EVERY + PAUSE).await;
        assert_eq!(until(&cloud, |_| true).await.lease, 3);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_told_and_written_later() {
        let cloud = Cloud::start().await;
        let board = Board::open(cloud.bucket().await, KEY.to_owned()).await.unwrap();
        cloud.refuse("PUT /fleet/", &[403]);
        board.tell(&ToAgent::Stop);
        let deadline = Instant::now() + Duration::from_secs(5);
        while board.trouble().is_none() {
            assert!(Instant::now() < deadline);
            sleep(Duration::from_millis(10)).await;
        }
        assert!(board.trouble().unwrap().contains("AccessDenied"), "{:?}", board.trouble());
        until(&cloud, |told| told.stop).await;
        sleep(Duration::from_millis(100)).await;
        assert_eq!(board.trouble(), None);
        cloud.refuse("PUT /fleet/", &[403]);
        assert!(Board::open(cloud.bucket().await, KEY.to_owned()).await.is_err());
    }
}
