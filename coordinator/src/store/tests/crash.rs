//! Killed while it writes: what was acknowledged is there, and nothing in halves.

use std::io::{BufRead, BufReader};
use std::thread;
use std::time::Duration;

use super::cluster::Cluster;
use super::{Folder, block_on, child, holds_numbered, numbered, without_postgres};
use crate::store::{Place, Store};

/// How often it is killed, later each time.
const ROUNDS: u32 = 6;

fn is_killed_and_goes_on(place: &Place) {
    let test = child::name(module_path!(), "writes_until_it_is_killed");
    let mut held = 0;
    for round in 0..ROUNDS {
        let mut writer = child::start(&test, place);
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let number = |line: std::io::Result<String>| line.ok()?.strip_prefix("kept ")?.parse::<u32>().ok();
        let first = lines.by_ref().find_map(number).unwrap();
        let rest = thread::spawn(move || lines.filter_map(number).last());
        thread::sleep(Duration::from_millis(u64::from(7 + 41 * round)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let acknowledged = rest.join().unwrap().unwrap_or(first);
        assert!(acknowledged > held, "it goes on where it was");
        held = block_on(async {
            let store = Store::open(place).await.unwrap();
            let held = holds_numbered(&store, acknowledged).await;
            store.close().await;
            held
        });
    }
}

#[test]
#[ignore = "others start it, and kill it"]
fn writes_until_it_is_killed() {
    let Some(place) = child::place() else { return };
    block_on(async {
        let store = Store::open(&place).await.unwrap();
        let held = holds_numbered(&store, 0).await;
        // Whoever was killed a moment ago owns nothing any more.
        let owner = store.own(super::LEDGER, &std::process::id().to_string()).await.unwrap();
        for number in held + 1..u32::MAX {
            store.save_as(&owner, &numbered(number, 2_000)).await.unwrap();
            println!("\nkept {number}");
        }
    });
}

#[test]
fn what_was_acknowledged_survives_on_sqlite() {
    let folder = Folder::new();
    is_killed_and_goes_on(&Place::Sqlite(folder.path("doorbuster.db")));
}

#[test]
fn what_was_acknowledged_survives_on_postgresql() {
    if without_postgres() {
        return;
    }
    let cluster = Cluster::start();
    is_killed_and_goes_on(&cluster.database());
}
