//! Functions that are invoked, heard and let go, over real connections and in real frames; what runs in them is played.

mod large;
mod unheard;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorbuster_model::assignment::Secrets;
use doorbuster_model::{Assignment, Overrides, Plan, Report, Segment, Task};
use doorbuster_wire::{Board, Bundle, FromAgent, Invocation, Message, PROTOCOL, ToAgent};
use reqwest::Method;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};

use super::bundle::INLINE_BYTES_MAX;
use super::*;
use crate::aws::testing::{ACCOUNT, Cloud, Objects, Play, Step, chunk, complete, config, sent};
use crate::clock::Moment;
use crate::launch::{Event, queue};

const REGION: &str = "eu-west-1";
const BOARD: &str = "runs/r/board";
const CLAIM: &str = "runs/r/claim-r-0";

/// A plan with one region of functions, and more in it.
pub(super) fn plan(more: &str) -> Plan {
    let text = format!(
        "name: x\ntarget: http://127.0.0.1:1\nregions: {{ london: {{ aws: {REGION}, launch: lambda }} }}\n\
         {more}\nload: {{ arrivals: [{{ hold: 10/s, for: 10s }}] }}\n"
    );
    Plan::read("plan.yaml", &text).unwrap()
}

/// An assignment of that plan.
pub(super) fn assignment(id: &str) -> Assignment {
    Assignment {
        id: id.to_owned(),
        run: "r".to_owned(),
        region: "london".to_owned(),
        segment: Segment::whole(),
        agents_here: 0,
        plan: String::new(),
        overrides: Overrides::default(),
        files: Arc::default(),
        secrets: Secrets::default(),
        today: 0,
        task: Task::Load,
        generation: None,
        not_after_unix_ms: 0,
    }
}

/// A run's functions at the stand-in.
async fn opened(cloud: &Cloud, more: &str) -> Result<Lambda, Error> {
    let plan = plan(&format!("journeys: [browse]\n{more}"));
    let configs = BTreeMap::from([(REGION.to_owned(), config(&cloud.endpoint).await)]);
    Lambda::with(&plan, "r", Some(&cloud.endpoint), configs).await
}

/// One agent of it, and what becomes of it.
fn launched(lambda: &Lambda, assignment: Assignment) -> (Agent, Receiver<(usize, Event)>) {
    let (sender, events) = queue();
    (lambda.launch(7, 0, assignment, sender).unwrap(), events)
}

/// What an agent says first.
fn greetings() -> Vec<u8> {
    let hello = FromAgent::Hello { protocol: PROTOCOL, version: "1".to_owned() };
    let started =
        Report::Started { clock_unix_ns: 1, version: "1".to_owned(), workers: 2, descriptors_max: 1_024 };
    [hello.encode().unwrap(), FromAgent::Report(started).encode().unwrap()].concat()
}

/// What an agent says last.
fn finished() -> Vec<u8> {
    FromAgent::Report(Report::Finished { ticks: 10 }).encode().unwrap()
}

/// The steps of bytes that come in pieces of this size, in chunks of another.
fn streamed(bytes: &[u8], chunk_bytes: usize, cut_bytes: usize) -> Vec<Step> {
    let travelling: Vec<u8> = bytes.chunks(chunk_bytes).flat_map(chunk).collect();
    travelling.chunks(cut_bytes).map(|cut| Step::Bytes(cut.to_vec())).collect()
}

/// The end of a response.
fn ending(error: Option<(&str, &str)>) -> Step {
    Step::Bytes(complete(error))
}

fn until(is_met: impl Fn(&Board) -> bool + Send + 'static) -> Step {
    Step::Until(Box::new(move |objects: &Objects| {
        objects.get(BOARD).is_some_and(|bytes| is_met(&Board::decode(bytes).unwrap()))
    }))
}

async fn next(events: &mut Receiver<(usize, Event)>) -> Event {
    let (number, event) = timeout(Duration::from_secs(20), events.recv()).await.unwrap().unwrap();
    assert_eq!(number, 7);
    event
}

/// Hears that an agent is there and ready.
async fn greeted(events: &mut Receiver<(usize, Event)>) {
    let first = next(events).await;
    assert!(matches!(first, Event::Said(FromAgent::Hello { protocol: PROTOCOL, .. })), "{first:?}");
    let second = next(events).await;
    let is_started = matches!(second, Event::Said(FromAgent::Report(Report::Started { workers: 2, .. })));
    assert!(is_started, "{second:?}");
}

