//! What must hold on both databases.

use std::pin::Pin;

use doorbuster_model::slo::{AlertStatus, AlertView, Saved, Scope, Severity, Silence};

use super::cluster::Cluster;
use super::{Folder, LEDGER, block_on, holds_numbered, key, letter, numbered, page, without_postgres};
use crate::store::process::Process;
use crate::store::{FindingRow, Keeper, Place, RunHead, RunRow, Step, Store, TickRow, Trouble};

type Case = (&'static str, fn(Place) -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// Every case, by its name.
        const CASES: &[Case] = &[$((stringify!($name), |place| Box::pin($name(place)))),*];
    };
}

cases![
    a_step_is_saved_whole_and_found_again,
    ledgers_are_apart,
    pages_are_found_by_time,
    letters_come_in_order_and_once,
    letters_that_fail_hold_up_their_own_alert_alone,
    what_is_done_for_long_is_forgotten,
    silences_are_kept_replaced_and_dropped,
    runs_are_kept_listed_and_removed,
    a_run_is_kept_whole_or_not_at_all,
    two_may_open_a_new_store_at_once,
    a_newer_schema_is_refused,
    a_keeper_writes_all_that_it_is_given,
    a_ledger_is_one_probe_s_at_a_time,
    whoever_has_lost_a_ledger_writes_no_more,
];

#[test]
fn every_case_on_sqlite() {
    for (name, case) in CASES {
        eprintln!("{name}");
        let folder = Folder::new();
        block_on(case(Place::Sqlite(folder.path("doorbuster.db"))));
    }
}

#[test]
fn every_case_on_postgresql() {
    if without_postgres() {
        return;
    }
    let cluster = Cluster::start();
    for (name, case) in CASES {
        eprintln!("{name}");
        block_on(case(cluster.database()));
    }
}

async fn open(place: &Place) -> Store {
    Store::open(place).await.unwrap()
}

fn alert(incident: &str, status: AlertStatus, since_s: i64) -> AlertView {
    AlertView {
        incident: incident.to_owned(),
        status,
        severity: Severity::Page,
        rule: "page-14.4".to_owned(),
        objective: Some("checkout availability 99.99% over 30d".to_owned()),
        scope: Scope::Region("tokyo".to_owned()),
        since_s,
        is_silenced: true,
        is_inhibited: false,
        is_told: false,
    }
}

/// Alerts as they stand in the store, each on a line.
async fn alerts(store: &Store) -> Vec<String> {
    let sql = "SELECT incident, status, severity, rule, objective, scope, since_s, is_silenced, is_inhibited \
               FROM alerts WHERE ledger = $1 ORDER BY since_s";
    let rows = store.database.rows(sql, &[LEDGER.into()]).await.unwrap();
    let line = |row: &crate::store::database::Row| {
        let text = |column| row.text_or_null(column).unwrap().unwrap_or_else(|| "-".to_owned());
        let number = |column| row.integer(column).unwrap().to_string();
        let words: Vec<String> = (0..6).map(text).chain((6..9).map(number)).collect();
        words.join(" ")
    };
    rows.iter().map(line).collect()
}

