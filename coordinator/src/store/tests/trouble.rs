//! A store that is locked, full, damaged or away: a keeper goes on, says so, and loses nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::cluster::Cluster;
use super::{Folder, LEDGER, block_on, child, holds_numbered, numbered, until, without_postgres};
use crate::store::keeper::Failing;
use crate::store::{Keeper, Place, Store, Trouble};

/// Sent to a process that writes beyond its limit on the size of files.
const SIGXFSZ: i32 = 25;

/// Waits for a failure of a keeper.
async fn failing(keeper: &Keeper) -> Failing {
    until(|| keeper.standing().failing).await
}

/// Waits for the end of what a keeper has to write, once it can.
async fn recovers(keeper: &Keeper) {
    timeout(Duration::from_secs(60), keeper.settled()).await.unwrap();
    let standing = keeper.standing();
    assert_eq!((standing.kept, standing.failing), (standing.given, None));
    assert_eq!(standing.waiting_bytes, 0);
}

#[test]
fn a_file_and_its_companions_are_for_their_owner_alone() {
    let folder = Folder::new();
    let path = folder.path("data/doorbuster.db");
    block_on(async {
        let store = Store::open(&Place::Sqlite(path.clone())).await.unwrap();
        store.save(LEDGER, &numbered(1, 4)).await.unwrap();
        for name in ["doorbuster.db", "doorbuster.db-wal", "doorbuster.db-shm"] {
            let mode = fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        store.close().await;
    });
    assert!(!folder.path("data/doorbuster.db-wal").exists(), "closed, it is one file");
}

#[test]
fn a_locked_file_is_waited_out() {
    let folder = Folder::new();
    let path = folder.path("doorbuster.db");
    block_on(async {
        let store = Store::open(&Place::Sqlite(path.clone())).await.unwrap();
        let owner = store.own(LEDGER, "run").await.unwrap();
        let others = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
        let mut holder = others.acquire().await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *holder).await.unwrap();
        let keeper = Keeper::start(store.clone(), owner);
        let began = Instant::now();
        (1..=100).for_each(|number| keeper.keep(numbered(number, 1_000)));
        assert!(began.elapsed() < Duration::from_secs(1), "handing over waits for nobody");
        let failing = failing(&keeper).await;
        assert_eq!(failing.why.trouble, Trouble::Locked);
        assert!(failing.why.to_string().contains(&path.display().to_string()), "{}", failing.why);
        assert!(keeper.standing().waiting_bytes > 0);
        assert_eq!(store.load(LEDGER).await.unwrap(), None, "reading goes on");
        sqlx::query("COMMIT").execute(&mut *holder).await.unwrap();
        recovers(&keeper).await;
        holds_numbered(&store, 100).await;
        drop(holder);
        others.close().await;
        store.close().await;
    });
}

#[test]
fn a_full_disk_is_waited_out() {
    let folder = Folder::new();
    let test = child::name(module_path!(), "fills_its_disk_and_is_given_room");
    let child = child::start(&test, &Place::Sqlite(folder.path("doorbuster.db")));
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("went through"), "{told}");
}

/// The limit is one of the whole process, so that it has one of its own.
#[test]
#[ignore = "another test starts it"]
fn fills_its_disk_and_is_given_room() {
    let Some(place) = child::place() else { return };
    block_on(async {
        // Who listens to the signal is told by the failing write instead of being ended.
        let _signal = signal(SignalKind::from_raw(SIGXFSZ)).unwrap();
        let limits = getrlimit(Resource::Fsize);
        let store = Store::open(&place).await.unwrap();
        store.save(LEDGER, &numbered(1, 200_000)).await.unwrap();
        let owner = store.own(LEDGER, "run").await.unwrap();
        setrlimit(Resource::Fsize, Rlimit { current: Some(600_000), maximum: limits.maximum }).unwrap();
        let keeper = Keeper::start(store.clone(), owner);
        let mut number = 1;
        while keeper.standing().failing.is_none() {
            number += 1;
            assert!(number < 100, "it never came to the limit");
            keeper.keep(numbered(number, 200_000));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let first = failing(&keeper).await;
        assert_eq!(first.why.trouble, Trouble::Full, "{}", first.why);
        for _ in 0..20 {
            number += 1;
            keeper.keep(numbered(number, 200_000));
        }
        let again = until(|| keeper.standing().failing.filter(|now| now.attempts > first.attempts)).await;
        assert_eq!(again.since, first.since, "it is one failure");
        assert!(keeper.standing().waiting_bytes < 1_000_000, "what waits is merged");
        setrlimit(Resource::Fsize, limits).unwrap();
        recovers(&keeper).await;
        holds_numbered(&store, number).await;
        store.close().await;
    });
    println!("\nit went through");
}

#[test]
fn a_file_that_is_none_of_ours_is_named() {
    let folder = Folder::new();
    let path = folder.path("doorbuster.db");
    fs::write(&path, "no database ".repeat(2_000)).unwrap();
    let error = block_on(Store::open(&Place::Sqlite(path.clone()))).unwrap_err();
    assert_eq!((error.trouble, error.place.as_str()), (Trouble::Damaged, path.to_str().unwrap()));
    assert!(error.to_string().contains("move it away"), "{error}");
    let folder_instead = folder.path("folder");
    fs::create_dir(&folder_instead).unwrap();
    let error = block_on(Store::open(&Place::Sqlite(folder_instead))).unwrap_err();
    assert_eq!(error.trouble, Trouble::Refused, "{error}");
}

#[test]
fn a_damaged_file_is_named() {
    let folder = Folder::new();
    let path = folder.path("doorbuster.db");
    let place = Place::Sqlite(path.clone());
    block_on(async {
        let store = Store::open(&place).await.unwrap();
        for number in 1..=50 {
            store.save(LEDGER, &numbered(number, 2_000)).await.unwrap();
        }
        store.close().await;
    });
    let mut bytes = fs::read(&path).unwrap();
    // All but the first page, which says that it is a database.
    bytes[4_096..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let error = block_on(async {
        match Store::open(&place).await {
            Ok(store) => store.load(LEDGER).await.unwrap_err(),
            Err(error) => error,
        }
    });
    assert_eq!(error.trouble, Trouble::Damaged, "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn a_database_that_is_stopped_and_started_again_is_waited_out() {
    if without_postgres() {
        return;
    }
    let mut cluster = Cluster::start();
    let place = cluster.database();
    block_on(async {
        let store = Store::open(&place).await.unwrap();
        let owner = store.own(LEDGER, "run").await.unwrap();
        let keeper = Keeper::start(store.clone(), owner);
        (1..=20).for_each(|number| keeper.keep(numbered(number, 1_000)));
        keeper.settled().await;
        cluster.stop();
        (21..=40).for_each(|number| keeper.keep(numbered(number, 1_000)));
        let failing = failing(&keeper).await;
        assert_eq!(failing.why.trouble, Trouble::Unreachable, "{}", failing.why);
        assert_eq!(keeper.standing().kept, 20);
        cluster.run();
        recovers(&keeper).await;
        assert_eq!(holds_numbered(&store, 40).await, 40);
        store.close().await;
    });
}
