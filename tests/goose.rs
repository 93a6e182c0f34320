//! Agents of somebody else's: any program that speaks the protocol, and a team's Goose scenarios.
//!
//! Goose's example is built for them, in a workspace of its own: it brings a second HTTP client and a second cryptography
//! that are not to reach this one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_model::Plan;
use doorbuster_model::plan::Model;
use doorbuster_shop::Shop;

use crate::util::{Folder, count, kinds, patiently, regions, requests, root, run, shop, signal, start, turn};

const EXAMPLE: &str = "journeys/examples/goose-shop";

#[test]
fn a_plan_s_own_agent_serves_instead_of_this_program() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let told = folder.path("told");
    let script = format!(
        "#!/bin/sh\ntouch '{}'\nexec '{}' agent --stdio\n",
        told.display(),
        env!("CARGO_BIN_EXE_doorbuster")
    );
    let agent = folder.write("agent.sh", script);
    let plan = |agent: &str| {
        format!(
            "name: own-agent\nagent_binary: {agent}\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 20/s, for: 2s }}] }}\n",
            regions(&shop)
        )
    };
    let plan_file = folder.write("plan.yaml", plan("agent.sh"));
    let refused = run(&["rehearse", &plan_file, "--quiet"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let said = "plan.yaml:2:15: the agent_binary \"agent.sh\" cannot be run: it is not executable (chmod +x)";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
    let finished = run(&["rehearse", &plan_file, "--quiet"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(told.exists(), "another program served");
    assert_eq!(count(&finished.report, "global.requests_sent"), requests(&shop));
}

#[test]
fn the_goose_example_s_plan_is_one() {
    let text = fs::read_to_string(root().join(EXAMPLE).join("plan.yaml")).unwrap();
    let plan = Plan::read("plan.yaml", &text).unwrap();
    assert_eq!(plan.load.model, Model::Closed);
    for used in &plan.journeys {
        let journey = fs::read_to_string(root().join(EXAMPLE).join(&used.journey)).unwrap();
        assert!(journey.trim_end().lines().last().unwrap().contains("step: other"), "{journey}");
    }
}

/// Cargo, for a workspace of its own in the folder `workspace`; what it builds is shared by these tests.
fn cargo(task: &str, workspace: &str) {
    let done = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args([task, "--locked", "--quiet", "--manifest-path"])
        .arg(root().join(workspace).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(root().join("target/goose"))
        // Nobody debugs them, and without it they take a third of the room.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .status()
        .unwrap();
    assert!(done.success(), "cargo {task} failed in {workspace}");
}

/// The example's agent, built once.
fn agent() -> String {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| cargo("build", EXAMPLE));
    root().join("target/goose/debug/goose-shop").display().to_string()
}

#[test]
fn goose_adapter_passes_its_own_tests() {
    let _turn = turn();
    cargo("test", "agent/goose");
}

/// A plan of the example's scenarios against the shop's edges.
fn rehearsal(shop: &Shop, folder: &Folder, load: &str) -> String {
    let example = root().join(EXAMPLE).display().to_string();
    let plan = format!(
        "name: goose\nagent_binary: \"{}\"\n{}journeys:\n\
         \x20 - {{ journey: \"{example}/browse.yaml\", weight: 2 }}\n\
         \x20 - {{ journey: \"{example}/fill-cart.yaml\" }}\n\
         load: {{ {load} }}\ngraceful: 2s\n",
        agent(),
        regions(shop)
    );
    folder.write("plan.yaml", plan)
}

#[test]
fn goose_counts_are_the_shop_s() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let folder = Folder::new();
        let plan =
            rehearsal(&shop, &folder, "shoppers: [{ ramp: [3, 12], over: 2s }, { hold: 12, for: 3s }]");
        let finished = run(&["rehearse", &plan, "--quiet"]);
        let report = &finished.report;
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!((count(report, "global.errors"), count(report, "validity.journeys_cut")), (0, 0));
        for edge in shop.edges() {
            let region = &report["regions"][&edge.region];
            let log = &shop.counts()[&edge.region];
            let logged = |begins: &str| -> u64 {
                log.iter().filter(|(line, _)| line.starts_with(begins)).map(|(_, count)| count).sum()
            };
            for counted in ["requests", "requests_sent", "statuses.200"] {
                assert_eq!(count(region, counted), logged(""), "{counted} in {}", edge.region);
            }
            let step = |name: &str| count(&region["steps"][name], "requests");
            assert_eq!(step("home") + step("arrive"), logged("GET / "), "{}", edge.region);
            assert_eq!(step("product"), logged("GET /p/"), "{}", edge.region);
            assert_eq!(step("add"), logged("POST /api/cart "), "{}", edge.region);
            assert_eq!(step("show"), logged("GET /api/cart "), "{}", edge.region);
            assert_eq!(step("Browse/other") + step("fill-cart/other"), 0, "{}", edge.region);
        }
        // Four of the twelve fill carts, as the weights say, and each of them arrives once.
        assert_eq!(count(report, "global.steps.arrive.requests"), 4);
        for journey in ["Browse", "fill-cart"] {
            let of = |what: &str| count(report, &format!("global.journeys.{journey}.{what}"));
            assert_eq!(of("started"), of("completed"), "{journey}");
            assert!(of("started") > 12, "{journey}");
        }
    });
}