async fn a_step_is_saved_whole_and_found_again(place: Place) {
    let store = open(&place).await;
    assert_eq!(store.load(LEDGER).await.unwrap(), None);
    let (global, tokyo) = (key("a 'quoted' objective", None), key("a 'quoted' objective", Some("tokyo")));
    let silent =
        AlertView { objective: None, scope: Scope::Global, ..alert("silent", AlertStatus::Pending, 20) };
    let first = Step {
        pages: vec![
            (tokyo.clone(), page(300, 300, b"")),
            (global.clone(), page(300, 300, b"\0one")),
            (global.clone(), page(0, 86_400, b"day")),
            // The same again: the last is the page.
            (global.clone(), page(300, 300, b"\0two")),
        ],
        memo: Some(b"memo".to_vec()),
        alerts: vec![alert("burns", AlertStatus::Firing, 10), silent.clone()],
        ..Step::default()
    };
    store.save(LEDGER, &first).await.unwrap();
    let saved = Saved {
        pages: vec![
            (global.clone(), page(0, 86_400, b"day")),
            (global.clone(), page(300, 300, b"\0two")),
            (tokyo.clone(), page(300, 300, b"")),
        ],
        memo: b"memo".to_vec(),
    };
    let mut found = store.load(LEDGER).await.unwrap().unwrap();
    found.pages.sort_by_key(|(key, page)| (page.start_s, key.scope.clone()));
    assert_eq!(found, saved);
    let checkout = "checkout availability 99.99% over 30d";
    let burns = format!("burns firing page page-14.4 {checkout} tokyo 10 1 0");
    assert_eq!(alerts(&store).await, [burns, "silent pending page page-14.4 - * 20 1 0".to_owned()]);
    let second = Step {
        pages: vec![(tokyo.clone(), page(300, 300, b"three"))],
        dropped: vec![(global.clone(), 86_400, 0), (key("never seen", None), 300, 0)],
        alerts: vec![alert("burns", AlertStatus::Resolved, 30)],
        ..Step::default()
    };
    store.save(LEDGER, &second).await.unwrap();
    store.close().await;
    let store = open(&place).await;
    let mut found = store.load(LEDGER).await.unwrap().unwrap();
    found.pages.sort_by_key(|(key, page)| (page.start_s, key.scope.clone()));
    let left = vec![(global, page(300, 300, b"\0two")), (tokyo, page(300, 300, b"three"))];
    assert_eq!(found, Saved { pages: left, memo: b"memo".to_vec() }, "a memo that did not change stays");
    assert_eq!(alerts(&store).await, [format!("burns resolved page page-14.4 {checkout} tokyo 30 1 0")]);
    store.close().await;
}

async fn ledgers_are_apart(place: Place) {
    let store = open(&place).await;
    for (ledger, bytes) in [("friday", b"f"), ("monday", b"m")] {
        let step = Step {
            pages: vec![(key("home", None), page(0, 300, bytes))],
            letters: vec![letter("hook", "outage", 0)],
            memo: Some(bytes.to_vec()),
            ..Step::default()
        };
        store.save(ledger, &step).await.unwrap();
    }
    let friday = store.load("friday").await.unwrap().unwrap();
    assert_eq!((friday.memo.as_slice(), friday.pages.len()), (&b"f"[..], 1));
    assert_eq!(friday.pages[0].1.bytes, b"f");
    assert_eq!(store.letters_due("monday", 9_999, 10).await.unwrap().len(), 1);
    assert_eq!(store.load("sunday").await.unwrap(), None);
    store.close().await;
}

async fn pages_are_found_by_time(place: Place) {
    let store = open(&place).await;
    let key = key("home", Some("london"));
    let pages = (0..10).map(|n: u8| (key.clone(), page(300 * i64::from(n), 300, &[n]))).collect();
    store.save(LEDGER, &Step { pages, ..Step::default() }).await.unwrap();
    let found = store.pages_between(LEDGER, &key, 599, 1_200).await.unwrap();
    assert_eq!(found.iter().map(|page| page.start_s).collect::<Vec<_>>(), [300, 600, 900]);
    let other = super::key("home", None);
    assert!(store.pages_between(LEDGER, &other, 0, 9_999).await.unwrap().is_empty());
    store.close().await;
}

/// (notifier, incident, sequence)
async fn due(store: &Store, now_s: i64) -> Vec<(String, String, u32)> {
    let letters = store.letters_due(LEDGER, now_s, 100).await.unwrap();
    letters.into_iter().map(|letter| (letter.notifier, letter.incident, letter.sequence)).collect()
}

fn named(letters: &[(&str, &str, u32)]) -> Vec<(String, String, u32)> {
    letters.iter().map(|(to, about, number)| ((*to).to_owned(), (*about).to_owned(), *number)).collect()
}

