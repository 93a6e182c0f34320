//! The binary that goes to AWS, before a stand-in for it: real load, a real lease, a real round of a probe.

// Integration tests are the place for these.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The agent's own tests look at more of it.
#[allow(dead_code)]
#[path = "../src/aws/tests/stand_in.rs"]
mod stand_in;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorbuster_model::assignment::Secrets;
use doorbuster_model::{Assignment, Overrides, Report, Segment, Task};
use doorbuster_wire::{Board, Bundle, Frames, FromAgent, Invocation, Message, PROTOCOL};
use serde_json::{Value, json};
use stand_in::{Answer, Aws};
use tokio::process::{Child, Command};
use tokio::time::sleep;

const HOME: &str = "journey: home\nsteps: [{ step: home, get: / }]\n";
/// How long an invocation may last.
const LONG: Duration = Duration::from_secs(120);

fn bootstrap(aws: &Aws) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env("AWS_LAMBDA_RUNTIME_API", aws.address.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn unix_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Hands over 20 arrivals a second for `length_s` seconds, to the stand-in itself as target.
fn invoke(aws: &Aws, length_s: u32) {
    aws.put("", b"a page".to_vec());
    let assignment = Assignment {
        id: "a-1".to_owned(),
        run: "r-1".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole(),
        agents_here: 0,
        plan: format!(
            "name: friday\ntarget: http://{}\njourneys: [home.yaml]\nregions: [tokyo]\nload: {{ arrivals: [{{ hold: 20/s, for: {length_s}s }}] }}\n",
            aws.address
        ),
        overrides: Overrides::default(),
        files: BTreeMap::from([("home.yaml".to_owned(), HOME.to_owned())]).into(),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Load,
        generation: None,
        not_after_unix_ms: 0,
    };
    let invocation = Invocation {
        bundle: Bundle::of(assignment).unwrap(),
        board_url: aws.url("board"),
        claim_url: aws.url("claim"),
        protocol: PROTOCOL,
        version: "0.1.0".to_owned(),
    };
    aws.invoke("i-1", invocation.to_json(), LONG);
}

fn board(aws: &Aws, lease: u64, start_at_unix_ns: u64) {
    let board = Board { lease, start_at_unix_ns: Some(start_at_unix_ns), stop: false, let_go: Vec::new() };
    aws.put("board", board.encode());
}

/// Waits until the function has claimed what it was handed.
async fn wait_for_claim(aws: &Aws) {
    let began = Instant::now();
    while aws.object("claim").is_none() {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody claims the assignment");
        sleep(Duration::from_millis(20)).await;
    }
}

fn said(answer: &Answer) -> Vec<FromAgent> {
    assert_eq!((answer.id.as_str(), answer.kind.as_str()), ("i-1", "response"));
    let mut frames = Frames::default();
    frames.push(&answer.body);
    std::iter::from_fn(|| frames.next_frame().unwrap())
        .map(|frame| FromAgent::decode(&frame).unwrap())
        .collect()
}

#[tokio::test]
async fn a_function_sends_the_load_that_it_was_handed() {
    let aws = Aws::start().await;
    invoke(&aws, 3);
    let _function = bootstrap(&aws);
    wait_for_claim(&aws).await;
    let start = unix_ns() + 1_500_000_000;
    let renewed = async {
        for lease in 1.. {
            board(&aws, lease, start);
            sleep(Duration::from_secs(1)).await;
        }
    };
    let answer = tokio::select! {
        answer = aws.answer() => answer,
        () = renewed => panic!("it ends with the answer"),
    };
    let said = said(&answer);
    assert!(matches!(said[0], FromAgent::Hello { protocol: PROTOCOL, .. }), "{said:?}");
    assert!(matches!(said[1], FromAgent::Report(Report::Started { .. })), "{said:?}");
    let ticks = said.iter().filter(|said| matches!(said, FromAgent::Report(Report::Tick(_)))).count();
    assert!(ticks >= 3, "{ticks}");
    assert!(matches!(said.last(), Some(FromAgent::Report(Report::Finished { .. }))), "{:?}", said.last());
    assert_eq!(aws.gets(""), 60, "as the target counts");
}

#[tokio::test]
async fn load_ends_with_its_lease_where_the_board_falls_silent() {
    let aws = Aws::start().await;
    invoke(&aws, 100);
    let _function = bootstrap(&aws);
    wait_for_claim(&aws).await;
    board(&aws, 1, unix_ns() + 200_000_000);
    let began = Instant::now();
    let answer = aws.answer().await;
    let lasted = began.elapsed();
    assert!((14..19).contains(&lasted.as_secs()), "{lasted:?}");
    let said = said(&answer);
    let Some(FromAgent::Report(Report::Failed { message })) = said.last() else {
        panic!("{:?}", said.last())
    };
    // An agent whose lease is over does not wait until it was heard.
    let is_known = ["did not renew the lease for 15 s", "ended with exit status: 2"];
    assert!(is_known.iter().any(|why| message.contains(why)), "{message}");
    let sent = aws.gets("");
    assert!(sent > 100, "{sent}");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(aws.gets(""), sent, "somebody still sends");
}

#[tokio::test]
async fn a_round_of_a_probe_is_printed_as_metrics() {
    let aws = Aws::start().await;
    aws.put("", b"a page".to_vec());
    let plan = format!(
        "name: p\ntarget: http://{}\njourneys: [home.yaml]\nregions: [tokyo]\nprobe: {{ every: 1s }}\n",
        aws.address
    );
    let round = json!({ "plan": plan, "files": { "home.yaml": HOME }, "region": "tokyo" });
    aws.invoke("i-1", json!({ "probe": round }).to_string().into_bytes(), LONG);
    let mut function = bootstrap(&aws);
    let answer = aws.answer().await;
    let summary: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(summary["walks"], summary["good"], "{summary}");
    assert!(summary["walks"].as_u64().unwrap() >= 1, "{summary}");
    function.start_kill().unwrap();
    let printed = String::from_utf8(function.wait_with_output().await.unwrap().stdout).unwrap();
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{printed}");
    for (line, dimensions) in
        lines.iter().zip([json!([["region", "journey"]]), json!([["region", "journey", "step"]])])
    {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("Doorbuster"), &dimensions));
        assert_eq!((line["region"].as_str(), line["journey"].as_str()), (Some("tokyo"), Some("home")));
        assert_eq!(line["good"], summary["good"]);
        assert_eq!(line["total"], summary["walks"]);
    }
    assert!(lines[1]["latency"][0].as_f64().unwrap() > 0.0, "{printed}");
}

#[tokio::test]
async fn elsewhere_it_says_what_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_remove("AWS_LAMBDA_RUNTIME_API")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--stdio"));
}
