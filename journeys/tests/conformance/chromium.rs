//! Forms beside what Chromium sends for the same pages: `recordings/forms.json`, made by `record/record.mjs`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorbuster_journeys::{Answer, Charset, ContentType, Journey, Next, Run, Shopper, Walk, assets};
use http::HeaderMap;
use serde_json::Value as Json;
use url::Url;

use crate::transcript::Dice;

/// What Doorbuster sends otherwise, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("select-input", TREE),
    ("table-foster", TREE),
    ("misnested: two", TREE),
    ("unclosed", TREE),
    ("textarea-wrap", "where lines break follows from the layout"),
    ("image: named", "images are pressed at 0,0"),
    ("image: bare", "images are pressed at 0,0"),
    ("button-overrides: plain", "Chromium writes another encoding than it says"),
    ("button-overrides: valid", UNCHECKED),
    ("validation: required", UNCHECKED),
    ("validation: email", UNCHECKED),
    ("validation: pattern", UNCHECKED),
    ("validation: number", UNCHECKED),
    ("validation: step", UNCHECKED),
    ("validation: box", UNCHECKED),
    ("validation: select", UNCHECKED),
    ("enter: two", "without a button, a form of several fields is submitted as by a script"),
    ("enter: password", "without a button, a form of several fields is submitted as by a script"),
    ("types-bad", "names of colours are not known"),
];
const TREE: &str = "the tree of misplaced elements is not built";
const UNCHECKED: &str = "a journey may send what a browser would not let a person send";
/// What pages are sent as where a case does not say otherwise.
const HTML: &str = "text/html; charset=utf-8";

