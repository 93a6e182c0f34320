//! The function before a stand-in for AWS, with scripts as the processes that carry out its assignments.

mod stand_in;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorbuster_model::assignment::Secrets;
use doorbuster_model::report::{Probed, ProbedStep};
use doorbuster_model::{Assignment, Overrides, Report, Segment, Task, Tick};
use doorbuster_wire::{Board, Bundle, Frames, FromAgent, Message, ToAgent};
use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::reply::{ERROR_BODY, ERROR_TYPE, hello};
use super::*;
use stand_in::{Answer, Aws};

const HOME: &str = "journey: home\nsteps: [{ step: home, get: / }]\n";
const PLAN: &str = "name: friday
target: http://127.0.0.1:1
journeys: [home.yaml]
regions: [tokyo]
load: { arrivals: [{ hold: 10/s, for: 2s }] }
";
/// When second 0 is.
const START: u64 = 1_795_000_000_000_000_000;
/// What an invocation has, where it does not matter.
const LONG: Duration = Duration::from_secs(60);

fn assignment(id: &str, plan: &str) -> Assignment {
    Assignment {
        id: id.to_owned(),
        run: "r-1".to_owned(),
        region: "tokyo".to_owned(),
        segment: Segment::whole(),
        agents_here: 0,
        plan: plan.to_owned(),
        overrides: Overrides::default(),
        files: BTreeMap::from([("home.yaml".to_owned(), HOME.to_owned())]).into(),
        secrets: Secrets::default(),
        today: 20_780,
        task: Task::Load,
        generation: None,
        not_after_unix_ms: 0,
    }
}

fn started() -> FromAgent {
    let version = VERSION.to_owned();
    FromAgent::Report(Report::Started { clock_unix_ns: 1, version, workers: 2, descriptors_max: 1_024 })
}

fn finished() -> FromAgent {
    FromAgent::Report(Report::Finished { ticks: 0 })
}

fn frames(messages: &[FromAgent]) -> Vec<u8> {
    messages.iter().flat_map(|message| message.encode().unwrap()).collect()
}

/// What these bytes say.
fn said<M: Message>(bytes: &[u8]) -> Vec<M> {
    let mut frames = Frames::default();
    frames.push(bytes);
    std::iter::from_fn(|| frames.next_frame().unwrap()).map(|frame| M::decode(&frame).unwrap()).collect()
}

/// AWS, the function's limits, and a folder for what its processes leave behind.
struct Scene {
    aws: Aws,
    folder: PathBuf,
    limits: Limits,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("doorbuster-aws-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { aws: Aws::start().await, folder, limits: Limits::default() }
    }

    /// The payload for an assignment. Its board is `board`, its claim is named after it.
    fn payload(&self, assignment: &Assignment) -> Vec<u8> {
        let invocation = Invocation {
            bundle: Bundle::of(assignment.clone()).unwrap(),
            board_url: self.aws.url("board"),
            claim_url: self.aws.url(&format!("claim-{}", assignment.id)),
            protocol: PROTOCOL,
            version: "0.1.0-test".to_owned(),
        };
        invocation.to_json()
    }

    fn board(&self, lease: u64, start_at_unix_ns: Option<u64>, let_go: &[&str]) {
        let let_go = let_go.iter().map(|id| (*id).to_owned()).collect();
        self.aws.put("board", Board { lease, start_at_unix_ns, stop: false, let_go }.encode());
    }

    /// Hands an assignment over.
    fn invoke(&self, assignment: &Assignment) {
        self.aws.invoke(&assignment.id, self.payload(assignment), LONG);
    }

    /// Everything that a process is told up to its start.
    fn told_until_start(assignment: &Assignment) -> Vec<ToAgent> {
        vec![
            ToAgent::Hello { protocol: PROTOCOL, version: "0.1.0-test".to_owned() },
            ToAgent::Assign(Box::new(assignment.clone())),
            ToAgent::Lease { counter: 1 },
            ToAgent::Start { at_unix_ns: START },
        ]
    }

