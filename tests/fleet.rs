//! The fleet: the built binary and the agent's own `bootstrap` against MiniStack, which runs functions as processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use doorbuster_model::assignment::Secrets;
use doorbuster_model::{Assignment, Overrides, Segment, Task};
use doorbuster_shop::Shop;
use doorbuster_wire::{Board, Bundle, Invocation, PROTOCOL};
use serde_json::Value;

use crate::util::{
    Finished, Folder, MiniStack, count, patiently, requests, root, shop, start_in, turn, without,
};

/// What plans call the regions, and what AWS does.
const REGIONS: [(&str, &str); 3] =
    [("tokyo", "ap-northeast-1"), ("london", "eu-west-2"), ("new-york", "us-east-1")];
/// The account of the stand-in.
const ACCOUNT: &str = "000000000000";
/// Credentials that mean nothing.
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
/// The agents for this machine, which the stand-in's functions run on.
const KIND: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86-64" };

/// The agent's zip, made as for AWS beside the binary that is tested.
fn agent_zip() -> PathBuf {
    static MADE: Once = Once::new();
    let target = Path::new(env!("CARGO_BIN_EXE_doorbuster")).ancestors().nth(2).unwrap();
    MADE.call_once(|| {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo.args(["run", "--quiet", "--package", "xtask", "--", "lambda", KIND]);
        // Variables of this package would make others be built anew.
        for (name, _) in std::env::vars() {
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(name);
            }
        }
        let output = cargo.current_dir(root()).env("CARGO_TARGET_DIR", target).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    target.join(format!("lambda/agent-{KIND}.zip"))
}

fn fleet(stack: &MiniStack, arguments: &[&str]) -> Finished {
    let endpoint = stack.endpoint();
    start_in(&KEYS, &[&["fleet"][..], arguments, &["--aws-endpoint", &endpoint]].concat()).finish()
}

/// What is left of a fleet in a region, in the stand-in's words; nothing, if nothing is.
fn left(stack: &MiniStack, region: &str) -> Vec<String> {
    let json = ["Content-Type: application/x-amz-json-1.1", "X-Amz-Target: Logs_20140328.DescribeLogGroups"];
    let answers = [
        stack.query(region, "cloudformation", "Action=DescribeStacks&Version=2010-05-15"),
        stack.query(region, "iam", "Action=ListRoles&Version=2010-05-08"),
        stack.query(region, "autoscaling", "Action=DescribeAutoScalingGroups&Version=2011-01-01"),
        stack.query(region, "sns", "Action=ListTopics&Version=2010-03-31"),
        stack.query(region, "monitoring", "Action=ListDashboards&Version=2010-08-01"),
        stack.alarms(region),
        stack.ask((region, "lambda"), ("GET", "/2015-03-31/functions/"), &[], b""),
        stack.ask((region, "scheduler"), ("GET", "/schedules"), &[], b""),
        stack.ask((region, "s3"), ("GET", "/"), &[], b""),
        stack.ask((region, "logs"), ("POST", "/"), &json, b"{}"),
    ];
    let is_left = |answer: &String| !answer.starts_with("HTTP/1.1 200") || answer.contains("doorbuster");
    answers.into_iter().filter(is_left).collect()
}

/// A plan of so many agents in each region, as functions, with this load.
fn plan(shop: &Shop, agents: u32, arrivals: &str) -> String {
    let edges = shop.edges();
    let region = |(name, aws): &(&str, &str)| {
        let edge = edges.iter().find(|edge| edge.region == *name).unwrap();
        format!(
            "{name}: {{ target: \"http://{}\", aws: {aws}, launch: lambda, agents: {agents} }}",
            edge.address
        )
    };
    format!(
        "name: fleet\nregions: {{ {} }}\nfleet: {{ responses: whole }}\n\
         journeys: [{{ journey: browse, weight: 5 }}, {{ journey: cart, weight: 3 }}, {{ journey: checkout, weight: 2 }}]\n\
         load: {{ arrivals: [{arrivals}], spacing: poisson }}\ngraceful: 10s\n",
        REGIONS.iter().map(region).collect::<Vec<_>>().join(", ")
    )
}

#[test]
fn a_fleet_goes_up_counts_exactly_and_leaves_nothing() {
    if without("ministack") {
        return;
    }
    let zip = agent_zip().display().to_string();
    let _turn = turn();
    let stack = MiniStack::start();
    let up = fleet(&stack, &["up", "--zip", &zip]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    let version = env!("CARGO_PKG_VERSION");
    for (_, aws) in REGIONS {
        let line = format!("{aws}: doorbuster created, doorbuster-alarms created; agent {version} {KIND}\n");
        assert!(up.stdout.contains(&line), "{line}{}", up.stdout);
        assert!(up.stderr.contains(&format!("{aws}: doorbuster: Bucket create complete")), "{}", up.stderr);
        assert_eq!(stack.alarms(aws).matches("<AlarmName>").count(), 5, "four, and the one over them");
    }
    let again = fleet(&stack, &["up", "--zip", &zip]);
    assert_eq!(again.stdout.matches("doorbuster unchanged, doorbuster-alarms unchanged;").count(), 3);
    let status = fleet(&stack, &["status", "--json"]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    let told: Value = serde_json::from_str(&status.stdout).unwrap();
    let standings = told["regions"].as_array().unwrap();
    assert!(standings.len() == 3 && standings.iter().all(|region| region["is_well"] == true), "{told:#}");

    patiently(|| rehearse(&stack));
    for (_, aws) in REGIONS {
        let listed = stack.ask((aws, "s3"), ("GET", &format!("/doorbuster-{ACCOUNT}-{aws}")), &[], b"");
        assert!(listed.contains("<Key>agent/") && !listed.contains("<Key>runs/"), "{listed}");
    }
    let update = fleet(&stack, &["update", "--zip", &zip, "--quiet"]);
    assert_eq!((update.code, update.stderr.as_str()), (0, ""));

    let down = fleet(&stack, &["down"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert_eq!(down.stdout.matches("; nothing is left").count(), 3, "{}", down.stdout);
    for (_, aws) in REGIONS {
        assert_eq!(left(&stack, aws), Vec::<String>::new(), "{aws}");
    }
    let again = fleet(&stack, &["down"]);
    assert_eq!((again.code, again.stdout.matches("there was no fleet").count()), (0, 3), "{}", again.stderr);
    assert_eq!(fleet(&stack, &["status"]).code, 1);
    let update = fleet(&stack, &["update", "--zip", &zip]);
    assert_eq!(update.code, 2);
    assert!(update.stderr.contains("there is no fleet \"doorbuster\" in eu-west-2"), "{}", update.stderr);
}

/// A rehearsal by functions, whose report says what the shop's log says.
fn rehearse(stack: &MiniStack) {
    let (shop, folder) = (shop(), Folder::new());
    let plan = folder.write("plan.yaml", plan(&shop, 8, "{ ramp: [10/s, 60/s], over: 4s }"));
    let endpoint = stack.endpoint();
    let finished = start_in(&KEYS, &["rehearse", &plan, "--quiet", "--aws-endpoint", &endpoint]).finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let report = &finished.report;
    assert_eq!(count(report, "validity.agents_planned"), 24);
    assert_eq!(count(report, "validity.agents_lost"), 0);
    let arrivals = count(report, "validity.arrivals_planned");
    assert!(arrivals > 0 && count(report, "validity.arrivals_started") == arrivals);
    assert_eq!(count(report, "global.requests_sent"), requests(&shop));
    for (name, _) in REGIONS {
        let logged: u64 = shop.counts()[name].values().sum();
        assert!(logged > 0);
        assert_eq!(count(report, &format!("regions.{name}.requests_sent")), logged, "{name}");
    }
}

#[test]
fn without_its_coordinator_a_function_stops_within_a_lease_and_serves_the_next() {
    if without("ministack") {
        return;
    }
    let zip = agent_zip().display().to_string();
    let _turn = turn();
    let stack = MiniStack::start();
    let up = fleet(&stack, &["up", "--zip", &zip, "--no-alarms", "--no-ec2", "--quiet"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    patiently(|| lose_the_coordinator(&stack));
    patiently(|| rehearse(&stack));
    // What the lost coordinator left in the buckets keeps nobody from removing them.
    let down = fleet(&stack, &["down"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    for (_, aws) in REGIONS {
        assert_eq!(left(&stack, aws), Vec::<String>::new(), "{aws}");
    }
}

/// A rehearsal whose coordinator is killed while its functions send: the board is not written any more, and nobody asks how
/// they are.
fn lose_the_coordinator(stack: &MiniStack) {
    let (shop, folder) = (shop(), Folder::new());
    let plan = folder.write("plan.yaml", plan(&shop, 2, "{ hold: 60/s, for: 60s }"));
    let endpoint = stack.endpoint();
    let mut running = start_in(&KEYS, &["rehearse", &plan, "--quiet", "--aws-endpoint", &endpoint]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while requests(&shop) < 200 {
        assert!(Instant::now() < deadline, "no load");
        thread::sleep(Duration::from_millis(100));
    }
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let killed = Instant::now();
    assert_eq!(stack.agents().len(), 6, "each function has its agent's process");
    let (mut seen, mut last) = (requests(&shop), killed);
    while killed.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(100));
        let now = requests(&shop);
        if now > seen {
            (seen, last) = (now, Instant::now());
        }
    }
    let went_on = last - killed;
    assert!(
        went_on > Duration::from_secs(2),
        "they did not even notice: load {went_on:?} after it was killed"
    );
    assert!(went_on <= Duration::from_millis(15_500), "load {went_on:?} after the coordinator was killed");
    assert_eq!(stack.agents(), Vec::<u32>::new(), "no function is left that works");
}

/// An assignment of a second of load.
fn assignment(id: &str, target: &str, not_after_unix_ms: u64) -> Assignment {
    Assignment {
        id: id.to_owned(),
        run: "r".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole(),
        agents_here: 0,
        plan: format!(
            "name: once\ntarget: \"{target}\"\njourneys: [browse]\nload: {{ arrivals: [{{ hold: 10/s, for: 1s }}] }}\ngraceful: 5s\n"
        ),
        overrides: Overrides::default(),
        files: Arc::default(),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Load,
        generation: None,
        not_after_unix_ms,
    }
}

#[test]
fn what_is_invoked_twice_or_late_sends_nothing() {
    if without("ministack") {
        return;
    }
    let zip = agent_zip().display().to_string();
    let _turn = turn();
    let (stack, shop) = (MiniStack::start(), shop());
    let place = ["--region", "eu-west-2", "--no-alarms", "--no-ec2", "--quiet"];
    let up = fleet(&stack, &[&["up", "--zip", &zip][..], &place].concat());
    assert_eq!(up.code, 0, "{}", up.stderr);
    let bucket = format!("/doorbuster-{ACCOUNT}-eu-west-2");
    let begins = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_secs(3);
    let start_at_unix_ns = u64::try_from(begins.as_nanos()).ok();
    let board = Board { lease: 1, start_at_unix_ns, ..Board::default() };
    let put = ("PUT", format!("{bucket}/runs/r/board"));
    let kept = stack.ask(("eu-west-2", "s3"), (put.0, &put.1), &[], &board.encode());
    assert!(kept.starts_with("HTTP/1.1 200"), "{kept}");
    let target = format!("http://{}", shop.edges()[0].address);
    let invoke = |id: &str, not_after_unix_ms: u64| {
        let url = |name: &str| format!("{}{bucket}/runs/r/{name}", stack.endpoint());
        let invocation = Invocation {
            bundle: Bundle::of(assignment(id, &target, not_after_unix_ms)).unwrap(),
            board_url: url("board"),
            claim_url: url(&format!("claim-{id}")),
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let path = "/2015-03-31/functions/doorbuster-agent/invocations";
        let answer = stack.ask(("eu-west-2", "lambda"), ("POST", path), &[], &invocation.to_json());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        requests(&shop)
    };
    let first = invoke("r-0", 0);
    assert!(first > 10, "ten journeys of some requests each, not {first}");
    assert_eq!(invoke("r-0", 0), first, "a duplicate");
    assert_eq!(invoke("r-1", 1), first, "it was to begin by 1970");
    let down = fleet(&stack, &["down", "--region", "eu-west-2"]);
    assert_eq!((down.code, left(&stack, "eu-west-2")), (0, Vec::new()), "{}", down.stderr);
}

/// The JSON of an answer.
fn json(answer: &str) -> Value {
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    serde_json::from_str(&answer[from..=to]).unwrap()
}

#[test]
fn probes_go_on_without_a_coordinator() {
    if without("ministack") {
        return;
    }
    let zip = agent_zip().display().to_string();
    let _turn = turn();
    let (stack, shop, folder) = (MiniStack::start(), shop(), Folder::new());
    let edge = shop.edges().iter().find(|edge| edge.region == "london").unwrap().address;
    // An hour between two rounds: what the schedule itself invokes does not come into this test's way.
    let plan = folder.write(
        "plan.yaml",
        format!(
            "name: shop\nprobe: {{ every: 1h }}\njourneys: [browse]\n\
             regions: {{ london: {{ target: \"http://{edge}\", aws: eu-west-2 }} }}\n"
        ),
    );
    let region = ["up", "--region", "eu-west-2", "--no-ec2"];
    let probe = ["--zip", zip.as_str(), "--probe", plan.as_str(), "--probe-timeout", "2m"];
    let up = fleet(&stack, &[&region[..], &probe].concat());
    assert_eq!(up.code, 0, "{}", up.stderr);
    assert!(!up.stderr.contains("whole minutes"), "{}", up.stderr);
    let path = "/2015-03-31/functions/doorbuster-probe";
    let function = json(&stack.ask(("eu-west-2", "lambda"), ("GET", path), &[], b""));
    assert_eq!(function["Configuration"]["Timeout"], 120);
    assert!(up.stdout.contains("doorbuster-probes created"), "{}", up.stdout);
    assert!(stack.alarms("eu-west-2").contains("<AlarmName>doorbuster-probe-of-browse</AlarmName>"));
    let scheduled =
        json(&stack.ask(("eu-west-2", "scheduler"), ("GET", "/schedules/doorbuster-probe"), &[], b""));
    assert_eq!(scheduled["ScheduleExpression"], "rate(60 minutes)");
    assert_eq!(scheduled["Target"]["RetryPolicy"]["MaximumRetryAttempts"], 0);
    let input = scheduled["Target"]["Input"].as_str().unwrap().as_bytes().to_vec();
    let before = requests(&shop);
    let path = "/2015-03-31/functions/doorbuster-probe/invocations";
    let answer = stack.ask(("eu-west-2", "lambda"), ("POST", path), &[], &input);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(requests(&shop) > before, "a walk through a journey: {answer}");
    // What was probed before is of no use to anybody.
    let bucket = format!("/doorbuster-{ACCOUNT}-eu-west-2");
    let before = format!("{bucket}/probes/0123456789abcdef.json");
    stack.ask(("eu-west-2", "s3"), ("PUT", &before), &[], b"{}");
    let again = fleet(&stack, &["up", "--region", "eu-west-2", "--no-ec2"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let listed = stack.ask(("eu-west-2", "s3"), ("GET", &bucket), &[], b"");
    assert_eq!(listed.matches("<Key>probes/").count(), 1, "{listed}");
    assert!(!listed.contains("0123456789abcdef") && listed.contains("<Key>agent/"), "{listed}");
    let status = fleet(&stack, &["status", "--region", "eu-west-2"]);
    assert!(status.stdout.contains("doorbuster-probes"), "{}", status.stdout);
    let down = fleet(&stack, &["down", "--region", "eu-west-2"]);
    assert_eq!((down.code, left(&stack, "eu-west-2")), (0, Vec::new()), "{}", down.stderr);
}

#[test]
fn what_an_attempt_left_behind_is_removed_first() {
    if without("ministack") {
        return;
    }
    let stack = MiniStack::start();
    // A stack that could not be made, so that it was taken back: it takes no update.
    let template = "Resources%3A+%7B+Wrong%3A+%7B+Type%3A+%22AWS%3A%3ALambda%3A%3AEventInvokeConfig%22%2C+\
                    Properties%3A+%7B+FunctionName%3A+nobody%2C+Qualifier%3A+%24LATEST+%7D+%7D+%7D";
    let form = format!("Action=CreateStack&Version=2010-05-15&StackName=doorbuster&TemplateBody={template}");
    let made = stack.query("eu-west-2", "cloudformation", &form);
    assert!(made.contains("<StackId>"), "{made}");
    let up = fleet(&stack, &["up", "--region", "eu-west-2", "--no-alarms"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    assert!(up.stderr.contains("what is left of the last attempt is removed first"), "{}", up.stderr);
    assert_eq!(up.stdout, "eu-west-2: doorbuster created; no agent yet: give it one with --zip\n");
    let status = fleet(&stack, &["status", "--region", "eu-west-2"]);
    assert_eq!(status.code, 1, "{}", status.stderr);
    assert!(status.stdout.contains("eu-west-2: there is no agent yet"), "{}", status.stdout);
    // What is not named stays as it is, and so does what there is not.
    let changed = fleet(&stack, &["up", "--region", "eu-west-2", "--log-days", "7"]);
    assert_eq!(changed.stdout, "eu-west-2: doorbuster updated; no agent yet: give it one with --zip\n");
    let watched = fleet(&stack, &["up", "--region", "eu-west-2", "--alarms"]);
    assert!(
        watched.stdout.contains("doorbuster unchanged, doorbuster-alarms created;"),
        "{}",
        watched.stdout
    );
}

/// What the stand-in keeps of the dashboard. It has one for each region, where AWS has one for all.
fn dashboard(stack: &MiniStack, region: &str) -> String {
    stack.query(region, "monitoring", "Action=GetDashboard&Version=2010-08-01&DashboardName=doorbuster")
}

#[test]
fn a_command_about_one_region_leaves_the_others_what_they_share() {
    if without("ministack") {
        return;
    }
    let stack = MiniStack::start();
    let shows = |region: &str| dashboard(&stack, "eu-west-2").contains(&format!("\"region\":\"{region}\""));
    let makes_role = |region: &str| {
        let status = fleet(&stack, &["status", "--json", "--region", region]);
        let told: Value = serde_json::from_str(&status.stdout).unwrap();
        told["regions"][0]["stacks"][0]["parameters"]["WithCoordinatorRole"] == "true"
    };
    let up = fleet(&stack, &["up", "--region", "eu-west-2", "us-east-1"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    let again = fleet(&stack, &["up", "--region", "eu-west-2"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(shows("eu-west-2") && shows("us-east-1"));
    assert!(makes_role("eu-west-2") && !makes_role("us-east-1"));

    let down = fleet(&stack, &["down", "--region", "eu-west-2"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    let remedy = "doorbuster fleet up --coordinator-role --stack doorbuster --region us-east-1";
    assert!(down.stderr.contains(&format!("the fleet stays in us-east-1: `{remedy}`")), "{}", down.stderr);
    assert!(!shows("eu-west-2") && shows("us-east-1"));
    let up = fleet(&stack, &["up", "--coordinator-role", "--stack", "doorbuster", "--region", "us-east-1"]);
    assert!(up.stdout.contains("us-east-1: doorbuster updated"), "{}{}", up.stdout, up.stderr);
    assert!(makes_role("us-east-1"));
    let back = fleet(&stack, &["up", "--region", "eu-west-2"]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    assert!(shows("us-east-1") && shows("eu-west-2") && !makes_role("eu-west-2"));

    let down = fleet(&stack, &["down", "--region", "eu-west-2", "us-east-1"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert!(!down.stderr.contains("the coordinator's role goes"), "{}", down.stderr);
    assert!(dashboard(&stack, "eu-west-2").contains("ResourceNotFound"));
}

#[test]
fn what_cannot_be_deployed_is_told_with_a_remedy() {
    let folder = Folder::new();
    let zip = folder.write("agent.zip", "no zip");
    let often = folder.write(
        "often.yaml",
        "name: shop\ntarget: http://127.0.0.1:1\nprobe: { every: 20s }\njourneys: [browse]\n\
         regions: { london: { aws: eu-west-2 } }\n",
    );
    let nowhere = folder.path("nowhere").display().to_string();
    let strangers = [
        ("AWS_CONFIG_FILE", nowhere.as_str()),
        ("AWS_SHARED_CREDENTIALS_FILE", nowhere.as_str()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
    ];
    for (arguments, code, expected) in [
        (&["up", "--zip", zip.as_str()][..], 2, "make it with `cargo xtask lambda`"),
        (&["up", "--agents-ec2", "3"], 2, "--join https://HOST:PORT"),
        (
            &[
                "up",
                "--agents-ec2",
                "3",
                "--join",
                "https://load.example.com:7443",
                "--program",
                zip.as_str(),
            ],
            2,
            "it is no program of Linux",
        ),
        (&["up", "--region", "tokyo"], 2, "is no AWS region"),
        (
            &[
                "up",
                "--region",
                "eu-west-2",
                "--probe",
                often.as_str(),
                "--quiet",
                "--aws-endpoint",
                "http://127.0.0.1:1",
            ],
            3,
            "walked every minute, and not every 20 s as the plan says",
        ),
        (
            &["status", "--region", "eu-west-2", "--aws-endpoint", "http://127.0.0.1:1"],
            3,
            "no credentials for AWS were found",
        ),
        (&["status", "--aws-endpoint", "http://127.0.0.1:1"], 3, "no credentials for AWS were found"),
    ] {
        let finished = start_in(&strangers, &[&["fleet"][..], arguments].concat()).finish();
        assert_eq!(finished.code, code, "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(expected), "{arguments:?}: {}", finished.stderr);
        // Said once, however many regions there are.
        let told = finished.stderr.lines().filter(|line| line.contains("no credentials")).count();
        assert!(code != 3 || told == 1, "{arguments:?}: {}", finished.stderr);
    }
}

#[test]
fn templates_are_what_cloudformation_takes() {
    if without("cfn-lint") {
        return;
    }
    for name in ["fleet", "probes", "alarms"] {
        let template = root().join(format!("infra/{name}.yaml"));
        let output = Command::new("cfn-lint").arg(&template).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn templates_follow_what_is_advised_or_say_why_not() {
    if without("checkov") {
        return;
    }
    let options = ["--skip-download", "--quiet", "--compact", "--framework", "cloudformation", "--directory"];
    let output = Command::new("checkov").args(options).arg(root().join("infra")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("Failed checks: 0"), "{said}");
    // A template that cannot be read has no failed checks either.
    assert!(said.contains("Parsing errors: 0") || !said.contains("Parsing errors"), "{said}");
}
