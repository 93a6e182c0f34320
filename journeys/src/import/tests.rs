mod calls;
mod forms;
mod hostile;
mod secrets;
mod told;

use serde_json::{Value, json};

use super::{ImportOptions, Imported, import};
use crate::Journey;

/// A request of the test shop, answered within 50 ms.
fn entry(at_ms: u64, method: &str, path: &str, status: u16, mime: &str, body: &str) -> Value {
    let url = if path.starts_with('/') { format!("https://shop.example{path}") } else { path.to_owned() };
    let (minutes, seconds) = (at_ms / 60_000, at_ms / 1_000 % 60);
    json!({
        "startedDateTime": format!("2026-11-27T09:{minutes:02}:{seconds:02}.{:03}Z", at_ms % 1_000),
        "time": 50,
        "cache": {},
        "request": { "method": method, "url": url, "headers": [], "cookies": [], "bodySize": -1 },
        "response": {
            "status": status,
            "headers": [],
            "content": { "size": body.len(), "mimeType": mime, "text": body },
            "redirectURL": ""
        }
    })
}

/// A page that somebody went to.
fn page(at_ms: u64, path: &str, html: &str) -> Value {
    let entry = entry(at_ms, "GET", path, 200, "text/html; charset=utf-8", html);
    sent_with(entry, "Accept", "text/html,application/xhtml+xml")
}

/// A call of a script that is answered with JSON.
fn call(at_ms: u64, method: &str, path: &str, status: u16, answer: &Value) -> Value {
    let mut entry = entry(at_ms, method, path, status, "application/json", &answer.to_string());
    entry["_resourceType"] = json!("fetch");
    entry
}

fn sent_with(mut entry: Value, name: &str, value: &str) -> Value {
    let headers = entry["request"]["headers"].as_array_mut().unwrap();
    headers.push(json!({ "name": name, "value": value }));
    entry
}

fn answered_with(mut entry: Value, name: &str, value: &str) -> Value {
    let headers = entry["response"]["headers"].as_array_mut().unwrap();
    headers.push(json!({ "name": name, "value": value }));
    entry
}

fn posting(mut entry: Value, mime: &str, text: &str) -> Value {
    entry["request"]["postData"] = json!({ "mimeType": mime, "text": text });
    entry
}

fn posting_json(entry: Value, body: &str) -> Value {
    posting(entry, "application/json", body)
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "test" }, "pages": [], "entries": entries } })
        .to_string()
}

fn imported_with(entries: &[Value], hosts: &[&str]) -> Imported {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let imported = import(&har(entries), &ImportOptions { name: "visit".to_owned(), hosts }).unwrap();
    Journey::parse("visit.yaml", &imported.text)
        .unwrap_or_else(|faults| panic!("{}\n{faults}", imported.text));
    imported
}

fn imported(entries: &[Value]) -> Imported {
    imported_with(entries, &[])
}

/// The file without its first lines, which are always the same.
fn steps(imported: &Imported) -> &str {
    let head = "# Imported from a recording of https://shop.example.\njourney: visit\nsteps:\n";
    imported.text.strip_prefix(head).unwrap_or_else(|| panic!("{}", imported.text))
}

const FORM_URLENCODED: &str = "application/x-www-form-urlencoded";