async fn letters_come_in_order_and_once(place: Place) {
    let store = open(&place).await;
    let step = |letters| Step { letters, ..Step::default() };
    store.save(LEDGER, &step(vec![letter("hook", "x", 0), letter("slack", "x", 0)])).await.unwrap();
    store.save(LEDGER, &step(vec![letter("hook", "x", 1), letter("hook", "y", 0)])).await.unwrap();
    // As after a crash between writing and acknowledging.
    store.save(LEDGER, &step(vec![letter("hook", "x", 1), letter("hook", "x", 0)])).await.unwrap();
    let first = named(&[("hook", "x", 0), ("slack", "x", 0), ("hook", "y", 0)]);
    assert_eq!(due(&store, 2_000).await, first, "the first of each, the oldest first");
    assert!(due(&store, 999).await.is_empty(), "none before its time");
    assert_eq!(store.letters_due(LEDGER, 2_000, 1).await.unwrap().len(), 1);
    assert_eq!(store.outbox_standing(LEDGER).await.unwrap().waiting, 4);
    let letter_x = store.letters_due(LEDGER, 2_000, 1).await.unwrap().remove(0);
    assert_eq!((letter_x.payload.as_str(), letter_x.attempts), ("{\"sequence\":0}", 0));
    assert_eq!(letter_x.made_at_s, 1_000);
    store.letter_delivered(letter_x.id, 2_000).await.unwrap();
    let next = named(&[("slack", "x", 0), ("hook", "y", 0), ("hook", "x", 1)]);
    assert_eq!(due(&store, 2_000).await, next, "then the next of it");
    store.save(LEDGER, &step(vec![letter("hook", "x", 0)])).await.unwrap();
    assert_eq!(due(&store, 2_000).await, next, "a delivered one does not come again");
    store.close().await;
}

async fn letters_that_fail_hold_up_their_own_alert_alone(place: Place) {
    let store = open(&place).await;
    let letters = vec![letter("hook", "x", 0), letter("hook", "x", 1), letter("hook", "y", 0)];
    store.save(LEDGER, &Step { letters, ..Step::default() }).await.unwrap();
    let id = store.letters_due(LEDGER, 2_000, 10).await.unwrap()[0].id;
    store.letter_failed(id, 3_000, "503 Service Unavailable").await.unwrap();
    assert_eq!(due(&store, 2_000).await, named(&[("hook", "y", 0)]));
    let standing = store.outbox_standing(LEDGER).await.unwrap();
    assert_eq!((standing.waiting, standing.oldest_s, standing.refused), (3, Some(1_000), 0));
    assert_eq!(standing.why.as_deref(), Some("503 Service Unavailable"));
    let again = store.letters_due(LEDGER, 3_000, 10).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (id, 1));
    store.letter_refused(id, 3_000, "404 Not Found").await.unwrap();
    assert_eq!(
        due(&store, 3_000).await,
        named(&[("hook", "y", 0), ("hook", "x", 1)]),
        "one that is given up"
    );
    let standing = store.outbox_standing(LEDGER).await.unwrap();
    assert_eq!((standing.waiting, standing.refused), (2, 1));
    assert_eq!(standing.why.as_deref(), Some("404 Not Found"));
    store.close().await;
}

async fn what_is_done_for_long_is_forgotten(place: Place) {
    let store = open(&place).await;
    let at = |incident: &str, made_at_s| {
        let letters = vec![crate::store::NewLetter { made_at_s, ..letter("hook", incident, 0) }];
        Step { letters, ..Step::default() }
    };
    for incident in ["done", "waits"] {
        store.save(LEDGER, &at(incident, 1_000)).await.unwrap();
    }
    let id = store.letters_due(LEDGER, 2_000, 1).await.unwrap()[0].id;
    store.letter_delivered(id, 2_000).await.unwrap();
    store.save(LEDGER, &at("later", 2_000 + 91 * 86_400)).await.unwrap();
    let sql = "SELECT incident FROM outbox ORDER BY id";
    let rows = store.database.rows(sql, &[]).await.unwrap();
    let left: Vec<String> = rows.iter().map(|row| row.text(0).unwrap()).collect();
    assert_eq!(left, ["waits", "later"]);
    store.close().await;
}

async fn silences_are_kept_replaced_and_dropped(place: Place) {
    let store = open(&place).await;
    let night = Silence {
        id: "night".to_owned(),
        objective: None,
        scope: Some(Scope::Region("tokyo".to_owned())),
        from_s: 100,
        to_s: 200,
        reason: "the shop's \"freeze\"".to_owned(),
    };
    let deploy = Silence {
        id: "deploy".to_owned(),
        objective: Some("home availability 99.9% over 30d".to_owned()),
        scope: None,
        from_s: 50,
        ..night.clone()
    };
    store.put_silence(LEDGER, &night).await.unwrap();
    store.put_silence(LEDGER, &deploy).await.unwrap();
    let longer = Silence { to_s: 300, ..night };
    store.put_silence(LEDGER, &longer).await.unwrap();
    assert_eq!(store.silences(LEDGER).await.unwrap(), [deploy.clone(), longer]);
    assert!(store.silences("monday").await.unwrap().is_empty());
    assert!(store.drop_silence(LEDGER, "night").await.unwrap());
    assert!(!store.drop_silence(LEDGER, "night").await.unwrap());
    assert_eq!(store.silences(LEDGER).await.unwrap(), [deploy]);
    store.close().await;
}

