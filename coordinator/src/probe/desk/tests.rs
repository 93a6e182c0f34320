use std::process::Command;
use std::time::Duration;

use doorbuster_model::report::{ProbeFailure, Probed, ProbedStep};
use doorbuster_model::{ErrorClass, Plan, Report};
use tokio::time::{sleep, timeout};

use super::*;
use crate::probe::board::ObjectiveRow;
use crate::probe::book::board;
use crate::probe::fleet::tests::{NOW_S, fleet};
use crate::probe::wall::{Beat, Wall};

/// [`NOW_S`], as the ledger counts.
const NOW: i64 = 1_795_000_000;

/// So many regions, and one journey of two steps.
fn names(regions: usize) -> Names {
    Names {
        regions: (0..regions).map(|number| format!("region-{number}")).collect(),
        journeys: vec![("buy".to_owned(), vec!["home".to_owned(), "pay".to_owned()])],
        ..Names::default()
    }
}

/// A desk without anything saved, at [`NOW_S`].
fn desk(regions: usize) -> Desk {
    let names = names(regions);
    let text = format!(
        "name: shop\ntarget: http://127.0.0.1:1\nregions: [{}]\njourneys: [buy]\nprobe: {{ every: 1s }}\n\
         slo:\n  objectives: [\"buy availability 99.9% over 1d\", \"home p(latency < 200ms) 99%\"]\n  \
         rules: [{{ name: page, severity: page, factor: 10, long: 1m, short: 20s }}]\n  min_failures: 1\n  confirm: off\n",
        names.regions.join(", ")
    );
    let plan = Plan::read("plan.yaml", &text).unwrap();
    let book = Book::open(&plan, &names, None).unwrap();
    let mut desk = Desk::new(names, book);
    // As a probe begins.
    assert!(desk.evaluate(NOW).0.is_empty());
    drop(desk.unsaved());
    desk
}

/// A walk that began so many seconds after second 0.
fn walk(second: u64, is_good: bool) -> Probed {
    let failure = || ProbeFailure::new(ErrorClass::Status, "GET http://shop.test/pay: got 503");
    let step = |step, failure| ProbedStep { step, failure, latency_ns: Some(5_000_000), page_ns: None };
    let steps = vec![step(0, None), step(1, (!is_good).then(failure))];
    Probed { journey: 0, began_ns: second * 1_000_000_000, is_good, steps }
}

fn walked(region: usize, walks: Vec<Probed>) -> News {
    News { region, what: Happened::Walked { start_unix_ns: NOW_S * 1_000_000_000, walks } }
}

#[test]
fn walks_are_counted_and_what_changes_is_said() {
    let mut desk = desk(2);
    assert!(!desk.is_dirty());
    let mut said = desk.take(&walked(0, (1..6).map(|second| walk(second, true)).collect()));
    assert!(said.is_empty() && desk.is_dirty());
    said.extend(desk.take(&walked(1, vec![walk(6, false), walk(7, false)])));
    assert_eq!(said, ["region-1 buy: failed at \"pay\" (status): GET http://shop.test/pay: got 503"]);
    drop(desk.unsaved());
    assert!(!desk.is_dirty());
    assert_eq!(global(&desk.standing(NOW + 7)), (0, 0), "what comes counts with the next evaluation");
    assert_eq!(global(&desk.complete(NOW + 7)), (7, 2), "and at once for whoever looks on");
    let (notices, lines) = desk.evaluate(NOW + 10);
    assert!(!notices.is_empty() && lines[0].starts_with("alert firing: page"), "{lines:?}");
    assert_eq!(global(&desk.standing(NOW + 10)), (7, 2));
}

/// How many events of the first objective there were in all regions, and how many of them failed.
fn global(standing: &Standing) -> (u64, u64) {
    let board = board(standing);
    let is_it = |row: &&ObjectiveRow| row.scope == "global" && row.objective.starts_with("buy");
    let row = board.objectives.iter().find(is_it).unwrap();
    (row.total, row.failed)
}

