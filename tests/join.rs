//! Agents that dial in: the built binary on both sides.

mod networks;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_shop::Shop;
use serde_json::Value;

use crate::util::{Folder, count, patiently, requests, run, shop, start, turn};

/// Keys, and the agents that have them.
struct Site {
    folder: Folder,
    address: SocketAddr,
    agents: Vec<Child>,
}

impl Site {
    /// Makes keys for a coordinator at this address, with as many tokens.
    fn new(host: IpAddr, tokens: usize) -> Self {
        let port = TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().port();
        let folder = Folder::new();
        let pki = folder.path("pki").display().to_string();
        let made = run(&["fleet", "pki", &pki, "--host", &host.to_string(), "--tokens", &tokens.to_string()]);
        assert_eq!((made.code, made.stdout.lines().count()), (0, tokens), "{}", made.stderr);
        folder.write("tokens", made.stdout);
        Self { folder, address: SocketAddr::new(host, port), agents: Vec::new() }
    }

    /// Starts an agent by these words before it, if any: those of a network namespace.
    fn agent(&mut self, before: &[&str], region: &str) {
        let number = self.agents.len();
        let path = |name: &str| self.folder.path(name).display().to_string();
        let log = fs::File::create(self.folder.path(&format!("agent-{number}.log"))).unwrap();
        let program = env!("CARGO_BIN_EXE_doorbuster");
        let mut words: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
        words.extend([program, "agent", "join"].map(str::to_owned));
        words.extend([format!("https://{}", self.address), "--region".to_owned(), region.to_owned()]);
        words.extend(["--state".to_owned(), path(&format!("agent-{number}"))]);
        words.extend(["--ca".to_owned(), path("pki/ca.pem"), "--token-file".to_owned(), path("tokens")]);
        let agent =
            Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).stderr(log).spawn().unwrap();
        self.agents.push(agent);
    }

    /// A plan of the shop's regions, with so many agents in each.
    fn plan(&self, shop: &Shop, agents: usize, load: &str) -> String {
        let region = |edge: &doorbuster_shop::Edge| {
            let (name, address) = (&edge.region, edge.address);
            format!("  {name}: {{ target: \"http://{address}\", launch: join, agents: {agents} }}\n")
        };
        let regions: String = shop.edges().iter().map(region).collect();
        let text = format!(
            "name: join\nregions:\n{regions}journeys: [browse]\nload: {{ arrivals: [{load}] }}\n\
             fleet: {{ listen: \"{}\", pki: pki, start: {{ within: 60s, when_missing: abort }} }}\n",
            self.address
        );
        self.folder.write("plan.yaml", text)
    }

    /// What the agents said, for the messages of assertions.
    fn logs(&self) -> String {
        let log =
            |number| fs::read_to_string(self.folder.path(&format!("agent-{number}.log"))).unwrap_or_default();
        (0..self.agents.len()).map(log).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}

/// How many requests the shop saw in a region.
fn logged(shop: &Shop, region: &str) -> u64 {
    shop.counts()[region].values().sum()
}

/// In these regions the report counts exactly what the shop saw since it had seen `before`.
fn is_exact(report: &Value, shop: &Shop, regions: &[&str], before: &[u64]) {
    for (region, before) in regions.iter().zip(before) {
        let sent = count(report, &format!("regions.{region}.requests_sent"));
        assert_eq!(sent, logged(shop, region) - before, "{region}");
    }
}

const REGIONS: [&str; 3] = ["tokyo", "london", "new-york"];