    /// A process that hears `told`, writes that down, says `says`, and ends.
    fn hears_and_says(&self, told: &[ToAgent], says: &[FromAgent]) -> Program {
        let bytes: usize = told.iter().map(|message| message.encode().unwrap().len()).sum();
        fs::write(self.folder.join("says"), frames(says)).unwrap();
        self.program(&format!("head -c {bytes} > told; cat says"))
    }

    /// A process that notes that it was there.
    fn program(&self, script: &str) -> Program {
        let script = format!("cd '{}'; echo $$ >> children; {script}", self.folder.display());
        Program { path: "/bin/sh".into(), args: vec!["-c".to_owned(), script] }
    }

    /// The processes that there were.
    fn children(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.folder.join("children")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Serves with `program` while `scenario` lasts.
    async fn serve<T>(&mut self, program: Program, scenario: impl AsyncFnOnce(&mut Self) -> T) -> T {
        let runtime = Runtime::new(&self.aws.address.to_string());
        let function = Function { runtime, program, limits: self.limits.clone() };
        tokio::select! {
            ended = function.serve() => panic!("the function ended: {ended:?}"),
            came = timeout(LONG, scenario(self)) => came.unwrap(),
        }
    }

    /// Waits until the function has started so many processes.
    async fn wait_for_children(&self, count: usize) {
        while self.children().len() < count {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Why an answer says that the agent failed.
fn failure(answer: &Answer) -> String {
    let said: Vec<FromAgent> = said(&answer.body);
    assert_eq!(said[0], hello());
    match &said[said.len() - 1] {
        FromAgent::Report(Report::Failed { message }) => message.clone(),
        other => panic!("it did not fail: {other:?}"),
    }
}

/// Whether AWS was told that the function itself failed.
fn is_counted(answer: &Answer) -> bool {
    let Some(kind) = answer.trailers.get(ERROR_TYPE) else { return false };
    let body = STANDARD.decode(answer.trailers[ERROR_BODY].as_bytes()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((kind.to_str().unwrap(), body["errorType"].as_str().unwrap()), ("Agent.Lost", "Agent.Lost"));
    assert_eq!(body["errorMessage"], failure(answer));
    true
}

#[tokio::test]
async fn an_assignment_is_claimed_carried_out_and_answered_as_it_goes() {
    let mut scene = Scene::new("normal").await;
    let assignment = assignment("a-1", PLAN);
    scene.board(1, Some(START), &[]);
    let told = Scene::told_until_start(&assignment);
    let says = [hello(), started(), finished()];
    let program = scene.hears_and_says(&told, &says);
    scene.invoke(&assignment);
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert_eq!((answer.id.as_str(), answer.kind.as_str()), ("a-1", "response"));
    assert_eq!(answer.headers["lambda-runtime-function-response-mode"], "streaming");
    assert_eq!(answer.headers["transfer-encoding"], "chunked");
    assert_eq!(said::<FromAgent>(&answer.body), says);
    assert!(!is_counted(&answer));
    assert_eq!(said::<ToAgent>(&fs::read(scene.folder.join("told")).unwrap()), told);
    let claim: Vec<FromAgent> = said(&scene.aws.object("claim-a-1").unwrap());
    assert_eq!((claim.len(), &claim[0]), (2, &hello()));
    let FromAgent::Report(Report::Started { workers, descriptors_max, .. }) = &claim[1] else {
        panic!("{claim:?}")
    };
    assert!(*workers >= 1 && *descriptors_max >= 64);
}

#[tokio::test]
async fn what_a_payload_has_no_room_for_is_fetched() {
    let mut scene = Scene::new("fetched").await;
    let assignment = assignment("a-1", PLAN);
    scene.board(1, Some(START), &[]);
    let told = Scene::told_until_start(&assignment);
    let program = scene.hears_and_says(&told, &[hello(), started(), finished()]);
    let Bundle::Frame(frame) = Bundle::of(assignment.clone()).unwrap() else { panic!("no frame") };
    let mut invocation = Invocation::parse(&scene.payload(&assignment)).unwrap();
    invocation.bundle = Bundle::Url(scene.aws.url("bundle"));
    scene.aws.invoke("i-1", invocation.to_json(), LONG);
    let answer = scene
        .serve(program, async |scene| {
            // It is not there.
            let missing = scene.aws.answer().await;
            assert_eq!(missing.kind, "error");
            let why = String::from_utf8_lossy(&missing.body).into_owned();
            assert!(why.contains("/bundle says 404"), "{why}");
            assert!(!why.contains("Signature"), "{why}");
            scene.aws.put("bundle", frame);
            scene.aws.invoke("i-2", invocation.to_json(), LONG);
            scene.aws.answer().await
        })
        .await;
    assert_eq!(said::<FromAgent>(&answer.body).last(), Some(&finished()));
    assert_eq!(said::<ToAgent>(&fs::read(scene.folder.join("told")).unwrap()), told);
}

#[tokio::test]
async fn a_duplicate_starts_nothing() {
    let mut scene = Scene::new("duplicate").await;
    let assignment = assignment("a-1", PLAN);
    scene.aws.put("claim-a-1", b"somebody".to_vec());
    scene.board(1, Some(START), &[]);
    scene.invoke(&assignment);
    let program = scene.program("exit 0");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    let why = failure(&answer);
    assert!(why.contains("duplicate of a-1"), "{why}");
    assert!(!is_counted(&answer), "AWS may deliver twice: no error of the function");
    assert!(scene.children().is_empty());
    assert_eq!(scene.aws.object("claim-a-1").unwrap(), b"somebody");
    assert_eq!(scene.aws.gets("board"), 0, "it is none of its business");
}

#[tokio::test]
async fn who_comes_late_claims_and_starts_nothing() {
    let mut scene = Scene::new("late").await;
    let mut late = assignment("a-1", PLAN);
    late.not_after_unix_ms = unix_ns() / 1_000_000 - 5_000;
    let mut early = assignment("a-2", PLAN);
    early.not_after_unix_ms = unix_ns() / 1_000_000 + 60_000;
    scene.board(1, Some(START), &[]);
    scene.invoke(&late);
    scene.invoke(&early);
    let program = scene.hears_and_says(&Scene::told_until_start(&early), &[hello(), started(), finished()]);
    let (first, second) =
        scene.serve(program, async |scene| (scene.aws.answer().await, scene.aws.answer().await)).await;
    assert!(failure(&first).contains("ms too late"), "{}", failure(&first));
    assert_eq!(scene.aws.object("claim-a-1"), None);
    assert_eq!(said::<FromAgent>(&second.body).last(), Some(&finished()));
    assert_eq!(scene.children().len(), 1);
}

#[tokio::test]
async fn a_plan_that_cannot_be_is_refused_before_the_claim() {
    let mut scene = Scene::new("refused").await;
    let stranger = PLAN.replace("http://127.0.0.1:1", "https://shop.example.com").replace("10/s", "100/s");
    scene.invoke(&assignment("a-1", &stranger));
    let program = scene.program("exit 0");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert!(failure(&answer).contains("shop.example.com was not named with --allow-host"));
    assert_eq!((scene.aws.object("claim-a-1"), scene.children()), (None, vec![]));
}

#[tokio::test]
async fn a_silent_board_ends_the_process() {
    let mut scene = Scene::new("silent").await;
    scene.limits = Limits {
        before_start: Duration::from_millis(20),
        after_start: Duration::from_millis(20),
        silence_max: Duration::from_millis(400),
        ..Limits::default()
    };
    // It stays, and says the same for ever.
    scene.board(7, None, &[]);
    scene.invoke(&assignment("a-1", PLAN));
    let program = scene.program("sleep 600 & wait");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert!(failure(&answer).contains("did not renew the lease"), "{}", failure(&answer));
    assert!(is_counted(&answer));
    assert_eq!(scene.children().len(), 1);
}

#[tokio::test]
async fn who_is_let_go_is_killed_and_leaves_nothing_to_the_next() {
    let mut scene = Scene::new("let-go").await;
    let (first, second) = (assignment("a-1", PLAN), assignment("a-2", PLAN));
    scene.board(1, Some(START), &["a-0"]);
    let told = Scene::told_until_start(&second);
    let bytes: usize = told.iter().map(|message| message.encode().unwrap().len()).sum();
    fs::write(scene.folder.join("says"), frames(&[hello(), started(), finished()])).unwrap();
    // The first hangs with a process of its own; the second does as it is told.
    let program = scene.program(&format!(
        "if test -e first; then head -c {bytes} > told; cat says; else touch first; sleep 600 & wait; fi"
    ));
    scene.invoke(&first);
    let (killed, killed_within, next) = scene
        .serve(program, async |scene| {
            scene.wait_for_children(1).await;
            // Long enough to be in the slower rhythm.
            sleep(Duration::from_millis(700)).await;
            scene.board(1, Some(START), &["a-0", "a-1"]);
            let began = Instant::now();
            let killed = scene.aws.answer().await;
            let killed_within = began.elapsed();
            let process = Pid::from_raw(scene.children()[0]).unwrap();
            assert!(test_kill_process(process).is_err(), "it is still there");
            scene.invoke(&second);
            (killed, killed_within, scene.aws.answer().await)
        })
        .await;
    assert!(failure(&killed).contains("the coordinator let the agent go"), "{}", failure(&killed));
    assert!(!is_counted(&killed), "it was asked for");
    assert!(killed_within < Duration::from_secs(5), "{killed_within:?}");
    assert_eq!(said::<FromAgent>(&next.body), [hello(), started(), finished()]);
    assert_eq!(said::<ToAgent>(&fs::read(scene.folder.join("told")).unwrap()), told);
    assert_eq!(scene.children().len(), 2);
}

#[tokio::test]
async fn it_ends_five_seconds_before_aws_would_end_it() {
    let mut scene = Scene::new("deadline").await;
    scene.board(1, Some(START), &[]);
    let assignment = assignment("a-1", PLAN);
    let length = SPARE + Duration::from_millis(800);
    scene.aws.invoke("a-1", scene.payload(&assignment), length);
    let began = Instant::now();
    let program = scene.program("sleep 600 & wait");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert!(began.elapsed() < length - Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(failure(&answer).contains("a shorter `generation`"), "{}", failure(&answer));
    assert!(is_counted(&answer));
}

#[tokio::test]
async fn a_process_that_breaks_off_is_a_failure() {
    let mut scene = Scene::new("broken").await;
    scene.board(1, None, &[]);
    fs::write(scene.folder.join("says"), frames(&[hello(), started()])).unwrap();
    scene.invoke(&assignment("a-1", PLAN));
    let program = scene.program("cat says; exit 7");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert_eq!(said::<FromAgent>(&answer.body)[..2], [hello(), started()]);
    assert!(failure(&answer).contains("ended with exit status: 7 before its load was over"));
    assert!(is_counted(&answer));
}

#[tokio::test]
async fn where_nothing_streams_the_answer_comes_whole() {
    let mut scene = Scene::new("whole").await;
    let plan = format!("{PLAN}fleet: {{ responses: whole }}\n");
    let assignment = assignment("a-1", &plan);
    scene.board(1, Some(START), &[]);
    let says = [hello(), started(), finished()];
    let program = scene.hears_and_says(&Scene::told_until_start(&assignment), &says);
    scene.invoke(&assignment);
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(!answer.headers.contains_key("lambda-runtime-function-response-mode"));
    let base64: String = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(said::<FromAgent>(&STANDARD.decode(base64).unwrap()), says);
}

#[tokio::test]
async fn whoever_speaks_another_protocol_is_told_by_a_hello() {
    let mut scene = Scene::new("protocol").await;
    let payload = String::from_utf8(scene.payload(&assignment("a-1", PLAN))).unwrap();
    let other = payload.replace(&format!("\"protocol\":{PROTOCOL}"), "\"protocol\":77");
    assert_ne!(payload, other);
    scene.aws.invoke("a-1", other.into_bytes(), LONG);
    let program = scene.program("exit 0");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert!(failure(&answer).contains("0.1.0-test speaks protocol 77"), "{}", failure(&answer));
    assert_eq!((scene.aws.object("claim-a-1"), scene.children()), (None, vec![]));
}

#[tokio::test]
async fn what_is_no_invocation_is_an_error_and_the_next_is_served() {
    let mut scene = Scene::new("noise").await;
    for (id, payload) in [("i-1", "hello"), ("i-2", "{}"), ("i-3", "{\"probe_url\": \"ftp://b/k\"}")] {
        scene.aws.invoke(id, payload.into(), LONG);
    }
    let program = scene.program("exit 0");
    scene
        .serve(program, async |scene| {
            for (id, kind) in [("i-1", INVOCATION), ("i-2", INVOCATION), ("i-3", PROBE)] {
                let answer = scene.aws.answer().await;
                assert_eq!((answer.id.as_str(), answer.kind.as_str()), (id, "error"));
                assert_eq!(answer.headers[ERROR_TYPE], kind);
                let body: Value = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(body["errorType"], kind);
                assert!(!body["errorMessage"].as_str().unwrap().is_empty());
            }
        })
        .await;
    assert!(scene.children().is_empty());
}

#[tokio::test]
async fn a_round_of_a_probe_needs_no_coordinator() {
    let mut scene = Scene::new("probe").await;
    let step = ProbedStep { step: 0, failure: None, latency_ns: Some(12_000_000), page_ns: None };
    let walk = Probed { journey: 0, began_ns: 0, is_good: true, steps: vec![step] };
    let says = [hello(), started(), FromAgent::Report(Report::Probed(vec![walk])), finished()];
    fs::write(scene.folder.join("says"), frames(&says)).unwrap();
    let plan = "name: p\ntarget: http://127.0.0.1:1\njourneys: [home.yaml]\nregions: [tokyo]\nprobe: { every: 20s }\n";
    let round = json!({ "plan": plan, "files": { "home.yaml": HOME }, "region": "tokyo" });
    scene.aws.put("round", round.to_string().into_bytes());
    let at = json!({ "probe_url": scene.aws.url("round") });
    scene.aws.invoke("i-1", json!({ "probe": round }).to_string().into_bytes(), LONG);
    scene.aws.invoke("i-2", at.to_string().into_bytes(), LONG);
    let program = scene.program("cat says");
    scene
        .serve(program, async |scene| {
            for id in ["i-1", "i-2"] {
                let answer = scene.aws.answer().await;
                assert_eq!((answer.id.as_str(), answer.kind.as_str()), (id, "response"));
                let summary: Value = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(summary, json!({ "region": "tokyo", "walks": 1, "good": 1 }));
            }
        })
        .await;
    assert_eq!(scene.children().len(), 2);
}

#[tokio::test]
async fn a_process_that_leaves_a_walk_behind_is_an_error_of_the_probe() {
    let mut scene = Scene::new("left-walk").await;
    let mut tick = Tick::default();
    tick.tally.journeys.entry(0).or_default().started = 1;
    let says = [hello(), started(), FromAgent::Report(Report::Tick(Box::new(tick)))];
    fs::write(scene.folder.join("says"), frames(&says)).unwrap();
    let plan = "name: p\ntarget: http://127.0.0.1:1\njourneys: [home.yaml]\nregions: [tokyo]\n";
    let round = json!({ "plan": plan, "files": { "home.yaml": HOME }, "region": "tokyo" });
    scene.aws.invoke("i-1", json!({ "probe": round }).to_string().into_bytes(), LONG);
    let program = scene.program("cat says; exit 7");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert_eq!((answer.kind.as_str(), answer.headers[ERROR_TYPE].to_str().unwrap()), ("error", PROBE));
}

#[tokio::test]
async fn a_round_that_walks_nothing_is_an_error_of_the_probe() {
    let mut scene = Scene::new("no-walk").await;
    fs::write(scene.folder.join("says"), frames(&[hello(), started(), finished()])).unwrap();
    let plan = "name: p\ntarget: http://127.0.0.1:1\njourneys: [home.yaml]\nregions: [tokyo]\n";
    let round = json!({ "plan": plan, "files": { "home.yaml": HOME }, "region": "tokyo" });
    scene.aws.invoke("i-1", json!({ "probe": round }).to_string().into_bytes(), LONG);
    let program = scene.program("cat says");
    let answer = scene.serve(program, async |scene| scene.aws.answer().await).await;
    assert_eq!((answer.kind.as_str(), answer.headers[ERROR_TYPE].to_str().unwrap()), ("error", PROBE));
}
