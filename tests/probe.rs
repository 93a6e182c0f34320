//! Probing all year round, in seconds: counts as in the shop's own log, regions that are lost, incidents and letters, and
//! what is left after the coordinator was killed again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use doorbuster_model::Chance;
use doorbuster_model::chance::Purpose;
use doorbuster_shop::Shop;
use serde_json::Value;

use crate::util::{
    Folder, children, count, patiently, read_head_text, regions, run, server, shop, signal, turn, value,
    without,
};

/// What letters are signed with.
const SECRET: &str = "DOORBUSTER_TEST_SECRET";
/// A page that no cache keeps, so that each walk is a request to the shop.
const JOURNEY: &str = "journey: visit\nsteps: [{ step: front, get: /cart }]\n";
const PAGE: &str = "GET /cart ";

/// A receiver of letters.
struct Sink {
    address: SocketAddr,
    letters: Arc<Mutex<Vec<Value>>>,
}

impl Sink {
    fn start() -> Self {
        let letters = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&letters);
        let address = server(move |mut stream| {
            while let Some(head) = read_head_text(&mut stream) {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("content-length")
                        .then(|| value.trim().parse::<usize>().unwrap())
                });
                let mut body = vec![0; length.unwrap_or(0)];
                if stream.read_exact(&mut body).is_err() {
                    return;
                }
                kept.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                if stream.write_all(answer).is_err() {
                    return;
                }
            }
        });
        Self { address, letters }
    }

    fn letters(&self) -> Vec<Value> {
        self.letters.lock().unwrap().clone()
    }

    /// Waits for a letter that is like this.
    fn wait_for(&self, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + within;
        loop {
            if let Some(letter) = self.letters().into_iter().find(&wanted) {
                return letter;
            }
            assert!(Instant::now() < deadline, "no such letter within {within:?}: {:#?}", self.letters());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn is(letter: &Value, status: &str, kind: &str, scope: &str) -> bool {
    letter["status"] == status && letter["kind"] == kind && letter["scope"] == scope
}

/// A shop, a plan that probes it, and who is told.
struct Stage {
    shop: Shop,
    folder: Folder,
    sink: Sink,
    plan: String,
}

impl Stage {
    fn new() -> Self {
        let (shop, folder, sink) = (shop(), Folder::new(), Sink::start());
        folder.write("visit.yaml", JOURNEY);
        let text = format!(
            "name: probed\n{}journeys: [visit.yaml]\nprobe: {{ every: 1s }}\n\
             slo:\n  objectives: [\"visit availability 99% over 1h\"]\n  \
             rules: [{{ name: page, severity: page, factor: 5, long: 20s, short: 10s }}]\n  \
             min_failures: 2\n  confirm: off\n  keep_firing_for: 5s\n  no_data_after: 5s\n\
             alerts: {{ notify: [{{ webhook: \"http://{}/hook\", secret_env: {SECRET} }}] }}\n",
            regions(&shop),
            sink.address
        );
        let plan = folder.write("plan.yaml", text);
        Self { shop, folder, sink, plan }
    }

    fn data_dir(&self) -> String {
        self.folder.path("data").display().to_string()
    }

    /// What the shop's own log says of a region, or of all: walks, and those that failed.
    fn logged(&self, region: Option<&str>) -> (u64, u64) {
        let counts = self.shop.counts();
        let of = counts.iter().filter(|(name, _)| region.is_none_or(|region| region == **name));
        let pages = of.flat_map(|(_, counts)| counts).filter(|(line, _)| line.starts_with(PAGE));
        pages.fold((0, 0), |(all, failed), (line, count)| {
            (all + count, failed + if line.ends_with(" 200") { 0 } else { *count })
        })
    }

    /// How everything stands, as the store has it.
    fn status(&self) -> Value {
        let path = self.folder.path("status.json");
        let (data_dir, json) = (self.data_dir(), path.display().to_string());
        let finished = run(&["slo", "status", "--data-dir", &data_dir, "--json", &json]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert!(finished.stdout.contains("visit availability"), "{}", finished.stdout);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// How everything stands as the store has it; `None` where nobody got as far as keeping anything.
    fn kept(&self) -> Option<Value> {
        let path = self.folder.path("kept.json");
        let (data_dir, json) = (self.data_dir(), path.display().to_string());
        let finished = run(&["slo", "status", "--data-dir", &data_dir, "--json", &json]);
        assert!(matches!(finished.code, 0 | 2), "{}", finished.stderr);
        let status: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap_or(Value::Null);
        (finished.code == 0 && !status["plans"][0].is_null()).then_some(status)
    }
}

/// An objective's row in a scope.
fn row<'a>(status: &'a Value, scope: &str) -> &'a Value {
    let rows = value(status, "plans")[0]["objectives"].as_array().unwrap();
    rows.iter().find(|row| row["scope"] == scope).unwrap_or_else(|| panic!("{scope} is missing: {status:#}"))
}

/// Events that were counted in a scope, and those that failed.
fn counted(status: &Value, scope: &str) -> (u64, u64) {
    let row = row(status, scope);
    (count(row, "total"), count(row, "failed"))
}

/// The incidents of which people are to hear, because their alerts fire.
fn firing(status: &Value) -> Vec<String> {
    let alerts = value(status, "plans")[0]["alerts"].as_array().unwrap().iter();
    let is_told = |alert: &&Value| {
        alert["status"] == "firing" && alert["silenced"] == false && alert["inhibited"] == false
    };
    alerts.filter(is_told).map(|alert| alert["incident"].to_string()).collect()
}

/// The probe under way.
struct Probing {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Probing {
    fn start(stage: &Stage, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorbuster"))
            .args(["probe", &stage.plan, "--data-dir", &stage.data_dir()])
            .args(more)
            .env(SECRET, "sesame")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&said));
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Self { child, said }
    }

    /// Waits until it says something with these words in it.
    fn wait_for(&self, words: &str, within: Duration) {
        let deadline = Instant::now() + within;
        while !self.said.lock().unwrap().iter().any(|line| line.contains(words)) {
            assert!(
                Instant::now() < deadline,
                "\"{words}\" within {within:?}: {:#?}",
                self.said.lock().unwrap()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks it to stop, and waits for its end.
    fn stop(&mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        self.child.wait().unwrap().code()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const REGIONS: [&str; 3] = ["tokyo", "london", "new-york"];

#[test]
fn counts_are_those_of_the_shop_s_own_log() {
    let _turn = turn();
    patiently(|| {
        let stage = Stage::new();
        stage.shop.set_fault("errors=30%".parse().unwrap());
        let json = stage.folder.path("end.json").display().to_string();
        let mut probing = Probing::start(&stage, &["--for", "8s", "--json", &json]);
        assert_eq!(probing.child.wait().unwrap().code(), Some(0), "{:#?}", probing.said.lock().unwrap());
        let told: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        let status = stage.status();
        assert!(stage.logged(None).0 >= 3 * 7, "{:?}", stage.logged(None));
        for (scope, region) in
            REGIONS.map(|region| (region, Some(region))).into_iter().chain([("global", None)])
        {
            let expected = stage.logged(region);
            assert_eq!(counted(&told, scope), expected, "{scope}");
            assert_eq!(counted(&status, scope), expected, "{scope}, from the store");
        }
        let objective = "visit availability 99% over 1h";
        let data_dir = stage.data_dir();
        let of = ["--of", objective, "--data-dir", &data_dir];
        for (more, region) in [(&[][..], None), (&["--scope", "tokyo"], Some("tokyo"))] {
            let finished = run(&[&["slo", "backtest", "--plan", &stage.plan][..], &of, more].concat());
            assert_eq!(finished.code, 0, "{}", finished.stderr);
            let (all, failed) = stage.logged(region);
            let told = format!("{failed} of {all} events failed");
            assert!(finished.stdout.contains(&told), "{told}: {}", finished.stdout);
        }
        let lines = probing.said.lock().unwrap().clone();
        assert!(
            lines[0].contains("\"probed\" walks visit every 1 s from tokyo, london, new-york"),
            "{lines:#?}"
        );
        assert!(
            lines.iter().any(|line| line.contains("visit: failed at \"front\" (status): GET http")),
            "{lines:#?}"
        );
        assert!(lines.iter().any(|line| line.contains("visit: good again after")), "{lines:#?}");
    });
}

#[test]
fn a_region_that_falls_silent_is_told_lost_and_comes_back() {
    let _turn = turn();
    patiently(|| {
        let stage = Stage::new();
        let mut probing = Probing::start(&stage, &[]);
        thread::sleep(Duration::from_secs(3));
        let agents = children(probing.child.id());
        assert_eq!(agents.len(), 3, "one for each region");
        // Killed, it is there again before anybody misses it.
        signal(agents[0], "KILL");
        probing.wait_for("its agent is lost (its process ended with signal: 9", Duration::from_secs(5));
        probing.wait_for("probes again", Duration::from_secs(5));
        // Stopped, it says nothing, and nobody can tell how the shop is from there.
        let stopped = *children(probing.child.id()).last().unwrap();
        signal(stopped, "STOP");
        let region = silent_region(&stage, Duration::from_secs(12));
        let is_silent = |letter: &Value| is(letter, "firing", "no_data", &region);
        let silent = stage.sink.wait_for(Duration::from_secs(20), is_silent);
        probing.wait_for(
            &format!("{region}: its agent is lost (it has said nothing for 15 s)"),
            Duration::from_secs(20),
        );
        let over = |letter: &Value| is(letter, "resolved", "no_data", &region);
        let over = stage.sink.wait_for(Duration::from_secs(30), over);
        assert_eq!(over["incident"], silent["incident"]);
        let status = stage.status();
        assert!(count(row(&status, &region), "gaps_s") >= 5, "{:#}", row(&status, &region));
        assert_eq!(counted(&status, &region).1, 0, "what nobody saw is no failure");
        assert_eq!(probing.stop(), Some(0));
    });
}

/// The region that is silent, once one is.
fn silent_region(stage: &Stage, within: Duration) -> String {
    let deadline = Instant::now() + within;
    loop {
        let status = stage.status();
        let regions = status["plans"][0]["regions"].as_array().unwrap();
        if let Some(silent) = regions.iter().find(|row| row["silent"] == true) {
            return silent["region"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "none is silent within {within:?}: {status:#}");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_fault_is_an_incident_with_letters_and_an_end() {
    let _turn = turn();
    patiently(|| {
        let stage = Stage::new();
        let mut probing = Probing::start(&stage, &[]);
        thread::sleep(Duration::from_secs(3));
        stage.shop.set_fault("errors=100%".parse().unwrap());
        probing.wait_for("visit: failed at \"front\"", Duration::from_secs(5));
        let begun =
            stage.sink.wait_for(Duration::from_secs(20), |letter| is(letter, "firing", "burn", "global"));
        assert_eq!((&begun["sequence"], &begun["plan"]), (&Value::from(0), &Value::from("probed")));
        probing.wait_for("alert firing: page global", Duration::from_secs(1));
        stage.shop.clear_faults();
        probing.wait_for("visit: good again after", Duration::from_secs(5));
        let ended =
            stage.sink.wait_for(Duration::from_secs(60), |letter| is(letter, "resolved", "burn", "global"));
        assert_eq!(ended["incident"], begun["incident"], "one incident from its beginning to its end");
        assert_eq!(probing.stop(), Some(0));
        let letters = stage.sink.letters();
        let firing = letters.iter().filter(|letter| is(letter, "firing", "burn", "global"));
        assert_eq!(
            firing.map(|letter| letter["key"].to_string()).collect::<BTreeSet<_>>().len(),
            1,
            "{letters:#?}"
        );
    });
}

#[test]
fn a_rehearsal_of_the_same_host_wakes_nobody() {
    let _turn = turn();
    patiently(|| {
        let stage = Stage::new();
        let mut probing = Probing::start(&stage, &[]);
        thread::sleep(Duration::from_secs(2));
        let load = format!(
            "name: sale\n{}journeys: [visit.yaml]\nload: {{ arrivals: [{{ hold: 3/s, for: 90s }}] }}\n",
            regions(&stage.shop)
        );
        let plan = stage.folder.write("sale.yaml", load);
        let mut rehearsal = Command::new(env!("CARGO_BIN_EXE_doorbuster"))
            .args(["rehearse", &plan, "--quiet", "--data-dir", &stage.data_dir()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The probe looks for rehearsals every ten seconds.
        thread::sleep(Duration::from_secs(12));
        stage.shop.set_fault("errors=100%".parse().unwrap());
        thread::sleep(Duration::from_secs(22));
        let status = stage.status();
        let alerts = status["plans"][0]["alerts"].as_array().unwrap();
        let is_silenced = |alert: &Value| alert["status"] == "firing" && alert["silenced"] == true;
        assert!(alerts.iter().any(is_silenced), "{alerts:#?}");
        assert!(stage.sink.letters().is_empty(), "{:#?}", stage.sink.letters());
        // Interrupted, it takes back what it announced: what still fires is told now.
        signal(rehearsal.id(), "INT");
        assert_eq!(rehearsal.wait().unwrap().code(), Some(3));
        stage.sink.wait_for(Duration::from_secs(25), |letter| is(letter, "firing", "burn", "global"));
        assert_eq!(probing.stop(), Some(0));
    });
}

/// What was answered so long before a crash is in the store: a second until it is told, and some until it is written.
const KEPT_WITHIN: Duration = Duration::from_secs(2);

/// Kills the coordinator again and again, and compares what is left with the shop's own log.
fn crashes(kills: u64, seed: u64) {
    let stage = Stage::new();
    stage.shop.set_fault("errors=60%".parse().unwrap());
    // What the shop had answered when.
    let mut seen: Vec<(Instant, (u64, u64))> = Vec::new();
    // Walks and failures that no store has: those of the last moments before each crash.
    let mut lost = (0, 0);
    // Incidents that any of the stores left behind had begun.
    let mut begun: BTreeSet<String> = BTreeSet::new();
    for kill in 0..kills {
        let lives_ms = 300 + Chance::new(seed, Purpose::Probe, kill).below(2_500);
        let ends = Instant::now() + Duration::from_millis(lives_ms);
        let mut probing = Probing::start(&stage, &["--quiet"]);
        while Instant::now() < ends {
            seen.push((Instant::now(), stage.logged(None)));
            thread::sleep(Duration::from_millis(20));
        }
        let killed = Instant::now();
        probing.kill();
        // Its agents notice at once that it has gone; what they have sent is answered.
        thread::sleep(Duration::from_millis(250));
        let (all, failed) = stage.logged(None);
        let kept = stage.kept();
        let (total, total_failed) = kept.as_ref().map_or((0, 0), |status| counted(status, "global"));
        begun.extend(kept.iter().flat_map(firing));
        let now_lost = (all - total, failed - total_failed);
        assert!(
            now_lost.0 >= lost.0 && now_lost.1 >= lost.1,
            "{kill}: more than was there: {lost:?} {now_lost:?}"
        );
        let old = seen.iter().rev().find(|(at, _)| *at + KEPT_WITHIN <= killed);
        let old = old.map_or((0, 0), |(_, logged)| *logged);
        assert!(
            total + lost.0 >= old.0 && total_failed + lost.1 >= old.1,
            "{kill}: {total} walks, {total_failed} failed are kept, {lost:?} were lost before, {old:?} were old enough"
        );
        lost = now_lost;
    }
    // A longer absence is a gap, and no good time.
    thread::sleep(Duration::from_secs(7));
    let mut probing = Probing::start(&stage, &[]);
    stage.sink.wait_for(Duration::from_secs(20), |letter| is(letter, "firing", "burn", "global"));
    thread::sleep(Duration::from_secs(2));
    let status = stage.status();
    assert!(count(row(&status, "global"), "gaps_s") >= 5, "{:#}", row(&status, "global"));
    stage.shop.clear_faults();
    let is_open = |letters: &[Value]| open(letters).values().any(|is_open| *is_open);
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_open(&stage.sink.letters()) {
        assert!(Instant::now() < deadline, "not all is resolved: {:#?}", stage.sink.letters());
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(probing.stop(), Some(0));
    let (all, failed) = stage.logged(None);
    let (total, total_failed) = counted(&stage.status(), "global");
    assert_eq!((all - total, failed - total_failed), lost, "a stop in good order loses nothing");
    let letters = stage.sink.letters();
    told_once(&letters);
    let told: BTreeSet<String> = open(&letters).into_keys().collect();
    assert!(!begun.is_empty(), "no alert of any of the lives was kept");
    assert!(begun.is_subset(&told), "nobody was told of {:#?}", begun.difference(&told));
    all_delivered(&stage, &letters);
}

/// Every letter that the store has was delivered, and nobody was told of anything else.
fn all_delivered(stage: &Stage, letters: &[Value]) {
    if without("sqlite3") {
        return;
    }
    let file = stage.folder.path("data").join("doorbuster.db");
    let sql = "SELECT incident, sequence, delivered_at_s IS NOT NULL AS delivered FROM outbox";
    let output = Command::new("sqlite3").arg("-json").arg(file).arg(sql).output();
    let output = output.expect("sqlite3 starts: cargo xtask test installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let undelivered: Vec<&Value> = rows.iter().filter(|row| row["delivered"] != 1).collect();
    assert!(undelivered.is_empty(), "{undelivered:#?}");
    let keys = |letters: &[Value]| -> BTreeSet<(String, Option<u64>)> {
        letters.iter().map(|letter| (letter["incident"].to_string(), letter["sequence"].as_u64())).collect()
    };
    assert_eq!(keys(&rows), keys(letters), "the store's letters, and those that came");
}

/// Whether each incident that was told goes on, as its last letter says.
fn open(letters: &[Value]) -> BTreeMap<String, bool> {
    letters.iter().map(|letter| (letter["incident"].to_string(), letter["status"] == "firing")).collect()
}

/// Every incident was told from its beginning to its end, in order, and none of them twice under another key.
fn told_once(letters: &[Value]) {
    let mut incidents: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for letter in letters {
        let told = incidents.entry(letter["incident"].to_string()).or_default();
        match told.iter().find(|earlier| earlier["key"] == letter["key"]) {
            // Delivered again, because nobody could note that it had been: the same.
            Some(earlier) => assert_eq!(*earlier, letter, "one key, one letter"),
            None => told.push(letter),
        }
    }
    let mut spans: BTreeMap<(String, String, String), Vec<(String, String)>> = BTreeMap::new();
    for told in incidents.values() {
        let sequences: Vec<u64> = told.iter().map(|letter| letter["sequence"].as_u64().unwrap()).collect();
        assert_eq!(sequences, (0..told.len() as u64).collect::<Vec<_>>(), "in order: {told:#?}");
        let (first, last) = (told[0], told[told.len() - 1]);
        assert_eq!(
            (first["status"].as_str(), last["status"].as_str()),
            (Some("firing"), Some("resolved")),
            "{told:#?}"
        );
        let about = ["objective", "scope", "kind"].map(|key| first[key].to_string());
        let span = ["began_at", "at"].map(|key| last[key].as_str().unwrap().to_owned());
        let [objective, scope, kind] = about;
        let [began, ended] = span;
        spans.entry((objective, scope, kind)).or_default().push((began, ended));
    }
    for (about, mut spans) in spans {
        // Moments of RFC 3339 in UTC and whole seconds sort as text.
        spans.sort();
        let is_apart = spans.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        assert!(is_apart, "{about:?} was told under two keys at once: {spans:#?}");
    }
}

#[test]
fn twenty_crashes_lose_seconds_and_no_alert() {
    let _turn = turn();
    crashes(20, 7);
}

#[test]
#[ignore = "takes about ten minutes: cargo xtask long"]
fn long_two_hundred_crashes_lose_seconds_and_no_alert() {
    let _turn = turn();
    crashes(200, 11);
}
