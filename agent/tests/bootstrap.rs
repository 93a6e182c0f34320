//! The binary that goes to AWS, before a stand-in for it: real load, a real lease, a real round of a probe.

// Integration tests are the place for these.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The agent's own tests look at more of it.
#[allow(dead_code)]
#[path = "../src/aws/tests/stand_in.rs"]
mod stand_in;

use std::collections::BTreeMap;
use std::net::TcpListener;
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
    bootstrap_in(aws, &[])
}

/// The same with more in its environment.
fn bootstrap_in(aws: &Aws, variables: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env("AWS_LAMBDA_RUNTIME_API", aws.address.to_string())
        .envs(variables.iter().copied())
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

/// Waits until the function looks at its board once more.
async fn wait_for_look(aws: &Aws) {
    let (began, looks) = (Instant::now(), aws.gets("board"));
    while aws.gets("board") == looks {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody looks at the board");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn load_ends_fifteen_seconds_after_the_board_was_written_last() {
    let aws = Aws::start().await;
    invoke(&aws, 100);
    let _function = bootstrap(&aws);
    wait_for_claim(&aws).await;
    let start = unix_ns() + 200_000_000;
    board(&aws, 1, start);
    // From the second look on it knows the start, and looks every two seconds.
    for _ in 0..3 {
        wait_for_look(&aws).await;
    }
    // Right after a look, so that it is seen as late as can be.
    board(&aws, 2, start);
    let written = Instant::now();
    let answer = aws.answer().await;
    let lasted = written.elapsed();
    // No earlier than two looks before that.
    let expected = Duration::from_secs(11)..=Duration::from_millis(15_500);
    assert!(expected.contains(&lasted), "{lasted:?}");
    let said = said(&answer);
    let Some(FromAgent::Report(Report::Failed { message })) = said.last() else {
        panic!("{:?}", said.last())
    };
    assert!(message.contains("did not renew the lease for 15 s"), "{message}");
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
async fn a_walk_may_last_for_longer_than_its_interval() {
    let aws = Aws::start().await;
    aws.put("", b"a page".to_vec());
    let plan = format!(
        "name: p\ntarget: http://{}\njourneys: [slow.yaml]\nregions: [tokyo]\nprobe: {{ every: 1s }}\n",
        aws.address
    );
    let slow = "journey: slow\nsteps: [{ step: home, get: / }, { think: 4s }, { step: again, get: / }]\n";
    let round = json!({ "plan": plan, "files": { "slow.yaml": slow }, "region": "tokyo" });
    aws.invoke("i-1", json!({ "probe": round }).to_string().into_bytes(), LONG);
    let _function = bootstrap(&aws);
    let answer = aws.answer().await;
    let summary: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(summary, json!({ "region": "tokyo", "walks": 1, "good": 1 }), "one, and to its end");
    assert_eq!(aws.gets(""), 2);
}

#[tokio::test]
async fn a_shop_that_hangs_is_a_failure() {
    let aws = Aws::start().await;
    // It takes connections, and answers nothing.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = format!(
        "name: p\ntarget: http://{}\njourneys: [home.yaml]\nregions: [tokyo]\nprobe: {{ every: 1s }}\n",
        hangs.local_addr().unwrap()
    );
    let round = json!({ "plan": plan, "files": { "home.yaml": HOME }, "region": "tokyo" });
    // Ten seconds of it are spare.
    aws.invoke("i-1", json!({ "probe": round }).to_string().into_bytes(), Duration::from_secs(14));
    let mut function = bootstrap(&aws);
    let answer = aws.answer().await;
    assert_eq!(answer.kind, "response", "{}", String::from_utf8_lossy(&answer.body));
    let summary: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(summary, json!({ "region": "tokyo", "walks": 1, "good": 0 }));
    function.start_kill().unwrap();
    let printed = String::from_utf8(function.wait_with_output().await.unwrap().stdout).unwrap();
    let line: Value = serde_json::from_str(printed.trim()).unwrap();
    assert_eq!((&line["journey"], &line["total"], &line["good"]), (&json!("home"), &json!(1), &json!(0)));
}

#[tokio::test]
async fn what_to_probe_is_read_where_the_environment_says() {
    let aws = Aws::start().await;
    aws.put("", b"a page".to_vec());
    let plan = format!(
        "name: p\ntarget: http://{}\njourneys: [home.yaml]\nregions: [tokyo]\nprobe: {{ every: 1s }}\n",
        aws.address
    );
    let round = json!({ "plan": plan, "files": { "home.yaml": HOME }, "region": "tokyo" });
    aws.put("fleet/probes/1.json", round.to_string().into_bytes());
    let payload = json!({ "probe_url": "s3://fleet/probes/1.json" });
    aws.invoke("i-1", payload.to_string().into_bytes(), LONG);
    let endpoint = format!("http://{}", aws.address);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-west-2"),
        ("AWS_ENDPOINT_URL_S3", ""),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let _function = bootstrap_in(&aws, &variables);
    let answer = aws.answer().await;
    assert_eq!(answer.kind, "response", "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(aws.gets("fleet/probes/1.json"), 1);
    assert!(aws.gets("") >= 1);
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