#[test]
fn agents_that_come_and_go_are_told() {
    let mut desk = desk(1);
    assert!(desk.take(&News { region: 0, what: Happened::Up }).is_empty(), "that is what it is for");
    let down = Happened::Down { why: "killed".to_owned(), again_in: Duration::from_secs(2) };
    let said = desk.take(&News { region: 0, what: down });
    assert_eq!(said, ["region-0: its agent is lost (killed); another is started in 2s"]);
    assert_eq!(desk.take(&News { region: 0, what: Happened::Up }), ["region-0: probes again"]);
}

#[test]
fn walks_that_were_left_out_are_told_at_the_next_beat() {
    let mut desk = desk(1);
    let mut tick = Tick::default();
    tick.tally.count(SKIPPED, 3);
    let news = News { region: 0, what: Happened::Second { at_s: NOW + 1, tick: Box::new(tick) } };
    desk.take(&news);
    desk.take(&news);
    let (_, lines) = desk.evaluate(NOW + 10);
    assert!(lines.iter().any(|line| line.starts_with("region-0: 6 probes were skipped")), "{lines:?}");
}

#[test]
fn a_silence_is_told_once_and_taken_back() {
    let mut desk = desk(1);
    let silence = Silence {
        id: "r-1".to_owned(),
        objective: None,
        scope: None,
        from_s: NOW,
        to_s: NOW + 600,
        reason: "rehearsal".to_owned(),
    };
    let failing = |desk: &mut Desk| {
        desk.take(&walked(0, (0..10).map(|second| walk(second, false)).collect()));
    };
    desk.silence(vec![silence.clone()]);
    desk.silence(vec![silence]);
    failing(&mut desk);
    let (notices, _) = desk.evaluate(NOW + 10);
    assert!(notices.is_empty(), "{notices:?}");
    desk.silence(Vec::new());
    let (notices, _) = desk.evaluate(NOW + 20);
    assert!(!notices.is_empty(), "it still fires, and now somebody wants to hear of it");
}

/// What of this process is in memory, in bytes.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// Set for the process that measures itself alone.
const ALONE: &str = "DOORBUSTER_TEST_ALONE";
const REGIONS: usize = 10;
/// Walks of a region in a second.
const WALKS: u64 = 3;
/// How long they go on, in seconds: a million walks of all regions, and a fifth of that where nothing is optimised, which
/// would take a minute.
const LASTING_S: u32 = if cfg!(debug_assertions) { 6_800 } else { 34_000 };

#[test]
fn a_million_walks_leave_no_more_behind_than_a_few() {
    if std::env::var_os(ALONE).is_none() {
        // Other tests of this process would be measured with it.
        let name = "probe::desk::tests::a_million_walks_leave_no_more_behind_than_a_few";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let status = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").status().unwrap();
        assert!(status.success());
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mut fleet, agents) = fleet(REGIONS);
        let mut desk = desk(REGIONS);
        let mut beat = Beat::new(&Wall::of_runtime(NOW_S));
        assert!(timeout(Duration::from_millis(10), fleet.next()).await.is_err());
        for number in 0..REGIONS {
            agents.borrow()[number].started();
            desk.take(&fleet.next().await);
        }
        let (mut warm, mut evaluations) = (0, 0);
        for second in 0..LASTING_S {
            sleep(Duration::from_secs(1)).await;
            agents.borrow_mut().iter_mut().for_each(|agent| {
                // One in a hundred seconds is bad.
                let walks = (0..WALKS).map(|_| walk(u64::from(second), !second.is_multiple_of(100)));
                agent.say(Report::Probed(walks.collect()));
                agent.tick(second);
                // What nobody reads would grow, and is not the coordinator's.
                while agent.hears.try_recv().is_ok() {}
            });
            for _ in 0..2 * REGIONS {
                desk.take(&fleet.next().await);
            }
            // Ready where a multiple of ten seconds has passed.
            if let Ok(at_s) = timeout(Duration::ZERO, beat.next()).await {
                evaluations += 1;
                drop(desk.evaluate(at_s));
            }
            drop(desk.unsaved());
            if second == LASTING_S / 10 {
                warm = resident_bytes();
            }
        }
        let grown = resident_bytes().saturating_sub(warm);
        assert!(grown < 10 << 20, "{grown} bytes more than after the first tenth");
        assert!(evaluations + 1 >= LASTING_S / 10, "{evaluations}");
    });
}