/// Hears that an agent has finished.
async fn done(events: &mut Receiver<(usize, Event)>) {
    let last = next(events).await;
    let is_finished = matches!(last, Event::Said(FromAgent::Report(Report::Finished { ticks: 10 })));
    assert!(is_finished, "{last:?}");
}

/// Hears that an agent is gone, and why.
async fn gone(events: &mut Receiver<(usize, Event)>) -> String {
    match next(events).await {
        Event::Gone(why) => why,
        other => panic!("{other:?}"),
    }
}

/// How often a function was invoked.
fn invoked(cloud: &Cloud) -> usize {
    cloud.asked("POST /2021-11-15/functions/doorbuster-agent/response-streaming-invocations")
        + cloud.asked("POST /2015-03-31/functions/doorbuster-agent/invocations")
}

#[tokio::test]
async fn an_agent_is_heard_while_it_runs_however_its_words_are_cut() {
    for (chunk_bytes, cut_bytes) in [(1, 1), (3, 7), (5, 1_000), (10_000, 13), (10_000, 10_000)] {
        let cloud = Cloud::start().await;
        cloud.function(move |invoked| {
            assert_eq!((invoked.function.as_str(), invoked.is_whole), ("doorbuster-agent", false));
            let mut steps = streamed(&greetings(), chunk_bytes, cut_bytes);
            steps.push(until(|board| board.start_at_unix_ns == Some(5) && board.lease == 1));
            steps.extend(streamed(&finished(), chunk_bytes, cut_bytes));
            steps.push(ending(None));
            Play::Streams(steps)
        });
        let lambda = opened(&cloud, "").await.unwrap();
        let (agent, mut events) = launched(&lambda, assignment("r-0"));
        greeted(&mut events).await;
        agent.to.send(ToAgent::Lease { counter: 1 }).unwrap();
        agent.to.send(ToAgent::Start { at_unix_ns: 5 }).unwrap();
        done(&mut events).await;
        assert_eq!(gone(&mut events).await, "its invocation ended");
        assert!(cloud.objects().contains_key(BOARD));
        lambda.close().await;
        assert!(cloud.objects().is_empty(), "{:?}", cloud.objects().keys());
    }
}

#[tokio::test]
async fn each_agent_of_a_probe_has_a_start_and_a_board_of_its_own() {
    let cloud = Cloud::start().await;
    cloud.function(|invoked| {
        let Ok(Invocation { bundle: Bundle::Frame(frame), board_url, .. }) =
            Invocation::parse(&invoked.payload)
        else {
            panic!("{invoked:?}")
        };
        let id = Bundle::assignment(&frame).unwrap().id;
        assert!(board_url.contains(&format!("/runs/r/board-{id}?")), "{board_url}");
        let key = format!("runs/r/board-{id}");
        let start = if id == "r-0" { 5 } else { 6 };
        let until = Step::Until(Box::new(move |objects: &Objects| {
            Board::decode(&objects[&key]).unwrap().start_at_unix_ns == Some(start)
        }));
        Play::Streams(vec![until, ending(None)])
    });
    let lambda = opened(&cloud, "").await.unwrap();
    let probe = |id| Assignment { task: Task::Probe { every_ms: 1_000 }, ..assignment(id) };
    let (first, mut first_events) = launched(&lambda, probe("r-0"));
    let (second, mut second_events) = launched(&lambda, probe("r-1"));
    first.to.send(ToAgent::Start { at_unix_ns: 5 }).unwrap();
    second.to.send(ToAgent::Start { at_unix_ns: 6 }).unwrap();
    assert_eq!(gone(&mut first_events).await, "its invocation ended");
    assert_eq!(gone(&mut second_events).await, "its invocation ended");
    // A probe has no end: what its agents leave is removed as they go.
    let deadline = Instant::now() + Duration::from_secs(5);
    while cloud.objects().len() > 1 {
        assert!(Instant::now() < deadline, "{:?}", cloud.objects().keys());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(cloud.objects().contains_key(BOARD));
}

#[tokio::test]
async fn what_is_throttled_is_invoked_again_with_the_same_claim() {
    let cloud = Cloud::start().await;
    let payloads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&payloads);
    cloud.function(move |invoked| {
        kept.lock().unwrap().push(invoked.payload);
        match invoked.earlier {
            0 => Play::Refused(429, "TooManyRequestsException"),
            1 => Play::Refused(500, "ServiceException"),
            _ => Play::Streams(streamed(&[greetings(), finished()].concat(), 100, 100)),
        }
    });
    let lambda = opened(&cloud, "").await.unwrap();
    let (_agent, mut events) = launched(&lambda, assignment("r-0"));
    greeted(&mut events).await;
    done(&mut events).await;
    let why = gone(&mut events).await;
    assert!(why.contains("ended before it was complete"), "{why}");
    let payloads = payloads.lock().unwrap().clone();
    assert_eq!(payloads.len(), 3);
    assert!(payloads.iter().all(|payload| *payload == payloads[0]), "one claim, whatever happens");

    // What a function does with it: it reads its assignment and the board, and claims.
    let invocation = Invocation::parse(&payloads[0]).unwrap();
    assert_eq!(invocation.protocol, PROTOCOL);
    let Bundle::Frame(frame) = &invocation.bundle else { panic!("{:?}", invocation.bundle) };
    assert_eq!(Bundle::assignment(frame), Ok(assignment("r-0")));
    let (status, board) = sent(Method::GET, &invocation.board_url, &[], "").await;
    // Its response was not complete: nobody knows that it ended.
    let expected = Board { let_go: vec!["r-0".to_owned()], ..Board::default() };
    assert_eq!((status, Board::decode(&board)), (200, Ok(expected)));
    let claim = [("if-none-match", "*")];
    assert_eq!(sent(Method::PUT, &invocation.claim_url, &claim, "one").await.0, 200);
    assert_eq!(sent(Method::PUT, &invocation.claim_url, &claim, "two").await.0, 412);
    assert_eq!(cloud.objects()[CLAIM], b"one");
}

