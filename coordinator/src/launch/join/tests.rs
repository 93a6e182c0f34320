//! Agents of this workspace, and strangers, at a desk on loopback.

mod caller;
mod fake;
mod proxy;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doorbuster_agent::join::{Options, run};
use doorbuster_link::CERTIFICATE_LIFE;
use doorbuster_model::assignment::{Overrides, Secrets};
use doorbuster_model::{Assignment, Report, Segment, Task};
use doorbuster_wire::{Downward, FromAgent, PROTOCOL, ToAgent, Upward};
use jiff::Timestamp;
use rcgen::KeyPair;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;

use self::caller::{Caller, Credentials, connected};
use self::fake::Fake;
use self::proxy::Proxy;
use super::Desk;
use super::roster::Roster;
use crate::fleet::pki::{self, Pki, Wanted};
use crate::launch::{Agent, Event, queue};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("doorbuster-desk-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An assignment that says nothing.
pub(super) fn assignment(id: &str, region: &str) -> Assignment {
    Assignment {
        id: id.to_owned(),
        run: "r".to_owned(),
        region: region.to_owned(),
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

/// A desk with keys of its own, and tokens.
struct Site {
    folder: Folder,
    desk: Desk,
    address: SocketAddr,
    tokens: Vec<String>,
}

impl Site {
    async fn open(regions: &[&str], tokens: usize) -> Self {
        let folder = Folder::new();
        let wanted = Wanted { count: tokens, ..Wanted::default() };
        let made = pki::make(&folder.0.join("pki"), &["127.0.0.1".to_owned()], wanted).unwrap();
        let (desk, address) =
            Self::listen(&folder, regions, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
        Self { folder, desk, address, tokens: made.tokens }
    }

    async fn listen(folder: &Folder, regions: &[&str], address: SocketAddr) -> (Desk, SocketAddr) {
        let regions = regions.iter().map(|region| (*region).to_owned()).collect();
        let pki = Pki::read(&folder.0.join("pki")).unwrap();
        let desk = Desk::listen(address, Roster::new(regions), pki).await.unwrap();
        let address = desk.server.address;
        (desk, address)
    }

    fn pki(&self) -> Pki {
        Pki::read(&self.folder.0.join("pki")).unwrap()
    }

    /// An agent of a region that dials `address`, with the token of that position.
    fn agent(&self, name: &str, region: &str, address: SocketAddr, program: &Fake) -> JoinHandle<()> {
        let options = Options {
            coordinator: format!("https://{address}"),
            region: region.to_owned(),
            state: Some(self.folder.0.join(name)),
            ca: Some(self.folder.0.join("pki").join("ca.pem")),
            tokens: self.tokens.clone(),
            program: Some(program.path.clone()),
        };
        tokio::spawn(async move { run(&options).await.unwrap() })
    }

    fn launch(&self, number: usize, id: &str, region: &str) -> Launched {
        let (events, happened) = queue();
        let agent = self.desk.launch(number, assignment(id, region), events);
        Launched { agent: Some(agent), happened }
    }
}

/// An assignment under way.
struct Launched {
    agent: Option<Agent>,
    happened: mpsc::Receiver<(usize, Event)>,
}

impl Launched {
    fn tell(&self, message: ToAgent) {
        let _ = self.agent.as_ref().unwrap().to.send(message);
    }

    /// The next event, leases renewed meanwhile.
    async fn next(&mut self, lease: &mut u64) -> Event {
        let deadline = Instant::now() + PATIENCE;
        loop {
            *lease += 1;
            self.tell(ToAgent::Lease { counter: *lease });
            if let Ok(event) = timeout(Duration::from_millis(200), self.happened.recv()).await {
                return event.expect("an event").1;
            }
            assert!(Instant::now() < deadline, "nothing happened");
        }
    }

    /// What is said until the last word.
    async fn all(&mut self) -> Vec<FromAgent> {
        let (mut said, mut lease) = (Vec::new(), 0);
        loop {
            match self.next(&mut lease).await {
                Event::Said(message) => {
                    let is_last =
                        matches!(message, FromAgent::Report(Report::Finished { .. } | Report::Failed { .. }));
                    said.push(message);
                    if is_last {
                        self.agent = None;
                        return said;
                    }
                }
                Event::Gone(why) => panic!("it is gone: {why}; said {said:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_session_from_enrolment_to_the_last_word() {
    let site = Site::open(&["tokyo"], 2).await;
    let fake = Fake::new(&site.folder.0, 20);
    let agent = site.agent("a", "tokyo", site.address, &fake);
    let mut launched = site.launch(7, "r-0", "tokyo");
    assert_eq!(launched.all().await, fake.says());
    // One of two tokens was burnt; the agent is free again, and needs no other.
    let mut next = site.launch(8, "r-1", "tokyo");
    assert_eq!(next.all().await, fake.says());
    let left =
        site.tokens.iter().filter(|token| site.pki().tokens.burn(token, Timestamp::now()).unwrap()).count();
    assert_eq!(left, 1);
    // What came before starts nothing, and the agent lives.
    let mut duplicate = site.launch(9, "r-0", "tokyo");
    let said = duplicate.all().await;
    let FromAgent::Report(Report::Failed { message }) = &said[0] else { panic!("{said:?}") };
    assert!(message.contains("a duplicate of r-0") && message.contains("nothing was sent"), "{message}");
    assert_eq!(fake.starts(), 2);
    let mut last = site.launch(10, "r-2", "tokyo");
    assert_eq!(last.all().await, fake.says());
    agent.abort();
    site.desk.close().await;
}

#[tokio::test]
async fn agents_serve_the_next_coordinator() {
    let site = Site::open(&["tokyo"], 1).await;
    let fake = Fake::new(&site.folder.0, 3_000);
    let agent = site.agent("a", "tokyo", site.address, &fake);
    let mut launched = site.launch(0, "r-0", "tokyo");
    let mut lease = 0;
    assert!(matches!(launched.next(&mut lease).await, Event::Said(FromAgent::Hello { .. })));
    // The coordinator ends in mid-sentence; who comes after it does not know the agent.
    let Site { folder, desk, address, .. } = site;
    drop(desk);
    sleep(Duration::from_millis(300)).await;
    let short = Fake::new(&folder.0, 5);
    short.stand_in_for(&fake);
    let (desk, _) = Site::listen(&folder, &["tokyo"], address).await;
    let (events, happened) = queue();
    let next = desk.launch(0, assignment("s-0", "tokyo"), events);
    let mut next = Launched { agent: Some(next), happened };
    assert_eq!(next.all().await, short.says());
    agent.abort();
}

#[tokio::test]
async fn cuts_at_random_moments_lose_nothing_and_double_nothing() {
    tokio::join!(is_exact_with_cuts(1), is_exact_with_cuts(2), is_exact_with_cuts(3));
}

async fn is_exact_with_cuts(seed: u64) {
    // A cut may take an enrolment's answer along, and its token with it.
    let site = Site::open(&["tokyo"], 20).await;
    let fake = Fake::new(&site.folder.0, 300);
    let proxy = Proxy::start(site.address, seed, 6).await;
    let agent = site.agent("a", "tokyo", proxy.address, &fake);
    let mut launched = site.launch(0, "r-0", "tokyo");
    let orders = launched.agent.as_ref().unwrap().to.clone();
    let telling = tokio::spawn(async move {
        for number in 0..100 {
            let _ = orders.send(ToAgent::Start { at_unix_ns: number });
            sleep(Duration::from_millis(20)).await;
        }
    });
    let said = launched.all().await;
    assert_eq!(said, fake.says(), "seed {seed}");
    telling.await.unwrap();
    assert!(proxy.cuts() >= 2, "seed {seed}: {} cuts", proxy.cuts());
    // Down as well: each once, in order, as far as its process heard it.
    let told: Vec<u64> = fake
        .told()
        .into_iter()
        .filter_map(|message| match message {
            ToAgent::Start { at_unix_ns } => Some(at_unix_ns),
            _ => None,
        })
        .collect();
    assert!(!told.is_empty());
    assert_eq!(told, (0..told.len() as u64).collect::<Vec<_>>(), "seed {seed}");
    agent.abort();
}

#[tokio::test]
async fn a_partition_longer_than_the_lease_ends_the_assignment_on_both_sides() {
    let site = Site::open(&["tokyo"], 1).await;
    let fake = Fake::new(&site.folder.0, 6_000);
    let proxy = Proxy::start(site.address, 1, 0).await;
    let agent = site.agent("a", "tokyo", proxy.address, &fake);
    let mut launched = site.launch(0, "r-0", "tokyo");
    let mut lease = 0;
    for _ in 0..5 {
        assert!(matches!(launched.next(&mut lease).await, Event::Said(_)));
    }
    proxy.part();
    let parted = Instant::now();
    let why = loop {
        match launched.next(&mut lease).await {
            Event::Said(_) => {}
            Event::Gone(why) => break why,
        }
    };
    let waited = parted.elapsed();
    assert!(why.contains("stopped by its lease"), "{why}");
    assert!((Duration::from_secs(13)..Duration::from_secs(17)).contains(&waited), "{waited:?}");
    let process = fake.process().expect("it runs: this one heeds no lease");
    sleep(Duration::from_secs(3)).await;
    proxy.heal();
    // Back again, the agent hears that it is over, and takes the next.
    let short = Fake::new(&site.folder.0, 5);
    short.stand_in_for(&fake);
    let mut next = site.launch(1, "r-1", "tokyo");
    assert_eq!(next.all().await, short.says());
    assert!(!PathBuf::from(format!("/proc/{process}/cmdline")).exists(), "the first is gone");
    assert!(launched.happened.try_recv().is_err(), "nothing follows the end");
    agent.abort();
}

#[tokio::test]
async fn a_large_assignment_over_a_slow_line_loses_no_agent() {
    let site = Site::open(&["tokyo"], 1).await;
    let fake = Fake::new(&site.folder.0, 5);
    let proxy = Proxy::start(site.address, 1, 0).await;
    proxy.slow_down(250_000);
    let agent = site.agent("a", "tokyo", proxy.address, &fake);
    let long = ("ca.pem".to_owned(), "x".repeat(5 << 20));
    let assignment = Assignment { files: BTreeMap::from([long]).into(), ..assignment("r-0", "tokyo") };
    let (events, happened) = queue();
    let began = Instant::now();
    let mut launched = Launched { agent: Some(site.desk.launch(0, assignment, events)), happened };
    assert_eq!(launched.all().await, fake.says());
    let took = began.elapsed();
    assert!(took > Duration::from_secs(17), "longer than a lease: {took:?}");
    agent.abort();
}

#[tokio::test]
async fn a_token_enrols_once() {
    let site = Site::open(&["tokyo"], 1).await;
    let (first, second) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut caller = Caller::dial(site.address, &Credentials::none(&site.pki())).await.unwrap();
    // A request that is none costs no token.
    let refused = caller.enrol(&site.tokens[0], "no request").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    // And without a token nobody reads it.
    let stranger = caller.enrol("wrong", "no request").await.unwrap_err();
    assert_eq!(stranger.code(), Code::PermissionDenied);
    let wrong = caller.enrol("wrong", &caller::request(&first)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::PermissionDenied);
    caller.enrol(&site.tokens[0], &caller::request(&first)).await.unwrap();
    let again = caller.enrol(&site.tokens[0], &caller::request(&second)).await.unwrap_err();
    assert_eq!(again.code(), Code::PermissionDenied);
    assert!(again.message().contains("fleet pki FOLDER --tokens 1"), "{again}");
}

#[tokio::test]
async fn strangers_who_say_nothing_keep_no_agent_out() {
    let site = Site::open(&["tokyo"], 1).await;
    let address = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
    let mut silent = Vec::new();
    // More than one address may hold, each from another port.
    for _ in 0..120 {
        silent.push(connected(address(9), site.address).await.unwrap());
    }
    let key = KeyPair::generate().unwrap();
    let none = Credentials::none(&site.pki());
    let ninth = async {
        let mut caller = Caller::dial_from(address(9), site.address, &none).await?;
        caller.enrol(&site.tokens[0], &caller::request(&key)).await.map_err(|status| status.to_string())
    };
    assert!(ninth.await.is_err(), "its address has all that one may have");
    let mut caller = Caller::dial_from(address(1), site.address, &none).await.unwrap();
    let enrolled = caller.enrol(&site.tokens[0], &caller::request(&key)).await.unwrap();
    assert!(enrolled.certificate_pem.contains("BEGIN CERTIFICATE"));
    // Once they are gone, there is room again.
    drop(silent);
    let deadline = Instant::now() + PATIENCE;
    while Caller::dial_from(address(9), site.address, &none).await.is_err() {
        assert!(Instant::now() < deadline, "they are gone");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn without_a_certificate_one_can_only_enrol() {
    let site = Site::open(&["tokyo"], 0).await;
    let mut caller = Caller::dial(site.address, &Credentials::none(&site.pki())).await.unwrap();
    let key = KeyPair::generate().unwrap();
    assert_eq!(caller.renew(&caller::request(&key)).await.unwrap_err().code(), Code::Unauthenticated);
    let mut caller = Caller::dial(site.address, &Credentials::none(&site.pki())).await.unwrap();
    assert_eq!(caller.join("agent-x", "tokyo", PROTOCOL).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn certificates_that_do_not_hold_are_refused() {
    let (site, other) = (Site::open(&["tokyo"], 0).await, Site::open(&["tokyo"], 0).await);
    let key = KeyPair::generate().unwrap();
    let (now, days) = (Timestamp::now(), Duration::from_secs(3 * 86_400));
    for (pki, at, is_good) in [
        (site.pki(), now, true),
        (site.pki(), now - days, false),
        (site.pki(), now + days, false),
        (other.pki(), now, false),
    ] {
        let signed = pki.authority.sign(&caller::request(&key), at).unwrap();
        let credentials = Credentials::of(&site.pki(), &signed.pem, &key);
        // TLS 1.3 lets a client finish before the server has looked: it hears of it at its first call.
        let joined = async {
            let mut caller = Caller::dial(site.address, &credentials).await?;
            caller.join(&signed.agent, "tokyo", PROTOCOL).await.map_err(|status| status.to_string())
        };
        let answer = joined.await;
        assert_eq!(answer.is_ok(), is_good, "{answer:?}");
        if let Ok(answer) = answer {
            assert_eq!(answer, Some(Downward::Welcome { received: 0 }));
        }
    }
}

#[tokio::test]
async fn no_connection_outlives_the_certificate_by_which_it_was_let_in() {
    let site = Site::open(&["tokyo"], 0).await;
    let key = KeyPair::generate().unwrap();
    let left = Duration::from_secs(4);
    let signed_at = Timestamp::now() - (CERTIFICATE_LIFE - left);
    let signed = site.pki().authority.sign(&caller::request(&key), signed_at).unwrap();
    let credentials = Credentials::of(&site.pki(), &signed.pem, &key);
    let mut caller = Caller::dial(site.address, &credentials).await.unwrap();
    // Somebody else's holds on meanwhile.
    let others = KeyPair::generate().unwrap();
    let signed = site.pki().authority.sign(&caller::request(&others), Timestamp::now()).unwrap();
    let credentials = Credentials::of(&site.pki(), &signed.pem, &others);
    let mut other = Caller::dial(site.address, &credentials).await.unwrap();
    caller.renew(&caller::request(&key)).await.unwrap();
    sleep(left + Duration::from_secs(1)).await;
    let late = caller.renew(&caller::request(&key)).await;
    assert!(late.is_err(), "the certificate has expired, and its connection is served");
    other.renew(&caller::request(&others)).await.unwrap();
}

#[tokio::test]
async fn names_regions_and_protocols_of_others_are_refused_with_the_remedy() {
    let site = Site::open(&["tokyo"], 0).await;
    let key = KeyPair::generate().unwrap();
    let signed = site.pki().authority.sign(&caller::request(&key), Timestamp::now()).unwrap();
    let credentials = Credentials::of(&site.pki(), &signed.pem, &key);
    for (agent, region, protocol, remedy) in [
        ("agent-00000000000000000000", "tokyo", PROTOCOL, "enrol it again"),
        (signed.agent.as_str(), "paris", PROTOCOL, "--region"),
        (signed.agent.as_str(), "tokyo", PROTOCOL - 1, "install Doorbuster"),
    ] {
        let mut caller = Caller::dial(site.address, &credentials).await.unwrap();
        match caller.join(agent, region, protocol).await.unwrap() {
            Some(Downward::Refused { why }) => assert!(why.contains(remedy), "{why}"),
            other => panic!("{agent} {region} {protocol}: {other:?}"),
        }
    }
    // And what comes first must be who it is.
    let mut caller = Caller::dial(site.address, &credentials).await.unwrap();
    let answer = caller.stream(vec![Upward::Alive]).await.unwrap();
    assert!(matches!(&answer, Some(Downward::Refused { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_certificate_is_renewed_for_its_own_key_alone() {
    let site = Site::open(&["tokyo"], 0).await;
    let (key, others) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let signed = site.pki().authority.sign(&caller::request(&key), Timestamp::now()).unwrap();
    let credentials = Credentials::of(&site.pki(), &signed.pem, &key);
    let mut caller = Caller::dial(site.address, &credentials).await.unwrap();
    assert!(
        caller.renew(&caller::request(&key)).await.unwrap().certificate_pem.contains("BEGIN CERTIFICATE")
    );
    let refused = caller.renew(&caller::request(&others)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_older_agent_is_told_what_renews_one_of_its_region() {
    let folder = Folder::new();
    pki::make(&folder.0.join("pki"), &["127.0.0.1".to_owned()], Wanted::default()).unwrap();
    let keys = || Pki::read(&folder.0.join("pki")).unwrap();
    let regions = ["tokyo", "london"].map(str::to_owned);
    let roster = Roster::new(regions.to_vec()).with_ec2(vec!["london".to_owned()]);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let desk = Desk::listen(address, roster, keys()).await.unwrap();
    let key = KeyPair::generate().unwrap();
    let signed = keys().authority.sign(&caller::request(&key), Timestamp::now()).unwrap();
    let credentials = Credentials::of(&keys(), &signed.pem, &key);
    for (region, remedy) in [("tokyo", "on that host"), ("london", "--agents-ec2 N --join URL")] {
        let mut caller = Caller::dial(desk.server.address, &credentials).await.unwrap();
        match caller.join(&signed.agent, region, PROTOCOL - 1).await.unwrap() {
            Some(Downward::Refused { why }) => assert!(why.contains(remedy), "{region}: {why}"),
            other => panic!("{region}: {other:?}"),
        }
    }
}