#[test]
fn forms_are_submitted_as_chromium_submits_them() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let recordings = std::fs::read_to_string(tests.join("recordings/forms.json")).unwrap();
    let recordings: Json = serde_json::from_str(&recordings).unwrap();
    let cases = recordings["cases"].as_array().unwrap();
    assert!(cases.len() >= 150, "there are only {} cases", cases.len());
    let (mut wrong, mut differences) = (Vec::new(), Vec::new());
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let page = std::fs::read(tests.join("pages/forms").join(case["page"].as_str().unwrap())).unwrap();
        let (expected, found) = (sent_by_chromium(&case["request"]), sent(case, &page));
        let is_known = DIFFERENCES.iter().any(|(known, _)| *known == name);
        if is_known && expected != found {
            differences.push(name);
        } else if expected == "nothing" && !found.contains("http://") {
            // The journey fails and says why.
        } else if expected != found {
            wrong.push(format!("{name}\n  Chromium:   {expected}\n  Doorbuster: {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let stale: Vec<_> = DIFFERENCES.iter().filter(|(name, _)| !differences.contains(name)).collect();
    assert!(stale.is_empty(), "these differ no more: {stale:?}");
}

fn sent_by_chromium(request: &Json) -> String {
    let text = |key: &str| request[key].as_str().unwrap_or("").to_owned();
    if request.is_null() {
        return "nothing".to_owned();
    }
    let bytes = STANDARD.decode(text("body_base64")).unwrap();
    let body = if bytes.is_empty() { text("body") } else { shown(&bytes) };
    line(&text("method"), &text("url"), &text("content_type"), &body)
}

/// A body that may be in any encoding.
fn shown(body: &[u8]) -> String {
    std::str::from_utf8(body).map_or_else(|_| body.escape_ascii().to_string(), str::to_owned)
}

fn line(method: &str, url: &str, content_type: &str, body: &str) -> String {
    let body = body.replace('\r', "\\r").replace('\n', "\\n");
    format!("{method} {url} [{content_type}] {body}")
}

/// What a journey sends that submits the case's form.
fn sent(case: &Json, page: &[u8]) -> String {
    let quoted = |value: &Json| value.to_string();
    let mut step = format!("step: sent, submit: {}", quoted(&case["form"]));
    if !case["button"].is_null() {
        step.push_str(&format!(", button: {}", quoted(&case["button"])));
    }
    if case["fill"].as_object().is_some_and(|fill| !fill.is_empty()) {
        step.push_str(&format!(", fields: {}", quoted(&case["fill"])));
    }
    let url = case["url"].as_str().unwrap();
    let text = format!("journey: test\nsteps:\n  - {{ step: page, get: / }}\n  - {{ {step} }}\n");
    let journey = Journey::parse("j.yaml", &text).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    let run = Arc::new(Run { id: "run".into(), mark: "dbm-".into() });
    let mut walk = Walk::new(Arc::new(journey), Shopper { number: 1, run });
    let mut dice = Dice(1);
    let Next::Fetch(_) = walk.next(&mut dice) else { panic!("the page is not asked for") };
    let url = Url::parse(url).unwrap();
    let headers = HeaderMap::new();
    let answer = Answer {
        status: 200,
        headers: &headers,
        content_type: ContentType::of(case["content_type"].as_str().unwrap_or(HTML).as_bytes()),
        url: &url,
        hops: &[],
        cookies: "",
        body: page,
        cut: false,
    };
    if let Err(failure) = walk.answer(&answer, &mut dice) {
        return failure.message;
    }
    match walk.next(&mut dice) {
        Next::Fetch(fetch) => {
            let content_type = fetch.headers.iter().find(|(name, _)| name == "content-type");
            let content_type = content_type.map_or("", |(_, value)| value.to_str().unwrap());
            let body = shown(fetch.body.as_deref().unwrap_or_default());
            let boundary = content_type.split_once("boundary=").map_or("BOUNDARY", |(_, boundary)| boundary);
            line(
                fetch.method.as_str(),
                fetch.target(walk.journey()),
                &content_type.replace(boundary, "BOUNDARY"),
                &body.replace(boundary, "BOUNDARY"),
            )
        }
        _ => walk.take_unsent().map_or_else(|| "nothing".to_owned(), |(_, failure)| failure.message),
    }
}

/// The assets of a page with those of its style sheets, as the engine goes through them.
fn assets_of(page: &[u8], url: &Url, folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = assets::of_page(page, Charset::default(), url);
    while let Some(asset) = waiting.pop() {
        if !found.insert(asset.url.to_string()) || !asset.is_style {
            continue;
        }
        let name =
            asset.url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
        let css = std::fs::read(folder.join(name)).unwrap_or_default();
        let sheet = assets::of_style(&css, &asset.url);
        let sheet = if asset.applies { sheet } else { sheet.unused() };
        waiting.extend(assets::drawn(page, &sheet.pictures));
        waiting.extend(sheet.assets);
    }
    found
}

#[test]
fn assets_are_those_that_chromium_fetches() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let recordings = std::fs::read_to_string(tests.join("recordings/assets.json")).unwrap();
    let recordings: Json = serde_json::from_str(&recordings).unwrap();
    let folder = tests.join("pages/assets");
    // What Doorbuster misses or adds, and why.
    let differences = include_str!("assets-that-differ.txt").lines().collect::<Vec<_>>();
    let (mut wrong, mut known) = (Vec::new(), BTreeSet::new());
    for case in recordings["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut url = Url::parse(case["url"].as_str().unwrap()).unwrap();
        url.set_fragment(None);
        let page = std::fs::read(folder.join(case["page"].as_str().unwrap())).unwrap();
        let requests = case["requests"].as_array().unwrap().iter();
        let expected: BTreeSet<String> = requests
            .map(|request| request["url"].as_str().unwrap().to_owned())
            .filter(|url| !url.ends_with("/favicon.ico"))
            .collect();
        let found = assets_of(&page, &url, &folder);
        for (what, addresses) in [("misses", &expected - &found), ("adds", &found - &expected)] {
            for address in addresses {
                let line = format!("{name} | {what} | {address} | ");
                match differences.iter().find(|difference| difference.starts_with(&line)) {
                    Some(difference) => drop(known.insert(*difference)),
                    None => wrong.push(line),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let stale: Vec<_> = differences.iter().filter(|difference| !known.contains(*difference)).collect();
    assert!(stale.is_empty(), "these differ no more: {stale:?}");
}
