//! Audits of the demo shop's edge: nothing found where nothing is wrong, and what cannot be audited is said. The faults
//! themselves stand in the matrix.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};

use doorbuster_shop::{Fault, Shop};
use serde_json::Value;

use crate::util::{Folder, Running, answering, read_head_text, regions, run, server, shop, start, turn};

/// A plan of which an audit takes the regions, the pages of its journey, and what is declared.
pub(crate) fn plan(shop: &Shop, declared: &str) -> String {
    format!(
        "name: edge\n{}journeys: [browse]\nload: {{ arrivals: [{{ hold: 5000/s, for: 1h }}] }}\n{declared}",
        regions(shop)
    )
}

/// What a plan adds that declares what a shop behind CloudFront promises.
pub(crate) const DECLARED: &str =
    "cdn: { edges: { tokyo: [NRT, HND, KIX], london: [LHR], new-york: [JFK, EWR, IAD] } }\n";

/// An audit under way, and where it tells what it found out.
pub(crate) struct Audit {
    running: Running,
    folder: Folder,
}

/// What an audit came to.
pub(crate) struct Audited {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) report: Value,
    pub(crate) junit: String,
    /// The names of the folders of its data folder, with what the audit is in each.
    kept: Vec<(String, Value)>,
}

impl Audit {
    pub(crate) fn start(what: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let of = |name: &str| folder.path(name).display().to_string();
        let (json, junit, data) = (of("audit.json"), of("audit.xml"), of("data"));
        let places = ["audit", what, "--json", &json, "--junit", &junit, "--data-dir", &data];
        let running = start(&[&places, arguments].concat());
        Self { running, folder }
    }

    pub(crate) fn of_plan(plan: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let path = folder.write("plan.yaml", plan);
        let Self { running, folder: results } = Self::start(&path, arguments);
        // The plan is read by now: its agents are there.
        assert!(!running.agents().is_empty());
        drop(folder);
        Self { running, folder: results }
    }

    pub(crate) fn finish(self) -> Audited {
        let finished = self.running.finish();
        let read = |name: &str| fs::read_to_string(self.folder.path(name)).unwrap_or_default();
        let audit = |name: &str| serde_json::from_str(&read(name)).unwrap_or(Value::Null);
        let kept = fs::read_dir(self.folder.path("data/runs")).into_iter().flatten().flatten();
        let names = kept.map(|entry| entry.file_name().to_string_lossy().into_owned());
        Audited {
            code: finished.code,
            stdout: finished.stdout,
            stderr: finished.stderr,
            report: audit("audit.json"),
            junit: read("audit.xml"),
            kept: names.map(|name| (name.clone(), audit(&format!("data/runs/{name}/audit.json")))).collect(),
        }
    }
}

/// Promises that were found so in a region: class, promise, rule.
pub(crate) fn found<'a>(
    audited: &'a Audited,
    region: &str,
    verdict: &str,
) -> Vec<(&'a str, &'a str, &'a str)> {
    let promises = audited.report["regions"][region]["promises"].as_array().unwrap();
    let text = |value: &'a Value| value.as_str().unwrap_or("");
    let of =
        |promise: &'a Value| (text(&promise["class"]), text(&promise["promise"]), text(&promise["rule"]));
    promises.iter().filter(|promise| promise["verdict"] == verdict).map(of).collect()
}

/// The regions of the demo shop.
pub(crate) const REGIONS: [&str; 3] = ["tokyo", "london", "new-york"];

#[test]
fn twenty_audits_of_a_right_shop_find_nothing() {
    let _turn = turn();
    let shop = shop();
    let plan = plan(&shop, DECLARED);
    // Five at once are fifteen agents.
    for _ in 0..4 {
        let audits: Vec<Audit> = (0..5)
            .map(|number| {
                let arguments: &[&str] = if number == 0 { &["--journey", "cart"] } else { &[] };
                Audit::of_plan(&plan, arguments)
            })
            .collect();
        for audit in audits {
            let audited = audit.finish();
            assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
            assert_eq!(audited.report["verdict"], "pass");
            for region in REGIONS {
                for verdict in ["fail", "warn"] {
                    assert!(found(&audited, region, verdict).is_empty(), "{}", audited.stdout);
                }
                assert!(found(&audited, region, "pass").len() >= 22, "{}", audited.stdout);
            }
        }
    }
}