#[tokio::test]
async fn an_assignment_is_handed_over_with_the_first_invocation_that_may_run() {
    // The shortest pause before it is invoked again.
    let pause = Duration::from_millis(50);
    for (status, code, may_run) in [(429, "TooManyRequestsException", false), (500, "ServiceException", true)]
    {
        let cloud = Cloud::start().await;
        cloud.function(move |invoked| match invoked.earlier {
            0 => Play::Refused(status, code),
            _ => Play::Streams(streamed(&greetings(), 100, 100)),
        });
        let lambda = opened(&cloud, "").await.unwrap();
        let began = Moment::now();
        let (agent, mut events) = launched(&lambda, assignment("r-0"));
        assert_eq!(agent.handed.at(), None, "nothing was invoked");
        while invoked(&cloud) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let first = agent.handed.at();
        assert!(first.is_some());
        greeted(&mut events).await;
        assert_eq!(invoked(&cloud), 2);
        let last = agent.handed.at().unwrap();
        if may_run {
            assert_eq!(Some(last), first);
        } else {
            assert!(last.since(began) >= pause, "{:?}", last.since(began));
        }
    }
}

#[tokio::test]
async fn what_is_refused_says_where_why_and_what_to_do() {
    for (status, code, expected, times) in [
        (403, "AccessDeniedException", "lambda:InvokeFunction", 1..=1),
        (
            404,
            "ResourceNotFoundException",
            "`doorbuster fleet up --zip FILE --region eu-west-1` makes it",
            1..=1,
        ),
        (413, "RequestTooLargeException", "shorter data files", 1..=1),
        // Tried again for as long as agents may take to be ready.
        (429, "TooManyRequestsException", "lower `agents`", 2..=8),
    ] {
        let cloud = Cloud::start().await;
        cloud.function(move |_| Play::Refused(status, code));
        let lambda = opened(&cloud, "fleet: { start: { within: 2s } }").await.unwrap();
        let (_agent, mut events) = launched(&lambda, assignment("r-0"));
        let why = gone(&mut events).await;
        assert!(why.starts_with("invoking doorbuster-agent in eu-west-1: "), "{why}");
        assert!(why.contains("in its own words") && why.contains(expected), "{why}");
        assert!(times.contains(&invoked(&cloud)), "{code}: {}", invoked(&cloud));
    }
}

