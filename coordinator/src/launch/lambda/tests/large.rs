//! Large bundles for many agents at once: leases go on meanwhile, and memory holds a few of them.

use std::process::Command;

use tokio::time::interval;

use super::*;
use crate::export::process::Process;

/// Set for the process that measures itself alone.
const ALONE: &str = "DOORBUSTER_TEST_ALONE";
const AGENTS: usize = 200;
/// What each of them is to be handed beside the rest.
const FILE_BYTES: usize = 2 << 20;
/// How much of it may be in memory at the same time, in whatever form: half of what all would be handed.
const MEMORY_BYTES_MAX: u64 = 200 << 20;
/// How far apart leases may be written, which are every 2 s: agents stop after 15.
const APART_MAX: Duration = Duration::from_secs(4);

fn resident_bytes() -> u64 {
    Process::read().unwrap().resident_bytes
}

#[test]
fn large_bundles_of_many_agents_hold_no_lease_up_and_are_few_in_memory() {
    if std::env::var_os(ALONE).is_none() {
        // Other tests of this process would be measured with it.
        let name = "launch::lambda::tests::large::large_bundles_of_many_agents_hold_no_lease_up_and_are_few_in_memory";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let status = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").status().unwrap();
        assert!(status.success());
        return;
    }
    // One thread, as the coordinator has it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(are_handed_over());
}

async fn are_handed_over() {
    let cloud = Cloud::start().await;
    // Kept by nobody: what is measured is this side's.
    cloud.refuse(&format!("PUT /doorbuster-{ACCOUNT}-{REGION}/runs/r/bundle-"), &[403; AGENTS]);
    let lambda = opened(&cloud, "").await.unwrap();
    let board = Arc::clone(&lambda.places[REGION].board);
    let mut whole = assignment("r");
    Arc::make_mut(&mut whole.files).insert("ca.pem".to_owned(), "x".repeat(FILE_BYTES));
    let before = resident_bytes();
    let (sender, mut events) = queue();
    let launch = |number: usize| {
        let assignment = Assignment { id: format!("r-{number}"), ..whole.clone() };
        lambda.launch(number, 0, assignment, sender.clone()).unwrap()
    };
    let agents: Vec<Agent> = (0..AGENTS).map(launch).collect();
    let (mut lease, mut written, mut written_at) = (0, 0, Instant::now());
    let (mut apart, mut most) = (Duration::ZERO, before);
    let mut renew = interval(Duration::from_millis(50));
    let mut gone = 0;
    while gone < AGENTS {
        tokio::select! {
            event = events.recv() => {
                let (_, event) = event.unwrap();
                let Event::Gone(why) = &event else { panic!("{event:?}") };
                assert!(why.starts_with("handing over the assignment: AccessDenied"), "{why}");
                gone += 1;
            }
            _ = renew.tick() => {
                lease += 1;
                board.tell(&ToAgent::Lease { counter: lease });
                let told = Board::decode(&cloud.objects()[BOARD]).unwrap().lease;
                if told > written {
                    apart = apart.max(written_at.elapsed());
                    (written, written_at) = (told, Instant::now());
                }
                most = most.max(resident_bytes());
            }
        }
    }
    apart = apart.max(written_at.elapsed());
    drop(agents);
    assert!(apart < APART_MAX, "{apart:?} between two leases");
    let more = most.saturating_sub(before);
    assert!(more < MEMORY_BYTES_MAX, "{} MiB more", more >> 20);
}
