//! The same cases on SQLite and on PostgreSQL, and the troubles of each.

mod cases;
mod child;
mod cluster;
mod crash;
mod trouble;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use doorbuster_model::slo::{Page, Scope, SeriesKey};
use tokio::time::sleep;

use super::{NewLetter, Step};

/// The ledger of most cases.
const LEDGER: &str = "friday";

/// A folder that is removed with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("doorbuster-store-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Waits until there is something to see.
async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "it did not come about within 30 s");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether PostgreSQL is missing here; says so.
fn without_postgres() -> bool {
    let without = std::env::var("DOORBUSTER_WITHOUT").unwrap_or_default();
    let is_missing = without.split(',').any(|name| name == "postgres");
    if is_missing {
        eprintln!("left out: postgres is missing on this machine");
    }
    is_missing
}

fn key(objective: &str, region: Option<&str>) -> SeriesKey {
    let scope = region.map_or(Scope::Global, |name| Scope::Region(name.to_owned()));
    SeriesKey { objective: objective.to_owned(), scope }
}

fn page(start_s: i64, length_s: u32, bytes: &[u8]) -> Page {
    Page { start_s, length_s, bytes: bytes.to_vec() }
}

fn letter(notifier: &str, incident: &str, sequence: u32) -> NewLetter {
    NewLetter {
        notifier: notifier.to_owned(),
        incident: incident.to_owned(),
        sequence,
        payload: format!("{{\"sequence\":{sequence}}}"),
        made_at_s: 1_000 + i64::from(sequence),
        is_urgent: false,
    }
}

/// The step of a number: a page of its own, the memo, and a letter.
fn numbered(number: u32, memo_bytes: usize) -> Step {
    let mut memo = number.to_le_bytes().to_vec();
    memo.resize(memo_bytes.max(4), 0x5a);
    Step {
        pages: vec![(
            key("checkout availability 99.99% over 30d", None),
            page(300 * i64::from(number), 300, &number.to_le_bytes()),
        )],
        memo: Some(memo),
        letters: vec![letter("hook", "outage", number)],
        ..Step::default()
    }
}

/// Asserts that the steps up to a number are there, each of them whole, and at most one more. The last number.
async fn holds_numbered(store: &super::Store, at_least: u32) -> u32 {
    let Some(saved) = store.load(LEDGER).await.unwrap() else {
        assert_eq!(at_least, 0);
        return 0;
    };
    let last = u32::from_le_bytes(*saved.memo.first_chunk().unwrap());
    assert!(last >= at_least, "{at_least} was acknowledged, and {last} is there");
    let numbers: Vec<u32> =
        saved.pages.iter().map(|(_, page)| u32::from_le_bytes(*page.bytes.first_chunk().unwrap())).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    let outbox = store.outbox_standing(LEDGER).await.unwrap();
    assert_eq!(outbox.waiting, u64::from(last), "a step's letters come with its pages");
    last
}
