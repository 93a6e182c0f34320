//! A store that takes nothing, and people who are told all the same.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::{sleep, timeout};

use super::*;
use crate::store::{Keeper, Place, Step};

const LEDGER: &str = "friday";

fn letter(incident: &str, sequence: u32, made_at_s: i64) -> NewLetter {
    NewLetter {
        notifier: "hook".to_owned(),
        incident: incident.to_owned(),
        sequence,
        payload: "{}".to_owned(),
        made_at_s,
        is_urgent: false,
    }
}

fn named(letters: &[Letter]) -> Vec<(&str, u32)> {
    letters.iter().map(|letter| (letter.incident.as_str(), letter.sequence)).collect()
}

async fn until_failing(keeper: &Keeper) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while keeper.standing().failing.is_none() {
        assert!(Instant::now() < deadline, "it did not fail within 30 s");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn while_nothing_is_written_letters_go_out_and_come_to_their_end_in_the_store() {
    let folder = std::env::temp_dir().join(format!("doorbuster-letters-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("doorbuster.db");
    let store = Store::open(&Place::Sqlite(path.clone())).await.unwrap();
    let owner = store.own(LEDGER, "run").await.unwrap();
    let now_s = Timestamp::now().as_second();
    // One incident has a letter in the store that waits for its next attempt.
    let first = Step { letters: vec![letter("old", 0, now_s)], ..Step::default() };
    store.save_as(&owner, &first).await.unwrap();
    let old = store.letters_due(LEDGER, now_s, 10).await.unwrap().remove(0);
    store.letter_failed(old.id, now_s + 1_000, "answered 503").await.unwrap();

    let others = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let mut holder = others.acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *holder).await.unwrap();
    let keeper = Keeper::start(store.clone(), owner);
    let letters = Letters::new(store.clone(), keeper.unwritten());
    let outage = vec![letter("new", 0, now_s), letter("new", 1, now_s), letter("old", 1, now_s)];
    keeper.keep(Step { letters: outage, ..Step::default() });
    until_failing(&keeper).await;
    let soon = letters.letters_due(LEDGER, now_s, 10).await.unwrap();
    assert!(soon.is_empty(), "a short trouble is waited out");

    let late_s = Timestamp::now().as_second() + 31;
    let due = letters.letters_due(LEDGER, late_s, 10).await.unwrap();
    assert_eq!(named(&due), [("new", 0)], "in order, also with what is in the store");
    letters.letter_failed(due[0].id, late_s + 5, "answered 503").await.unwrap();
    assert!(letters.letters_due(LEDGER, late_s, 10).await.unwrap().is_empty());
    let again = letters.letters_due(LEDGER, late_s + 5, 10).await.unwrap();
    assert_eq!((named(&again), again[0].attempts, again[0].id), (vec![("new", 0)], 1, due[0].id));
    letters.letter_delivered(again[0].id, late_s + 5).await.unwrap();
    let next = letters.letters_due(LEDGER, late_s + 5, 10).await.unwrap();
    assert_eq!((named(&next), letters.early()), (vec![("new", 1)], 1));

    // And what became of a letter of the store is remembered until it can be noted.
    let due = letters.letters_due(LEDGER, now_s + 1_000, 10).await.unwrap();
    assert_eq!(named(&due), [("old", 0), ("new", 1)]);
    letters.letter_delivered(old.id, now_s + 1_000).await.unwrap();
    let due = letters.letters_due(LEDGER, now_s + 1_000, 10).await.unwrap();
    assert_eq!(named(&due), [("new", 1), ("old", 1)]);

    sqlx::query("COMMIT").execute(&mut *holder).await.unwrap();
    timeout(Duration::from_secs(60), keeper.settled()).await.unwrap();
    let due = letters.letters_due(LEDGER, now_s + 1_000, 10).await.unwrap();
    assert!(named(&due).iter().all(|letter| *letter != ("old", 0) && *letter != ("new", 0)), "{due:?}");
    let due = letters.letters_due(LEDGER, now_s + 1_000, 10).await.unwrap();
    assert_eq!(named(&due), [("new", 1), ("old", 1)], "the store has the rest");
    assert_eq!(store.outbox_standing(LEDGER).await.unwrap().waiting, 2, "and knows what arrived");
    drop(holder);
    others.close().await;
    store.close().await;
    let _ = std::fs::remove_dir_all(&folder);
}