fn run(id: &str, began_ms: i64, p95_us: Option<u64>) -> RunRow {
    let head = RunHead {
        id: id.to_owned(),
        name: "friday".to_owned(),
        job: "gate".to_owned(),
        began_ms,
        length_ms: 30_123,
        verdict: "pass".to_owned(),
        requests: 5_000_000_000,
        errors: 3,
        p95_us,
    };
    RunRow {
        head,
        report: b"{\"verdict\":\"pass\"}".to_vec(),
        journeys: "[[\"browse\",[\"home\"]]]".to_owned(),
    }
}

fn ticks(seconds: u32) -> Vec<TickRow> {
    let tick = |second, region: &str| TickRow { second, region: region.to_owned(), bytes: vec![7; 100] };
    (0..seconds).flat_map(|second| [tick(second, "tokyo"), tick(second, "london")]).collect()
}

async fn runs_are_kept_listed_and_removed(place: Place) {
    let store = open(&place).await;
    let finding = FindingRow {
        rule: "private-hit".to_owned(),
        severity: "critical".to_owned(),
        region: "tokyo".to_owned(),
        class: "private".to_owned(),
        count: 37,
        json: b"{}".to_vec(),
    };
    let (old, new) = (run("old", 1_000, None), run("new", 2_000, Some(12_345)));
    store.put_run(&old, &[], &mut std::iter::empty()).await.unwrap();
    store.put_run(&new, &[finding.clone(), finding], &mut ticks(250).into_iter()).await.unwrap();
    assert_eq!(store.runs(i64::MIN).await.unwrap(), [new.head.clone(), old.head.clone()]);
    assert_eq!(store.runs(1_001).await.unwrap(), std::slice::from_ref(&new.head));
    assert_eq!(store.run("new").await.unwrap(), Some((new.report.clone(), new.journeys.clone())));
    assert_eq!(store.run("none").await.unwrap(), None);
    assert_eq!(store.findings("new").await.unwrap(), [b"{}".to_vec(), b"{}".to_vec()]);
    assert_eq!((store.seconds("new").await.unwrap(), store.seconds("old").await.unwrap()), (250, 0));
    let some = store.ticks("new", 100..102).await.unwrap();
    assert_eq!(some.iter().map(|tick| tick.second).collect::<Vec<_>>(), [100, 100, 101, 101]);
    assert_eq!(some[0].bytes, vec![7; 100]);
    let bytes = store.run_bytes().await.unwrap();
    assert_eq!((bytes["old"], bytes["new"]), (18, 18 + 500 * 100 + 4));
    store.remove_runs(&["new", "none"]).await.unwrap();
    assert_eq!(store.runs(i64::MIN).await.unwrap(), [old.head]);
    assert_eq!(store.run_bytes().await.unwrap().len(), 1, "seconds and findings go with it");
    store.close().await;
}

async fn a_run_is_kept_whole_or_not_at_all(place: Place) {
    let store = open(&place).await;
    let mut twice = ticks(300);
    twice.push(twice[0].clone());
    assert!(store.put_run(&run("broken", 1_000, None), &[], &mut twice.into_iter()).await.is_err());
    assert!(store.runs(i64::MIN).await.unwrap().is_empty());
    assert_eq!(store.seconds("broken").await.unwrap(), 0);
    // And the connection that failed is none that others meet.
    for number in 0..8 {
        store.put_run(&run(&number.to_string(), number, None), &[], &mut std::iter::empty()).await.unwrap();
    }
    store.close().await;
}

