//! Runs that are kept: listed, shown again, exported and removed; with a store, and without one that can be used.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::util::{Folder, answering, count, turn};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the binary with a data folder.
fn doorbuster(data: &Folder, arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorbuster"));
    let output = command.args(arguments).arg("--data-dir").arg(data.path("")).output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A run of two seconds: what it said.
fn hit(data: &Folder, more: &[&str]) -> Done {
    let url = format!("http://{}/", answering(ANSWER));
    doorbuster(data, &[&["hit", &url, "--rate", "40/s", "--for", "2s"], more].concat())
}

fn listed(data: &Folder, more: &[&str]) -> Vec<Value> {
    let done = doorbuster(data, &[&["runs", "list", "--json"], more].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn text<'a>(run: &'a Value, key: &str) -> &'a str {
    run[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {run}"))
}

fn path(folder: &Folder, name: &str) -> String {
    folder.path(name).display().to_string()
}

/// The lines of an export of seconds.
fn seconds(data: &Folder, id: &str) -> Vec<Value> {
    let file = path(data, "seconds.ndjson");
    let done = doorbuster(data, &["runs", "export", id, "--ticks", &file]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let lines = fs::read_to_string(file).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_is_listed_shown_and_exported() {
    let _turn = turn();
    let data = Folder::new();
    let run = hit(&data, &["--region", "tokyo,london"]);
    assert_eq!((run.code, run.stderr.contains("doorbuster:")), (0, false), "{}", run.stderr);
    let runs = listed(&data, &["--job", "hit", "--verdict", "pass", "--since", "1h", "--name", "hit"]);
    assert_eq!(runs.len(), 1);
    let id = text(&runs[0], "id");
    assert!(runs[0]["stored"].as_bool().unwrap() && text(&runs[0], "folder").ends_with(id));
    let shown = doorbuster(&data, &["runs", "show", &id[..13]]);
    assert_eq!((shown.code, shown.stdout), (0, run.stdout), "the same tables again");
    let table = doorbuster(&data, &["runs", "list"]).stdout;
    assert!(table.contains(&id[..16]) && table.contains("pass"), "{table}");
    assert!(listed(&data, &["--verdict", "fail"]).is_empty());

    let (json, logs) = (path(&data, "report.json"), path(&data, "logs"));
    let done = doorbuster(&data, &["runs", "export", id, "--json", &json, "--hlog", &logs]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let read = |path: &str| -> Value { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() };
    let report = read(&json);
    assert_eq!(report, read(&path(&data, &format!("runs/{id}/report.json"))));
    assert_eq!(runs[0]["requests"], report["global"]["requests"]);
    let lines = seconds(&data, id);
    let of = |key: &str| lines.iter().map(|line| line[key].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("requests").iter().sum::<u64>(), count(&report, "global.requests"));
    assert!(of("second").is_sorted(), "{lines:?}");
    let samples = |line: &Value| {
        line["latency_us"].as_array().unwrap().iter().map(|pair| pair[1].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(lines.iter().map(samples).sum::<u64>(), count(&report, "global.latency_ms.count"));
    let first = lines.iter().find(|line| line["region"] == "tokyo").unwrap();
    assert_eq!(
        (text(first, "journey"), text(first, "step"), text(first, "part")),
        ("hit", "request", "main")
    );
    for region in ["tokyo", "london"] {
        let log = fs::read_to_string(data.path(&format!("logs/{region}.hlog"))).unwrap();
        let seconds: BTreeSet<u64> = lines
            .iter()
            .filter(|line| line["region"] == region)
            .map(|line| line["second"].as_u64().unwrap())
            .collect();
        assert!(log.matches("HIST").count() >= 2 * seconds.len(), "an interval per second and tag: {log}");
    }
    let files: Vec<_> = fs::read_dir(data.path(&format!("runs/{id}"))).unwrap().flatten().collect();
    assert_eq!(files.len(), 2, "once the store has the seconds, the folder is as it always was: {files:?}");
}

#[test]
fn old_runs_go_and_the_newest_stays() {
    let _turn = turn();
    let data = Folder::new();
    for _ in 0..3 {
        assert_eq!(hit(&data, &["--quiet"]).code, 0);
    }
    // As an older version left it: a folder alone.
    let newest = listed(&data, &[]).remove(0);
    let old = "20200101T000000Z-0123abcd";
    fs::create_dir_all(data.path(&format!("runs/{old}"))).unwrap();
    let report = format!("runs/{}/report.json", text(&newest, "id"));
    let text_of_report = fs::read_to_string(data.path(&report))
        .unwrap()
        .replace("\"started_at\": \"20", "\"started_at\": \"19");
    fs::write(data.path(&format!("runs/{old}/report.json")), text_of_report).unwrap();
    fs::create_dir_all(data.path("runs/my-notes")).unwrap();
    let runs = listed(&data, &[]);
    assert_eq!((runs.len(), text(&runs[3], "id"), &runs[3]["stored"]), (4, old, &Value::Bool(false)));
    assert_eq!(doorbuster(&data, &["runs", "show", "2020"]).code, 0);

    assert_eq!(doorbuster(&data, &["runs", "prune"]).code, 2, "nobody said what may go");
    let dry = doorbuster(&data, &["runs", "prune", "--older-than", "1d", "--dry-run"]);
    assert!(dry.stdout.contains(old) && dry.stdout.contains("1 run would be removed"), "{}", dry.stdout);
    assert_eq!(listed(&data, &[]).len(), 4);
    let aged = doorbuster(&data, &["runs", "prune", "--older-than", "1d"]);
    assert!(aged.stdout.contains("1 run removed") && !data.path(&format!("runs/{old}")).exists());
    let sized = doorbuster(&data, &["runs", "prune", "--max-size", "1B", "--keep", "2"]);
    assert!(sized.stdout.contains("together too large"), "{}{}", sized.stdout, sized.stderr);
    assert_eq!(listed(&data, &[]).len(), 2);
    assert_eq!(doorbuster(&data, &["runs", "prune", "--max-size", "1B"]).code, 0);
    let left = listed(&data, &[]);
    assert_eq!((left.len(), text(&left[0], "id")), (1, text(&newest, "id")), "the newest never goes");
    assert!(data.path("runs/my-notes").exists(), "nor what is no run");
    let folders = fs::read_dir(data.path("runs")).unwrap().count();
    assert_eq!(folders, 2);
}

#[test]
fn a_store_that_cannot_be_used_changes_no_verdict() {
    let _turn = turn();
    let data = Folder::new();
    fs::write(data.path("doorbuster.db"), "nothing of ours ".repeat(1_000)).unwrap();
    let run = hit(&data, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("verdict: pass"), "{}", run.stdout);
    for words in ["doorbuster.db is damaged", "The run is kept in its folder"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let list = doorbuster(&data, &["runs", "list", "--json"]);
    assert!(list.code == 0 && list.stderr.contains("only folders are listed"), "{}", list.stderr);
    let runs: Vec<Value> = serde_json::from_str(&list.stdout).unwrap();
    let id = text(&runs[0], "id");
    assert_eq!((runs.len(), text(&runs[0], "verdict"), &runs[0]["stored"]), (1, "pass", &Value::Bool(false)));
    let shown = doorbuster(&data, &["runs", "show", id]);
    assert_eq!((shown.code, shown.stdout), (0, run.stdout));
    let sum: u64 = seconds(&data, id).iter().map(|line| line["requests"].as_u64().unwrap()).sum();
    assert_eq!(runs[0]["requests"].as_u64(), Some(sum), "the seconds wait in the folder");
    let pruned = doorbuster(&data, &["runs", "prune", "--keep", "1"]);
    assert_eq!(pruned.code, 3, "what cannot be looked at as a whole is left as it is");
}

#[test]
fn data_folders_may_share_a_store() {
    let _turn = turn();
    let (here, there) = (Folder::new(), Folder::new());
    let store = format!("sqlite:{}", path(&here, "shared.db"));
    let run = hit(&here, &["--store", &store]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(here.path("shared.db").exists() && !here.path("doorbuster.db").exists());
    let seen = listed(&there, &["--store", &store]);
    assert_eq!((seen.len(), &seen[0]["folder"]), (1, &Value::Null));
    let shown = doorbuster(&there, &["runs", "show", text(&seen[0], "id"), "--store", &store]);
    let tables = run.stdout.lines().filter(|line| !line.starts_with("kept in"));
    assert_eq!(shown.stdout.trim_end(), tables.collect::<Vec<_>>().join("\n").trim_end());
    let unknown = doorbuster(&there, &["runs", "show", "2020", "--store", &store]);
    assert!(unknown.code == 2 && unknown.stderr.contains("doorbuster runs list"), "{}", unknown.stderr);
}