#[test]
fn goose_scenarios_judge_answers() {
    let _turn = turn();
    let shop = shop();
    shop.set_fault("lost-cart=100%".parse().unwrap());
    let folder = Folder::new();
    let plan = rehearsal(&shop, &folder, "shoppers: [{ hold: 6, for: 2s }]");
    let finished = run(&["rehearse", &plan, "--quiet"]);
    let report = &finished.report;
    let shown = count(report, "global.steps.show.requests");
    assert!(shown > 0, "{}", finished.stderr);
    assert_eq!(count(report, "global.errors_by_class.expectation"), shown);
    assert_eq!(count(report, "global.errors"), shown);
    assert_eq!(count(report, "global.statuses.200"), requests(&shop));
}

#[test]
fn goose_loses_nothing_when_it_is_stopped() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let folder = Folder::new();
        let plan = rehearsal(&shop, &folder, "shoppers: [{ hold: 12, for: 60s }]");
        let running = start(&["rehearse", &plan, "--quiet"]);
        thread::sleep(Duration::from_secs(4));
        signal(running.child.id(), "INT");
        let asked = Instant::now();
        let finished = running.finish();
        assert!(asked.elapsed() < Duration::from_secs(5), "a stop took {:?}", asked.elapsed());
        assert_eq!((finished.code, kinds(&finished.report)), (3, vec!["interrupted"]), "{}", finished.stderr);
        thread::sleep(Duration::from_millis(300));
        assert!(requests(&shop) > 100);
        assert_eq!(count(&finished.report, "global.requests_sent"), requests(&shop));
    });
}

#[test]
fn goose_loses_nothing_when_the_shop_hangs() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let folder = Folder::new();
        let plan = rehearsal(&shop, &folder, "shoppers: [{ hold: 12, for: 5s }]");
        let running = start(&["rehearse", &plan, "--quiet"]);
        thread::sleep(Duration::from_secs(3));
        shop.set_fault("freeze=60s".parse().unwrap());
        let finished = running.finish();
        thread::sleep(Duration::from_millis(500));
        let report = &finished.report;
        // Each of the twelve waited for one answer until the grace was over.
        assert_eq!(count(report, "global.errors_by_class.timeout"), 12, "{}", finished.stderr);
        assert_eq!(count(report, "validity.journeys_cut"), 12);
        assert_eq!(count(report, "global.requests_sent"), requests(&shop));
    });
}

#[test]
fn goose_refuses_what_it_cannot_do() {
    let _turn = turn();
    let shop = shop();
    let folder = Folder::new();
    let closed = "shoppers: [{ hold: 3, for: 1s }]";
    for (load, more, said) in [
        ("arrivals: [{ hold: 10/s, for: 1s }]", "", "Goose's engine knows only the closed model"),
        (closed, "http: { version: 2 }\n", "Goose's client speaks HTTP/1.1 alone"),
        (closed, "thresholds: [\"static hit_ratio > 5%\"]\n", "is about something that Goose does not show"),
    ] {
        let plan = rehearsal(&shop, &folder, load);
        let text = fs::read_to_string(&plan).unwrap();
        let plan = folder.write("plan.yaml", text + more);
        let finished = run(&["rehearse", &plan, "--quiet"]);
        assert_eq!(finished.code, 3, "{}", finished.stderr);
        assert!(finished.stderr.contains(said), "{}", finished.stderr);
    }
    assert_eq!(requests(&shop), 0);
}