#[test]
fn agents_that_join_count_as_the_shop_does_in_one_run_after_the_other() {
    let _turn = turn();
    patiently(|| {
        let shop = shop();
        let mut site = Site::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6);
        (0..6).for_each(|number| site.agent(&[], REGIONS[number % 3]));
        let plan = site.plan(&shop, 2, "{ hold: 60/s, for: 8s }");
        for _ in 0..2 {
            let before = REGIONS.map(|region| logged(&shop, region));
            let finished = start(&["rehearse", &plan, "--quiet"]).finish();
            let report = &finished.report;
            assert_eq!(finished.code, 0, "{}\n{}", finished.stderr, site.logs());
            is_exact(report, &shop, &REGIONS, &before);
            assert_eq!(count(report, "global.journeys.browse.completed"), 480);
            assert_eq!(count(report, "validity.agents_planned"), 6);
            assert_eq!(count(report, "validity.agents_lost") + count(report, "validity.ticks_missing"), 0);
        }
        // Each token enrolled one agent, and the certificates of the first run served in the second.
        assert_eq!(fs::read_to_string(site.folder.path("pki/tokens")).unwrap(), "");
    });
}

#[test]
fn without_its_coordinator_an_agent_stops_within_a_lease_and_serves_the_next() {
    let _turn = turn();
    let shop = shop();
    let mut site = Site::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3);
    REGIONS.iter().for_each(|region| site.agent(&[], region));
    let plan = site.plan(&shop, 1, "{ hold: 60/s, for: 60s }");
    let mut running = start(&["rehearse", &plan, "--quiet"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while requests(&shop) < 200 {
        assert!(Instant::now() < deadline, "no load: {}", site.logs());
        thread::sleep(Duration::from_millis(100));
    }
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let killed = Instant::now();
    let (mut seen, mut last) = (requests(&shop), killed);
    while killed.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(100));
        let now = requests(&shop);
        if now > seen {
            (seen, last) = (now, Instant::now());
        }
    }
    let went_on = last - killed;
    assert!(went_on <= Duration::from_millis(15_500), "load {went_on:?} after the coordinator was killed");
    let before = REGIONS.map(|region| logged(&shop, region));
    let plan = site.plan(&shop, 1, "{ hold: 30/s, for: 4s }");
    let finished = start(&["rehearse", &plan, "--quiet"]).finish();
    assert_eq!(finished.code, 0, "{}\n{}", finished.stderr, site.logs());
    is_exact(&finished.report, &shop, &REGIONS, &before);
}

/// What a program says on standard error when it ends with this code.
fn refused(arguments: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } =
        Command::new(env!("CARGO_BIN_EXE_doorbuster")).args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{said}");
    said
}

#[test]
fn what_people_must_mend_is_said_at_once() {
    let folder = Folder::new();
    let state = folder.path("state").display().to_string();
    let join = ["agent", "join", "https://127.0.0.1:1", "--region", "tokyo", "--state", state.as_str()];
    assert!(refused(&join, 2).contains("--ca"));
    let pki = folder.path("pki").display().to_string();
    assert!(refused(&["fleet", "pki", &pki], 2).contains("--host"));
    assert_eq!(run(&["fleet", "pki", &pki, "--host", "127.0.0.1"]).code, 0);
    let ca = folder.path("pki/ca.pem").display().to_string();
    let said = refused(&[&join[..], &["--ca", ca.as_str()][..]].concat(), 2);
    assert!(said.contains("doorbuster fleet pki FOLDER --tokens 1"), "{said}");
    let wrong = ["agent", "join", "127.0.0.1:7443", "--region", "tokyo", "--state", state.as_str()];
    assert!(refused(&wrong, 2).contains("https://HOST:PORT"));
    let missing = [&join[..], &["--token-file", "/nonexistent"][..]].concat();
    assert!(refused(&missing, 2).contains("--token-file"));
    // A plan without keys says how they are made.
    let plan = "name: x\ntarget: http://127.0.0.1:1\nregions: { tokyo: { launch: join } }\njourneys: [browse]\n\
                load: { arrivals: [{ hold: 1/s, for: 1s }] }\n";
    let plan = folder.write("plan.yaml", plan);
    let said = start(&["rehearse", &plan, "--quiet"]).finish();
    assert!(said.code == 2 && said.stderr.contains("doorbuster fleet pki"), "{}", said.stderr);
}
