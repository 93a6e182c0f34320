//! The pre-flight: what a run comes to is told before the first packet, and none is sent for it.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::util::{
    Finished, Folder, count, patiently, read_head_text, regions, run, server, shop, start_in, turn,
};

const CREDENTIALS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
const NO_CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", ""),
    ("AWS_CONFIG_FILE", "/nowhere"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// A target that counts who connects.
fn counting() -> (SocketAddr, Arc<AtomicU32>) {
    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    let address = server(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        while read_head_text(&mut stream).is_some()
            && stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_ok()
        {}
    });
    (address, connections)
}

/// What stands in for AWS: an account with so many concurrent executions and a function of the usual size, and the heads of
/// the requests.
fn account(executions: u32) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    let address = server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            let body = if head.contains("/functions/doorbuster-agent/configuration ") {
                "{\"MemorySize\": 1769, \"Architectures\": [\"x86_64\"]}".to_owned()
            } else if head.contains("/functions/doorbuster-agent/concurrency ") {
                "{}".to_owned()
            } else {
                format!(
                    "{{\"AccountLimit\": {{\"ConcurrentExecutions\": {executions}, \"UnreservedConcurrentExecutions\": {executions}}}}}"
                )
            };
            heads.lock().unwrap().push(head);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, asked)
}

/// A plan of a minute with these regions, and its path.
fn plan(folder: &Folder, target: &str, regions: &str) -> String {
    folder.write("journey.yaml", "journey: x\nsteps:\n  - { step: one, get: / }\n  - { think: 1s }\n");
    let load = "load: { arrivals: [{ hold: 100/s, for: 60s }] }";
    let text =
        format!("name: friday\ntarget: {target}\nregions: {regions}\njourneys: [journey.yaml]\n{load}\n");
    folder.write("plan.yaml", text)
}

/// Looks at a plan: how it ended, and its document.
fn look(folder: &Folder, environment: &[(&str, &str)], arguments: &[&str]) -> (Finished, Value) {
    let json = folder.path("looked.json").display().to_string();
    let mut all = vec!["plan"];
    all.extend(arguments);
    all.extend(["--json", json.as_str()]);
    let finished = start_in(environment, &all).finish();
    let document = fs::read_to_string(&json).unwrap_or_default();
    (finished, serde_json::from_str(&document).unwrap_or(Value::Null))
}

/// How the line about something is, and what it says.
fn line<'a>(document: &'a Value, check: &str) -> (&'a str, &'a str) {
    let checks = document["checks"].as_array().unwrap();
    let line = checks.iter().find(|line| line["check"] == check).unwrap_or_else(|| panic!("{document:#}"));
    (line["status"].as_str().unwrap(), line["says"].as_str().unwrap())
}