#[tokio::test]
async fn a_function_that_fails_says_why() {
    for (code, details, expected) in [
        ("Runtime.ExitError", "fork/exec /var/task/bootstrap: exec format error", "another processor"),
        ("Sandbox.Timedout", "Task timed out after 900.00 seconds", "ran into its timeout"),
        (
            "Runtime.ExitError",
            "Runtime exited with error: exit status 101",
            "`doorbuster fleet logs --region eu-west-1`",
        ),
    ] {
        let cloud = Cloud::start().await;
        cloud.function(move |_| {
            let mut steps = streamed(&greetings(), 50, 20);
            steps.push(ending(Some((code, details))));
            Play::Streams(steps)
        });
        let lambda = opened(&cloud, "").await.unwrap();
        let (_agent, mut events) = launched(&lambda, assignment("r-0"));
        greeted(&mut events).await;
        let why = gone(&mut events).await;
        assert!(why.starts_with("doorbuster-agent in eu-west-1 failed with "), "{why}");
        assert!(why.contains(details) && why.contains(expected), "{why}");
        assert_eq!(invoked(&cloud), 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_loss_and_no_second_agent() {
    let cloud = Cloud::start().await;
    cloud.function(|_| {
        let mut steps = streamed(&greetings(), 50, 20);
        steps.push(Step::Wait(Duration::from_millis(100)));
        steps.push(Step::Break);
        Play::Streams(steps)
    });
    let lambda = opened(&cloud, "").await.unwrap();
    let (_agent, mut events) = launched(&lambda, assignment("r-0"));
    greeted(&mut events).await;
    let why = gone(&mut events).await;
    assert!(why.starts_with("the response of doorbuster-agent in eu-west-1 broke: "), "{why}");
    assert_eq!(invoked(&cloud), 1);
}

#[tokio::test]
async fn who_is_let_go_ends_by_the_board_and_who_does_not_is_left() {
    for ends in [true, false] {
        let cloud = Cloud::start().await;
        cloud.function(move |_| {
            let mut steps = streamed(&greetings(), 50, 20);
            steps.push(until(move |board| ends && board.let_go == ["r-0"]));
            steps.push(ending(None));
            Play::Streams(steps)
        });
        let lambda = opened(&cloud, "").await.unwrap();
        let (agent, mut events) = launched(&lambda, assignment("r-0"));
        greeted(&mut events).await;
        let began = Instant::now();
        drop(agent);
        let why = gone(&mut events).await;
        let expected = if ends { "its invocation ended" } else { "it was let go and did not end" };
        assert_eq!(why, expected);
        assert_eq!(began.elapsed() < Duration::from_secs(2), ends, "{:?}", began.elapsed());
        lambda.close().await;
    }
}

#[tokio::test]
async fn who_is_let_go_before_it_was_invoked_never_is() {
    let cloud = Cloud::start().await;
    cloud.function(|_| Play::Refused(429, "TooManyRequestsException"));
    let lambda = opened(&cloud, "").await.unwrap();
    let (agent, mut events) = launched(&lambda, assignment("r-0"));
    while invoked(&cloud) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(agent);
    assert_eq!(gone(&mut events).await, "it was let go before it was invoked");
    assert!(invoked(&cloud) <= 3, "{}", invoked(&cloud));
}

#[tokio::test]
async fn an_agent_that_answers_as_a_whole_is_ready_when_it_has_claimed() {
    let cloud = Cloud::start().await;
    cloud.function(|invoked| {
        assert!(invoked.is_whole);
        let put = Step::Put(CLAIM.to_owned(), greetings());
        let steps = vec![
            Step::Wait(Duration::from_millis(700)),
            put,
            until(|board| board.start_at_unix_ns.is_some()),
        ];
        Play::Answers(steps, [greetings(), finished()].concat(), None)
    });
    let lambda = opened(&cloud, "fleet: { responses: whole }").await.unwrap();
    let (agent, mut events) = launched(&lambda, assignment("r-0"));
    greeted(&mut events).await;
    agent.to.send(ToAgent::Start { at_unix_ns: 5 }).unwrap();
    done(&mut events).await;
    assert_eq!(gone(&mut events).await, "its invocation ended");

    cloud.function(|_| {
        let told = "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"signal: killed\"}";
        Play::Answers(Vec::new(), told.as_bytes().to_vec(), Some("Unhandled"))
    });
    let (_agent, mut events) = launched(&lambda, assignment("r-1"));
    let why = gone(&mut events).await;
    assert!(why.contains("failed with Runtime.ExitError: signal: killed; it had too little memory"), "{why}");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_unless_its_function_runs() {
    let cloud = Cloud::start().await;
    cloud.function(|invoked| match invoked.earlier {
        0 => Play::Answers(vec![Step::Break], Vec::new(), None),
        _ => Play::Answers(Vec::new(), [greetings(), finished()].concat(), None),
    });
    let lambda = opened(&cloud, "fleet: { responses: whole }").await.unwrap();
    let (_agent, mut events) = launched(&lambda, assignment("r-0"));
    greeted(&mut events).await;
    done(&mut events).await;
    assert_eq!(gone(&mut events).await, "its invocation ended");
    assert_eq!(invoked(&cloud), 2);

    cloud.function(|_| {
        let put = Step::Put("runs/r/claim-r-1".to_owned(), greetings());
        Play::Answers(vec![put, Step::Wait(Duration::from_millis(100)), Step::Break], Vec::new(), None)
    });
    let (_agent, mut events) = launched(&lambda, assignment("r-1"));
    let why = gone(&mut events).await;
    assert!(why.ends_with("it runs, and nobody hears it"), "{why}");
    assert_eq!(invoked(&cloud), 3, "a second one would be a duplicate");
}

#[tokio::test]
async fn what_is_too_long_for_a_payload_is_fetched() {
    let cloud = Cloud::start().await;
    let payloads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&payloads);
    cloud.function(move |invoked| {
        kept.lock().unwrap().push(invoked.payload);
        Play::Streams(vec![ending(None)])
    });
    let lambda = opened(&cloud, "").await.unwrap();
    let mut whole = assignment("r-0");
    Arc::make_mut(&mut whole.files).insert("ca.pem".to_owned(), "x".repeat(INLINE_BYTES_MAX + 1));
    let (_agent, mut events) = launched(&lambda, whole.clone());
    gone(&mut events).await;
    let payload = payloads.lock().unwrap().remove(0);
    assert!(payload.len() < 10_000, "{}", payload.len());
    let invocation = Invocation::parse(&payload).unwrap();
    let Bundle::Url(url) = &invocation.bundle else { panic!("{:?}", invocation.bundle) };
    let (status, frame) = sent(Method::GET, url, &[], "").await;
    assert_eq!((status, Bundle::assignment(&frame)), (200, Ok(whole)));
    lambda.close().await;
    assert!(cloud.objects().is_empty());
}

#[tokio::test]
async fn a_region_that_is_not_ready_is_told_when_it_is_opened() {
    let cloud = Cloud::start().await;
    cloud.refuse(&format!("PUT /doorbuster-{ACCOUNT}-{REGION}/{BOARD}"), &[403]);
    let error = opened(&cloud, "").await.unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let told = error.to_string();
    let begin =
        format!("opening the fleet in {REGION} (the bucket doorbuster-{ACCOUNT}-{REGION}): AccessDenied");
    assert!(told.starts_with(&begin) && told.contains("coordinator role"), "{told}");
}

#[tokio::test]
async fn a_region_that_is_down_is_named_and_does_not_speak_for_the_others() {
    let cloud = Cloud::start().await;
    let regions = ["eu-west-1", "us-east-1"];
    let each = regions.map(|region| format!("r-{region}: {{ aws: {region}, launch: lambda }}")).join(", ");
    let text = format!(
        "name: x\ntarget: http://127.0.0.1:1\nregions: {{ {each} }}\njourneys: [browse]\n\
         load: {{ arrivals: [{{ hold: 10/s, for: 10s }}] }}\n"
    );
    let (plan, any) = (Plan::read("plan.yaml", &text).unwrap(), config(&cloud.endpoint).await);
    let open = || {
        let configs = BTreeMap::from(regions.map(|region| (region.to_owned(), any.clone())));
        Lambda::with(&plan, "r", Some(&cloud.endpoint), configs)
    };
    // Whatever is asked is asked three times. The first region does not say whose account it is, the second one does.
    cloud.refuse("POST /", &[503; 3]);
    drop(open().await.unwrap());
    cloud.refuse("POST /", &[503; 6]);
    let told = open().await.unwrap_err().to_string();
    assert!(told.starts_with("finding out in us-east-1 which AWS account this is: "), "{told}");
    assert!(told.contains("take the region out of the plan"), "{told}");
    cloud.refuse(&format!("PUT /doorbuster-{ACCOUNT}-us-east-1/{BOARD}"), &[503; 3]);
    let told = open().await.unwrap_err().to_string();
    assert!(told.starts_with("opening the fleet in us-east-1 (the bucket "), "{told}");
    assert!(told.contains("take the region out of the plan"), "{told}");
}

#[tokio::test]
async fn a_plan_without_functions_opens_nothing() {
    let text = "name: x\ntarget: http://127.0.0.1:1\nregions: [a]\njourneys: [browse]\nload: { arrivals: [{ hold: 1/s, for: 1s }] }\n";
    let plan = Plan::read("plan.yaml", text).unwrap();
    assert!(Lambda::open(&plan, "r", None).await.unwrap_err().to_string().contains("no region of the plan"));
}