#[test]
fn what_nobody_declared_warns_and_a_leak_fails_all_the_same() {
    let _turn = turn();
    let shops = ["cold-cache", "cart-leaked"].map(|fault| {
        let shop = shop();
        shop.set_fault(fault.parse::<Fault>().unwrap());
        shop
    });
    let url = |shop: &Shop| format!("http://{}/", shop.edges()[0].address);
    let cold = Audit::start(&url(&shops[0]), &[]);
    let leaked = Audit::start(&url(&shops[1]), &["--journey", "cart", "--quiet"]);
    let cold = cold.finish();
    assert_eq!(cold.code, 0, "{}{}", cold.stdout, cold.stderr);
    assert!(found(&cold, "here", "warn").contains(&("html", "kept", "hit-ratio")), "{}", cold.stdout);
    assert!(cold.stdout.lines().all(|line| line.chars().count() <= 100), "{}", cold.stdout);
    let id = cold.report["run"]["id"].as_str().unwrap();
    let (_, place) = cold.stdout.split_once("\nverdict: pass\n\nkept in ").unwrap();
    assert!(place.ends_with(&format!("/runs/{id}\n")), "{}", cold.stdout);
    assert_eq!(cold.kept, [(id.to_owned(), cold.report.clone())]);
    // Every request is counted, and nothing else was sent.
    let seen: u64 = shops[0].counts().values().flat_map(|region| region.values()).sum();
    assert_eq!(cold.report["regions"]["here"]["requests"].as_u64(), Some(seen));
    let leaked = leaked.finish();
    assert_eq!((leaked.code, leaked.stdout.as_str()), (1, ""), "{}", leaked.stderr);
    assert!(found(&leaked, "here", "fail").contains(&("private", "never-kept", "private-hit")));
    assert_eq!(leaked.kept.len(), 1, "what is not shown is kept all the same");
}

#[test]
fn a_patient_audit_sees_copies_leave_the_cache() {
    let _turn = turn();
    let shop = shop();
    shop.set_fault("short-ttl=15s".parse::<Fault>().unwrap());
    let folder = Folder::new();
    let policy = folder.write(
        "policy.yaml",
        "cdn:\n  classes:\n    - { class: private, match: [\"/api/**\", \"/cart/**\"], cached: never }\n    \
         - { class: static, match: [\"/static/**\"], cached_for: 15s, versioned: true, compress: text }\n    \
         - { class: html, match: [\"text/html\"], cached_for: 15s, compress: text }\n",
    );
    let url = format!("http://{}/p/1", shop.edges()[1].address);
    let audited = Audit::start(&url, &["--patient", "--policy", &policy, "--region", "london"]).finish();
    assert_eq!(audited.code, 0, "{}{}", audited.stdout, audited.stderr);
    for class in ["static", "html"] {
        let kept = found(&audited, "london", "pass");
        assert!(kept.contains(&(class, "expires", "")), "{class}: {}", audited.stdout);
        assert!(kept.contains(&(class, "age", "")), "{class}: {}", audited.stdout);
    }
}

#[test]
fn a_journey_s_secret_is_sent_and_shown_nowhere() {
    let _turn = turn();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let address = server(move |mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            kept.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-cache: Hit from cloudfront\r\n\
                  x-account: xyzzy-42\r\ncontent-length: 2\r\n\r\n{}",
            );
        }
    });
    let folder = Folder::new();
    let secret = "${env.DOORBUSTER_TEST_SECRET}";
    let journey = folder.write(
        "account.yaml",
        format!(
            "journey: account\nsteps:\n  - {{ step: own, get: \"/api/{secret}\", query: {{ of: \"{secret}\" }} }}\n  \
             - {{ step: refused, get: \"/{secret}.json\", expect: {{ status: 204 }} }}\n"
        ),
    );
    let (json, junit) = (folder.path("audit.json"), folder.path("audit.xml"));
    let output = Command::new(env!("CARGO_BIN_EXE_doorbuster"))
        .args(["audit", &format!("http://{address}/"), "--journey", &journey])
        .arg("--json")
        .arg(&json)
        .arg("--junit")
        .arg(&junit)
        .env("XDG_DATA_HOME", folder.path("data"))
        .env("DOORBUSTER_TEST_SECRET", "xyzzy-42")
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr, fs::read(&json).unwrap(), fs::read(&junit).unwrap()];
    let told = String::from_utf8_lossy(&told.concat()).into_owned();
    assert!(told.contains("/api/***?of=***") && told.contains("private-hit"), "{told}");
    assert!(told.contains("***.json: expected status 204"), "{told}");
    assert!(!told.contains("xyzzy"), "{told}");
    let heads = heads.lock().unwrap();
    let sent = heads.iter().filter(|head| head.starts_with("GET /api/xyzzy-42?of=xyzzy-42 ")).count();
    assert!(sent >= 3, "by two shoppers' walks, and by the audit: {heads:?}");
}