#[test]
fn a_look_at_a_plan_sends_nothing() {
    let (folder, (address, connections)) = (Folder::new(), counting());
    let path = plan(&folder, &format!("http://{address}"), "[tokyo, london]");
    let (finished, document) = look(&folder, &[], &[&path]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    for word in ["tokyo", "london", "shoppers", "connections", "cost", "pre-flight: it may begin"] {
        assert!(finished.stdout.contains(word), "\"{word}\" is missing:\n{}", finished.stdout);
    }
    assert_eq!(document["schema"], "doorbuster.plan/1");
    assert_eq!((document["status"].as_str(), document["cost"]["usd"].as_f64()), (Some("ok"), Some(0.0)));
    assert_eq!(
        (count(&document, "load.arrivals"), count(&document, "regions.tokyo.arrivals")),
        (6_000, 3_000)
    );
    // 100/s who stay for 1 s of thinking and an answer.
    assert_eq!(count(&document, "load.shoppers_max"), 125);
    assert_eq!(connections.load(Ordering::SeqCst), 0, "the target was spoken with");
    let (finished, document) = look(&folder, &[], &[&path, "--target", "http://127.0.0.1:1"]);
    assert_eq!((finished.code, line(&document, "host").0), (0, "ok"));
}

#[test]
fn a_stranger_is_shown_as_refused_and_nobody_looks_its_name_up() {
    let folder = Folder::new();
    let path = plan(&folder, "https://shop.invalid", "[tokyo]");
    let (finished, document) = look(&folder, &[], &[&path]);
    assert_eq!((finished.code, line(&document, "host").0), (2, "refuse"));
    assert!(finished.stdout.contains("add --allow-host shop.invalid"), "{}", finished.stdout);
    assert!(finished.stderr.contains("the pre-flight refuses 1 of its lines"), "{}", finished.stderr);
    let began = Instant::now();
    let (finished, document) = look(&folder, &[], &[&path, "--allow-host", "shop.invalid"]);
    assert_eq!((finished.code, line(&document, "host").0), (0, "ok"));
    assert_eq!(line(&document, "bandwidth").0, "ok");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // A run refuses it as ever.
    let refused = run(&["gate", &path]);
    assert!(refused.stderr.contains("shop.invalid is not this machine, and nobody allowed loading it"));
    assert_eq!((refused.code, refused.report), (2, Value::Null));
}

#[test]
fn quotas_are_those_of_the_regions_whose_agents_are_functions() {
    let (folder, (target, connections)) = (Folder::new(), counting());
    let lambda = "{ tokyo: { aws: ap-northeast-1, launch: lambda, agents: 8 }, london: { aws: eu-west-2, launch: lambda, agents: 8 }, here: { aws: us-east-1 } }";
    let path = plan(&folder, &format!("http://{target}"), lambda);
    let (aws, asked) = account(8);
    let endpoint = format!("http://{aws}");
    let (finished, document) = look(&folder, &CREDENTIALS, &[&path, "--aws-endpoint", &endpoint]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    assert_eq!(line(&document, "quota"), ("ok", "8 of 8 concurrent executions"));
    assert_eq!(line(&document, "function"), ("ok", "doorbuster-agent has 1,769 MB on x86-64"));
    {
        let heads = asked.lock().unwrap();
        assert_eq!(heads.len(), 6, "{heads:#?}");
        for region in ["ap-northeast-1/lambda", "eu-west-2/lambda"] {
            assert_eq!(heads.iter().filter(|head| head.contains(region)).count(), 3, "{heads:#?}");
        }
        let settings = heads.iter().filter(|head| head.starts_with("GET /2016-08-19/account-settings"));
        assert_eq!(settings.count(), 2, "{heads:#?}");
    }
    let (aws, _) = account(7);
    let endpoint = format!("http://{aws}");
    let (finished, document) = look(&folder, &CREDENTIALS, &[&path, "--aws-endpoint", &endpoint]);
    assert_eq!((finished.code, line(&document, "quota").0), (2, "refuse"));
    // A run is refused by the same lines, before anything else happens.
    let refused = start_in(&CREDENTIALS, &["gate", &path, "--aws-endpoint", &endpoint]).finish();
    assert_eq!((refused.code, &refused.report), (2, &Value::Null), "{}", refused.stderr);
    for region in ["ap-northeast-1", "eu-west-2"] {
        let words = format!("refuse: quota, {region}: 8 concurrent executions are needed, and 7 are allowed");
        assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[test]
fn without_credentials_a_quota_is_unknown_and_never_ok() {
    let folder = Folder::new();
    let region = "{ tokyo: { aws: ap-northeast-1, launch: lambda } }";
    let path = plan(&folder, "http://127.0.0.1:1", region);
    let (aws, asked) = account(1_000);
    let endpoint = format!("http://{aws}");
    let (finished, document) = look(&folder, &NO_CREDENTIALS, &[&path, "--aws-endpoint", &endpoint]);
    let (status, says) = line(&document, "quota");
    assert_eq!((finished.code, status), (0, "warning"), "{}", finished.stdout);
    assert!(says.starts_with("unknown: ") && !says.contains('\n'), "{says}");
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn what_costs_more_than_it_may_is_refused() {
    let (folder, (target, connections)) = (Folder::new(), counting());
    let region = "{ tokyo: { aws: ap-northeast-1, launch: lambda, agents: 100 } }";
    let path = plan(&folder, &format!("http://{target}"), region);
    let (aws, _) = account(1_000);
    let endpoint = format!("http://{aws}");
    let (_, document) = look(&folder, &CREDENTIALS, &[&path, "--aws-endpoint", &endpoint]);
    // 100 functions for 60 s, with 20 s before and 10 s after: 9,000 s x 1,769 / 1,024 GB x 0.0000166667 USD, and pennies.
    let usd = document["cost"]["usd"].as_f64().unwrap();
    assert!((0.259..0.265).contains(&usd), "{usd}");
    let with =
        |most: &str| look(&folder, &CREDENTIALS, &[&path, "--aws-endpoint", &endpoint, "--max-cost", most]);
    assert_eq!(with("0.30").0.code, 0);
    let (finished, document) = with("0.20");
    assert_eq!((finished.code, line(&document, "cost").0), (2, "refuse"));
    assert!(finished.stdout.contains("--max-cost is 0.20 USD"), "{}", finished.stdout);
    let refused =
        start_in(&CREDENTIALS, &["rehearse", &path, "--aws-endpoint", &endpoint, "--max-cost", "0.20"])
            .finish();
    assert_eq!((refused.code, &refused.report), (2, &Value::Null), "{}", refused.stderr);
    assert!(refused.stderr.contains("refuse: cost: 0.26 USD at most"), "{}", refused.stderr);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    let mistaken = run(&["plan", &path, "--max-cost", "much"]);
    assert!(mistaken.code == 2 && mistaken.stderr.contains("write for example 50 or 12.50"));
}

#[test]
fn a_run_with_nothing_to_say_of_it_says_nothing() {
    let _turn = turn();
    let (shop, folder) = (shop(), Folder::new());
    let text = format!(
        "name: quiet\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 5/s, for: 1s }}] }}\n",
        regions(&shop)
    );
    let path = folder.write("plan.yaml", text);
    patiently(|| {
        let finished = run(&["gate", &path, "--max-cost", "0", "--quiet"]);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    });
}

#[test]
fn a_plan_for_probes_alone_is_looked_at_as_one_of_probes() {
    let (folder, (address, connections)) = (Folder::new(), counting());
    folder.write("journey.yaml", "journey: x\nsteps:\n  - { step: one, get: / }\n");
    let text = format!(
        "name: watch\ntarget: http://{address}\nregions: [tokyo, london]\njourneys: [journey.yaml]\nprobe: {{ every: 20s }}\n"
    );
    let path = folder.write("plan.yaml", text);
    let (finished, document) = look(&folder, &[], &[&path]);
    assert_eq!((finished.code, document["probe"].as_bool()), (0, Some(true)), "{}", finished.stderr);
    // Two walks every 20 s are 8,640 a day.
    assert_eq!((count(&document, "load.arrivals"), document["length_s"].as_f64()), (8_640, Some(86_400.0)));
    assert!(finished.stdout.contains("figures are those of a day"), "{}", finished.stdout);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}