async fn two_may_open_a_new_store_at_once(place: Place) {
    let (one, other) = tokio::join!(Store::open(&place), Store::open(&place));
    let (one, other) = (one.unwrap(), other.unwrap());
    one.save("one", &numbered(1, 4)).await.unwrap();
    other.save("other", &numbered(1, 4)).await.unwrap();
    assert!(one.load("other").await.unwrap().is_some());
    one.close().await;
    other.close().await;
}

async fn a_newer_schema_is_refused(place: Place) {
    let store = open(&place).await;
    let mut transaction = store.database.begin().await.unwrap();
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
               VALUES (9999, 'of a later version', TRUE, $1, 0)";
    transaction.execute(sql, &[b"later".as_slice().into()]).await.unwrap();
    transaction.commit().await.unwrap();
    store.close().await;
    let error = Store::open(&place).await.unwrap_err();
    assert_eq!((error.trouble, &error.place), (Trouble::Newer, &place.to_string()));
    assert!(error.why.contains("9999"), "{error}");
}

async fn a_keeper_writes_all_that_it_is_given(place: Place) {
    let store = open(&place).await;
    let keeper = Keeper::start(store.clone(), store.own(LEDGER, "run").await.unwrap());
    for number in 1..=200 {
        keeper.keep(numbered(number, 1_000));
        if number % 50 == 0 {
            keeper.settled().await;
        }
    }
    let standing = keeper.finish(std::time::Duration::from_secs(30)).await;
    assert_eq!((standing.given, standing.kept, standing.waiting_bytes), (200, 200, 0));
    assert_eq!((standing.failing, standing.excess), (None, crate::store::keeper::Excess::default()));
    assert_eq!(holds_numbered(&store, 200).await, 200);
    store.close().await;
}

/// Somebody of whom nobody here can tell whether they live.
fn elsewhere() -> Process {
    Process { machine: "another boot".to_owned(), host: "db-2".to_owned(), number: 42, began: 7 }
}

async fn a_ledger_is_one_probe_s_at_a_time(place: Place) {
    let store = open(&place).await;
    let first = store.own_as(LEDGER, "first", &elsewhere(), 1_000).await.unwrap();
    let refused = store.own_as(LEDGER, "second", &Process::own(), 1_029).await.unwrap_err();
    assert_eq!((refused.trouble, refused.exit_code()), (Trouble::Owned, 3));
    assert_eq!(refused.why, "probe first, process 42 on db-2, 29 s ago");
    assert!(store.own_as("monday", "second", &Process::own(), 1_029).await.is_ok(), "another ledger is free");

    let mut transaction = store.database.begin().await.unwrap();
    store.renew(&mut transaction, &first, 1_020).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(store.own_as(LEDGER, "second", &Process::own(), 1_049).await.is_err(), "it was renewed");
    let second = store.own_as(LEDGER, "second", &Process::own(), 1_050).await.unwrap();
    assert!(store.own_as(LEDGER, "third", &elsewhere(), 1_060).await.is_err(), "this process lives");

    store.disown(&first).await.unwrap();
    assert!(store.own_as(LEDGER, "third", &elsewhere(), 1_060).await.is_err(), "it was not the first one's");
    store.disown(&second).await.unwrap();
    let ended = Process { began: 1, ..Process::own() };
    store.own_as(LEDGER, "third", &ended, 1_060).await.unwrap();
    store.own_as(LEDGER, "fourth", &Process::own(), 1_061).await.unwrap();
    store.close().await;
}

async fn whoever_has_lost_a_ledger_writes_no_more(place: Place) {
    let store = open(&place).await;
    // Long ago, so that it is nobody's who comes now.
    let owner = store.own_as(LEDGER, "first", &elsewhere(), 1_000).await.unwrap();
    store.save(LEDGER, &numbered(1, 4)).await.unwrap();
    let keeper = Keeper::start(store.clone(), owner);
    assert_eq!(keeper.lost(), None);
    let second = store.own_as(LEDGER, "second", &Process::own(), 2_000).await.unwrap();
    keeper.keep(numbered(2, 4));
    let lost = super::until(|| keeper.lost()).await;
    assert!(lost.to_string().contains("is written by another probe of this plan (probe second, "), "{lost}");
    assert_eq!(holds_numbered(&store, 1).await, 1, "nothing of it was written");
    store.save_as(&second, &numbered(2, 4)).await.unwrap();
    assert_eq!(holds_numbered(&store, 2).await, 2);
    store.close().await;
}