#[test]
fn what_leads_to_other_hosts_is_told_and_not_asked() {
    let _turn = turn();
    let address = server(|mut stream| {
        while let Some(head) = read_head_text(&mut stream) {
            let page = "<link rel=\"stylesheet\" href=\"https://static.example.com/a.css\"><img src=\"https://static.example.com/b.png\">";
            let answer = if head.starts_with("GET /pay ") {
                "HTTP/1.1 302 Found\r\nlocation: https://pay.example.com/\r\ncontent-length: 0\r\n\r\n"
                    .to_owned()
            } else {
                let length = page.len();
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n{page}"
                )
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let folder = Folder::new();
    let journey = folder.write("pay.yaml", "journey: pay\nsteps:\n  - { step: pay, get: /pay }\n");
    let policy = folder.write("policy.yaml", DECLARED);
    let url = format!("http://{address}/");
    let audited = Audit::start(&url, &["--journey", &journey, "--policy", &policy]).finish();
    let told = found(&audited, "here", "info");
    for promise in ["hosts", "walks"] {
        assert!(told.contains(&("", promise, "")), "{promise}: {}", audited.stdout);
    }
    let report = audited.report.to_string();
    for part in [
        "2 files on static.example.com; name a host with --allow-host",
        "/pay: redirected to pay.example.com; name it with --allow-host",
    ] {
        assert!(report.contains(part), "{part}: {}", audited.stdout);
    }
}

#[test]
fn an_audit_that_saw_no_page_is_invalid_and_says_why() {
    let _turn = turn();
    let down = shop();
    down.set_fault("down".parse::<Fault>().unwrap());
    let elsewhere = answering(
        b"HTTP/1.1 301 Moved Permanently\r\nlocation: https://www.shop.test/\r\n\
          x-cache: Redirect from cloudfront\r\ncontent-length: 0\r\n\r\n",
    );
    let closed =
        answering(b"HTTP/1.1 403 Forbidden\r\nx-cache: Error from cloudfront\r\ncontent-length: 0\r\n\r\n");
    let audits = [
        (down.edges()[0].address, "answered 502"),
        (elsewhere, "answered 301 to https://www.shop.test/: name that URL"),
        (closed, "answered 403"),
    ]
    .map(|(address, why)| (Audit::start(&format!("http://{address}/"), &["--quiet"]), why));
    for (audit, why) in audits {
        let audited = audit.finish();
        assert_eq!((audited.code, &audited.report["verdict"]), (3, &Value::from("invalid")), "{why}");
        assert_eq!(audited.report["reasons"][0]["kind"], "page_not_audited", "{}", audited.stderr);
        assert!(audited.stderr.contains(why), "{}", audited.stderr);
    }
}

#[test]
fn what_cannot_be_audited_is_said() {
    let _turn = turn();
    let nowhere = Audit::start("http://127.0.0.1:9/", &["--quiet"]).finish();
    assert_eq!(
        (nowhere.code, &nowhere.report["verdict"]),
        (3, &Value::from("invalid")),
        "{}",
        nowhere.stderr
    );
    assert_eq!(nowhere.report["reasons"][0]["kind"], "target_unreachable");
    assert!(nowhere.stderr.contains("invalid (target_unreachable)"), "{}", nowhere.stderr);
    // A server that no edge stands before, and nobody said what it has promised.
    let plain = answering(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi");
    let plain = Audit::start(&format!("http://{plain}/"), &[]).finish();
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    assert!(plain.stdout.contains("--policy"), "{}", plain.stdout);
    for arguments in
        [&["audit", "nowhere.yaml"][..], &["audit", "https://shop.example.com/", "--rate", "11/s"]]
    {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
}
